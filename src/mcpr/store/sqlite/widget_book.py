"""The policies of widgets, written down: each once, with when it was seen first and last."""

import sqlite3
from collections.abc import Callable
from typing import Any, Final

from mcpr.store.widgets import WidgetPolicy

#: Of one server; and policies of one widget. The ones that were not seen for longest go.
MAX_POLICIES: Final = 2_000
MAX_OF_ONE: Final = 20

_TAKE = """
    INSERT INTO widget_policy (server, uri, declared, emitted, first_ms, last_ms, sightings)
    VALUES (?1, ?2, ?3, ?4, ?5, ?5, 1)
    ON CONFLICT DO UPDATE SET
        first_ms = min(first_ms, ?5), last_ms = max(last_ms, ?5), sightings = sightings + 1
"""
_TRIM = """
    DELETE FROM widget_policy WHERE id IN (
        SELECT id FROM widget_policy WHERE server = ?1 AND (?2 IS NULL OR uri = ?2)
        ORDER BY last_ms DESC, id DESC LIMIT -1 OFFSET ?3
    )
"""
_POLICIES = """
    SELECT server, uri, declared, emitted, first_ms, last_ms, sightings FROM widget_policy
    WHERE ?1 IS NULL OR server = ?1
    ORDER BY server, uri, last_ms, id
"""


def take(
    connection: sqlite3.Connection, server: str, widget: tuple[str, str, str], ts_ms: int
) -> None:
    """A widget was seen: its URI, what it declared, what its host was told. In a transaction."""
    connection.execute(_TAKE, (server, *widget, ts_ms))
    connection.execute(_TRIM, (server, widget[0], MAX_OF_ONE))
    connection.execute(_TRIM, (server, None, MAX_POLICIES))


def policies(rows: Callable[..., list[tuple[Any, ...]]], server: str | None) -> list[WidgetPolicy]:
    """All policies, by server, widget and last sighting. rows: runs a query."""
    return [WidgetPolicy(*row) for row in rows(_POLICIES, server)]
