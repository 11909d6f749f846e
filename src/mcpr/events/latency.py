"""Latency percentiles from integer log buckets: additive, engine-independent, at most 2 % off.

A duration falls into bucket `ceil(ln µs / ln 1.04)`. Counts per bucket add up over any rows, hours
or files, and every engine that can sum integers answers the same percentile (ADR 0006).
"""

import math
from collections.abc import Mapping

GAMMA = 1.04
_LN_GAMMA = math.log(GAMMA)


def bucket(microseconds: int) -> int:
    """The bucket of a duration in µs; everything up to 1 µs is bucket 0."""
    return math.ceil(math.log(microseconds) / _LN_GAMMA) if microseconds > 1 else 0


def value(index: int) -> int:
    """The duration in µs that stands for a bucket: within 2 % of everything in it."""
    return round(2 * GAMMA**index / (1 + GAMMA))


def percentile(counts: Mapping[int, int], quantile: float) -> int | None:
    """The `quantile` (0 to 1) of all durations counted, in µs; None when nothing was counted."""
    total = sum(counts.values())
    if not total:
        return None
    wanted = max(1, math.ceil(quantile * total))
    seen = 0
    for index in sorted(counts):
        seen += counts[index]
        if seen >= wanted:
            return value(index)
    raise AssertionError("the counts add up to their sum")
