"""Sums over requests, and what follows from them: rates, percentiles, averages."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Self

from mcpr.events.latency import percentile
from mcpr.store.engine import Measure


@dataclass(slots=True)
class Sums:
    """What measures add up to. Durations in µs, sizes in bytes.

    buckets: calls per latency bucket. last_ms: arrival of the newest, epoch ms.
    """

    buckets: Counter[int] = field(default_factory=Counter)
    calls: int = 0
    errors: int = 0
    sum_us: int = 0
    max_us: int = 0
    bytes_in: int = 0
    bytes_out: int = 0
    last_ms: int = 0

    @classmethod
    def of(cls, measures: Iterable[Measure]) -> Self:
        """The sums of all of them."""
        sums = cls()
        for measure in measures:
            sums.add(measure)
        return sums

    def add(self, measure: Measure) -> None:
        """Count one more."""
        self.buckets.update(measure.buckets)
        self.calls += measure.calls
        self.errors += measure.errors
        self.sum_us += measure.sum_us
        self.max_us = max(self.max_us, measure.max_us)
        self.bytes_in += measure.bytes_in
        self.bytes_out += measure.bytes_out
        self.last_ms = max(self.last_ms, measure.last_ms)

    @property
    def error_rate(self) -> float:
        """Errors of all calls, 0-1; 0 where nothing was called."""
        return self.errors / self.calls if self.calls else 0.0

    @property
    def mean_us(self) -> int:
        """The average latency, rounded down; 0 where nothing was called."""
        return self.sum_us // self.calls if self.calls else 0

    def percentile_us(self, quantile: float) -> int:
        """The `quantile` (0 to 1) of the latency, at most 2 % off; 0 where nothing was called."""
        return percentile(self.buckets, quantile) or 0
