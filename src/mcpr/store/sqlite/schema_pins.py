"""What is approved of a server's tools: which versions, and so which definitions and names.

Approved is a definition, not a name: a tool may be called when every definition under its name that
callers are shown stands in an approved version. So an added, a modified and a renamed tool are not
approved, one that was removed is no matter, and a definition that comes back is.

`approved_ms` is when a version was approved, NULL where nobody judged it, 0 where it was revoked.
"""

import sqlite3

#: The versions that are shown: the current one, and others that were seen since it was first seen,
#: within a day. `questions/schema.shown` says the same.
_SHOWN = """
    SELECT v.id FROM schema_version AS v,
        (SELECT first_ms, last_ms, id FROM schema_version WHERE server = ?1 AND list = 'tools'
            ORDER BY last_ms DESC, version DESC LIMIT 1) AS now
    WHERE v.server = ?1 AND v.list = 'tools' AND (v.id = now.id
        OR v.last_ms > max(now.first_ms, now.last_ms - 86400000))
"""
_APPROVED = "SELECT id FROM schema_version WHERE server = ?1 AND list = 'tools' AND approved_ms > 0"


def approvable(
    connection: sqlite3.Connection, server: str, version: int | None, *, only_first: bool
) -> int | None:
    """The number of the version that can be approved; None where there is none."""
    if only_first and _was_judged(connection, server):
        return None
    row = connection.execute(
        "SELECT version FROM schema_version WHERE server = ?1 AND list = 'tools' AND is_whole"
        " AND (?2 IS NULL OR version = ?2) ORDER BY last_ms DESC, version DESC LIMIT 1",
        (server, version),
    ).fetchone()
    return None if row is None else int(row[0])


def allowed(connection: sqlite3.Connection, server: str) -> list[str] | None:
    """The names of the tools that may be called; None where nothing was ever approved."""
    # One statement, hence one moment.
    rows = connection.execute(
        f"SELECT e.name, e.version IN ({_APPROVED}), e.item IN (SELECT item FROM schema_entry"  # noqa: S608 - our own words
        f" WHERE version IN ({_APPROVED})) FROM schema_entry AS e"
        f" WHERE e.version IN ({_APPROVED}) OR e.version IN ({_SHOWN})",
        (server,),
    ).fetchall()
    if not _was_judged(connection, server):
        return None
    # Of a name that stands twice in a list, both definitions count.
    approved = {_plain(name) for name, is_in, _ in rows if is_in}
    blocked = {_plain(name) for name, _, is_known in rows if not is_known}
    return sorted(approved - blocked)


def approved(connection: sqlite3.Connection, server: str) -> frozenset[bytes]:
    """The hashes of the approved definitions."""
    query = (
        "SELECT DISTINCT i.hash FROM schema_item AS i JOIN schema_entry AS e ON e.item = i.id"  # noqa: S608 - our own words
        f" WHERE e.version IN ({_APPROVED})"
    )
    return frozenset(bytes(row[0]) for row in connection.execute(query, (server,)))


def is_approved(connection: sqlite3.Connection, server: str, version: int) -> bool:
    """Whether this version is."""
    query = f"{_APPROVED} AND version = ?2"
    return connection.execute(query, (server, version)).fetchone() is not None


def _was_judged(connection: sqlite3.Connection, server: str) -> bool:
    """Whether any version was ever approved; where all were revoked, nothing is allowed."""
    query = (
        "SELECT 1 FROM schema_version WHERE server = ? AND list = 'tools'"
        " AND approved_ms IS NOT NULL LIMIT 1"
    )
    return connection.execute(query, (server,)).fetchone() is not None


def _plain(name: str) -> str:
    return name.partition("\x00")[0]
