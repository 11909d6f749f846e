"""The questions answered by plain Python over a list of events: what every engine must equal."""

from collections import defaultdict
from collections.abc import Sequence

from mcpr.events import RequestEvent, is_error
from mcpr.events.latency import bucket, percentile
from mcpr.store import Filter
from mcpr.store.questions import ToolRow


def matches(event: RequestEvent, where: Filter) -> bool:
    """Whether a question with this filter is about the event."""
    window = where.window
    names = {event.client, event.detail.client_name if event.detail else None}
    return (
        (window is None or window.since_ms <= event.ts_ms < window.until_ms)
        and where.server in {None, event.server}
        and where.kind in {None, event.kind}
        and where.method in {None, event.method}
        and where.tool in {None, event.tool}
        and where.outcome in {None, event.outcome}
        and (where.client is None or where.client in names)
        and (where.session is None or (event.session or "-").startswith(where.session))
        and (where.id is None or event.id.hex().startswith(where.id))
        and (not where.errors_only or is_error(event.outcome))
        and (where.min_us is None or event.latency_us >= where.min_us)
        and (where.max_us is None or event.latency_us <= where.max_us)
    )


def newest(events: Sequence[RequestEvent], where: Filter, limit: int) -> list[RequestEvent]:
    """What `log` is about: the newest by arrival first, then the last written."""
    found = [(event.ts_ms, at, event) for at, event in enumerate(events) if matches(event, where)]
    return [event for _, _, event in sorted(found, key=lambda one: one[:2], reverse=True)][:limit]


def tool_rows(events: Sequence[RequestEvent], where: Filter) -> list[ToolRow]:
    """What `tools` answers."""
    calls: dict[tuple[str, str], list[RequestEvent]] = defaultdict(list)
    for event in events:
        if event.kind == "rpc" and event.tool is not None and matches(event, where):
            calls[event.server, event.tool].append(event)
    rows = [_tool_row(server, tool, of_tool) for (server, tool), of_tool in calls.items()]
    return sorted(rows, key=lambda row: (-row.calls, row.server, row.tool))


def _tool_row(server: str, tool: str, calls: Sequence[RequestEvent]) -> ToolRow:
    counts: dict[int, int] = defaultdict(int)
    for event in calls:
        counts[bucket(event.latency_us)] += 1
    errors = sum(is_error(event.outcome) for event in calls)
    p50, p95, p99 = (percentile(counts, quantile) for quantile in (0.5, 0.95, 0.99))
    assert p50 is not None
    assert p95 is not None
    assert p99 is not None
    return ToolRow(
        server=server,
        tool=tool,
        calls=len(calls),
        errors=errors,
        error_rate=errors / len(calls),
        mean_us=sum(event.latency_us for event in calls) // len(calls),
        p50_us=p50,
        p95_us=p95,
        p99_us=p99,
        max_us=max(event.latency_us for event in calls),
        bytes_in=sum(event.bytes_in for event in calls),
        bytes_out=sum(event.bytes_out for event in calls),
        last_call_ms=max(event.ts_ms for event in calls),
    )
