"""What SQLite answers to the questions: the SQL behind `EventStore`."""

import contextlib
import heapq
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from mcpr.events import Detail, RequestEvent
from mcpr.store.engine import Dimension, Filter, Measure, Recorded, Share, Volume
from mcpr.store.sqlite.blocks import BLOCK_MS
from mcpr.store.sqlite.database import explained, open_for_reading, wal_bytes
from mcpr.store.sqlite.offered import SqliteOffered
from mcpr.store.window import Window

# The block that holds a row is the last one that begins at or before it.
_ID = (
    "(SELECT CASE WHEN i.first_seq = e.seq THEN hex(i.first_id)"
    " ELSE hex(substr(i.first_id, 1, 8)) || printf('%016X', i.low + e.seq - i.first_seq) END"
    " FROM block AS i WHERE i.first_seq <= e.seq ORDER BY i.first_seq DESC LIMIT 1)"
)
_COLUMNS = (
    f"e.seq, {_ID}, e.ts_ms, l.server, l.kind, l.method, l.tool, l.outcome, l.origin,"
    " l.http_status, l.rpc_code, e.latency_us, e.upstream_us, e.bytes_in, e.bytes_out,"
    " nullif(lower(hex(s.hash)), ''),"
    " l.client, l.client_version, l.revision,"
    " e.subject, e.raw_method, e.error_text, l.client_name, l.http_method, e.path, l.note,"
    " e.upstream_first_us"
)
# CROSS: the events are looked up first, and each finds its label by the number.
_WORDS = "CROSS JOIN label AS l ON l.id = e.label LEFT JOIN session AS s ON s.id = e.session"
_DIMENSIONS: dict[Dimension, str] = {
    "server": "l.server",
    "method": "l.method",
    "tool": "l.tool",
    "client": "l.client",
}
_SESSIONS = "SELECT id FROM session WHERE hash >= ? AND hash <= ?"
_DETAIL_AT = 19
_NO_DETAIL = (None,) * 8
_HEX_DIGITS = 32


class _Where:
    """A filter as SQL: `source` gives the rows as `e`, by what finds the fewest of them.

    With + before it, a column's index is left to the more selective ones.
    """

    def __init__(self, where: Filter, *, is_by_seq: bool = False) -> None:
        self.conditions: list[str] = []
        self.parameters: list[object] = []
        self.source = "FROM request_event AS e"
        #: Whether the rows come block by block, which `requests` can stop.
        self.is_by_block = False
        time = "e.ts_ms" if where.errors_only and not is_by_seq else "+e.ts_ms"
        if is_by_seq:
            pass
        elif where.id is not None:
            time = "+e.ts_ms"
        elif where.session is not None:
            time = "+e.ts_ms"
            self._by_session(where.session)
        elif not where.errors_only:
            self._by_block(where.window)
        if where.window is not None:
            since, until = where.window.since_ms, where.window.until_ms
            self.add(f"{time} >= ? AND {time} < ?", since, until)
        self.time = time
        if where.errors_only:
            self.add("e.is_error = 1")
        if where.id is not None:
            self._add_id(where.id)
        if where.session is not None:
            self.add(f"e.session IN ({_SESSIONS})", *_bounds(where.session))
        self._add_labels(where)

    def add(self, condition: str, *parameters: object) -> None:
        """One more condition that must hold."""
        self.conditions.append(condition)
        self.parameters += parameters

    def _by_block(self, window: Window | None) -> None:
        self.is_by_block = True
        self.source = (
            "FROM block AS b CROSS JOIN request_event AS e"
            " ON e.seq BETWEEN b.first_seq AND b.last_seq"
        )
        if window is not None:
            since, until = window.since_ms, window.until_ms
            self.add("b.max_ts_ms >= ? AND b.max_ts_ms < ?", since, until + BLOCK_MS)
            self.add("b.min_ts_ms < ?", until)

    def _by_session(self, prefix: str) -> None:
        self.source = (
            "FROM session_block AS b CROSS JOIN request_event AS e"
            " ON e.seq BETWEEN b.first_seq AND b.last_seq AND e.session = b.session"
        )
        self.add(f"b.session IN ({_SESSIONS})", *_bounds(prefix))

    def _add_id(self, prefix: str) -> None:
        first, last = _bounds(prefix)
        self.add(
            "e.seq IN (SELECT r.seq FROM block AS b CROSS JOIN request_event AS r"
            " ON r.seq BETWEEN b.first_seq AND b.last_seq WHERE b.first_id <= ? AND b.first_id >="
            " coalesce((SELECT max(first_id) FROM block WHERE first_id <= ?), x''))",
            last,
            first,
        )
        self.add(f"{_ID} BETWEEN ? AND ?", first.hex().upper(), last.hex().upper())

    def _add_labels(self, where: Filter) -> None:
        wanted = {
            "server": where.server,
            "kind": where.kind,
            "method": where.method,
            "tool": where.tool,
            "outcome": where.outcome,
        }
        conditions = [f"{name} = ?" for name, text in wanted.items() if text is not None]
        parameters: list[object] = [text for text in wanted.values() if text is not None]
        if where.client is not None:
            conditions.append("(client = ? OR client_name = ?)")
            parameters += (where.client, where.client)
        if conditions:
            labels = f"SELECT id FROM label WHERE {' AND '.join(conditions)}"  # noqa: S608 - our own names
            self.add(f"e.label IN ({labels})", *parameters)

    def __str__(self) -> str:
        return f"WHERE {' AND '.join(self.conditions)}" if self.conditions else ""


