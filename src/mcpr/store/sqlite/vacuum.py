"""Gives space back: old events, names that nobody uses, free pages, the write-ahead log.

Works beside running proxies. All is done in small transactions, each held for a few milliseconds,
with pauses between them that are longer, so that no writer waits long and no reader at all. Bytes
are gone when it is done: `secure_delete` overwrites what is deleted, the emptied pages are cut off
the file, and the write-ahead log, which still had them, is truncated.
"""

import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from mcpr.store.sqlite.blocks import BLOCK_MS
from mcpr.store.sqlite.database import explained, open_for_reading, open_for_writing, wal_bytes
from mcpr.store.sqlite.steps import Steps

#: How long a checkpoint may wait for readers, because writers wait with it; how often it tries.
_CHECKPOINT_WAIT_MS = 20
_CHECKPOINT_TRIES = 10
_CHECKPOINT_PAUSE_SECONDS = 0.2

#: Every table whose rows have an age, and the column that says it.
AGED = {"request_event": "ts_ms", "schema_change": "ts_ms", "session_event": "ts_ms"}
#: The one that has no index on its age, but blocks.
_IN_BLOCKS = ("request_event", "ts_ms")
#: What goes when it was not seen for so long. An approval stays: without it nothing is pinned.
_UNSEEN = {"schema_version": "approved_ms IS NULL", "schema_caller": "1", "widget_policy": "1"}
#: Those whose rows are what people call events.
_COUNTED = ("request_event",)
#: Every table of texts that are kept once, and where their ids are used.
INTERNED = {"label": ("request_event", "label"), "session": ("request_event", "session")}


@dataclass(frozen=True, slots=True)
class Held:
    """What a store holds. free_bytes: of the file, not in use."""

    events: int
    names: int
    sessions: int
    file_bytes: int
    free_bytes: int
    wal_bytes: int


@dataclass(frozen=True, slots=True)
class Vacuumed:
    """What was there before and after, or would be.

    longest_hold_us: how long the write lock was held at most at once.
    is_wal_emptied: False while another program reads what the log still has.
    """

    before: Held
    after: Held
    longest_hold_us: int
    is_wal_emptied: bool


def vacuum(
    path: Path,
    before_ms: int | None = None,
    pause: Callable[[float], object] = time.sleep,
) -> Vacuumed:
    """Delete events older than `before_ms`, if given, and names nobody uses; return the space.

    pause: waits between steps; it may raise, to end it. Raises StoreError. What was done until then
    stays done, and doing it again goes on.
    """
    # Reading first: a store that is not there must not be made to be emptied.
    open_for_reading(path).close()
    with (
        closing(open_for_writing(path)) as connection,
        explained(f"cannot vacuum the store {path}", path),
    ):
        before = _held(connection, path)
        # By itself it would be done within a commit, and count as time of the lock.
        connection.execute("PRAGMA wal_autocheckpoint = 0")
        steps = Steps(connection, pause)
        if before_ms is not None:
            _delete_rows(connection, steps, before_ms)
            for table, column in AGED.items() - {_IN_BLOCKS}:
                steps.repeat(
                    f"DELETE FROM {table} WHERE rowid IN"  # noqa: S608 - our own names
                    f" (SELECT rowid FROM {table} WHERE {column} < ? ORDER BY {column} LIMIT ?)",
                    before_ms,
                )
            for table, condition in _UNSEEN.items():
                with steps.step():
                    connection.execute(
                        f"DELETE FROM {table} WHERE last_ms < ? AND {condition}",  # noqa: S608 - our own names
                        (before_ms,),
                    )
        for name in INTERNED:
            _forget_unused(connection, steps, name)
        steps.return_pages()
        is_emptied = _empty_wal(connection)
        return Vacuumed(before, _held(connection, path), steps.longest_us, is_emptied)


def survey(path: Path, before_ms: int | None = None) -> Vacuumed:
    """What `vacuum` would do; the size of the file is an estimate. Changes nothing."""
    with (
        closing(open_for_reading(path)) as connection,
        explained(f"cannot read the store {path}", path),
    ):
        connection.execute("BEGIN")
        held = _held(connection, path)
        kept = {
            name: _number(
                connection,
                f"SELECT count(DISTINCT {column}) FROM {table} WHERE {AGED[table]} >= ?",  # noqa: S608 - our own names
                before_ms or 0,
            )
            for name, (table, column) in INTERNED.items()
        }
        events = sum(
            _number(connection, f"SELECT count(*) FROM {table} WHERE {column} >= ?", before_ms or 0)  # noqa: S608 - our own names
            for table, column in AGED.items()
            if table in _COUNTED
        )
    used = held.file_bytes - held.free_bytes
    share = events / held.events if held.events else 1.0
    after = Held(events, kept["label"], kept["session"], round(used * share), 0, 0)
    return Vacuumed(held, after, 0, is_wal_emptied=True)


