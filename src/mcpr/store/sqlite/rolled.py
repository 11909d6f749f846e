"""Answers from the sums of whole hours, days and weeks, and from rows where there are none.

Which is which changes nothing in an answer: every part of a window is counted once, by the longest
span that is summed up and lies in it, or by its rows.
"""

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from mcpr.store.engine import Dimension, Filter, Measure, Steps, Value
from mcpr.store.sqlite import packed, sums
from mcpr.store.sqlite.blocks import BLOCK_MS
from mcpr.store.sqlite.rollups import GRAINS, Sum
from mcpr.store.sqlite.where import Where
from mcpr.store.window import Window

Ask = Callable[..., list[tuple[Any, ...]]]
Asked = tuple[Filter, Sequence[Dimension], Steps | None]
_Found = dict[tuple[tuple[Value, ...], int], Sum]
_ANY = Filter()
_ALWAYS = Window(-(2**62), 2**62)
_COLUMNS = "e.calls, e.errors, e.sum_us, e.max_us, e.bytes_in, e.bytes_out, e.last_ms, e.buckets"


@dataclass(frozen=True, slots=True)
class Run:
    """Spans of one grain that follow one another; those from `since` on, before `until`."""

    grain: int
    since: int
    until: int


@dataclass(frozen=True, slots=True)
class Cover:
    """What a window is answered from: runs of spans, and windows of rows for the rest."""

    runs: list[Run]
    rows: list[Window]


def cover(ask: Ask, where: Filter, steps: Steps | None = None) -> Cover | None:
    """From what to answer; None: from all the rows that the filter finds, as ever."""
    if not _is_of_labels(where):
        return None
    grains = [grain for grain in GRAINS if steps is None or _fits(grain, steps)]
    window = where.window or _ALWAYS
    rows = [window]
    runs: list[Run] = []
    for grain in reversed(grains):
        found = [run for gap in rows for run in _runs(ask, grain, gap)]
        rows = _without(rows, found)
        runs += found
    if not runs:
        return None
    return Cover(runs, [gap for gap in rows if _has_rows(ask, gap)])


def measures(
    ask: Ask, where: Filter, by: Sequence[Dimension], steps: Steps | None
) -> list[Measure]:
    """See EventStore."""
    found: dict[tuple[tuple[Value, ...], int], Sum] = defaultdict(Sum)
    covered = cover(ask, where, steps)
    windows = [where.window] if covered is None else covered.rows
    for window in windows:
        _add_rows(found, ask, (replace(where, window=window), by, steps))
    if covered is not None:
        _add_spans(found, ask, (where, by, steps), covered.runs)
    return [
        Measure(
            key,
            total.buckets(),
            *(total.calls, total.errors, total.sum_us, total.max_us),
            *(total.bytes_in, total.bytes_out, total.last_ms, at_ms),
        )
        for (key, at_ms), total in found.items()
    ]


def _is_of_labels(where: Filter) -> bool:
    """Whether labels say all that the filter asks for, beside the window."""
    labels = dict.fromkeys(("server", "kind", "method", "tool", "client", "outcome"))
    return replace(where, window=None, errors_only=False, **labels) == _ANY


def _fits(grain: int, steps: Steps) -> bool:
    """Whether every span of this grain lies within one step."""
    return steps.step_ms % grain == 0 and steps.origin_ms % grain == 0


def _runs(ask: Ask, grain: int, gap: Window) -> list[Run]:
    """The spans within a window, those together that follow one another."""
    query = (
        "SELECT start_ms FROM rollup_span WHERE grain = ? AND start_ms >= ? AND start_ms <= ?"
        " ORDER BY start_ms"
    )
    runs: list[Run] = []
    for (start_ms,) in ask(query, grain, gap.since_ms, gap.until_ms - grain):
        if runs and runs[-1].until == start_ms:
            runs[-1] = replace(runs[-1], until=start_ms + grain)
        else:
            runs.append(Run(grain, start_ms, start_ms + grain))
    return runs


def _without(gaps: list[Window], runs: list[Run]) -> list[Window]:
    """What is left of windows; both are in order, and each run lies in one window."""
    left = []
    at = 0
    for gap in gaps:
        since = gap.since_ms
        while at < len(runs) and runs[at].until <= gap.until_ms:
            if since < runs[at].since:
                left.append(Window(since, runs[at].since))
            since = runs[at].until
            at += 1
        if since < gap.until_ms:
            left.append(Window(since, gap.until_ms))
    return left


def _has_rows(ask: Ask, gap: Window) -> bool:
    """Whether any block may have rows in it."""
    query = "SELECT 1 FROM block WHERE max_ts_ms >= ? AND max_ts_ms < ? AND min_ts_ms < ? LIMIT 1"
    return bool(ask(query, gap.since_ms, gap.until_ms + BLOCK_MS, gap.until_ms))


def _add_rows(found: _Found, ask: Ask, asked: Asked) -> None:
    where, by, steps = asked
    query, parameters = sums.measures(where, by, steps)
    size = len(by)
    for row in ask(query, *parameters):
        total = found[row[:size], 0 if steps is None else sums.step_at(row[-1], steps)]
        bucket, calls = row[size], row[size + 1]
        total.add(row[size + 1 : -1])
        total.counts[bucket] = total.counts.get(bucket, 0) + calls


def _add_spans(found: _Found, ask: Ask, asked: Asked, runs: Sequence[Run]) -> None:
    """Add what the spans say, by the labels' ids: their words are looked up once."""
    where, by, steps = asked
    labels = Where(replace(where, window=None, errors_only=False))
    dimensions = "".join(f", {sums.DIMENSIONS[name]}" for name in by)
    words = {
        row[0]: row[1:]
        for row in ask(f"SELECT l.id{dimensions} FROM label AS l")  # noqa: S608 - our own names
    }
    conditions = ["e.grain = ? AND e.start_ms >= ? AND e.start_ms < ?", *labels.conditions]
    if where.errors_only:
        conditions.append("e.errors > 0")
    query = (
        f"SELECT e.label, e.start_ms, {_COLUMNS} FROM rollup AS e"  # noqa: S608 - values are parameters
        f" WHERE {' AND '.join(conditions)}"
    )
    for run in runs:
        parameters = (run.grain, run.since, run.until, *labels.parameters)
        for label, start_ms, *row, buckets in ask(query, *parameters):
            total = found[words[label], 0 if steps is None else steps.at(start_ms)]
            total.add(row)
            total.number += packed.number(buckets)
