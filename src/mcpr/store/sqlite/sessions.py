"""What SQLite answers about sessions: statements, and rows as records.

Reads the table of sessions alone, however many requests there are.
"""

from typing import Any, Final

from mcpr.store.engine import Filter, SessionRecord
from mcpr.store.sqlite.prefix import bounds

_FOREVER_MS: Final = 2**63 - 1
_HAS_ENDED: Final = "s.ended_ms > 0 AND s.good_ms <= s.ended_ms"
_COLUMNS: Final = (
    "lower(hex(s.hash)), s.server, s.is_inferred, s.is_shared, s.opened_ms, s.last_ms,"  # noqa: S608 - our own names
    f" CASE WHEN {_HAS_ENDED} THEN s.ended_ms END, CASE WHEN {_HAS_ENDED} THEN s.ended_by END,"
    " s.calls, s.errors, (SELECT count(*) FROM session_tool AS t WHERE t.session = s.id),"
    " s.client, s.client_version, s.client_name, s.server_name, s.server_version, s.revision"
)
#: seq, then the fields of a SessionEvent.
EVENTS_AFTER: Final = (
    "SELECT v.seq, v.id, v.ts_ms, s.server, lower(hex(s.hash)), v.state, s.client,"
    " s.client_version, s.revision FROM session_event AS v JOIN session AS s ON s.id = v.session"
    " WHERE v.seq > ? ORDER BY v.seq LIMIT ?"
)

Query = tuple[str, list[object]]


def find(where: Filter, limit: int, alive_since_ms: int | None) -> Query:
    """The newest sessions, the last seen first."""
    conditions, parameters = _conditions(where, alive_since_ms)
    # The few that are shown are found first, and only these are looked at closely.
    query = (
        f"SELECT {_COLUMNS} FROM (SELECT s.id FROM session AS s WHERE {' AND '.join(conditions)}"  # noqa: S608 - values are parameters
        " ORDER BY s.last_ms DESC, s.id DESC LIMIT ?) AS newest JOIN session AS s"
        " ON s.id = newest.id ORDER BY s.last_ms DESC, s.id DESC"
    )
    return query, [*parameters, limit]


def count(where: Filter, alive_since_ms: int | None) -> Query:
    """How many of them there are."""
    conditions, parameters = _conditions(where, alive_since_ms)
    return f"SELECT count(*) FROM session AS s WHERE {' AND '.join(conditions)}", parameters  # noqa: S608 - values are parameters


def counts(where: Filter) -> Query:
    """How many sessions each client has."""
    conditions, parameters = _conditions(where, None)
    query = (
        "SELECT s.client, s.client_version, s.client_name, count(*) FROM session AS s"  # noqa: S608 - values are parameters
        f" WHERE {' AND '.join(conditions)} GROUP BY 1, 2, 3"
    )
    return query, parameters


def record(row: tuple[Any, ...]) -> SessionRecord:
    """A row of `find`."""
    return SessionRecord(row[0], row[1], bool(row[2]), bool(row[3]), *row[4:])


def _conditions(where: Filter, alive_since_ms: int | None) -> tuple[list[str], list[object]]:
    """What a session must be to count: the same for every question about sessions."""
    conditions: list[str] = []
    parameters: list[object] = []
    if where.session is None:
        conditions.append("s.opened_ms IS NOT NULL")
    else:
        conditions.append("s.hash >= ? AND s.hash <= ?")
        parameters += bounds(where.session)
    if where.window is not None:
        conditions.append("s.last_ms >= ? AND coalesce(s.opened_ms, s.last_ms) < ?")
        parameters += (where.window.since_ms, where.window.until_ms)
    if where.server is not None:
        conditions.append("s.server = ?")
        parameters.append(where.server)
    if where.client is not None:
        conditions.append("(s.client = ? OR s.client_name = ?)")
        parameters += (where.client, where.client)
    if where.tool is not None:
        conditions.append("EXISTS (SELECT 1 FROM session_tool WHERE session = s.id AND tool = ?)")
        parameters.append(where.tool)
    if alive_since_ms is not None:
        # What ended after the window was alive in it.
        until_ms = _FOREVER_MS if where.window is None else where.window.until_ms
        conditions.append(f"s.last_ms >= ? AND NOT ({_HAS_ENDED} AND s.ended_ms < ?)")
        parameters += (alive_since_ms, until_ms)
    return conditions, parameters
