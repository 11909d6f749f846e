"""What an alert is about, and whether it fires now. Asks a store's questions; reads no clock."""

from collections.abc import Callable
from dataclasses import replace
from typing import Final, Literal, NamedTuple

import msgspec

from mcpr.store import EventStore, Filter, Window
from mcpr.store.questions import Limits, check, errors

Metric = Literal["error_rate", "p95", "p99", "silence", "new_error", "schema"]
Verdict = Literal["breaking", "risky", "cosmetic"]

#: An error group that was seen within this time is none that is new.
_KNOWN_MS: Final = 7 * 86_400_000
_AT_LEAST: Final[dict[str, tuple[str, ...]]] = {
    "breaking": ("breaking",),
    "risky": ("breaking", "risky"),
    "cosmetic": ("breaking", "risky", "cosmetic"),
}


class Rule(msgspec.Struct, frozen=True):
    """One alert. limit: a rate 0-1, a latency in µs, a span in ms (silence), or a verdict's name.

    window_ms: what is looked at. min_calls: fewer prove nothing (rates and latencies).
    url: of the webhook; None for the log alone. secret: what its body is signed with.
    """

    name: str
    metric: Metric
    limit: float | str
    window_ms: int
    server: str | None = None
    tool: str | None = None
    min_calls: int = 1
    url: str | None = None
    secret: str = ""

    def __repr__(self) -> str:
        return f"<Rule {self.name}: {self.metric}>"


class Firing(NamedTuple):
    """One thing that is not as it should be. key: what tells it from others of the same rule.

    value: in the unit of the rule's limit; None where there is none. reason: for people.
    """

    key: str
    value: float | None
    reason: str


def firings(rule: Rule, store: EventStore, now_ms: int) -> list[Firing]:
    """What fires now; nothing when all is well."""
    window = Window(max(0, now_ms - rule.window_ms), now_ms + 1)
    where = Filter(window=window, server=rule.server, tool=rule.tool)
    return _EVALUATE[rule.metric](rule, store, where)


def _limits(rule: Rule) -> Limits:
    assert not isinstance(rule.limit, str)
    if rule.metric == "error_rate":
        return Limits(max_error_rate=rule.limit)
    if rule.metric == "p95":
        return Limits(max_p95_us=round(rule.limit))
    return Limits(max_p99_us=round(rule.limit))


def _exceeded(rule: Rule, store: EventStore, where: Filter) -> list[Firing]:
    (row,) = check(store, where, _limits(rule))
    if row.is_met or row.calls < rule.min_calls:
        return []
    if rule.metric == "error_rate":
        said = f"{row.value * 100:.1f} % of {row.calls} calls failed, over {row.limit * 100:g} %"
    else:
        said = f"{rule.metric} is {_ms(row.value)}, over {_ms(row.limit)}, in {row.calls} calls"
    return [Firing("", row.value, said)]


def _silent(rule: Rule, store: EventStore, where: Filter) -> list[Firing]:
    window = where.window
    assert window is not None
    before = replace(where, window=None if window.since_ms == 0 else Window(0, window.since_ms))
    # Silence is the absence of what was there.
    if store.requests(replace(where, kind="rpc"), 1) or not store.requests(
        replace(before, kind="rpc"), 1
    ):
        return []
    return [Firing("", None, f"no call for {rule.window_ms // 1000} s")]


def _new_errors(_: Rule, store: EventStore, where: Filter) -> list[Firing]:
    window = where.window
    assert window is not None
    groups = errors(store, where)
    if not groups or window.since_ms == 0:
        return []
    earlier = Window(max(0, window.since_ms - _KNOWN_MS), window.since_ms)
    known = {group.id for group in errors(store, replace(where, window=earlier))}
    return [
        Firing(
            group.id,
            group.calls,
            f"a new error of {group.tool or group.method}: {group.outcome} ({group.id[:6]})",
        )
        for group in groups
        if group.id not in known
    ]


def _schema(rule: Rule, store: EventStore, where: Filter) -> list[Firing]:
    wanted = _AT_LEAST[str(rule.limit)]
    return [
        Firing(
            f"{change.server}/{change.list}/{change.seq}",
            change.version,
            f"{change.list} of {change.server} changed to version {change.version}:"
            f" {change.verdict}",
        )
        for change in store.offered.changes(where.window, rule.server, None)
        if change.verdict in wanted
    ]


_EVALUATE: Final[dict[Metric, Callable[[Rule, EventStore, Filter], list[Firing]]]] = {
    "error_rate": _exceeded,
    "p95": _exceeded,
    "p99": _exceeded,
    "silence": _silent,
    "new_error": _new_errors,
    "schema": _schema,
}


def _ms(microseconds: float) -> str:
    return f"{microseconds / 1000:.0f} ms"
