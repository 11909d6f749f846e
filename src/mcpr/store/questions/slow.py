"""The question "which calls were slow?": the slowest ones, and how far they are from the usual."""

from collections import defaultdict
from dataclasses import dataclass, replace

from mcpr.events import Outcome, to_text
from mcpr.store.engine import EventStore, Filter, Recorded, Value
from mcpr.store.questions.sums import Sums


@dataclass(frozen=True, slots=True)
class SlowRow:
    """One JSON-RPC request. Durations in µs, sizes in bytes, `ts_ms` its arrival in epoch ms.

    p50_us: of the same method and tool of that server, in the same window; times_p50: how many
    times that this call took. proxy_us: what the server did not take of the latency; None where
    its share is not known.
    """

    seq: int
    id: str
    ts_ms: int
    server: str
    method: str | None
    tool: str | None
    subject: str | None
    latency_us: int
    upstream_us: int | None
    proxy_us: int | None
    p50_us: int
    times_p50: float
    outcome: Outcome
    bytes_in: int
    bytes_out: int
    session: str | None
    client: str | None
    client_version: str | None
    client_name: str | None


_Key = tuple[Value, ...]


def slow(store: EventStore, where: Filter, limit: int) -> list[SlowRow]:
    """The `limit` slowest requests, the slowest first."""
    usual: dict[_Key, Sums] = defaultdict(Sums)
    # Usual is what the others do as well: without the filter that picks the slow ones.
    others = Filter(window=where.window, server=where.server, kind="rpc")
    with store.moment():
        found = store.slowest(replace(where, kind="rpc"), limit)
        for measure in store.measures(others, ("server", "method", "tool")):
            usual[measure.key].add(measure)
    return [_row(recorded, usual) for recorded in found]


def _row(recorded: Recorded, usual: dict[_Key, Sums]) -> SlowRow:
    event = recorded.event
    detail = event.detail
    p50_us = usual[event.server, event.method, event.tool].percentile_us(0.5)
    return SlowRow(
        seq=recorded.seq,
        id=to_text(event.id),
        ts_ms=event.ts_ms,
        server=event.server,
        method=event.method,
        tool=event.tool,
        subject=None if detail is None else detail.subject,
        latency_us=event.latency_us,
        upstream_us=event.upstream_us,
        proxy_us=None if event.upstream_us is None else event.latency_us - event.upstream_us,
        p50_us=p50_us,
        times_p50=round(event.latency_us / max(1, p50_us), 2),
        outcome=event.outcome,
        bytes_in=event.bytes_in,
        bytes_out=event.bytes_out,
        session=event.session,
        client=event.client,
        client_version=event.client_version,
        client_name=None if detail is None else detail.client_name,
    )
