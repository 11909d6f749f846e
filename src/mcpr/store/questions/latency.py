"""The question "how did calls and latency go over time?": a row for each step of a window."""

from collections import defaultdict
from dataclasses import dataclass, replace
from typing import Literal

from mcpr.events.latency import value
from mcpr.store.engine import EventStore, Filter, Steps, Value
from mcpr.store.questions.sums import Sums
from mcpr.store.window import Window

Split = Literal["tool", "client", "outcome", "server"]

#: Steps that people read easily, in ms: 1 s … 7 d.
_STEPS_MS = tuple(
    seconds * 1000
    for seconds in (
        *(1, 5, 10, 30, 60, 120, 300, 600, 900, 1800),
        *(3600, 7200, 10_800, 21_600, 43_200, 86_400, 604_800),
    )
)


@dataclass(frozen=True, slots=True)
class LatencyRow:
    """What arrived in one step. Durations in µs, sizes in bytes, `at_ms` its beginning, epoch ms.

    by: what the row is of where the answer is split (a tool, a client …), else None.
    """

    at_ms: int
    step_ms: int
    by: str | None
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


@dataclass(frozen=True, slots=True)
class HeatRow:
    """Calls of one step whose latency lies in [`from_us`, `to_us`)."""

    at_ms: int
    step_ms: int
    from_us: int
    to_us: int
    calls: int
    errors: int


def steps_for(window: Window, most: int = 60) -> Steps:
    """The shortest easy step of which a window has at most `most`."""
    length = window.until_ms - window.since_ms
    for step_ms in _STEPS_MS:
        if length <= step_ms * most:
            return Steps(step_ms)
    days = -(-length // (most * _STEPS_MS[-1]))
    return Steps(days * _STEPS_MS[-1])


def latency(
    store: EventStore, where: Filter, steps: Steps, split: Split | None = None
) -> list[LatencyRow]:
    """The steps in which something arrived, in order; JSON-RPC requests only."""
    found: dict[tuple[int, str], Sums] = defaultdict(Sums)
    by = () if split is None else (split,)
    for measure in store.measures(replace(where, kind="rpc"), by, steps):
        found[measure.at_ms, _name(measure.key)].add(measure)
    return [
        LatencyRow(
            at_ms=at_ms,
            step_ms=steps.step_ms,
            by=None if split is None else name,
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
        )
        for (at_ms, name), sums in sorted(found.items())
    ]


def heat(store: EventStore, where: Filter, steps: Steps) -> list[HeatRow]:
    """Calls by step and latency, eight latency bands to a factor of ten, in order."""
    found: dict[tuple[int, int], list[int]] = defaultdict(lambda: [0, 0])
    bands: dict[int, int] = {}
    # By outcome: requests that agree in it are errors all, or none of them is.
    for measure in store.measures(replace(where, kind="rpc"), ("outcome",), steps):
        for bucket, calls in measure.buckets.items():
            if bucket not in bands:
                bands[bucket] = _band(bucket)
            cell = found[measure.at_ms, bands[bucket]]
            cell[0] += calls
            cell[1] += calls if measure.errors else 0
    return [
        HeatRow(at_ms, steps.step_ms, _edge(band), _edge(band + 1), calls, errors)
        for (at_ms, band), (calls, errors) in sorted(found.items())
    ]


def _band(index: int) -> int:
    """The latency band that a bucket lies in."""
    band = 0
    while _edge(band + 1) <= value(index):
        band += 1
    return band


def _edge(band: int) -> int:
    """Where a band begins, in µs."""
    return 0 if band == 0 else round(10 ** (band / 8))


def _name(key: tuple[Value, ...]) -> str:
    return "" if not key or key[0] is None else str(key[0])
