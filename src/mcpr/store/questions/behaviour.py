"""What only a record that knows MCP can tell of how agents fare: six questions, metadata alone.

Recoveries, loops and abandoned sessions are read off the trail of each session: its calls in the
order of their arrival. So they are about requests that have a session, or an inferred one.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Final

from mcpr.events.latency import bucket, percentile
from mcpr.store.engine import EventStore, Filter, Steps, TrailStep
from mcpr.store.questions.sums import Sums

#: A session that is silent for so long after an error was given up.
ABANDONED_MS: Final = 5 * 60_000
_DISCOVERY: Final = frozenset(
    ("tools/list", "prompts/list", "resources/list", "resources/templates/list")
)


@dataclass(frozen=True, slots=True)
class RecoveryRow:
    """How failures of one tool went on. failures: calls that failed.

    recovered: of these, how many were followed by a success of the same tool in the same session;
    recovery_rate: their share, 0-1. p50_recovery_us: time from the failure to that success, the
    median, at most 2 % off; None where nothing recovered.
    """

    server: str
    tool: str
    failures: int
    recovered: int
    recovery_rate: float
    p50_recovery_us: int | None


@dataclass(frozen=True, slots=True)
class LoopRow:
    """One run of calls of one tool in one session. calls: how many; errors: of these, failures.

    from_ms, to_ms: arrivals of the first and the last, epoch ms.
    """

    server: str
    session: str
    tool: str
    calls: int
    errors: int
    from_ms: int
    to_ms: int


@dataclass(frozen=True, slots=True)
class AbandonedRow:
    """A session whose last call failed, and that was silent ever since. last_ms: that call's."""

    server: str
    session: str
    tool: str | None
    method: str | None
    calls: int
    last_ms: int


@dataclass(frozen=True, slots=True)
class SizeRow:
    """How large the answers of one tool are, in bytes. Percentiles are at most 2 % off."""

    server: str
    tool: str
    calls: int
    mean_bytes: int
    p50_bytes: int
    p95_bytes: int
    p99_bytes: int
    max_bytes: int


@dataclass(frozen=True, slots=True)
class DiscoveryRow:
    """What it costs to find out what a server offers: its lists beside its other requests.

    lists: list requests. list_bytes: of their answers. bytes_share: of all bytes that the server
    answered, 0-1. calls_per_list: tool calls for each list request; None without a list.
    """

    server: str
    lists: int
    list_bytes: int
    bytes_share: float
    calls: int
    calls_per_list: float | None


@dataclass(frozen=True, slots=True)
class AdoptionRow:
    """Requests of one client by one revision of the protocol in one day. share: of that client's.

    day_ms: when the day began (UTC), epoch ms.
    """

    day_ms: int
    client: str | None
    revision: str | None
    calls: int
    share: float


def recoveries(store: EventStore, where: Filter) -> list[RecoveryRow]:
    """The tools that failed, the most failures first."""
    failures: Counter[tuple[str, str]] = Counter()
    times: dict[tuple[str, str], Counter[int]] = defaultdict(Counter)
    for _, steps in _sessions(store, where):
        failed: dict[tuple[str, str], list[int]] = defaultdict(list)
        for step in steps:
            if step.tool is None:
                continue
            key = (step.server, step.tool)
            if step.is_error:
                failures[key] += 1
                failed[key].append(step.ts_ms)
            elif failed[key]:
                times[key].update(bucket((step.ts_ms - ms) * 1_000) for ms in failed.pop(key))
    rows = []
    for (server, tool), count in failures.items():
        recovered = times[server, tool].total()
        rows.append(
            RecoveryRow(
                server=server,
                tool=tool,
                failures=count,
                recovered=recovered,
                recovery_rate=recovered / count,
                p50_recovery_us=percentile(times[server, tool], 0.5),
            )
        )
    return sorted(rows, key=lambda row: (-row.failures, row.server, row.tool))


def loops(
    store: EventStore, where: Filter, least: int = 5, within_ms: int = 60_000
) -> list[LoopRow]:
    """Runs of at least `least` calls of one tool in a session within `within_ms`.

    The longest come first. A call of another tool ends a run.
    """
    rows: list[LoopRow] = []
    for session, steps in _sessions(store, where):
        called = [step for step in steps if step.tool is not None]
        for _, run in groupby(called, key=lambda step: (step.server, step.tool)):
            parts = (part for part in _dense(list(run), within_ms) if len(part) >= least)
            rows += [_loop(session, part) for part in parts]
    return sorted(rows, key=lambda row: (-row.calls, -row.to_ms, row.session))


