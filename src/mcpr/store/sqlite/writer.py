"""Writes events into the store: one transaction for each batch, one complete row for each event.

On the measured path, so what looks odd here is measured: several rows in one statement, integers in
place of repeated text, no None among the parameters, no column that says nothing, no index (see
`blocks`), and all of it by column. docs/reference/store.md has the numbers.
"""

import contextlib
import os
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import TypeVar

from mcpr.events import NOT_AN_ERROR, Batch, RequestEvent
from mcpr.events.batch import LABEL, Columns, Label
from mcpr.events.latency import bucket
from mcpr.store.sqlite import blocks
from mcpr.store.sqlite.database import explained, open_for_writing
from mcpr.store.sqlite.session_rows import SessionRows

# Binding None costs Python's sqlite3 as much as ten integers, so it is said by what never occurs.
_NO_NUMBER = -(2**62)
_NO_TEXT = 0
_TEXTS = ("subject", "raw_method", "error_text", "path", "link")
# Rows per statement, from many to one.
_STEPS = (250, 50, 10, 2, 1)
_MOST_REMEMBERED = 20_000
_MOST_SHAPES = 64

_T = TypeVar("_T")
#: Columns by name, and what stands for None in them; those without have none.
_Shape = tuple[tuple[str, int | None], ...]


@lru_cache(maxsize=_MOST_SHAPES)
def _insert(shape: _Shape, rows: int) -> str:
    """The statement that inserts `rows` rows of these columns."""
    names = ", ".join(name for name, _ in shape)
    row = ", ".join("?" if none is None else f"nullif(?, {none})" for _, none in shape)
    return f"INSERT INTO request_event ({names}) VALUES {', '.join([f'({row})'] * rows)}"  # noqa: S608 - our own names


class _Buckets(dict[int, int]):
    """Latency → its bucket. Remembers the common ones: a logarithm costs ten look-ups."""

    def __missing__(self, latency_us: int) -> int:
        found = bucket(latency_us)
        if len(self) < _MOST_REMEMBERED:
            self[latency_us] = found
        return found


class _Labels(dict[Label, tuple[int, int]]):
    """Label → its id and whether it is an error. Asks the store for what it does not remember."""

    _find = f"SELECT id FROM label WHERE {' AND '.join(f'{name} IS ?' for name in LABEL)}"  # noqa: S608 - our own names
    _add = f"INSERT INTO label ({', '.join(LABEL)}) VALUES ({', '.join('?' * len(LABEL))})"  # noqa: S608 - our own names

    def __init__(self, connection: sqlite3.Connection) -> None:
        super().__init__()
        self._connection = connection

    def __missing__(self, label: Label) -> tuple[int, int]:
        row = self._connection.execute(self._find, label).fetchone()
        if row is None:
            row = (self._connection.execute(self._add, label).lastrowid,)
        is_error = label[LABEL.index("outcome")] not in NOT_AN_ERROR
        self[label] = found = (int(row[0]), int(is_error))
        return found


