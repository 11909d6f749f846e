"""store/questions/linking: what is proven is one operation, what is not says so, whoever lies."""

import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.store.legs import a_leg, answers, asks, polls

from mcpr.events import Detail, Link, RequestEvent
from mcpr.store import Recorded
from mcpr.store.questions.linking import legs_of, operations_of

Shape = tuple[list[int], str | None]


def shapes(*events: RequestEvent) -> list[Shape]:
    """Which events are one operation, by their place; and why one may not be whole."""
    places = {event.id: at for at, event in enumerate(events)}
    recorded = [Recorded(at, event) for at, event in enumerate(events)]
    return sorted(
        ([places[leg.event.id] for leg in found.legs], found.unlinked)
        for found in operations_of(legs_of(recorded))
    )


CHAINS = {
    "one round": ([asks("a", at=0), answers("a", at=9)], [([0, 1], None)]),
    "two rounds": (
        [asks("a", at=0), a_leg(Link(answers="a" * 32, asks="b" * 32), at=9), answers("b", at=20)],
        [([0, 1, 2], None)],
    ),
    "a state that never changes": (
        [asks("a", at=0), a_leg(Link(answers="a" * 32, asks="a" * 32), at=9), answers("a", at=20)],
        [([0, 1, 2], None)],
    ),
    "sent twice": (
        [asks("a", at=0), answers("a", at=9, outcome="client_gone"), answers("a", at=30)],
        [([0, 1, 2], None)],
    ),
    "not asked yet": ([answers("a", at=0), asks("a", at=9)], [([0], "unseen"), ([1], None)]),
    "nobody asked": ([answers("a", at=0)], [([0], "unseen")]),
    "asked without a state": ([a_leg(Link(asks=""), at=0)], [([0], "no_state")]),
    "brought without a state": (
        [a_leg(Link(asks=""), at=0), a_leg(Link(answers=""), at=9)],
        [([0], "no_state"), ([1], "no_state")],
    ),
    "a whole task": (
        [
            a_leg(Link(task="t", status="working"), at=0),
            polls("t", "working", at=5),
            polls("t", "completed", at=9),
        ],
        [([0, 1, 2], None)],
    ),
    "a task nobody saw begin": (
        [polls("t", "working", at=5), polls("t", "completed", at=9)],
        [([0, 1], "unseen")],
    ),
    "a task that asks": (
        [
            asks("a", at=0),
            a_leg(Link(answers="a" * 32, task="t", status="working"), at=5),
            polls("t", "completed", at=9),
        ],
        [([0, 1, 2], None)],
    ),
}


@pytest.mark.parametrize(("events", "expected"), CHAINS.values(), ids=CHAINS)
def test_requests_are_linked_as_far_as_it_is_proven(
    events: list[RequestEvent], expected: list[Shape]
) -> None:
    assert shapes(*events) == expected


LIES = {
    "another client": {"client": "cursor"},
    "another version": {"client_version": "0"},
    "another name": {"detail": Detail(client_name="you", link='{"answers":"' + "a" * 32 + '"}')},
    "another tool": {"tool": "other"},
    "another method": {"method": "prompts/get", "tool": None},
    "another server": {"server": "maps"},
}


@pytest.mark.parametrize("fields", LIES.values(), ids=LIES)
def test_a_state_that_somebody_else_was_given_proves_nothing(fields: dict[str, Any]) -> None:
    assert shapes(asks("a", at=0), answers("a", at=9, **fields)) == [([0], None), ([1], "unseen")]


def test_a_state_that_was_handed_out_twice_is_ambiguous() -> None:
    """Both are open, and both could be meant."""
    assert shapes(asks("a", at=0), asks("a", at=1), answers("a", at=9)) == [
        ([0], None),
        ([1], None),
        ([2], "ambiguous"),
    ]


def test_tasks_with_one_id_in_two_sessions_are_two() -> None:
    """Some servers count their tasks from one in each session."""
    begin = Link(task="t", status="working")
    one: dict[str, Any] = {"session": "1" * 32}
    two: dict[str, Any] = {"session": "2" * 32}
    assert shapes(
        a_leg(begin, at=0, **one),
        a_leg(begin, at=1, **two),
        polls("t", "completed", at=5, **two),
        polls("t", "completed", at=6, **one),
    ) == [([0, 3], None), ([1, 2], None)]


