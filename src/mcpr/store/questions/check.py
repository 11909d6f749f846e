"""The question "is all within its limits?": a row for each limit, of the whole or of each tool."""

from dataclasses import dataclass, replace
from typing import Literal

from mcpr.store.engine import EventStore, Filter
from mcpr.store.questions.sums import Sums

CheckName = Literal["calls", "error_rate", "p50_us", "p95_us", "p99_us", "max_us"]


@dataclass(frozen=True, slots=True)
class Limits:
    """What must hold; None: nothing. Rates 0-1, durations in µs.

    min_calls: fewer calls prove nothing, and fail the check.
    """

    min_calls: int | None = None
    max_error_rate: float | None = None
    max_p50_us: int | None = None
    max_p95_us: int | None = None
    max_p99_us: int | None = None
    max_us: int | None = None


@dataclass(frozen=True, slots=True)
class CheckRow:
    """One limit and what was found. tool: None for all of what was asked for.

    limit: the most that is allowed, of `calls` the least. is_met: whether it holds. Where nothing
    was called there is nothing to exceed a limit: only `calls` can fail.
    """

    check: CheckName
    server: str | None
    tool: str | None
    limit: float
    value: float
    calls: int
    is_met: bool


def check(
    store: EventStore, where: Filter, limits: Limits, *, by_tool: bool = False
) -> list[CheckRow]:
    """Hold the requests to the limits; by tool: each tool that was called, by server and name."""
    found: dict[tuple[str | None, str | None], Sums] = {}
    if not by_tool:
        found[where.server, where.tool] = Sums()
    for measure in store.measures(replace(where, kind="rpc"), ("server", "tool")):
        server, tool = measure.key
        key = (where.server, where.tool)
        if by_tool:
            if tool is None:
                continue
            key = (str(server), str(tool))
        found.setdefault(key, Sums()).add(measure)
    ordered = sorted(found, key=lambda key: (key[0] or "", key[1] or ""))
    return [row for key in ordered for row in _rows(key, found[key], limits)]


def _rows(key: tuple[str | None, str | None], sums: Sums, limits: Limits) -> list[CheckRow]:
    said: list[tuple[CheckName, float | None, float]] = [
        ("calls", limits.min_calls, sums.calls),
        ("error_rate", limits.max_error_rate, sums.error_rate),
        ("p50_us", limits.max_p50_us, sums.percentile_us(0.50)),
        ("p95_us", limits.max_p95_us, sums.percentile_us(0.95)),
        ("p99_us", limits.max_p99_us, sums.percentile_us(0.99)),
        ("max_us", limits.max_us, sums.max_us),
    ]
    return [
        CheckRow(
            check=name,
            server=key[0],
            tool=key[1],
            limit=limit,
            value=value,
            calls=sums.calls,
            is_met=value >= limit if name == "calls" else value <= limit,
        )
        for name, limit, value in said
        if limit is not None
    ]
