"""A filter as SQL: which rows a question is about, and by what they are found."""

from mcpr.store.engine import Cursor, Filter
from mcpr.store.sqlite.blocks import BLOCK_MS
from mcpr.store.sqlite.prefix import bounds
from mcpr.store.window import Window

# The block that holds a row is the last one that begins at or before it.
ROW_ID = (
    "(SELECT CASE WHEN i.first_seq = e.seq THEN hex(i.first_id)"
    " ELSE hex(substr(i.first_id, 1, 8)) || printf('%016X', i.low + e.seq - i.first_seq) END"
    " FROM block AS i WHERE i.first_seq <= e.seq ORDER BY i.first_seq DESC LIMIT 1)"
)
_SESSIONS = "SELECT id FROM session WHERE hash >= ? AND hash <= ?"


class Where:
    """A filter as SQL: `source` gives the rows as `e`, by what finds the fewest of them.

    With + before it, a column's index is left to the more selective ones.
    """

    def __init__(
        self, where: Filter, *, is_by_seq: bool = False, before: Cursor | None = None
    ) -> None:
        self.conditions: list[str] = []
        self.parameters: list[object] = []
        self.source = "FROM request_event AS e"
        #: Whether the rows come block by block, which `requests` can stop.
        self.is_by_block = False
        self.time = self._find(where, is_by_seq=is_by_seq)
        if where.window is not None:
            since, until = where.window.since_ms, where.window.until_ms
            self.add(f"{self.time} >= ? AND {self.time} < ?", since, until)
        if before is not None:
            self._add_before(before)
        self._add_numbers(where)
        if where.id is not None:
            self._add_id(where.id)
        if where.session is not None:
            self.add(f"e.session IN ({_SESSIONS})", *bounds(where.session))
        self._add_labels(where)

    def add(self, condition: str, *parameters: object) -> None:
        """One more condition that must hold."""
        self.conditions.append(condition)
        self.parameters += parameters

    def _find(self, where: Filter, *, is_by_seq: bool) -> str:
        """Choose what finds the rows. Returns how to write the time of their arrival."""
        if is_by_seq or where.id is not None:
            return "+e.ts_ms"
        if where.session is not None:
            self._by_session(where.session)
            return "+e.ts_ms"
        if where.errors_only:
            return "e.ts_ms"
        self._by_block(where.window)
        return "+e.ts_ms"

    def _add_before(self, before: Cursor) -> None:
        self.add(f"({self.time}, e.seq) < (?, ?)", before.ts_ms, before.seq)
        if self.is_by_block:
            self.add("b.min_ts_ms <= ?", before.ts_ms)

    def _add_numbers(self, where: Filter) -> None:
        if where.errors_only:
            self.add("e.is_error = 1")
        if where.min_us is not None:
            self.add("e.latency_us >= ?", where.min_us)
        if where.max_us is not None:
            self.add("e.latency_us <= ?", where.max_us)

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
        self.add(f"b.session IN ({_SESSIONS})", *bounds(prefix))

    def _add_id(self, prefix: str) -> None:
        first, last = bounds(prefix)
        self.add(
            "e.seq IN (SELECT r.seq FROM block AS b CROSS JOIN request_event AS r"
            " ON r.seq BETWEEN b.first_seq AND b.last_seq WHERE b.first_id <= ? AND b.first_id >="
            " coalesce((SELECT max(first_id) FROM block WHERE first_id <= ?), x''))",
            last,
            first,
        )
        self.add(f"{ROW_ID} BETWEEN ? AND ?", first.hex().upper(), last.hex().upper())

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