def test_a_task_may_be_asked_about_in_a_later_session_of_the_same_client() -> None:
    begin = a_leg(Link(task="t", status="working"), at=0, session="1" * 32)
    assert shapes(begin, polls("t", "completed", at=9, session="2" * 32)) == [([0, 1], None)]


def test_a_question_about_a_task_that_two_sessions_have_is_ambiguous() -> None:
    begin = Link(task="t", status="working")
    events = [a_leg(begin, at=at, session=f"{at}" * 32) for at in (1, 2)]
    assert shapes(*events, polls("t", "completed", at=9, session="3" * 32)) == [
        ([0], None),
        ([1], None),
        ([2], "ambiguous"),
    ]


def test_a_task_of_another_client_is_not_taken_over() -> None:
    begin = a_leg(Link(task="t", status="working"), at=0, session="1" * 32)
    stranger = polls("t", "completed", at=9, session="2" * 32, client="cursor")
    assert shapes(begin, stranger) == [([0], None), ([1], "unseen")]


LOST: dict[str, Any] = {"outcome": "http_error", "http_status": 404, "session": "1" * 32}


def test_a_call_made_again_after_its_session_was_lost_is_the_same_operation() -> None:
    retry = Link(retry="r")
    lost = a_leg(retry, at=0, **LOST)
    assert shapes(lost, a_leg(retry, at=9, session="2" * 32)) == [([0, 1], None)]
    stranger = a_leg(retry, at=9, session="2" * 32, client="cursor")
    assert shapes(lost, stranger) == [([0], None), ([1], "unseen")]
    assert shapes(lost, a_leg(retry, at=1, **LOST), a_leg(retry, at=9, session="2" * 32)) == [
        ([0], None),
        ([1], None),
        ([2], "ambiguous"),
    ]


links = st.builds(
    Link,
    asks=st.sampled_from([None, None, "", "a" * 32, "b" * 32]),
    answers=st.sampled_from([None, None, "", "a" * 32, "b" * 32]),
    task=st.sampled_from([None, None, "t"]),
    status=st.sampled_from([None, "working", "completed"]),
)
legs = st.builds(
    a_leg,
    links,
    at=st.integers(0, 50),
    method=st.sampled_from(["tools/call", "tasks/get"]),
    client=st.sampled_from(["claude", "cursor"]),
    session=st.sampled_from([None, "0" * 32, "1" * 32]),
)


@given(st.lists(legs, max_size=15), st.randoms(use_true_random=False))
@settings(max_examples=60, deadline=None)
def test_neither_order_nor_doubling_matters_and_callers_are_never_mixed(
    events: list[RequestEvent], chance: random.Random
) -> None:
    def partition(found: list[RequestEvent]) -> set[frozenset[bytes]]:
        recorded = [Recorded(at, event) for at, event in enumerate(found)]
        return {
            frozenset(leg.event.id for leg in operation.legs)
            for operation in operations_of(legs_of(recorded))
        }

    mixed = events + chance.sample(events, len(events) // 2)
    chance.shuffle(mixed)
    parts = partition(events)
    assert partition(mixed) == parts
    clients = {event.id: event.client for event in events}
    assert all(len({clients[one] for one in part}) == 1 for part in parts)
    linked = {event.id for event in events if "asks" in str(event.detail and event.detail.link)}
    assert linked <= set().union(*parts)


def test_one_state_in_thousands_of_requests_costs_no_more_than_as_many_states() -> None:
    """The worst that a client can do to whoever asks: nothing is compared with everything."""
    chain = [a_leg(Link(answers="a" * 32, asks="a" * 32), at=at) for at in range(5_000)]
    assert len(shapes(*chain)) == 1
    alone = [asks("a", at=at) for at in range(5_000)]
    late = [answers("a", at=6_000 + at) for at in range(1_000)]
    assert [why for _, why in shapes(*alone, *late)].count("ambiguous") == 1_000
