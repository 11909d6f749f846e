"""Makes the sums of whole hours, days and weeks: hours from rows, days from hours, weeks from days.

A span is summed up while nobody holds the lock, and its sums are written in small steps. Whatever
happens to its rows meanwhile changes its mark, by triggers (migrations/0006_rollups.sql), and takes
away what was written: then it is tried again. So sums are those of the rows, always.
"""

import sqlite3
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from time import sleep

from mcpr.store.engine import Filter
from mcpr.store.sqlite import packed
from mcpr.store.sqlite.blocks import BLOCK_MS
from mcpr.store.sqlite.database import explained, open_for_reading, open_for_writing
from mcpr.store.sqlite.steps import Steps
from mcpr.store.sqlite.where import Where
from mcpr.store.window import Window

#: Lengths of spans in ms, each a multiple of the one before; weeks begin on Thursdays, like time.
GRAINS = (HOUR_MS, DAY_MS, WEEK_MS) = (3_600_000, 86_400_000, 604_800_000)
#: How long after its end an hour is closed: what comes later makes it be summed up again.
CLOSED_AFTER_MS = 120_000
_HOURS_AT_ONCE = 8
_ROWS_AT_ONCE = 50
_MARKS_AT_ONCE = 4

_ROWS = (
    "SELECT e.label, e.bucket, count(*), sum(e.is_error), sum(e.latency_us), max(e.latency_us),"
    " sum(e.bytes_in), sum(e.bytes_out), max(e.ts_ms)"
)
_PARTS = (
    "SELECT label, calls, errors, sum_us, max_us, bytes_in, bytes_out, last_ms, buckets"
    " FROM rollup WHERE grain = ? AND start_ms >= ? AND start_ms < ?"
)
_ADD = "INSERT OR REPLACE INTO rollup VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
_UNTIL = "SELECT value FROM meta WHERE key = 'rolled_until'"
_MARK_INSTANT = "INSERT INTO rollup_late (ts_ms) VALUES (?)"
_MARK = (
    "INSERT INTO rollup_mark (grain, start_ms) VALUES (?, ?)"
    " ON CONFLICT DO UPDATE SET changes = changes + 1"
)
_CHANGES = "SELECT changes FROM rollup_mark WHERE grain = ? AND start_ms = ?"
# What a span is made of is complete as soon as nothing in it is marked.
_READY = (
    "SELECT m.start_ms, m.changes FROM rollup_mark AS m WHERE m.grain = ? AND m.start_ms >= ?"
    " AND m.start_ms + m.grain <= (SELECT value FROM meta WHERE key = 'rolled_until')"
    " AND NOT EXISTS (SELECT 1 FROM rollup_mark AS p WHERE p.grain = ?"
    " AND p.start_ms >= m.start_ms AND p.start_ms < m.start_ms + m.grain)"
    " ORDER BY m.start_ms LIMIT 1"
)


@dataclass(slots=True)
class Sum:
    """Sums of what agrees in something, with its buckets by count or as a number of `packed`."""

    calls: int = 0
    errors: int = 0
    sum_us: int = 0
    max_us: int = 0
    bytes_in: int = 0
    bytes_out: int = 0
    last_ms: int = 0
    number: int = 0
    counts: dict[int, int] = field(default_factory=dict)

    def add(self, row: Sequence[int]) -> None:
        """Count what a row says, from `calls` to `last_ms`."""
        calls, errors, sum_us, max_us, bytes_in, bytes_out, last_ms = row
        self.calls += calls
        self.errors += errors
        self.sum_us += sum_us
        self.max_us = max(self.max_us, max_us)
        self.bytes_in += bytes_in
        self.bytes_out += bytes_out
        self.last_ms = max(self.last_ms, last_ms)

    def buckets(self) -> dict[int, int]:
        """How many calls are in each bucket."""
        if not self.number:
            return self.counts
        counts = packed.counts(self.number)
        for bucket, calls in self.counts.items():
            counts[bucket] = counts.get(bucket, 0) + calls
        return counts

    def columns(self) -> tuple[object, ...]:
        """As a row has them, from `calls` to `buckets`."""
        return (
            *(self.calls, self.errors, self.sum_us, self.max_us, self.bytes_in, self.bytes_out),
            self.last_ms,
            packed.pack(self.buckets()),
        )


@dataclass(frozen=True, slots=True)
class Rolled:
    """What was done. spans: summed up, by grain. longest_hold_us: how long the lock was held."""

    spans: dict[int, int]
    longest_hold_us: int


def rebuild(path: Path, now_ms: int) -> Rolled:
    """Make all sums anew from rows, beside whoever writes. Raises StoreError."""
    open_for_reading(path).close()
    with (
        closing(open_for_writing(path)) as connection,
        explained(f"cannot rebuild the sums of {path}", path),
    ):
        forget(connection)
        return roll(connection, now_ms)


def roll(
    connection: sqlite3.Connection, now_ms: int, pause: Callable[[float], object] = sleep
) -> Rolled:
    """Sum up every closed hour, day and week that is not. `pause` may raise, to end it earlier."""
    steps = Steps(connection, pause)
    spans = dict.fromkeys(GRAINS, 0)
    while True:
        is_done = _advance(connection, steps, now_ms)
        for grain in GRAINS:
            # A span that changes while it is summed up is left for the next time.
            at_ms = 0
            while (ready := _ready(connection, grain, at_ms)) is not None:
                at_ms, changes = ready
                spans[grain] += _sum_up(connection, steps, (grain, at_ms), changes)
                at_ms += grain
        if is_done:
            return Rolled(spans, steps.longest_us)


