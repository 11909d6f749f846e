"""Other processes that use a store: started, let go all at once, and waited for."""

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

_PRELUDE = """
import os, resource, signal, sys
from pathlib import Path
from tests.events.building import an_event, many
from mcpr.errors import StoreError
from mcpr.store import Filter
from mcpr.store.sqlite import SqliteEventStore, Writer, session_key
path = Path(sys.argv[1])
print("ready", flush=True)
sys.stdin.readline()
"""
ROOT = Path(__file__).resolve().parents[2]
SECONDS = 60


def started(program: str, path: Path) -> subprocess.Popen[str]:
    """A process that knows `path`, has imported what it needs, and waits for a line."""
    process = subprocess.Popen(
        [sys.executable, "-c", _PRELUDE + program, str(path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


def let_go(process: subprocess.Popen[str]) -> None:
    """Let it run its program."""
    assert process.stdin is not None
    process.stdin.write("\n")
    process.stdin.flush()


def together(processes: Sequence[subprocess.Popen[str]]) -> list[str]:
    """Let all run at once; return what each one printed."""
    for process in processes:
        let_go(process)
    answers = [process.communicate(timeout=SECONDS)[0].strip() for process in processes]
    assert [process.returncode for process in processes] == [0] * len(processes)
    return answers
