"""Stores for tests: real files, written by the real writer."""

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from mcpr.events import RequestEvent
from mcpr.store.sqlite import Writer


def a_store(path: Path, events: Sequence[RequestEvent] = ()) -> Path:
    """A store with these events, written in one batch."""
    with closing(Writer(path)) as writer:
        assert writer.write(events) == len(events)
    return path


def rows_of(path: Path, query: str) -> list[tuple[Any, ...]]:
    """What SQLite itself answers about a file."""
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute(query).fetchall()


def schema_of(path: Path) -> set[str]:
    """The statements that made what is in a file, without their layout."""
    statements = rows_of(path, "SELECT sql FROM sqlite_master WHERE sql IS NOT NULL")
    return {" ".join(sql.split()) for (sql,) in statements}


def damage(path: Path) -> None:
    """Overwrite most of a store: what was written into it, not how its tables are made."""
    [(last,)] = rows_of(path, "SELECT max(rootpage) FROM sqlite_master")
    # The statements that made the tables stand in the pages after the tables' first ones.
    kept = (last + 8) * 8192
    content = path.read_bytes()
    path.write_bytes(content[:kept] + b"\xff" * (len(content) - kept))
