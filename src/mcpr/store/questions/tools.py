"""The question "how do the tools fare?": a row for each tool that was called."""

from collections import defaultdict
from dataclasses import dataclass, replace

from mcpr.store.engine import EventStore, Filter
from mcpr.store.questions.health import Health, State, Thresholds, judge_all
from mcpr.store.questions.sums import Sums


@dataclass(frozen=True, slots=True)
class ToolRow:
    """The calls of one tool of one server. Durations in µs, sizes in bytes, `error_rate` 0-1.

    Percentiles come from log buckets and are at most 2 % off, so one may lie a little above
    `max_us`, which is exact. last_call_ms: arrival of the newest call, epoch ms.
    health: how the tool fares, and `health_reason` why; None without a window.
    """

    server: str
    tool: str
    calls: int
    errors: int
    error_rate: float
    mean_us: int
    p50_us: int
    p95_us: int
    p99_us: int
    max_us: int
    bytes_in: int
    bytes_out: int
    last_call_ms: int
    health: State | None = None
    health_reason: str | None = None


_Tools = dict[tuple[str, str], Sums]


def tools(store: EventStore, where: Filter, thresholds: Thresholds | None = None) -> list[ToolRow]:
    """The tools that were called, the most called first; JSON-RPC requests only."""
    found = judge_all(store, where, lambda asked: _sums(store, asked), thresholds)
    rows = [_row(*key, sums, told) for key, (sums, told) in found.items()]
    return sorted(rows, key=lambda row: (-row.calls, row.server, row.tool))


def _sums(store: EventStore, where: Filter) -> _Tools:
    sums: _Tools = defaultdict(Sums)
    for measure in store.measures(replace(where, kind="rpc"), ("server", "tool")):
        server, tool = measure.key
        if isinstance(server, str) and isinstance(tool, str):
            sums[server, tool].add(measure)
    return dict(sums)


def _row(server: str, tool: str, sums: Sums, told: Health | None) -> ToolRow:
    return ToolRow(
        server=server,
        tool=tool,
        calls=sums.calls,
        errors=sums.errors,
        error_rate=sums.error_rate,
        mean_us=sums.mean_us,
        p50_us=sums.percentile_us(0.50),
        p95_us=sums.percentile_us(0.95),
        p99_us=sums.percentile_us(0.99),
        max_us=sums.max_us,
        bytes_in=sums.bytes_in,
        bytes_out=sums.bytes_out,
        last_call_ms=sums.last_ms,
        health=None if told is None else told.state,
        health_reason=None if told is None else told.reason,
    )
