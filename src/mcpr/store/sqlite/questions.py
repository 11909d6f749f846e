"""What SQLite answers to the questions: the SQL behind `EventStore`."""

import contextlib
import heapq
import os
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from mcpr.events import Detail, RequestEvent, SessionEvent
from mcpr.store.engine import (
    Cursor,
    Dimension,
    Failure,
    Filter,
    Measure,
    Recorded,
    SessionCount,
    SessionRecord,
    Share,
    Steps,
    TrailStep,
    Volume,
)
from mcpr.store.sqlite import rolled, sessions, sums
from mcpr.store.sqlite.database import explained, open_for_reading, wal_bytes
from mcpr.store.sqlite.offered import SqliteOffered
from mcpr.store.sqlite.where import ROW_ID, Where

_COLUMNS = (
    f"e.seq, {ROW_ID}, e.ts_ms, l.server, l.kind, l.method, l.tool, l.outcome, l.origin,"
    " l.http_status, l.rpc_code, e.latency_us, e.upstream_us, e.bytes_in, e.bytes_out,"
    " nullif(lower(hex(s.hash)), ''),"
    " l.client, l.client_version, l.revision,"
    " e.subject, e.raw_method, e.error_text, l.client_name, l.http_method, e.path, l.note,"
    " e.upstream_first_us, e.link"
)
# CROSS: the events are looked up first, and each finds its label by the number.
_WORDS = "CROSS JOIN label AS l ON l.id = e.label LEFT JOIN session AS s ON s.id = e.session"
_DETAIL_AT = 19
_NO_DETAIL = (None,) * 9


