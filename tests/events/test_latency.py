"""events/latency: percentiles that any engine can answer from integer counts."""

import math
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcpr.events.latency import bucket, percentile, value

durations = st.integers(0, 10**11)


@given(st.integers(2, 10**11))
def test_a_buckets_value_is_within_two_percent_of_everything_in_it(microseconds: int) -> None:
    # Half a microsecond more, because values are whole.
    assert abs(value(bucket(microseconds)) - microseconds) <= 0.02 * microseconds + 0.5


@given(durations, durations)
def test_a_longer_duration_is_never_in_a_lower_bucket(one: int, other: int) -> None:
    assert bucket(min(one, other)) <= bucket(max(one, other))


@pytest.mark.parametrize("microseconds", [0, 1])
def test_up_to_a_microsecond_is_bucket_zero(microseconds: int) -> None:
    assert bucket(microseconds) == 0


@given(
    st.lists(durations, min_size=1, max_size=200),
    st.sampled_from((0.0, 0.5, 0.9, 0.95, 0.99, 1.0)),
)
def test_a_percentile_is_near_the_exact_one(sample: list[int], quantile: float) -> None:
    exact = sorted(sample)[max(1, math.ceil(quantile * len(sample))) - 1]
    answered = percentile(Counter(map(bucket, sample)), quantile)
    assert answered is not None
    assert abs(answered - exact) <= 0.02 * exact + 1


@given(st.lists(durations, min_size=1), st.lists(durations))
def test_counts_of_two_hours_add_up_to_the_counts_of_both(one: list[int], other: list[int]) -> None:
    added = Counter(map(bucket, one)) + Counter(map(bucket, other))
    assert percentile(added, 0.95) == percentile(Counter(map(bucket, one + other)), 0.95)


def test_nothing_counted_has_no_percentile() -> None:
    assert percentile({}, 0.5) is None
