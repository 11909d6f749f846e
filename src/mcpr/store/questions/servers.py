"""The question "how do the servers fare?": a row for each MCP server that was called."""

from collections import Counter, defaultdict
from dataclasses import dataclass, replace

from mcpr.store.engine import EventStore, Filter
from mcpr.store.questions.health import Health, State, Thresholds, judge_all
from mcpr.store.questions.sums import Sums


@dataclass(frozen=True, slots=True)
class ServerRow:
    """The JSON-RPC requests of one server. Durations in µs, sizes in bytes, `error_rate` 0-1.

    proxy_errors: errors that are not the server's own doing: it was not reached, or was cut off, or
    mcpr refused or failed. last_call_ms: arrival of the newest request, epoch ms.
    """

    server: str
    calls: int
    errors: int
    error_rate: float
    proxy_errors: int
    p50_us: int
    p95_us: int
    p99_us: int
    max_us: int
    bytes_in: int
    bytes_out: int
    last_call_ms: int
    health: State | None = None
    health_reason: str | None = None


_NOT_THE_SERVERS = frozenset({"connect", "transport", "proxy", "policy", "limit"})


def servers(
    store: EventStore, where: Filter, thresholds: Thresholds | None = None
) -> list[ServerRow]:
    """The servers that were called, by name."""
    foreign: Counter[str] = Counter()
    with store.moment():
        for measure in store.measures(replace(where, kind="rpc"), ("server", "origin")):
            server, origin = measure.key
            if origin in _NOT_THE_SERVERS:
                foreign[str(server)] += measure.errors
        found = judge_all(store, where, lambda asked: _sums(store, asked), thresholds)
    return [_row(name, found[name][0], foreign[name], found[name][1]) for name in sorted(found)]


def _sums(store: EventStore, where: Filter) -> dict[str, Sums]:
    found: dict[str, Sums] = defaultdict(Sums)
    for measure in store.measures(replace(where, kind="rpc"), ("server",)):
        found[str(measure.key[0])].add(measure)
    return dict(found)


def _row(server: str, sums: Sums, proxy_errors: int, told: Health | None) -> ServerRow:
    return ServerRow(
        server=server,
        calls=sums.calls,
        errors=sums.errors,
        error_rate=sums.error_rate,
        proxy_errors=proxy_errors,
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
