"""The question "how do the servers fare?": a row for each MCP server that was called."""

from collections import defaultdict
from dataclasses import dataclass, replace

from mcpr.store.engine import EventStore, Filter
from mcpr.store.questions import health
from mcpr.store.questions.health import Health, State, Thresholds
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
_Servers = dict[str, Sums]


def servers(
    store: EventStore, where: Filter, thresholds: Thresholds | None = None
) -> list[ServerRow]:
    """The servers that were called, by name."""
    with store.moment():
        sums, foreign = _sums(store, where)
        told = {} if where.window is None else _health(store, where, sums, thresholds)
    return [_row(name, sums[name], foreign[name], told.get(name)) for name in sorted(sums)]


def _health(
    store: EventStore, where: Filter, sums: _Servers, thresholds: Thresholds | None
) -> dict[str, Health]:
    window = where.window
    assert window is not None
    latest, _ = _sums(store, replace(where, window=health.recent(window)))
    before = health.before(store, window)
    earlier = None if before is None else _sums(store, replace(where, window=before))[0]
    return {
        name: health.judge(
            of_server,
            latest.get(name, Sums()),
            None if earlier is None else earlier.get(name),
            window,
            thresholds or Thresholds(),
        )
        for name, of_server in sums.items()
    }


def _sums(store: EventStore, where: Filter) -> tuple[_Servers, dict[str, int]]:
    """Sums by server, and how many of the errors are not its own."""
    sums: _Servers = defaultdict(Sums)
    foreign: dict[str, int] = defaultdict(int)
    for measure in store.measures(replace(where, kind="rpc"), ("server", "origin")):
        server, origin = measure.key
        if isinstance(server, str):
            sums[server].add(measure)
            if origin in _NOT_THE_SERVERS:
                foreign[server] += measure.errors
    return dict(sums), foreign


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