def _delete_rows(connection: sqlite3.Connection, steps: Steps, before_ms: int) -> None:
    """Delete old requests, and what said where they were."""
    old = connection.execute(
        "SELECT first_seq, last_seq, max_ts_ms FROM block"
        " WHERE max_ts_ms < ? AND min_ts_ms < ? ORDER BY max_ts_ms",
        (before_ms + BLOCK_MS, before_ms),
    ).fetchall()
    at = 0
    while at < len(old):
        rows = 0
        with steps.step():
            while at < len(old) and rows < steps.size:
                first, last, newest = old[at]
                connection.execute(
                    "DELETE FROM request_event WHERE seq BETWEEN ? AND ? AND ts_ms < ?",
                    (first, last, before_ms),
                )
                if newest < before_ms:
                    connection.execute("DELETE FROM block WHERE first_seq = ?", (first,))
                else:
                    connection.execute(
                        "UPDATE block SET min_ts_ms = ? WHERE first_seq = ?", (before_ms, first)
                    )
                rows += last - first + 1
                at += 1
    # No seq is given out twice, so what is empty without a lock is empty under it.
    empty = connection.execute(
        "SELECT session, first_seq FROM session_block AS b WHERE NOT EXISTS"
        " (SELECT 1 FROM request_event WHERE seq BETWEEN b.first_seq AND b.last_seq)"
    ).fetchall()
    at = 0
    while at < len(empty):
        chunk = empty[at : at + steps.size]
        at += len(chunk)
        with steps.step():
            connection.executemany(
                "DELETE FROM session_block WHERE session = ? AND first_seq = ?", chunk
            )


def _forget_unused(connection: sqlite3.Connection, steps: Steps, name: str) -> None:
    """Delete the names that no event uses.

    They are looked for without a lock, which may take long; under the lock only the events that
    have come since are asked, so a name that a writer has just used again stays.
    """
    table, column = INTERNED[name]
    connection.execute("BEGIN")
    last = _number(connection, f"SELECT coalesce(max(rowid), 0) FROM {table}")  # noqa: S608 - our own names
    unused = connection.execute(
        f"SELECT id FROM {name} WHERE id NOT IN"  # noqa: S608 - our own names
        f" (SELECT {column} FROM {table} WHERE {column} IS NOT NULL)"
    ).fetchall()
    connection.execute("ROLLBACK")
    at = 0
    while at < len(unused):
        chunk = unused[at : at + steps.size]
        at += len(chunk)
        with steps.step():
            connection.executemany(
                f"DELETE FROM {name} WHERE id = ? AND NOT EXISTS"  # noqa: S608 - our own names
                f" (SELECT 1 FROM {table} WHERE rowid > {last} AND {column} = {name}.id)",
                chunk,
            )


def _empty_wal(connection: sqlite3.Connection) -> bool:
    """Put the write-ahead log into the file and truncate it. False if readers keep it."""
    # Passive first: it does the work without making anybody wait.
    connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
    (usual,) = connection.execute("PRAGMA busy_timeout").fetchone()
    connection.execute(f"PRAGMA busy_timeout = {_CHECKPOINT_WAIT_MS}")
    try:
        for _ in range(_CHECKPOINT_TRIES):
            (is_busy, *_) = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
            if not is_busy:
                return True
            time.sleep(_CHECKPOINT_PAUSE_SECONDS)
        return False
    finally:
        connection.execute(f"PRAGMA busy_timeout = {usual}")


def _held(connection: sqlite3.Connection, path: Path) -> Held:
    page = _pragma(connection, "page_size")
    return Held(
        events=sum(_number(connection, f"SELECT count(*) FROM {table}") for table in _COUNTED),  # noqa: S608 - our own names
        names=_number(connection, "SELECT count(*) FROM label"),
        sessions=_number(connection, "SELECT count(*) FROM session"),
        file_bytes=page * _pragma(connection, "page_count"),
        free_bytes=page * _pragma(connection, "freelist_count"),
        wal_bytes=wal_bytes(path),
    )


def _pragma(connection: sqlite3.Connection, name: str) -> int:
    return _number(connection, f"PRAGMA {name}")


def _number(connection: sqlite3.Connection, query: str, *parameters: object) -> int:
    (number,) = connection.execute(query, parameters).fetchone()
    return int(number)
