"""events/batch: events by column are the same events, however they are cut and put together."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.events.building import an_event, events, many

from mcpr.events import Batch, Detail, RequestEvent

#: Some come twice, so that words repeat.
batches = st.lists(events, max_size=6).map(lambda some: [*some, *some[:2]])
places = st.integers(0, 8)


@given(batches)
def test_a_batch_holds_the_events_it_was_made_of(some: list[RequestEvent]) -> None:
    batch = Batch.of(some)
    assert list(batch) == some
    assert [batch[at] for at in range(len(some))] == some
    assert len(batch) == len(some)


@given(batches, places, places)
def test_a_part_of_a_batch_holds_that_part(some: list[RequestEvent], start: int, stop: int) -> None:
    assert list(Batch.of(some)[start:stop]) == some[start:stop]


@given(st.lists(batches, max_size=4), places)
def test_joined_batches_hold_all_events_in_order(
    several: list[list[RequestEvent]], start: int
) -> None:
    parts = [Batch.of(some)[start:] for some in several] + [Batch.of(some) for some in several]
    expected = [event for some in several for event in some[start:]]
    expected += [event for some in several for event in some]
    assert list(Batch.joined(parts)) == expected


@pytest.mark.parametrize(
    "details",
    [
        [None, None],
        [Detail(), Detail()],
        [None, Detail()],
        [Detail(path="/x"), Detail(path="/x")],
        [Detail(client_name="a"), Detail(client_name="b", upstream_first_us=3), None],
    ],
    ids=str,
)
def test_no_detail_and_an_empty_one_stay_what_they_are(details: list[Detail | None]) -> None:
    some = [an_event(detail=detail) for detail in details]
    assert list(Batch.of(some)) == some


def test_what_repeats_is_said_once() -> None:
    columns = Batch.of(many(100)).columns
    assert len(columns.labels) == len(columns.sessions) == 1


def test_the_last_event_can_be_asked_for_and_one_behind_it_cannot() -> None:
    some = many(3)
    batch = Batch.of(some)
    assert batch[-1] == some[2]
    with pytest.raises(IndexError):
        batch[3]
    assert repr(batch) == "<Batch of 3>"