class Writer:
    """The writer of one store. Several writers, in several processes, may share a file.

    Opens or makes the store. Every method raises StoreError; after one, the writer can be used
    again. One thread at a time.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self._path = Path(path)
        self._connection = open_for_writing(self._path)
        self._labels = _Labels(self._connection)
        self._sessions = SessionRows(self._connection, self._labels)
        self._buckets = _Buckets()
        self._forgotten = -1

    def write(self, events: Sequence[RequestEvent]) -> int:
        """Write a batch in one transaction; return how many of its events the store now holds.

        An event that it holds already stays as it is, and counts. The others are those that SQLite
        cannot hold (a number beyond 64 bits, a lone surrogate). An error means: nothing was
        written.
        """
        batch = Batch.of(events)
        with explained(f"cannot write to the store {self._path}", self._path):
            try:
                with self._transaction():
                    self._insert(batch)
            except (OverflowError, ValueError):
                return self._write_each(batch)
        return len(batch)

    def close(self) -> None:
        """Close the file."""
        with explained(f"cannot close the store {self._path}", self._path):
            self._connection.close()

    def _write_each(self, batch: Batch) -> int:
        """Write a batch of which some events cannot be written; no other must go with them."""
        written = 0
        with self._transaction():
            for at in range(len(batch)):
                with contextlib.suppress(OverflowError, ValueError):
                    self._insert(batch[at : at + 1])
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
        remembered = len(self._labels) + self._sessions.remembered
        if forgotten != self._forgotten or remembered > _MOST_REMEMBERED:
            self._forget()
            self._forgotten = forgotten

    def _forget(self) -> None:
        self._labels.clear()
        self._sessions.forget()

    def _insert(self, events: Sequence[RequestEvent]) -> None:
        batch = Batch.of(events)
        connection = self._connection
        if not blocks.is_new(connection, batch.columns.ids):
            batch = blocks.only_new(connection, batch)
        if not batch:
            return
        columns = self._sessions.completed(batch.columns)
        sessions = self._session_ids(columns)
        shape, filled = self._filled(columns, sessions)
        last_seq = self._insert_rows(shape, filled, len(batch))
        blocks.add(connection, last_seq - len(batch) + 1, columns.ids, columns.ts_ms, sessions)
        self._sessions.count(columns)

    def _insert_rows(self, shape: _Shape, filled: Sequence[Sequence[object]], count: int) -> int:
        """Insert the rows; return the last one's seq. They follow one another: we have the lock."""
        width = len(shape)
        values: list[object] = [None] * (width * count)
        for at, column in enumerate(filled):
            values[at::width] = column
        start = 0
        last_seq = 0
        for rows in _STEPS:
            size = rows * width
            while start + size <= len(values):
                inserted = self._connection.execute(
                    _insert(shape, rows), values[start : start + size]
                )
                last_seq = inserted.lastrowid or 0
                start += size
        return last_seq

    def _session_ids(self, columns: Columns) -> Sequence[int | None]:
        """The id of each event's session."""
        known = {
            at: None if (session := columns.sessions[at]) is None else self._sessions[session]
            for at in set(columns.session)
        }
        return _looked_up(known, columns.session)

    def _filled(
        self, columns: Columns, session_ids: Sequence[int | None]
    ) -> tuple[_Shape, list[Sequence[object]]]:
        """The columns of the rows that say something, by name and by value."""
        labels = {at: self._labels[columns.labels[at]] for at in set(columns.label)}
        numbers = {at: number for at, (number, _) in labels.items()}
        errors = {at: is_error for at, (_, is_error) in labels.items()}
        latencies = columns.latency_us
        always: dict[str, Sequence[object]] = {
            "ts_ms": columns.ts_ms,
            "label": _looked_up(numbers, columns.label),
            "latency_us": latencies,
            "bucket": list(map(self._buckets.__getitem__, latencies)),
            "bytes_in": columns.bytes_in,
            "bytes_out": columns.bytes_out,
        }
        if any(errors.values()):
            always["is_error"] = _looked_up(errors, columns.label)
        shape: list[tuple[str, int | None]] = [(name, None) for name in always]
        filled = list(always.values())
        for name, none, column in _sparse(columns, session_ids):
            missing = column.count(None)
            if missing == len(column):
                continue
            shape.append((name, none if missing else None))
            filled.append(
                [none if said is None else said for said in column] if missing else column
            )
        return tuple(shape), filled


def _sparse(
    columns: Columns, session_ids: Sequence[int | None]
) -> Iterator[tuple[str, int, Sequence[object]]]:
    """The columns that may have nothing to say: name, what stands for None, values."""
    yield "session", _NO_NUMBER, session_ids
    yield "upstream_us", _NO_NUMBER, columns.upstream_us
    yield "upstream_first_us", _NO_NUMBER, columns.upstream_first_us
    if columns.texts:
        nothing = (None,) * len(_TEXTS)
        rows = [columns.texts.get(at, nothing) for at in range(len(columns.ts_ms))]
        for name, texts in zip(_TEXTS, zip(*rows, strict=True), strict=True):
            yield name, _NO_TEXT, texts


def _looked_up(known: Mapping[int, _T], keys: Sequence[int]) -> Sequence[_T]:
    """What is known for each key."""
    if len(known) == 1 and keys:
        ((_, value),) = known.items()
        return (value,) * len(keys)
    return list(map(known.__getitem__, keys))