class SqliteEventStore:
    """A store's file, open for reading. Raises StoreError, also when it is not there."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self._path = Path(path)
        self._connection = open_for_reading(self._path)

    def requests(self, where: Filter, limit: int) -> list[Recorded]:
        """See EventStore."""
        sql = _Where(where)
        if sql.is_by_block:
            return self._newest(sql, limit)
        query = (
            f"SELECT {_COLUMNS} {sql.source} {_WORDS} {sql}"
            f" ORDER BY {sql.time} DESC, e.seq DESC LIMIT ?"
        )
        return [_recorded(row) for row in self._rows(query, *sql.parameters, limit)]

    def _newest(self, sql: _Where, limit: int) -> list[Recorded]:
        """Read block by block, the newest first, until those that follow are all older."""
        query = (
            f"SELECT b.max_ts_ms, e.ts_ms, {_COLUMNS} {sql.source} {_WORDS} {sql}"
            " ORDER BY b.max_ts_ms DESC"
        )
        newest: list[tuple[int, int, tuple[Any, ...]]] = []
        with explained(f"cannot read the store {self._path}", self._path):
            for latest, ts_ms, *row in self._connection.execute(query, sql.parameters):
                if len(newest) < limit:
                    heapq.heappush(newest, (ts_ms, row[0], tuple(row)))
                elif not newest or latest < newest[0][0]:
                    break
                else:
                    heapq.heappushpop(newest, (ts_ms, row[0], tuple(row)))
        return [_recorded(row) for _, _, row in sorted(newest, reverse=True)]

    def requests_after(self, seq: int, where: Filter, limit: int) -> list[Recorded]:
        """See EventStore."""
        sql = _Where(where, is_by_seq=True)
        sql.add("e.seq > ?", seq)
        query = f"SELECT {_COLUMNS} {sql.source} {_WORDS} {sql} ORDER BY e.seq LIMIT ?"
        return [_recorded(row) for row in self._rows(query, *sql.parameters, limit)]

    def last_seq(self) -> int:
        """See EventStore."""
        # Not max(seq): what was committed counts, even if it has been purged since.
        rows = self._rows("SELECT seq FROM sqlite_sequence WHERE name = 'request_event'")
        return int(rows[0][0]) if rows else 0

    def measures(self, where: Filter, by: Sequence[Dimension]) -> list[Measure]:
        """See EventStore."""
        sql = _Where(where)
        dimensions = "".join(f"{_DIMENSIONS[name]}, " for name in by)
        # First by label, a number, then by what labels have in common: text is compared once for
        # each label and bucket, not once for each event.
        query = (
            f"SELECT {dimensions} m.bucket, sum(m.calls), sum(m.errors), max(m.max_us),"  # noqa: S608 - values are parameters
            " sum(m.bytes_in), sum(m.bytes_out), max(m.last_ms)"
            " FROM (SELECT e.label, e.bucket, count(*) AS calls, sum(e.is_error) AS errors,"
            " max(e.latency_us) AS max_us, sum(e.bytes_in) AS bytes_in,"
            " sum(e.bytes_out) AS bytes_out, max(e.ts_ms) AS last_ms"
            f" {sql.source} {sql} GROUP BY e.label, e.bucket) AS m"
            f" JOIN label AS l ON l.id = m.label GROUP BY {dimensions} m.bucket"
        )
        size = len(by)
        return [
            Measure(tuple(row[:size]), *row[size:]) for row in self._rows(query, *sql.parameters)
        ]

    def names(self, of: Dimension, limit: int) -> list[str]:
        """See EventStore."""
        name = _DIMENSIONS[of]
        query = (
            f"SELECT DISTINCT {name} FROM label AS l WHERE {name} IS NOT NULL ORDER BY 1 LIMIT ?"  # noqa: S608 - our own names
        )
        return [str(found) for (found,) in self._rows(query, limit)]

    def shares(self) -> list[Share]:
        """See EventStore."""
        counted = (
            "SELECT l.server, sum(m.events), sum(m.errors), min(m.oldest), max(m.newest) FROM"
            " (SELECT label, count(*) AS events, sum(is_error) AS errors, min(ts_ms) AS oldest,"
            " max(ts_ms) AS newest FROM request_event GROUP BY label) AS m"
            " JOIN label AS l ON l.id = m.label GROUP BY l.server"
        )
        named = (
            "SELECT l.server, count(DISTINCT m.session) FROM (SELECT DISTINCT label, session FROM"
            " request_event WHERE session IS NOT NULL) AS m"
            " JOIN label AS l ON l.id = m.label GROUP BY l.server"
        )
        with self._one_moment():
            sessions = dict(self._rows(named))
            return [
                Share(server, events, errors, sessions.get(server, 0), oldest, newest)
                for server, events, errors, oldest, newest in self._rows(counted)
            ]

    def volume(self) -> Volume:
        """See EventStore."""
        [(page, pages, free, version, names, sessions)] = self._rows(
            "SELECT page_size, page_count, freelist_count, user_version,"
            " (SELECT count(*) FROM label), (SELECT count(*) FROM session) FROM pragma_page_size,"
            " pragma_page_count, pragma_freelist_count, pragma_user_version"
        )
        return Volume(page * pages, page * free, wal_bytes(self._path), names, sessions, version)

    @property
    def offered(self) -> SqliteOffered:
        """See EventStore."""
        return SqliteOffered(self._rows)

    def close(self) -> None:
        """See EventStore."""
        with explained(f"cannot close the store {self._path}", self._path):
            self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    @contextlib.contextmanager
    def _one_moment(self) -> Iterator[None]:
        """What is asked within sees one state of the store."""
        with explained(f"cannot read the store {self._path}", self._path):
            self._connection.execute("BEGIN")
        try:
            yield
        finally:
            self._connection.execute("ROLLBACK")

    def _rows(self, query: str, *parameters: object) -> list[tuple[Any, ...]]:
        with explained(f"cannot read the store {self._path}", self._path):
            return self._connection.execute(query, parameters).fetchall()


def _bounds(prefix: str) -> tuple[bytes, bytes]:
    """The first and the last 16 bytes whose hex digits begin so."""
    return (
        bytes.fromhex(prefix.ljust(_HEX_DIGITS, "0")),
        bytes.fromhex(prefix.ljust(_HEX_DIGITS, "f")),
    )


def _recorded(row: tuple[Any, ...]) -> Recorded:
    detail = row[_DETAIL_AT:]
    fields = [
        bytes.fromhex(row[1]),
        *row[2:_DETAIL_AT],
        None if detail == _NO_DETAIL else Detail(*detail),
    ]
    return Recorded(row[0], RequestEvent(*fields))
