"""What of a store is kept: nothing older than an age, and no more than fits into a size.

Decides where the edge is and has `vacuum` delete what lies before it, the oldest first.
"""

import json
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from mcpr.store.sqlite.database import explained, open_for_reading, open_for_writing
from mcpr.store.sqlite.rollups import HOUR_MS
from mcpr.store.sqlite.vacuum import Vacuumed, vacuum

#: How much of the allowed size is left full, so that it is not reached again at once.
_FILLED = 0.9
_RECORD = (
    "INSERT INTO meta (key, value) VALUES ('retention', ?)"
    " ON CONFLICT (key) DO UPDATE SET value = excluded.value"
)


@dataclass(frozen=True, slots=True)
class Kept:
    """How long requests are kept, and how large the store may become."""

    age_ms: int
    max_bytes: int


def retain(
    path: Path, kept: Kept, now_ms: int, pause: Callable[[float], object] = time.sleep
) -> Vacuumed | None:
    """Delete what is not to be kept; None where there is nothing of that. Raises StoreError.

    The last deletion is written down in `meta`, as `retention`: when, up to when, how many.
    `pause` may raise, to end it earlier; doing it again goes on.
    """
    with (
        closing(open_for_reading(path)) as connection,
        explained(f"cannot read the store {path}", path),
    ):
        edge_ms = find_edge(connection, kept, now_ms)
    if edge_ms is None:
        return None
    done = vacuum(path, edge_ms, pause)
    record = {
        "at_ms": now_ms,
        "before_ms": edge_ms,
        "events": done.before.events - done.after.events,
    }
    with (
        closing(open_for_writing(path)) as connection,
        explained(f"cannot write to the store {path}", path),
    ):
        connection.execute(_RECORD, (json.dumps(record),))
    return done


def find_edge(connection: sqlite3.Connection, kept: Kept, now_ms: int) -> int | None:
    """The whole hour before which everything is to go; None where nothing lies before it.

    Never within the last hour, however small the store is to be.
    """
    (oldest_ms,) = connection.execute("SELECT min(min_ts_ms) FROM block").fetchone()
    if oldest_ms is None:
        return None
    by_age = now_ms - kept.age_ms
    by_size = _edge_by_size(connection, kept.max_bytes)
    edge_ms = min(max(by_age, by_size), now_ms - HOUR_MS) // HOUR_MS * HOUR_MS
    return edge_ms if oldest_ms < edge_ms else None


def _edge_by_size(connection: sqlite3.Connection, max_bytes: int) -> int:
    """The arrival before which so much lies as is too much; 0 where it is not."""
    (used,) = connection.execute(
        "SELECT page_size * (page_count - freelist_count)"
        " FROM pragma_page_size, pragma_page_count, pragma_freelist_count"
    ).fetchone()
    if used <= max_bytes:
        return 0
    (rows,) = connection.execute("SELECT sum(last_seq - first_seq + 1) FROM block").fetchone()
    surplus = rows * (1 - _FILLED * max_bytes / used)
    newest = "SELECT max_ts_ms, last_seq - first_seq + 1 FROM block ORDER BY max_ts_ms"
    for max_ts_ms, size in connection.execute(newest):
        surplus -= size
        if surplus <= 0:
            # The next whole hour, so that something goes.
            return int(max_ts_ms) + HOUR_MS
    return 0
