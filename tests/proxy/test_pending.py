"""proxy/pending: what waits to be sent keeps its order, whatever it is made of."""

from hypothesis import given
from hypothesis import strategies as st
from tests.events.building import many

from mcpr.events import Batch, RequestEvent
from mcpr.proxy.pending import Pending

steps = st.lists(st.tuples(st.sampled_from(["one", "list", "rows", "others"]), st.integers(1, 4)))


def of_others(rows: list[RequestEvent]) -> Batch:
    return Batch.of(rows)


def filled(taken: list[tuple[str, int]]) -> tuple[Pending, list[RequestEvent]]:
    pending = Pending()
    expected: list[RequestEvent] = []
    for kind, size in taken:
        events = many(1 if kind == "one" else size)
        expected += events
        if kind == "rows":
            pending.add_rows(events, Batch.of)
        elif kind == "others":
            pending.add_rows(events, of_others)
        else:
            pending.add(events)
    return pending, expected


@given(steps)
def test_events_are_taken_in_the_order_they_came(taken: list[tuple[str, int]]) -> None:
    pending, expected = filled(taken)
    assert len(pending) == len(expected)
    assert list(pending.take()) == expected
    assert len(pending) == 0
    assert list(pending.take()) == []


@given(steps, st.data())
def test_the_newest_are_dropped_first(taken: list[tuple[str, int]], data: st.DataObject) -> None:
    pending, expected = filled(taken)
    excess = data.draw(st.integers(0, len(expected)))
    pending.drop_newest(excess)
    assert list(pending.take()) == expected[: len(expected) - excess]


def test_a_queue_shows_its_length_to_the_debugger() -> None:
    assert repr(filled([("list", 3)])[0]) == "<Pending 3>"
