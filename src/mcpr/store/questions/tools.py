"""The question "how do the tools fare?": a row for each tool that was called."""

from collections import Counter
from dataclasses import dataclass, field, replace

from mcpr.events.latency import percentile
from mcpr.store.engine import EventStore, Filter, Measure


@dataclass(frozen=True, slots=True)
class ToolRow:
    """The calls of one tool of one server. Durations in µs, sizes in bytes, `error_rate` 0-1.

    Percentiles come from log buckets and are at most 2 % off, so one may lie a little above
    `max_us`, which is exact. last_call_ms: arrival of the newest call, epoch ms.
    """

    server: str
    tool: str
    calls: int
    errors: int
    error_rate: float
    p50_us: int
    p95_us: int
    p99_us: int
    max_us: int
    bytes_in: int
    bytes_out: int
    last_call_ms: int


@dataclass(slots=True)
class _Sums:
    buckets: Counter[int] = field(default_factory=Counter)
    errors: int = 0
    max_us: int = 0
    bytes_in: int = 0
    bytes_out: int = 0
    last_ms: int = 0

    def add(self, measure: Measure) -> None:
        self.buckets[measure.bucket] += measure.calls
        self.errors += measure.errors
        self.max_us = max(self.max_us, measure.max_us)
        self.bytes_in += measure.bytes_in
        self.bytes_out += measure.bytes_out
        self.last_ms = max(self.last_ms, measure.last_ms)


def tools(store: EventStore, where: Filter) -> list[ToolRow]:
    """The tools that were called, the most called first; JSON-RPC requests only."""
    sums: dict[tuple[str, str], _Sums] = {}
    for measure in store.measures(replace(where, kind="rpc"), ("server", "tool")):
        server, tool = measure.key
        if server is not None and tool is not None:
            sums.setdefault((server, tool), _Sums()).add(measure)
    rows = [_row(server, tool, summed) for (server, tool), summed in sums.items()]
    return sorted(rows, key=lambda row: (-row.calls, row.server, row.tool))


def _row(server: str, tool: str, sums: _Sums) -> ToolRow:
    calls = sums.buckets.total()
    p50, p95, p99 = (percentile(sums.buckets, quantile) or 0 for quantile in (0.50, 0.95, 0.99))
    return ToolRow(
        server=server,
        tool=tool,
        calls=calls,
        errors=sums.errors,
        error_rate=sums.errors / calls,
        p50_us=p50,
        p95_us=p95,
        p99_us=p99,
        max_us=sums.max_us,
        bytes_in=sums.bytes_in,
        bytes_out=sums.bytes_out,
        last_call_ms=sums.last_ms,
    )
