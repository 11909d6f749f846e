"""Writes events into the store: one transaction for each batch, one complete row for each event.

On the measured path, so what looks odd here is measured: several rows in one statement, integers in
place of repeated text, no None among the parameters. docs/reference/store.md has the numbers.
"""

import contextlib
import os
import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path

from mcpr.events import NOT_AN_ERROR, Detail, RequestEvent
from mcpr.events.latency import bucket
from mcpr.store.sqlite.database import explained, open_for_writing

# Binding None costs Python's sqlite3 as much as ten integers, so it is said by what never occurs.
_NO_NUMBER = -(2**62)
_NARROW = {
    "id": "?",
    "ts_ms": "?",
    "label": "?",
    "latency_us": "?",
    "bucket": "?",
    "upstream_us": f"nullif(?, {_NO_NUMBER})",
    "upstream_first_us": f"nullif(?, {_NO_NUMBER})",
    "bytes_in": "?",
    "bytes_out": "?",
    "is_error": "?",
    "session": "nullif(?, 0)",
}
_TEXTS = ("subject", "raw_method", "error_text", "path")
_WIDE = _NARROW | dict.fromkeys(_TEXTS, "nullif(?, 0)")
# Rows per statement, from many to one.
_STEPS = (128, 32, 8, 2, 1)
_MOST_REMEMBERED = 20_000

_LABEL = (
    *("server", "kind", "method", "tool", "outcome", "origin", "http_status", "rpc_code"),
    *("client", "client_version", "revision", "client_name", "http_method", "note"),
)
_NO_BYTES = bytearray()
_NO_DETAIL = Detail()
_NO_TEXTS = (None,) * len(_TEXTS)


def _insert(columns: dict[str, str], rows: int) -> str:
    row = f"({', '.join(columns.values())})"
    return (
        f"INSERT INTO request_event ({', '.join(columns)}) VALUES {', '.join([row] * rows)}"  # noqa: S608 - our own names
        " ON CONFLICT (id) DO NOTHING"
    )


_INSERTS = {
    is_wide: [(rows, _insert(columns, rows)) for rows in _STEPS]
    for is_wide, columns in ((False, _NARROW), (True, _WIDE))
}


class _Labels(dict[tuple[object, ...], tuple[int, int]]):
    """Label → its id and whether it is an error. Asks the store for what it does not remember."""

    _find = f"SELECT id FROM label WHERE {' AND '.join(f'{name} IS ?' for name in _LABEL)}"  # noqa: S608 - our own names
    _add = f"INSERT INTO label ({', '.join(_LABEL)}) VALUES ({', '.join('?' * len(_LABEL))})"  # noqa: S608 - our own names

    def __init__(self, connection: sqlite3.Connection) -> None:
        super().__init__()
        self._connection = connection

    def __missing__(self, label: tuple[object, ...]) -> tuple[int, int]:
        row = self._connection.execute(self._find, label).fetchone()
        if row is None:
            row = (self._connection.execute(self._add, label).lastrowid,)
        is_error = label[_LABEL.index("outcome")] not in NOT_AN_ERROR
        self[label] = found = (int(row[0]), int(is_error))
        return found


