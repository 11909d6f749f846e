"""The question "how does it go?": the figures of a window, and those of the window before it."""

from dataclasses import dataclass, replace
from typing import Literal

from mcpr.store.engine import EventStore, Filter
from mcpr.store.questions import health
from mcpr.store.questions.sums import Sums
from mcpr.store.window import Window

Unit = Literal["count", "rate", "us", "bytes"]
Metric = Literal[
    "calls",
    "errors",
    "error_rate",
    "mean_us",
    "p50_us",
    "p90_us",
    "p95_us",
    "p99_us",
    "max_us",
    "sessions",
    "active_sessions",
    "clients",
    "tools",
    "bytes_in",
    "bytes_out",
    "exchanges",
]

UNITS: dict[Metric, Unit] = {
    "calls": "count",
    "errors": "count",
    "error_rate": "rate",
    "mean_us": "us",
    "p50_us": "us",
    "p90_us": "us",
    "p95_us": "us",
    "p99_us": "us",
    "max_us": "us",
    "sessions": "count",
    "active_sessions": "count",
    "clients": "count",
    "tools": "count",
    "bytes_in": "bytes",
    "bytes_out": "bytes",
    "exchanges": "count",
}


@dataclass(frozen=True, slots=True)
class SummaryRow:
    """One figure. calls, errors, rates and latencies are of JSON-RPC requests only.

    unit: of `value` and `previous`. previous: of the window just before, of the same length; None
    where that begins before the oldest event that is kept, so that nothing can be compared.
    change: of a rate or a latency the difference, of all else the growth (0.5: half as much again);
    None where there is nothing to compare with.
    sessions: those that the question `sessions` lists. active_sessions: of them those that were
    there in the window's last five minutes and did not end in it. exchanges: rows of every kind.
    """

    metric: Metric
    unit: Unit
    value: float
    previous: float | None
    change: float | None


_Figures = dict[Metric, float]


def summary(store: EventStore, where: Filter) -> list[SummaryRow]:
    """The figures of the filter's window, which it must have."""
    window = where.window
    if window is None:
        raise ValueError("a summary is of a window")
    with store.moment():
        now = _figures(store, where, window)
        earlier = health.before(store, window)
        before = None if earlier is None else _figures(store, where, earlier)
    rows = []
    for metric, unit in UNITS.items():
        previous = None if before is None else before[metric]
        rows.append(
            SummaryRow(metric, unit, now[metric], previous, _change(unit, now[metric], previous))
        )
    return rows


def _change(unit: Unit, value: float, previous: float | None) -> float | None:
    if previous is None:
        return None
    if unit in {"rate", "us"}:
        return value - previous
    return value / previous - 1 if previous else None


def _figures(store: EventStore, where: Filter, window: Window) -> _Figures:
    where = replace(where, window=window)
    sums = Sums()
    exchanges = 0
    clients, tools = set(), set()
    for measure in store.measures(where, ("kind", "server", "tool", "client", "client_name")):
        kind, server, tool, client, client_name = measure.key
        exchanges += measure.calls
        if kind != "rpc":
            continue
        sums.add(measure)
        if tool is not None:
            tools.add((server, tool))
        if client is not None or client_name is not None:
            clients.add(client if client not in {None, "other"} else (client, client_name))
    return {
        "calls": sums.calls,
        "errors": sums.errors,
        "error_rate": sums.error_rate,
        "mean_us": sums.mean_us,
        "p50_us": sums.percentile_us(0.50),
        "p90_us": sums.percentile_us(0.90),
        "p95_us": sums.percentile_us(0.95),
        "p99_us": sums.percentile_us(0.99),
        "max_us": sums.max_us,
        "sessions": store.count_sessions(where),
        "active_sessions": store.count_sessions(
            where, alive_since_ms=health.recent(window).since_ms
        ),
        "clients": len(clients),
        "tools": len(tools),
        "bytes_in": sums.bytes_in,
        "bytes_out": sums.bytes_out,
        "exchanges": exchanges,
    }
