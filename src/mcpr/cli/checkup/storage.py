"""The store: whether it opens, can be written and is whole, who may read it, what room there is."""

import os
import shutil
import sqlite3
import stat
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

from mcpr.cli import words
from mcpr.cli.checkup.finding import Finding
from mcpr.errors import StoreError
from mcpr.store import Filter
from mcpr.store.sqlite import SqliteEventStore

_CHECK_SECONDS = 10.0
_LITTLE_ROOM = 500_000_000
_NO_ROOM = 20_000_000
_AHEAD_MS = 60_000


def storage(path: Path, now_ms: int) -> Iterator[Finding]:
    """All of it. path: of the store, which need not be there."""
    yield from _file(path, now_ms)
    yield _writable(path)
    yield _room(path)
    yield from _modes(path)


def _file(path: Path, now_ms: int) -> Iterator[Finding]:
    if not path.exists():
        yield Finding("store", "ok", f"{path} is not there yet; the first run makes it")
        return
    try:
        with SqliteEventStore(path) as store:
            size = words.size(store.volume().file_bytes)
            recorded = store.last_seq()
            newest = store.requests(Filter(), 1)
    except StoreError as error:
        yield Finding("store", "fail", f"{error.what}: {error.why} [{error.code}]", error.next_step)
        return
    yield Finding("store", "ok", f"{path}: {size}, {recorded} events recorded")
    yield _whole(path)
    if newest and newest[0].event.ts_ms > now_ms + _AHEAD_MS:
        yield Finding(
            "clock and store",
            "warn",
            "the newest event is from the future: the clock has gone back, or was wrong then",
            "keep the clock set (NTP); `mcpr logs --until` shows what is ahead",
        )


def _whole(path: Path) -> Finding:
    deadline = time.monotonic() + _CHECK_SECONDS
    uri = f"file:{quote(os.fspath(path.absolute()))}?mode=ro"
    try:
        with closing(sqlite3.connect(uri, uri=True)) as connection:
            connection.set_progress_handler(lambda: time.monotonic() > deadline, 10_000)
            (said,) = connection.execute("PRAGMA quick_check(1)").fetchone()
    except sqlite3.OperationalError as error:
        if "interrupted" not in str(error):
            return Finding("integrity", "fail", str(error), "see `mcpr explain store.damaged`")
        return Finding(
            "integrity",
            "warn",
            f"not looked at to the end: it is large, and {_CHECK_SECONDS:.0f} s were over",
            f"sqlite3 {path} 'PRAGMA quick_check'",
        )
    except sqlite3.DatabaseError as error:
        return Finding("integrity", "fail", str(error), "see `mcpr explain store.damaged`")
    if said == "ok":
        return Finding("integrity", "ok", "quick_check finds nothing")
    return Finding("integrity", "fail", str(said), "see `mcpr explain store.damaged`")


def _writable(path: Path) -> Finding:
    folder = _existing(path.parent)
    if path.exists() and not os.access(path, os.W_OK):
        return Finding("writing", "fail", f"{path} may not be written", "give its owner the right")
    if not os.access(folder, os.W_OK | os.X_OK):
        return Finding(
            "writing",
            "fail",
            f"nothing may be made in {folder}, and SQLite writes beside the store",
            "allow writing there, or name another file with --db",
        )
    return Finding("writing", "ok", f"file and folder may be written by user {os.getuid()}")


def _room(path: Path) -> Finding:
    folder = _existing(path.parent)
    free = shutil.disk_usage(folder).free
    said = f"{words.size(free)} free where the store is"
    if free >= _LITTLE_ROOM:
        return Finding("room", "ok", said)
    step = "free space; `mcpr store vacuum --older-than 7d` makes the store smaller"
    return Finding("room", "fail" if free < _NO_ROOM else "warn", said, step)


def _modes(path: Path) -> Iterator[Finding]:
    if path.exists():
        yield _private("mode of the store", path, 0o600)
    # Another folder than the usual one may be one that many use.
    if path.parent.name == ".mcpr" and path.parent.exists():
        yield _private("mode of its folder", path.parent, 0o700)


def _private(check: str, path: Path, wanted: int) -> Finding:
    """Whether nobody but the owner may use a file or folder."""
    mode = stat.S_IMODE(path.stat().st_mode)
    if not mode & 0o077:
        return Finding(check, "ok", f"{mode:04o}: for its owner only")
    return Finding(
        check, "warn", f"{mode:04o}: others may use {path}, too", f"chmod {wanted:o} {path}"
    )


def _existing(folder: Path) -> Path:
    """The folder, or the nearest one above it that is there."""
    while not folder.exists():
        folder = folder.parent
    return folder
