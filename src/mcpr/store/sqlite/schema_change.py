"""How a schema event stands in the store: one row, whoever it came from."""

import json
import sqlite3

from mcpr.events.schema import SchemaEvent


def insert_change(
    connection: sqlite3.Connection,
    event: SchemaEvent,
    from_version: int | None,
    *,
    is_return: bool,
) -> None:
    """Write a schema event down; one that is there already stays as it is."""
    names = {"added": event.added, "removed": event.removed, "modified": event.modified}
    counts = event.counts
    connection.execute(
        "INSERT INTO schema_change (id, ts_ms, server, list, version, from_version, hash, verdict,"
        " items, added, removed, modified, names, is_return)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING",
        (
            *(event.id, event.ts_ms, event.server, event.list, event.version, from_version),
            *(bytes.fromhex(event.hash), event.verdict, counts.items, counts.added),
            *(counts.removed, counts.modified, json.dumps(names), int(is_return)),
        ),
    )
