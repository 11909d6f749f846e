"""The question "what changed, and what did it do?": changes of lists, calls before and after."""

from collections import Counter
from dataclasses import dataclass, replace

from mcpr.events.latency import percentile
from mcpr.events.schema import ListName, Verdict
from mcpr.store.engine import EventStore, Filter
from mcpr.store.offered import Change
from mcpr.store.window import Window

#: How much of the time before and after is looked at; less where the list changed again.
SPAN_MS = 86_400_000
#: The method that uses what a list offers; None: every request.
_USES: dict[ListName, tuple[str, ...] | None] = {
    "tools": ("tools/call",),
    "prompts": ("prompts/get",),
    "resources": ("resources/read",),
    "templates": ("resources/read",),
    "server": None,
}


@dataclass(frozen=True, slots=True)
class ChangeRow:
    """A change, and the calls that it concerns up to a day before and after. Times in epoch ms.

    from_version: None for a first version; then there is no verdict. items: of the list, after it.
    added, removed, modified: counts; added_names, ...: names of tools, separated by spaces.
    is_return: to a version that was there before.
    concerns: `changed` where the calls are those of tools that were modified or removed, else
    `list`. error_rate 0-1, p95 in µs; None where there was no call.
    """

    ts_ms: int
    server: str
    list: ListName
    from_version: int | None
    version: int
    verdict: Verdict | None
    items: int
    added: int
    removed: int
    modified: int
    added_names: str
    removed_names: str
    modified_names: str
    is_return: bool
    concerns: str
    calls_before: int
    calls_after: int
    error_rate_before: float | None
    error_rate_after: float | None
    p95_before_us: int | None
    p95_after_us: int | None
    id: str


@dataclass(frozen=True, slots=True)
class _Effect:
    calls: int
    error_rate: float | None
    p95_us: int | None


def schema_changes(store: EventStore, where: Filter, limit: int = 50) -> list[ChangeRow]:
    """The newest changes in the window, the newest first. Only `window` and `server` are asked."""
    return list_changes(store, where, None, limit)


def list_changes(
    store: EventStore, where: Filter, which: ListName | None, limit: int
) -> list[ChangeRow]:
    """The same of one list, or of all."""
    changes = store.offered.changes(where.window, where.server, which)[:limit]
    rows = []
    followed: dict[tuple[str, ListName], int] = {}
    for change in changes:
        key = (change.server, change.list)
        # What came after the next change is its doing.
        until_ms = min(change.ts_ms + SPAN_MS, followed.get(key, change.ts_ms + SPAN_MS))
        followed[key] = change.ts_ms
        before = _effect(store, change, max(0, change.ts_ms - SPAN_MS), change.ts_ms)
        after = _effect(store, change, change.ts_ms, until_ms)
        rows.append(_row(change, before, after))
    return rows


def _concerned(change: Change) -> frozenset[str] | None:
    """The tools whose calls show what the change did; None: all of the list's."""
    if change.list != "tools":
        return None
    return frozenset((*change.modified_names, *change.removed_names)) or None


def _effect(store: EventStore, change: Change, since_ms: int, until_ms: int) -> _Effect:
    if since_ms >= until_ms:
        return _Effect(0, None, None)
    where = Filter(window=Window(since_ms, until_ms), server=change.server, kind="rpc")
    methods = _USES[change.list]
    measures = [
        measure
        for method in (methods or (None,))
        for measure in store.measures(replace(where, method=method), ("tool",))
    ]
    tools = _concerned(change)
    if tools is not None:
        measures = [measure for measure in measures if measure.key[0] in tools]
    buckets: Counter[int] = Counter()
    for measure in measures:
        buckets.update(measure.buckets)
    calls = buckets.total()
    if not calls:
        return _Effect(0, None, None)
    errors = sum(measure.errors for measure in measures)
    return _Effect(calls, errors / calls, percentile(buckets, 0.95))


def _row(change: Change, before: _Effect, after: _Effect) -> ChangeRow:
    return ChangeRow(
        ts_ms=change.ts_ms,
        server=change.server,
        list=change.list,
        from_version=change.from_version,
        version=change.version,
        verdict=change.verdict,
        items=change.items,
        added=change.added,
        removed=change.removed,
        modified=change.modified,
        added_names=" ".join(change.added_names),
        removed_names=" ".join(change.removed_names),
        modified_names=" ".join(change.modified_names),
        is_return=change.is_return,
        concerns="list" if _concerned(change) is None else "changed",
        calls_before=before.calls,
        calls_after=after.calls,
        error_rate_before=before.error_rate,
        error_rate_after=after.error_rate,
        p95_before_us=before.p95_us,
        p95_after_us=after.p95_us,
        id=change.id.hex(),
    )
