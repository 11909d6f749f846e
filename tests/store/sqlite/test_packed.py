"""store/sqlite/packed: counts as bytes, and back."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from mcpr.store.sqlite import packed

some_counts = st.dictionaries(st.integers(0, 1_200), st.integers(1, 2**50), min_size=1, max_size=30)


@given(one=some_counts, other=some_counts)
def test_packed_counts_add_up(one: dict[int, int], other: dict[int, int]) -> None:
    total = packed.number(packed.pack(one)) + packed.number(packed.pack(other))
    assert packed.counts(total) == Counter(one) + Counter(other)


def test_nothing_counts_nothing() -> None:
    assert packed.counts(0) == {}
