"""The statements by which a writer keeps sessions."""

import sqlite3
from typing import Final

from mcpr.events.batch import LABEL, Label

COUNT: Final = (
    "UPDATE session SET calls = calls + ?, errors = errors + ?, last_ms = max(last_ms, ?),"
    " good_ms = max(good_ms, ?) WHERE id = ?"
)
CALLER: Final = (
    "SELECT client, client_version, revision, client_name FROM session"
    " WHERE hash = ? AND client IS NOT NULL AND is_shared = 0"
)
#: For the first time, or once more after its end: a server may use an id again.
OPEN: Final = (
    "UPDATE session SET server = ?, client = ?, client_version = ?, revision = ?, client_name = ?,"
    " server_name = ?, server_version = ?, opened_ms = ?, is_shared = 0"
    " WHERE id = ? AND (opened_ms IS NULL OR (ended_ms > 0 AND good_ms <= ended_ms))"
)
SHARE: Final = (
    "UPDATE session SET is_shared = 1 WHERE id = ?"
    " AND NOT (client IS ? AND client_version IS ? AND client_name IS ?)"
)
#: Not again while it has not been seen alive since.
END: Final = (
    "UPDATE session SET ended_ms = ?, ended_by = ?"
    " WHERE id = ? AND ended_ms < ? AND (ended_ms = 0 OR good_ms > ended_ms)"
)
ADD_TOOL: Final = "INSERT INTO session_tool (session, tool) VALUES (?, ?) ON CONFLICT DO NOTHING"
ADD_EVENT: Final = (
    "INSERT INTO session_event (id, ts_ms, state, session)"
    " SELECT ?, ?, ?, id FROM session WHERE id = ? AND opened_ms IS NOT NULL"
    " ON CONFLICT (id) DO NOTHING"
)
CONVERSATION: Final = (
    "SELECT hash, opened_ms, last_ms FROM session WHERE is_inferred = 1 AND server IS ?"
    " AND client IS ? AND client_version IS ? AND client_name IS ?"
    " AND last_ms >= ? AND opened_ms <= ? ORDER BY id DESC LIMIT 1"
)
ADD_CONVERSATION: Final = (
    "INSERT INTO session (hash, server, client, client_version, client_name, revision, opened_ms,"
    " last_ms, good_ms, is_inferred) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 1)"
    " ON CONFLICT (hash) DO NOTHING"
)
BEGIN_EARLIER: Final = "UPDATE session SET opened_ms = min(opened_ms, ?) WHERE hash = ?"
_NAMELESS: Final = (
    f"SELECT DISTINCT l.id, {', '.join(f'l.{name}' for name in LABEL)}"  # noqa: S608 - our own names
    " FROM session_block AS b CROSS JOIN request_event AS e"
    " ON e.seq BETWEEN b.first_seq AND b.last_seq AND e.session = b.session"
    " JOIN label AS l ON l.id = e.label WHERE b.session = ? AND l.client IS NULL"
)
_RELABEL: Final = (
    "UPDATE request_event SET label = ?1 WHERE session = ?2 AND label = ?3 AND seq IN"
    " (SELECT e.seq FROM session_block AS b CROSS JOIN request_event AS e"
    " ON e.seq BETWEEN b.first_seq AND b.last_seq WHERE b.session = ?2)"
)


def nameless(connection: sqlite3.Connection, session: int) -> list[tuple[int, Label]]:
    """Labels of the session's requests that say no caller."""
    return [(row[0], row[1:]) for row in connection.execute(_NAMELESS, (session,)).fetchall()]


def relabel(connection: sqlite3.Connection, session: int, old: int, new: int) -> None:
    """Give the session's requests another label."""
    connection.execute(_RELABEL, (new, session, old))
