"""Blocks: rows that stand beside each other, found through one row of theirs.

Whatever a row could be found by is the same, or nearly so, in the rows beside it: they were written
in one batch, their ids follow one another, they arrived in the same second, many are of one
session. So a batch says it once, and no row pays for an index (ADR 0014).
"""

import sqlite3
from collections.abc import Iterator, Sequence
from itertools import count, pairwise

from mcpr.events import Batch, RequestEvent
from mcpr.events.ids import Run

#: The most that arrivals in one block may lie apart. A question about a window of time looks at so
#: much more of the blocks.
BLOCK_MS = 600_000

_ADD = (
    "INSERT INTO block (first_seq, last_seq, first_id, low, min_ts_ms, max_ts_ms)"
    " VALUES (?, ?, ?, ?, ?, ?)"
)
_ADD_SESSION = "INSERT INTO session_block (session, first_seq, last_seq) VALUES (?, ?, ?)"
# Blocks hold no id twice: only the last one that begins before an id may hold it.
_BEFORE = (
    "SELECT first_id, last_seq - first_seq FROM block WHERE first_id <= ?"
    " ORDER BY first_id DESC LIMIT 1"
)


def is_new(connection: sqlite3.Connection, runs: Sequence[Run]) -> bool:
    """Whether no id of these runs is in the store, and none of them is in two runs."""
    spans = sorted((first, _last(first, size)) for first, size in runs)
    if any(one[1] >= other[0] for one, other in pairwise(spans)):
        return False
    for first, last in spans:
        found = connection.execute(_BEFORE, (last,)).fetchone()
        if found is not None and _last(found[0], found[1] + 1) >= first:
            return False
    return True


def only_new(connection: sqlite3.Connection, batch: Batch) -> Batch:
    """The events of a batch that are not in the store, each once."""
    fresh: dict[bytes, RequestEvent] = {}
    for event in batch:
        if event.id not in fresh and is_new(connection, [(event.id, 1)]):
            fresh[event.id] = event
    return Batch.of(list(fresh.values()))


def add(
    connection: sqlite3.Connection,
    first_seq: int,
    runs: Sequence[Run],
    ts_ms: Sequence[int],
    sessions: Sequence[object],
) -> None:
    """Say where the rows of a batch are; the first of them is `first_seq`.

    sessions: for each row the id of its session, None without one.
    """
    connection.executemany(_ADD, _blocks(first_seq, runs, ts_ms))
    connection.executemany(_ADD_SESSION, _session_blocks(first_seq, sessions))


def _blocks(
    first_seq: int, runs: Sequence[Run], ts_ms: Sequence[int]
) -> Iterator[tuple[int, int, bytes, int, int, int]]:
    at = 0
    for first, size in runs:
        number = int.from_bytes(first, "big")
        for start, stop, earliest, latest in _spans(ts_ms[at : at + size]):
            first_id = (number + start).to_bytes(16, "big")
            low = int.from_bytes(first_id[8:], "big", signed=True)
            seq = first_seq + at + start
            yield seq, seq + stop - start - 1, first_id, low, earliest, latest
        at += size


def _spans(ts_ms: Sequence[int]) -> Iterator[tuple[int, int, int, int]]:
    """Parts of a block's length at most: from place, to before place, first and last arrival."""
    earliest, latest = min(ts_ms), max(ts_ms)
    if latest - earliest <= BLOCK_MS:
        yield 0, len(ts_ms), earliest, latest
        return
    start = 0
    earliest = latest = ts_ms[0]
    for at, ms in enumerate(ts_ms):
        if max(latest, ms) - min(earliest, ms) > BLOCK_MS:
            yield start, at, earliest, latest
            start, earliest, latest = at, ms, ms
        earliest, latest = min(earliest, ms), max(latest, ms)
    yield start, len(ts_ms), earliest, latest


def _session_blocks(first_seq: int, sessions: Sequence[object]) -> list[tuple[object, int, int]]:
    """For each session its first and its last row."""
    end = first_seq + len(sessions) - 1
    if sessions.count(sessions[0]) == len(sessions):
        return [] if sessions[0] is None else [(sessions[0], first_seq, end)]
    last = dict(zip(sessions, count(first_seq)))
    first = dict(zip(reversed(sessions), count(end, -1)))
    return [(session, first[session], seq) for session, seq in last.items() if session is not None]


def _last(first: bytes, size: int) -> bytes:
    """The last id of a run."""
    return (int.from_bytes(first, "big") + size - 1).to_bytes(16, "big")