def forget(connection: sqlite3.Connection, pause: Callable[[float], object] = sleep) -> None:
    """Mark all that is summed up, and all that should be; `roll` then makes it anew."""
    steps = Steps(connection, pause)
    (until,) = connection.execute(_UNTIL).fetchone()
    hours = list(_hours(connection, 0, until))
    spans = connection.execute("SELECT grain, start_ms FROM rollup_span").fetchall()
    for start in range(0, len(hours), _MARKS_AT_ONCE):
        with steps.step():
            chunk = [(hour,) for hour in hours[start : start + _MARKS_AT_ONCE]]
            connection.executemany(_MARK_INSTANT, chunk)
    for start in range(0, len(spans), _MARKS_AT_ONCE):
        with steps.step():
            connection.executemany(_MARK, spans[start : start + _MARKS_AT_ONCE])


def _advance(connection: sqlite3.Connection, steps: Steps, now_ms: int) -> bool:
    """Mark the next hours that are closed and have rows. True when there are no others."""
    edge = (now_ms - CLOSED_AFTER_MS) // HOUR_MS * HOUR_MS
    if connection.execute(_UNTIL).fetchone()[0] >= edge:
        return True
    with steps.step():
        (until,) = connection.execute(_UNTIL).fetchone()
        hours = list(islice(_hours(connection, until, edge), _HOURS_AT_ONCE))
        for hour in hours:
            connection.execute(_MARK_INSTANT, (hour,))
        is_done = len(hours) < _HOURS_AT_ONCE
        connection.execute(
            "UPDATE meta SET value = max(value, ?) WHERE key = 'rolled_until'",
            (edge if is_done else hours[-1] + HOUR_MS,),
        )
    return is_done


def _hours(connection: sqlite3.Connection, since: int, until: int) -> Iterator[int]:
    """The hours from `since` on that may have rows, in order."""
    query = "SELECT max_ts_ms FROM block WHERE max_ts_ms >= ? ORDER BY max_ts_ms LIMIT 1"
    while (found := connection.execute(query, (since,)).fetchone()) is not None:
        # A block's first row is in the hour of its last one, or in the one before.
        hour = max(since, (found[0] - BLOCK_MS) // HOUR_MS * HOUR_MS)
        if hour >= until:
            return
        yield hour
        since = hour + HOUR_MS


def _ready(connection: sqlite3.Connection, grain: int, since: int) -> tuple[int, int] | None:
    """The next marked span whose parts are complete: where it begins, and its changes."""
    at = GRAINS.index(grain)
    part = GRAINS[at - 1] if at else 0
    found = connection.execute(_READY, (grain, since, part)).fetchone()
    return None if found is None else (int(found[0]), int(found[1]))


def _sum_up(
    connection: sqlite3.Connection, steps: Steps, span: tuple[int, int], changes: int
) -> bool:
    """Write the sums of a span; False when it has changed meanwhile, or has no rows."""
    connection.execute("BEGIN")
    try:
        if _changes(connection, span) != changes:
            return False
        sums = (_of_rows if span[0] == HOUR_MS else _of_parts)(connection, span)
    finally:
        connection.execute("ROLLBACK")
    rows = [(*span, label, *of_label.columns()) for label, of_label in sums.items()]
    for start in range(0, len(rows), _ROWS_AT_ONCE):
        with steps.step():
            if _changes(connection, span) != changes:
                return False
            connection.executemany(_ADD, rows[start : start + _ROWS_AT_ONCE])
    with steps.step():
        if _changes(connection, span) != changes:
            return False
        if rows:
            connection.execute("INSERT INTO rollup_span VALUES (?, ?)", span)
        connection.execute("DELETE FROM rollup_mark WHERE grain = ? AND start_ms = ?", span)
    return bool(rows)


def _changes(connection: sqlite3.Connection, span: tuple[int, int]) -> int | None:
    found = connection.execute(_CHANGES, span).fetchone()
    return None if found is None else int(found[0])


def _of_rows(connection: sqlite3.Connection, span: tuple[int, int]) -> dict[int, Sum]:
    """The sums of an hour by label."""
    grain, start_ms = span
    sql = Where(Filter(window=Window(start_ms, start_ms + grain)))
    sums: dict[int, Sum] = defaultdict(Sum)
    query = f"{_ROWS} {sql.source} {sql} GROUP BY e.label, e.bucket"
    for label, bucket, *row in connection.execute(query, sql.parameters):
        of_label = sums[label]
        of_label.add(row)
        of_label.counts[bucket] = row[0]
    return sums


def _of_parts(connection: sqlite3.Connection, span: tuple[int, int]) -> dict[int, Sum]:
    """The sums of a longer span by label, from those of the shorter ones."""
    grain, start_ms = span
    part = GRAINS[GRAINS.index(grain) - 1]
    sums: dict[int, Sum] = defaultdict(Sum)
    for label, *row, buckets in connection.execute(_PARTS, (part, start_ms, start_ms + grain)):
        of_label = sums[label]
        of_label.add(row)
        of_label.number += packed.number(buckets)
    return sums
