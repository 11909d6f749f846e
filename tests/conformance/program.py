"""A program that a test starts: in a process group of its own, bounded in time, gone at the end.

It knows nothing of MCP. What a program prints goes to files, so that no full pipe can stop it.
"""

import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from mcpr.errors import McprError

STOP_SECONDS = 10.0
"""How long a program may take to end after SIGTERM before its group is killed."""

_POLL_SECONDS = 0.02
_TAIL_CHARACTERS = 2000

Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True)
class Program:
    """A running program and the files that hold what it printed."""

    process: subprocess.Popen[bytes]
    stdout: Path
    stderr: Path

    def __repr__(self) -> str:
        return f"<Program {self.name} pid={self.process.pid} returncode={self.process.returncode}>"

    @property
    def name(self) -> str:
        """The command's first words, for messages."""
        arguments = self.process.args
        return " ".join(map(str, arguments[:3])) if isinstance(arguments, list) else str(arguments)

    def wait_until(self, question: Callable[[], Answer | None], seconds: float) -> Answer:
        """The first answer to `question` that is not None.

        Raises McprError when the program ends first, or gives none within `seconds`.
        """
        deadline = time.monotonic() + seconds
        while (answer := question()) is None:
            with suppress(subprocess.TimeoutExpired):
                # The pause between two questions; it ends at once when the program does.
                code = self.process.wait(_POLL_SECONDS)
                raise self.trouble("it ended while starting", f"exit code {code}")
            if time.monotonic() > deadline:
                raise self.trouble("it did not become ready", f"{seconds:g} s have passed")
        return answer

    def wait_for_end(self, seconds: float) -> int:
        """The exit code. Raises McprError when the program is still running after `seconds`."""
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired as exc:
            raise self.trouble("it did not end", f"{seconds:g} s have passed") from exc

    def stop(self) -> int:
        """Ask the program to end, then kill what is left of its group. Returns the exit code."""
        try:
            self.process.terminate()
            return self.wait_for_end(STOP_SECONDS)
        finally:
            with suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait(STOP_SECONDS)

    def trouble(self, what: str, why: str) -> McprError:
        """An error about this program that shows the end of what it printed."""
        printed = self.stdout.read_text() + self.stderr.read_text()
        return McprError(
            f"cannot use {self.name}: {what}",
            why,
            f"read its last words:\n{printed[-_TAIL_CHARACTERS:]}",
        )


@contextmanager
def running(
    command: Sequence[str | Path],
    folder: Path,
    *,
    cwd: Path | None = None,
    environment: Mapping[str, str] | None = None,
) -> Iterator[Program]:
    """Start `command` with its output in `folder` (made when absent); stop it at the end.

    environment: variables set on top of ours.
    """
    folder.mkdir(parents=True, exist_ok=True)
    stdout, stderr = folder / "stdout", folder / "stderr"
    with stdout.open("wb") as out, stderr.open("wb") as err:
        process = subprocess.Popen(
            [str(word) for word in command],
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=err,
            cwd=cwd,
            env=os.environ | dict(environment or {}),
            start_new_session=True,
        )
    program = Program(process, stdout, stderr)
    try:
        yield program
    finally:
        program.stop()


def find_free_port() -> int:
    """A TCP port that nobody used a moment ago, for a program that cannot pick one itself."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def accepts_connections(port: int) -> bool | None:
    """True once something listens on this loopback port, None before (see `wait_until`)."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1.0):
            return True
    except OSError:
        return None