def abandoned(store: EventStore, where: Filter) -> list[AbandonedRow]:
    """Sessions that were given up after an error, the latest first."""
    until_ms = where.window.until_ms if where.window is not None else 1 << 62
    rows = []
    for session, trail in _sessions(store, where):
        steps = list(trail)
        last = steps[-1]
        if last.is_error and last.ts_ms < until_ms - ABANDONED_MS:
            rows.append(
                AbandonedRow(last.server, session, last.tool, last.method, len(steps), last.ts_ms)
            )
    return sorted(rows, key=lambda row: (-row.last_ms, row.session))


def sizes(store: EventStore, where: Filter) -> list[SizeRow]:
    """The tools that were called, the largest answers first (by p95)."""
    found: dict[tuple[str, str], Counter[int]] = defaultdict(Counter)
    total: Counter[tuple[str, str]] = Counter()
    largest: Counter[tuple[str, str]] = Counter()
    for step in store.trail(replace(where, kind="rpc")):
        if step.tool is not None:
            key = (step.server, step.tool)
            found[key][bucket(step.bytes_out)] += 1
            total[key] += step.bytes_out
            largest[key] = max(largest[key], step.bytes_out)
    rows = [
        SizeRow(
            server=key[0],
            tool=key[1],
            calls=counts.total(),
            mean_bytes=total[key] // counts.total(),
            p50_bytes=percentile(counts, 0.50) or 0,
            p95_bytes=percentile(counts, 0.95) or 0,
            p99_bytes=percentile(counts, 0.99) or 0,
            max_bytes=largest[key],
        )
        for key, counts in found.items()
    ]
    return sorted(rows, key=lambda row: (-row.p95_bytes, row.server, row.tool))


def discovery(store: EventStore, where: Filter) -> list[DiscoveryRow]:
    """What finding out costs, server by server."""
    lists: dict[str, Sums] = defaultdict(Sums)
    whole: dict[str, Sums] = defaultdict(Sums)
    calls: Counter[str] = Counter()
    for measure in store.measures(replace(where, kind="rpc"), ("server", "method")):
        server, method = str(measure.key[0]), measure.key[1]
        whole[server].add(measure)
        if method in _DISCOVERY:
            lists[server].add(measure)
        elif method == "tools/call":
            calls[server] += measure.calls
    return [
        DiscoveryRow(
            server=server,
            lists=lists[server].calls,
            list_bytes=lists[server].bytes_out,
            bytes_share=lists[server].bytes_out / max(1, whole[server].bytes_out),
            calls=calls[server],
            calls_per_list=calls[server] / lists[server].calls if lists[server].calls else None,
        )
        for server in sorted(whole)
    ]


def adoption(store: EventStore, where: Filter) -> list[AdoptionRow]:
    """Which revisions clients speak, day by day."""
    counts: Counter[tuple[int, str | None, str | None]] = Counter()
    totals: Counter[tuple[int, str | None]] = Counter()
    days = Steps(86_400_000)
    for measure in store.measures(replace(where, kind="rpc"), ("client", "revision"), days):
        client, revision = (None if part is None else str(part) for part in measure.key)
        counts[measure.at_ms, client, revision] += measure.calls
        totals[measure.at_ms, client] += measure.calls
    rows = [
        AdoptionRow(day_ms, client, revision, calls, calls / totals[day_ms, client])
        for (day_ms, client, revision), calls in counts.items()
    ]
    return sorted(rows, key=lambda row: (row.day_ms, row.client or "", row.revision or ""))


def _sessions(store: EventStore, where: Filter) -> Iterator[tuple[str, Iterator[TrailStep]]]:
    """The trail of each session."""
    steps = (s for s in store.trail(replace(where, kind="rpc")) if s.session is not None)
    for session, trail in groupby(steps, key=lambda step: step.session):
        yield str(session), trail


def _loop(session: str, part: list[TrailStep]) -> LoopRow:
    return LoopRow(
        server=part[0].server,
        session=session,
        tool=part[0].tool or "",
        calls=len(part),
        errors=sum(step.is_error for step in part),
        from_ms=part[0].ts_ms,
        to_ms=part[-1].ts_ms,
    )


def _dense(run: list[TrailStep], within_ms: int) -> Iterable[list[TrailStep]]:
    """The longest parts of a run that lie within the time, none of them in another."""
    start = 0
    for at, step in enumerate(run):
        if step.ts_ms - run[start].ts_ms > within_ms:
            yield run[start:at]
            start = at
    yield run[start:]