class _Sessions(dict[str, int]):
    """Session → its id. Asks the store for what it does not remember."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        super().__init__()
        self._connection = connection

    def __missing__(self, session: str) -> int:
        parameters = (bytes.fromhex(session),)
        query = "SELECT id FROM session WHERE hash = ?"
        row = self._connection.execute(query, parameters).fetchone()
        if row is None:
            added = self._connection.execute("INSERT INTO session (hash) VALUES (?)", parameters)
            row = (added.lastrowid,)
        self[session] = number = int(row[0])
        return number


class Writer:
    """The writer of one store. Several writers, in several processes, may share a file.

    Opens or makes the store. Every method raises StoreError; after one, the writer can be used
    again. One thread at a time.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self._path = Path(path)
        self._connection = open_for_writing(self._path)
        self._labels = _Labels(self._connection)
        self._sessions = _Sessions(self._connection)
        self._forgotten = -1

    def write(self, events: Sequence[RequestEvent]) -> int:
        """Write a batch in one transaction; return how many of its events the store now holds.

        An event that it holds already stays as it is, and counts. The others are those that SQLite
        cannot hold (a number beyond 64 bits, a lone surrogate). An error means: nothing was
        written.
        """
        with explained(f"cannot write to the store {self._path}", self._path):
            try:
                with self._transaction():
                    self._insert(events)
            except (OverflowError, ValueError):
                return self._write_each(events)
        return len(events)

    def close(self) -> None:
        """Close the file."""
        with explained(f"cannot close the store {self._path}", self._path):
            self._connection.close()

    def _write_each(self, events: Sequence[RequestEvent]) -> int:
        """Write a batch of which some events cannot be written; no other must go with them."""
        written = 0
        with self._transaction():
            for event in events:
                with contextlib.suppress(OverflowError, ValueError):
                    self._insert([event])
                    written += 1
        return written

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[None]:
        connection = self._connection
        try:
            connection.execute("BEGIN IMMEDIATE")
            self._forget_what_is_gone()
            yield
            connection.execute("COMMIT")
        except BaseException:
            # What was interned in this transaction is not in the store.
            self._forget()
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise

    def _forget_what_is_gone(self) -> None:
        # In the transaction: from here on nobody else can remove a label or session.
        query = "SELECT value FROM meta WHERE key = 'forgotten'"
        (forgotten,) = self._connection.execute(query).fetchone()
        remembered = len(self._labels) + len(self._sessions)
        if forgotten != self._forgotten or remembered > _MOST_REMEMBERED:
            self._forget()
            self._forgotten = forgotten

    def _forget(self) -> None:
        self._labels.clear()
        self._sessions.clear()

    def _insert(self, events: Sequence[RequestEvent]) -> None:
        is_wide = False
        values = self._values(events, is_wide=is_wide)
        if values is None:
            is_wide = True
            values = self._values(events, is_wide=is_wide) or []
        width = len(_WIDE if is_wide else _NARROW)
        start = 0
        for rows, statement in _INSERTS[is_wide]:
            size = rows * width
            while start + size <= len(values):
                self._connection.execute(statement, values[start : start + size])
                start += size

    def _values(self, events: Sequence[RequestEvent], *, is_wide: bool) -> list[object] | None:
        """The parameters of all rows, one after the other, in the order of `_NARROW` or `_WIDE`.

        None when an event has a text that a narrow row has no place for.
        """
        labels = self._labels
        sessions = self._sessions
        values: list[object] = []
        for event in events:
            detail = event.detail or _NO_DETAIL
            label, is_error = labels[
                event.server,
                event.kind,
                event.method,
                event.tool,
                event.outcome,
                event.origin,
                event.http_status,
                event.rpc_code,
                event.client,
                event.client_version,
                event.revision,
                detail.client_name,
                detail.http_method,
                detail.note,
            ]
            latency_us = event.latency_us
            upstream_us = event.upstream_us
            first_us = detail.upstream_first_us
            session = event.session
            values += (
                # A bytearray: binding bytes costs ten times as much. By +: its constructor is slow.
                _NO_BYTES + event.id,
                event.ts_ms,
                label,
                latency_us,
                bucket(latency_us),
                _NO_NUMBER if upstream_us is None else upstream_us,
                _NO_NUMBER if first_us is None else first_us,
                event.bytes_in,
                event.bytes_out,
                is_error,
                0 if session is None else sessions[session],
            )
            texts = (detail.subject, detail.method, detail.error_text, detail.path)
            if is_wide:
                values += [0 if text is None else text for text in texts]
            elif texts != _NO_TEXTS:
                return None
        return values
