"""The processes of a scenario: `mcpr run` as people start it, and the server behind it."""

import contextlib
import os
import re
import select
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import msgspec

MCPR = Path(sys.executable).with_name("mcpr")
WAIT_SECONDS = 30.0
_URL = re.compile(rb"http://127\.0\.0\.1:([0-9]+)")
_COUNTS = re.compile(r"published=(\d+) written=(\d+) rejected=(\d+) dropped=(\d+)")


class Row(msgspec.Struct, frozen=True):
    """One row of the view that the schema offers to people."""

    id: str
    ts_ms: int
    kind: str
    method: str | None
    tool: str | None
    outcome: str
    origin: str | None
    http_status: int | None
    latency_us: int
    upstream_us: int | None
    bytes_in: int
    bytes_out: int


@dataclass(frozen=True)
class Ended:
    """How a process ended. stderr: all it said there."""

    code: int
    stderr: str

    @property
    def counts(self) -> tuple[int, int, int, int]:
        """What became of the events: published, written, rejected, dropped."""
        found = _COUNTS.search(self.stderr)
        assert found is not None, self.stderr
        published, written, rejected, dropped = map(int, found.groups())
        return published, written, rejected, dropped


class Program:
    """A process that says on stdout when it is ready, and where. said: those words."""

    def __init__(
        self,
        command: list[str],
        said: Callable[[bytes], re.Match[bytes] | None],
        environment: Mapping[str, str],
        errors: Path,
    ) -> None:
        self._errors = errors
        self.said = b""
        with errors.open("wb") as stderr:
            self.process = subprocess.Popen(
                command,
                stdout=subprocess.PIPE,
                stderr=stderr,
                stdin=subprocess.DEVNULL,
                env={**os.environ, **environment},
                start_new_session=True,
            )
        self.port = self._read_port(said)

    @property
    def pid(self) -> int:
        return self.process.pid

    def _read_port(self, said: Callable[[bytes], re.Match[bytes] | None]) -> int:
        assert self.process.stdout is not None
        descriptor = self.process.stdout.fileno()
        heard, until = b"", time.monotonic() + WAIT_SECONDS
        while (found := said(heard)) is None:
            ready, _, _ = select.select([descriptor], [], [], max(0.0, until - time.monotonic()))
            piece = os.read(descriptor, 65_536) if ready else b""
            if not piece:
                self.close()
                raise AssertionError(f"it did not get ready: {heard!r} {self._errors.read_text()}")
            heard += piece
        self.said = heard
        return int(found[1])

    def send(self, number: signal.Signals) -> None:
        """Send a signal."""
        self.process.send_signal(number)

    def wait(self, seconds: float = WAIT_SECONDS) -> Ended:
        """Wait for its end, at most so long."""
        code = self.process.wait(seconds)
        return Ended(code, self._errors.read_text())

    def stop(self, number: signal.Signals = signal.SIGTERM) -> Ended:
        """Ask it to end, and wait."""
        self.send(number)
        return self.wait()

    def kill(self) -> None:
        """End it the hard way, together with what it started."""
        for pid in (self.pid, *children(self.pid)):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.process.wait(WAIT_SECONDS)

    def close(self) -> None:
        """Leave nothing behind, whatever the scenario did."""
        if self.process.poll() is None:
            self.kill()
        assert self.process.stdout is not None
        self.process.stdout.close()

    @property
    def resident_bytes(self) -> int:
        """How much memory the process itself holds."""
        pages = Path(f"/proc/{self.pid}/statm").read_text(encoding="ascii").split()[1]
        return int(pages) * os.sysconf("SC_PAGE_SIZE")


def children(pid: int) -> list[int]:
    """The processes that this one started and that live."""
    found = Path(f"/proc/{pid}/task/{pid}/children")
    try:
        return [int(child) for child in found.read_text(encoding="ascii").split()]
    except OSError:
        return []


def is_alive(pid: int) -> bool:
    """Whether the process runs; one that only waits to be buried does not."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace")
    except OSError:
        return False
    return stat.rpartition(")")[2].split()[0] not in "ZX"


def wait_until(condition: Callable[[], bool], seconds: float = WAIT_SECONDS) -> None:
    """Wait for what another process is about to do."""
    ends = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < ends, "it did not happen in time"
        # Nothing tells when another process did it.
        select.select([], [], [], 0.01)


@contextlib.contextmanager
def an_upstream(folder: Path, *certificate: Path) -> Iterator[Program]:
    """A server of tests/scenarios/upstream_program.py."""
    program = str(Path(__file__).with_name("upstream_program.py"))
    command = [sys.executable, program, *map(str, certificate)]
    upstream = Program(command, re.compile(rb"([0-9]+)\n").search, {}, folder / "upstream.txt")
    try:
        yield upstream
    finally:
        upstream.close()


@contextlib.contextmanager
def a_proxy(
    url: str, store: Path, *options: str, environment: Mapping[str, str] | None = None
) -> Iterator[Program]:
    """`mcpr run URL` on a free port; it is ended the hard way if the scenario did not end it."""
    errors = store.with_name(f"stderr-{time.monotonic_ns()}.txt")
    with a_running(command(url, store, *options), errors, environment) as proxy:
        yield proxy


@contextlib.contextmanager
def a_running(
    command_line: list[str], errors: Path, environment: Mapping[str, str] | None = None
) -> Iterator[Program]:
    """A proxy that this command line starts, its stderr in a file; ended as above."""
    proxy = Program(command_line, _URL.search, environment or {}, errors)
    try:
        yield proxy
    finally:
        proxy.close()


def command(url: str, store: Path, *options: str) -> list[str]:
    """The command line of a proxy that says nothing of its calls."""
    quiet = ("--port", "0", "--log", "off", "--admin", "off")
    return [str(MCPR), "run", url, "--db", str(store), *quiet, *options]


def rows(store: Path) -> list[Row]:
    """What is recorded."""
    columns = ", ".join(Row.__struct_fields__)
    with contextlib.closing(sqlite3.connect(store)) as connection:
        found = connection.execute(f"SELECT {columns} FROM requests ORDER BY seq").fetchall()
    return [Row(*row) for row in found]


def assert_sound(store: Path) -> None:
    """Nothing in the file is damaged, and no row is torn from what belongs to it."""
    with contextlib.closing(sqlite3.connect(store)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
        (events,) = connection.execute("SELECT count(*) FROM request_event").fetchone()
        (whole,) = connection.execute("SELECT count(*) FROM requests").fetchone()
    assert events == whole