class SqliteEventStore:
    """A store's file, open for reading. Raises StoreError, also when it is not there."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self._path = Path(path)
        self._connection = open_for_reading(self._path)

    def requests(self, where: Filter, limit: int, before: Cursor | None = None) -> list[Recorded]:
        """See EventStore."""
        sql = Where(where, before=before)
        if sql.is_by_block:
            return self._newest(sql, limit)
        query = (
            f"SELECT {_COLUMNS} {sql.source} {_WORDS} {sql}"
            f" ORDER BY {sql.time} DESC, e.seq DESC LIMIT ?"
        )
        return [_recorded(row) for row in self._rows(query, *sql.parameters, limit)]

    def _newest(self, sql: Where, limit: int) -> list[Recorded]:
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

    def slowest(self, where: Filter, limit: int) -> list[Recorded]:
        """See EventStore."""
        sql = Where(where)
        order = "ORDER BY e.latency_us DESC, e.ts_ms DESC, e.seq DESC"
        # The words of a row are looked up only for those that are among the slowest.
        query = (
            f"SELECT {_COLUMNS} FROM (SELECT e.seq {sql.source} {sql} {order} LIMIT ?) AS t"  # noqa: S608 - values are parameters
            f" CROSS JOIN request_event AS e ON e.seq = t.seq {_WORDS} {order}"
        )
        return [_recorded(row) for row in self._rows(query, *sql.parameters, limit)]

    def requests_after(self, seq: int, where: Filter, limit: int) -> list[Recorded]:
        """See EventStore."""
        sql = Where(where, is_by_seq=True)
        sql.add("e.seq > ?", seq)
        query = f"SELECT {_COLUMNS} {sql.source} {_WORDS} {sql} ORDER BY e.seq LIMIT ?"
        return [_recorded(row) for row in self._rows(query, *sql.parameters, limit)]

    def last_seq(self) -> int:
        """See EventStore."""
        # Not max(seq): what was committed counts, even if it has been purged since.
        rows = self._rows("SELECT seq FROM sqlite_sequence WHERE name = 'request_event'")
        return int(rows[0][0]) if rows else 0

    def measures(
        self, where: Filter, by: Sequence[Dimension], steps: Steps | None = None
    ) -> list[Measure]:
        """See EventStore."""
        with self.moment():
            return rolled.measures(self._rows, where, by, steps)

    def failures(self, where: Filter, by: Sequence[Dimension]) -> list[Failure]:
        """See EventStore."""
        query, parameters = sums.failures(where, by)
        size = len(by)
        return [Failure(tuple(row[:size]), *row[size:]) for row in self._rows(query, *parameters)]

    def trail(self, where: Filter) -> Iterator[TrailStep]:
        """See EventStore."""
        query, parameters = sums.trail(where)
        with explained(f"cannot read the store {self._path}", self._path):
            for row in self._connection.execute(query, parameters):
                session, ts_ms, server, method, tool, is_error, size = row
                yield TrailStep(session, ts_ms, server, method, tool, bool(is_error), size)

    def count_sessions(self, where: Filter, *, alive_since_ms: int | None = None) -> int:
        """See EventStore."""
        query, parameters = sessions.count(where, alive_since_ms)
        [(found,)] = self._rows(query, *parameters)
        return int(found)

    def oldest_ms(self) -> int | None:
        """See EventStore."""
        [(oldest,)] = self._rows("SELECT min(min_ts_ms) FROM block")
        return None if oldest is None else int(oldest)

    def names(self, of: Dimension, limit: int) -> list[str]:
        """See EventStore."""
        name = sums.DIMENSIONS[of]
        query = (
            f"SELECT DISTINCT {name} FROM label AS l WHERE {name} IS NOT NULL ORDER BY 1 LIMIT ?"  # noqa: S608 - our own names
        )
        return [str(found) for (found,) in self._rows(query, limit)]

    def linked(self, where: Filter, limit: int) -> list[Recorded]:
        """See EventStore."""
        # Those that have a link are in an index of their own, by time.
        sql = Where(replace(where, window=None))
        if where.window is not None:
            sql.add("e.ts_ms >= ? AND e.ts_ms < ?", where.window.since_ms, where.window.until_ms)
        # Beginnings and ends of sessions have links, too; those of operations begin like this.
        sql.add("e.link IS NOT NULL AND substr(e.link, 1, 3) IN ('{\"a', '{\"r', '{\"t')")
        query = (
            f"SELECT {_COLUMNS} {sql.source} {_WORDS} {sql}"
            " ORDER BY e.ts_ms DESC, e.seq DESC LIMIT ?"
        )
        return [_recorded(row) for row in self._rows(query, *sql.parameters, limit)]

    def sessions(
        self, where: Filter, limit: int, *, alive_since_ms: int | None = None
    ) -> list[SessionRecord]:
        """See EventStore."""
        query, parameters = sessions.find(where, limit, alive_since_ms)
        return [sessions.record(row) for row in self._rows(query, *parameters)]

    def session_counts(self, where: Filter) -> list[SessionCount]:
        """See EventStore."""
        query, parameters = sessions.counts(where)
        return [SessionCount(*row) for row in self._rows(query, *parameters)]

    def session_events_after(self, seq: int, limit: int) -> list[tuple[int, SessionEvent]]:
        """See EventStore."""
        rows = self._rows(sessions.EVENTS_AFTER, seq, limit)
        return [(row[0], SessionEvent(*row[1:])) for row in rows]

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
        with self.moment():
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

    def interrupt(self) -> None:
        """See EventStore."""
        self._connection.interrupt()

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
    def moment(self) -> Iterator[None]:
        """See EventStore."""
        if self._connection.in_transaction:
            yield
            return
        with explained(f"cannot read the store {self._path}", self._path):
            self._connection.execute("BEGIN")
        try:
            yield
        finally:
            self._connection.execute("ROLLBACK")

    def _rows(self, query: str, *parameters: object) -> list[tuple[Any, ...]]:
        with explained(f"cannot read the store {self._path}", self._path):
            return self._connection.execute(query, parameters).fetchall()


def _recorded(row: tuple[Any, ...]) -> Recorded:
    detail = row[_DETAIL_AT:]
    fields = [
        bytes.fromhex(row[1]),
        *row[2:_DETAIL_AT],
        None if detail == _NO_DETAIL else Detail(*detail),
    ]
    return Recorded(row[0], RequestEvent(*fields))
