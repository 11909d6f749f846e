"""What the tests of recorder and companion share: a loop, bounded waits, companions of our own."""

import asyncio
import contextlib
import fcntl
import logging
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any

import pytest
import uvloop

from mcpr.proxy.recorder import Recorder, RecorderSettings
from mcpr.sinks import Counts

ROOT = Path(__file__).parents[2]
# The shipped companion with the sinks of tests/proxy/companion_program.py added to SINKS.
PROGRAM = (sys.executable, str(Path(__file__).with_name("companion_program.py")))
WAIT_SECONDS = 20.0


def run(scene: Coroutine[Any, Any, None]) -> None:
    """Play a scene on the loop the proxy uses; none takes longer than a minute."""

    async def bounded() -> None:
        async with asyncio.timeout(60):
            await scene

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(bounded())


async def until(condition: Callable[[], bool], seconds: float = WAIT_SECONDS) -> None:
    """Wait for something that another process does; at most `seconds`."""
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110 - nothing tells when another process did it
            await asyncio.sleep(0.005)


@contextlib.asynccontextmanager
async def recording(*sinks: tuple[str, str | Path], **settings: Any) -> AsyncIterator[Recorder]:
    """A started recorder over the test program; drained at the end whatever happened."""
    named = tuple((name, str(target)) for name, target in sinks)
    recorder = Recorder(RecorderSettings(named, command=PROGRAM, **settings))
    await recorder.start()
    try:
        yield recorder
    finally:
        await recorder.drain(1.0)


def lines(path: Path) -> list[str]:
    """The ids that the sink `lines` wrote to its target."""
    return path.read_text().splitlines() if path.exists() else []


@contextlib.contextmanager
def held(path: Path) -> Iterator[None]:
    """While this lasts, the sink `gate` with this target blocks in its next write."""
    file = os.open(path, os.O_CREAT | os.O_RDWR)
    fcntl.flock(file, fcntl.LOCK_EX)
    try:
        yield
    finally:
        os.close(file)


def is_alive(pid: int) -> bool:
    """Whether the process runs; a zombie does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def is_settled(counts: Counts) -> bool:
    """Whether published = written + rejected + dropped."""
    return counts.under_way == 0


def messages(caplog: pytest.LogCaptureFixture) -> list[str]:
    """What was said at ERROR and above."""
    return [record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR]


async def kill_companion(recorder: Recorder) -> None:
    """End it the hard way, and wait until the recorder has noticed."""
    pid = recorder.companion_pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    await until(lambda: recorder.companion_pid is None)
