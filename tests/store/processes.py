"""Other processes that use a store: started, let go all at once, and waited for."""

import contextlib
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
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


@contextlib.contextmanager
def running(
    command: Sequence[str],
    *,
    cwd: Path | None = None,
    stderr: int | None = None,
    env: Mapping[str, str] | None = None,
) -> Iterator[subprocess.Popen[str]]:
    """A process that is killed when the test is over, however it ends, or has taken too long."""
    with subprocess.Popen(
        command,
        text=True,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=stderr,
        cwd=cwd,
        env=env,
    ) as process:
        # Whoever waits for a line then gets the end of the file.
        watchdog = threading.Timer(SECONDS, process.kill)
        watchdog.start()
        try:
            yield process
        finally:
            watchdog.cancel()
            process.kill()


@contextlib.contextmanager
def started(program: str, path: Path, count: int = 1) -> Iterator[list[subprocess.Popen[str]]]:
    """Processes that know `path`, have imported what they need, and wait for a line."""
    command = [sys.executable, "-c", _PRELUDE + program, str(path)]
    with contextlib.ExitStack() as stack:
        processes = [stack.enter_context(running(command, cwd=ROOT)) for _ in range(count)]
        for process in processes:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
        yield processes


def let_go(process: subprocess.Popen[str]) -> None:
    """Let it run its program."""
    assert process.stdin is not None
    process.stdin.write("\n")
    process.stdin.flush()


def together(program: str, path: Path, count: int = 1) -> list[str]:
    """Let `count` processes run a program at once; return what each one printed."""
    with started(program, path, count) as processes:
        for process in processes:
            let_go(process)
        answers = [process.communicate(timeout=SECONDS)[0].strip() for process in processes]
        assert [process.returncode for process in processes] == [0] * count
    return answers
