"""A running `mcpr run`, and every trace that it leaves anywhere: files, streams, processes, pages.

Its folder is all it may write to (home, temporary files, working directory and store are in it),
so what is in the folder is what it wrote.
"""

import os
import re
import select
import shutil
import signal
import sqlite3
import sys
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.conformance.program import Program, running
from tests.privacy.canaries import Canaries

MCPR = Path(sys.executable).with_name("mcpr")
START_SECONDS = 20.0
_ADDRESS = re.compile(r"^  (proxy|admin) +http://127\.0\.0\.1:(\d+)", re.MULTILINE)
_WRITTEN = re.compile(r'^mcpr_events_written_total\{sink="sqlite"\} (\d+)(?:\.0)?$', re.MULTILINE)


@dataclass(frozen=True)
class Proxy:
    """port: where clients call. admin: the port of the admin pages. folder: all it may write to."""

    program: Program
    folder: Path
    port: int
    admin: int

    @property
    def store(self) -> Path:
        """The store's file."""
        return self.folder / "store" / "store.db"

    @property
    def pids(self) -> list[int]:
        """The processes: the one that moves bytes, then its companion."""
        return pids(self.program)

    def page(self, path: str, **headers: str) -> bytes:
        """One of the admin pages."""
        asked = urllib.request.Request(f"http://127.0.0.1:{self.admin}{path}", headers=headers)
        with urllib.request.urlopen(asked, timeout=START_SECONDS) as answer:
            body: bytes = answer.read()
            return body

    def wait_for_rows(self, count: int) -> None:
        """Wait until the store has so many rows."""

        def is_there() -> bool | None:
            found = _WRITTEN.search(self.page("/metrics").decode())
            return True if found is not None and int(found[1]) >= count else None

        self.program.wait_until(is_there, START_SECONDS)

    def wait_for_words(self, words: str) -> None:
        """Wait until it has said this on stderr."""
        self.program.wait_until(
            lambda: True if words in self.program.stderr.read_text() else None, START_SECONDS
        )

    def files(self) -> dict[str, bytes]:
        """Every file it wrote, what it printed included."""
        return {
            path.relative_to(self.folder).as_posix(): path.read_bytes()
            for path in sorted(self.folder.rglob("*"))
            if path.is_file()
        }

    def traces(self) -> dict[str, bytes]:
        """Everything there is of it while it runs."""
        return {
            **self.files(),
            **{
                f"{what} of process {number}": Path(f"/proc/{pid}/{what}").read_bytes()
                for number, pid in enumerate(self.pids)
                for what in ("cmdline", "environ", "comm")
            },
            **{path: self.page(path) for path in ("/metrics", "/ready", "/live", "/config")},
        }

    def drain(self) -> int:
        """End it with SIGTERM; its exit code."""
        self.program.process.terminate()
        return self.program.wait_for_end(START_SECONDS)

    def kill(self) -> None:
        """End both processes at once, with what they have not yet written."""
        ends = [os.pidfd_open(pid) for pid in self.pids]
        for end in ends:
            signal.pidfd_send_signal(end, signal.SIGKILL)
        for end in ends:
            assert select.select([end], [], [], START_SECONDS)[0]
            os.close(end)


def pids(program: Program) -> list[int]:
    """The processes of a program: itself, then its children."""
    main = program.process.pid
    children = Path(f"/proc/{main}/task/{main}/children").read_text().split()
    return [main, *map(int, children)]


@contextmanager
def proxy(
    folder: Path,
    origin: int,
    *options: str,
    command: Sequence[str | Path] = (MCPR, "run"),
    environment: Mapping[str, str] | None = None,
    started: Callable[[Callable[[], list[int]]], None] | None = None,
) -> Iterator[Proxy]:
    """Run `command` before the origin's port, listening on free ports. Ended at the end.

    started: called when the first process has been made, with what tells all of them.
    """
    homes = {name: folder / name.lower() for name in ("HOME", "TMPDIR", "CWD", "STORE", "OUTPUT")}
    for home in homes.values():
        home.mkdir(parents=True, exist_ok=True)
    words = (*command, f"http://127.0.0.1:{origin}/mcp", "--port", "0", "--admin", "127.0.0.1:0")
    store = ("--db", homes["STORE"] / "store.db")
    variables = {name: str(homes[name]) for name in ("HOME", "TMPDIR")}
    variables["MCPR_LOG_ACCESS"] = str(homes["OUTPUT"] / "access.log")
    variables |= dict(environment or {})
    with running(
        (*words, *store, *options), homes["OUTPUT"], cwd=homes["CWD"], environment=variables
    ) as program:
        if started is not None:
            started(lambda: pids(program))

        def ports() -> dict[str, str] | None:
            found = dict(_ADDRESS.findall(program.stdout.read_text()))
            return found if len(found) == 2 else None

        found = program.wait_until(ports, START_SECONDS)
        yield Proxy(program, folder, int(found["proxy"]), int(found["admin"]))


@contextmanager
def a_copy(store: Path, scratch: Path) -> Iterator[sqlite3.Connection]:
    """A copy of the store, with what a killed process left beside it; the files stay untouched."""
    copied = shutil.copytree(store.parent, scratch / "copy", dirs_exist_ok=True)
    with closing(sqlite3.connect(copied / store.name)) as connection:
        yield connection


def columns(connection: sqlite3.Connection) -> dict[str, list[str]]:
    """Each table of a store and its columns."""
    tables = connection.execute(
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
    )
    return {
        table: [name for _, name, *_ in connection.execute(f"PRAGMA table_info({table})")]
        for (table,) in tables.fetchall()
    }


def longest_texts(connection: sqlite3.Connection) -> dict[str, int]:
    """Column → how many characters its longest text has."""
    return {
        name: connection.execute(f"SELECT max(length({name})) FROM {table}").fetchone()[0] or 0
        for table, names in columns(connection).items()
        for name in names
        if table in {"label", "request_event"}
    }


def columns_holding(connection: sqlite3.Connection, canaries: Canaries) -> dict[str, set[str]]:
    """Place → the columns in which its canary stands."""
    held: dict[str, set[str]] = {}
    for table, names in columns(connection).items():
        for name in names:
            values = connection.execute(f"SELECT DISTINCT {name} FROM {table}").fetchall()
            data = "\n".join(str(value) for (value,) in values).encode()
            for finding in canaries.find({name: data}):
                held.setdefault(finding.place, set()).add(finding.source)
    return held
