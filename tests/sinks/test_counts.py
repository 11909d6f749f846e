"""sinks/counts: the words and the sum."""

from pathlib import Path
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcpr.sinks import Counts, Reason, Tally

tallies = st.builds(
    Tally,
    written=st.integers(0, 10**9),
    rejected=st.integers(0, 10**9),
    dropped=st.dictionaries(st.sampled_from(get_args(Reason)), st.integers(1, 10**9)),
)


@given(tallies, tallies)
def test_adding_tallies_adds_what_is_settled_and_leaves_the_other_alone(
    one: Tally, other: Tally
) -> None:
    sum_before, other_before = one.settled + other.settled, other.copy()
    one.add(other)
    assert one.settled == sum_before
    assert other == other_before


@given(tallies, st.integers(0, 100))
def test_what_is_neither_written_nor_rejected_nor_dropped_is_under_way(
    tally: Tally, more: int
) -> None:
    counts = tally.counts(tally.settled + more)
    assert counts.under_way == more


def test_a_copy_does_not_change_with_the_original() -> None:
    tally = Tally(1, 2, {"lane_full": 3})
    copy = tally.copy()
    tally.drop(4, "lane_full")
    assert copy == Tally(1, 2, {"lane_full": 3})


def test_dropping_nothing_names_no_reason() -> None:
    tally = Tally()
    tally.drop(0, "deadline")
    assert tally.dropped == {}


def test_two_tallies_never_share_their_reasons() -> None:
    Tally().drop(1, "deadline")
    assert Tally().dropped == {}


def test_the_books_read_as_they_are_printed_at_the_end() -> None:
    assert str(Counts(10, 7, 1, 2)) == "published=10 written=7 rejected=1 dropped=2"


@pytest.mark.parametrize("reason", get_args(Reason))
def test_the_reference_page_explains_every_reason(reason: str) -> None:
    page = Path(__file__).parents[2] / "docs" / "reference" / "events.md"
    assert f"| `{reason}` |" in page.read_text()
