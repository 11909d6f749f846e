"""Tells the story of the MCP Inspector's command line, one JSON line for each step.

    python -m tests.conformance.clients.inspector NODE INSPECTOR URL legacy|auto|modern

Each step is a run of the Inspector of its own: it connects, asks one thing and closes. It cannot
subscribe, cancel or answer what a tool asks; those steps are left to the other clients.
"""

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import repeat
from tempfile import TemporaryDirectory

RUN_SECONDS = 60.0
PARALLEL_RUNS = 3

STEPS: Mapping[str, Sequence[str]] = {
    "tools": ("--method", "tools/list"),
    "progress": ("--method", "tools/call", "--tool-name", "test_tool_with_progress"),
    "failing": ("--method", "tools/call", "--tool-name", "test_error_handling"),
    "resource": ("--method", "resources/read", "--uri", "test://static-text"),
    "missing": ("--method", "resources/read", "--uri", "test://nowhere"),
    "prompt": (
        *("--method", "prompts/get", "--prompt-name", "test_prompt_with_arguments"),
        *("--prompt-args", "arg1=one", "arg2=two"),
    ),
}


def _run(command: Sequence[str], home: str) -> object:
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        timeout=RUN_SECONDS,
        check=False,
        env=os.environ | {"HOME": home},
    )
    return [done.returncode, done.stdout, done.stderr]


def main() -> None:
    """Tell the story of the server at a URL, in one mode."""
    node, inspector, url, mode = sys.argv[1:5]
    start = [node, inspector, "--cli", url, "--transport", "http", "--protocol-era", mode]
    commands = [[*start, "--format", "json", "--quiet", *step] for step in STEPS.values()]
    # Side by side: most of a run is the start of Node, and no step depends on another.
    # In a home of its own, because it keeps what it knows of servers there.
    with TemporaryDirectory() as home, ThreadPoolExecutor(PARALLEL_RUNS) as pool:
        told_steps = pool.map(_run, commands, repeat(home))
        for name, told in zip(STEPS, told_steps, strict=True):
            sys.stdout.write(f"{json.dumps([name, told])}\n")
    sys.stdout.write('["closed", null]\n')


if __name__ == "__main__":
    main()
