"""What SQLite answers about what servers offered: the SQL behind `OfferedStore`."""

import json
from collections.abc import Callable
from typing import Any

from mcpr.events.schema import Item, ListName
from mcpr.store.offered import Change, Definition, Mark, Version
from mcpr.store.sqlite import widget_book
from mcpr.store.widgets import WidgetPolicy
from mcpr.store.window import Window

_VERSIONS = """
    SELECT v.id, v.server, v.list, v.version, lower(hex(v.hash)), v.first_ms, v.last_ms,
        v.sightings, v.items, v.bytes, v.tokens, v.is_whole, nullif(v.approved_ms, 0),
        (SELECT count(*) FROM schema_entry AS e JOIN schema_item AS i ON i.id = e.item
            WHERE e.version = v.id AND i.suspicions <> '[]')
    FROM schema_version AS v
    WHERE (?1 IS NULL OR v.server = ?1) AND (?2 IS NULL OR v.list = ?2)
    ORDER BY v.server, v.list, v.version
"""
_CHANGES = """
    SELECT seq, id, ts_ms, server, list, version, from_version, verdict, items, added, removed,
        modified, names, is_return
    FROM schema_change
    WHERE ts_ms >= ?1 AND ts_ms < ?2
        AND (?3 IS NULL OR server = ?3) AND (?4 IS NULL OR list = ?4)
    ORDER BY ts_ms DESC, seq DESC
"""
_MARKS = "SELECT server, list, stale_ms, switches, unrecorded FROM schema_mark"
_DEFINITIONS = """
    SELECT e.name, i.body, e.bytes, i.suspicions
    FROM schema_entry AS e JOIN schema_item AS i ON i.id = e.item
    WHERE e.version = ? ORDER BY e.name
"""
_ALWAYS = 2**62


class SqliteOffered:
    """See OfferedStore. rows: runs a query and explains its errors."""

    def __init__(self, rows: Callable[..., list[tuple[Any, ...]]]) -> None:
        self._rows = rows

    def versions(self, server: str | None, which: ListName | None) -> list[Version]:
        """See OfferedStore."""
        return [
            Version(*(*row[:11], bool(row[11]), *row[12:]))
            for row in self._rows(_VERSIONS, server, which)
        ]

    def changes(
        self, window: Window | None, server: str | None, which: ListName | None
    ) -> list[Change]:
        """See OfferedStore."""
        since, until = (0, _ALWAYS) if window is None else (window.since_ms, window.until_ms)
        return [_change(row) for row in self._rows(_CHANGES, since, until, server, which)]

    def widgets(self, server: str | None) -> list[WidgetPolicy]:
        """See OfferedStore."""
        return widget_book.policies(self._rows, server)

    def marks(self) -> list[Mark]:
        """See OfferedStore."""
        return [Mark(*row) for row in self._rows(_MARKS)]

    def definitions(self, key: int) -> list[Definition]:
        """See OfferedStore."""
        return [
            Definition(Item(name, bytes(body), size), tuple(json.loads(suspicions)))
            for name, body, size, suspicions in self._rows(_DEFINITIONS, key)
        ]


def _change(row: tuple[Any, ...]) -> Change:
    *numbers, names, is_return = row
    found = json.loads(names)
    added, removed, modified = (tuple(found[kind]) for kind in ("added", "removed", "modified"))
    return Change(*(*numbers, added, removed, modified, bool(is_return)))
