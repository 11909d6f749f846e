"""store/questions/operations: whose time an operation took, and how it stands."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.pipeline.messages import call_tool, error, initialize, result, welcome
from tests.pipeline.playbook import JSON, Playbook, session
from tests.store.building import a_store
from tests.store.legs import a_leg, asks, at_ms, polls

from mcpr.events import Link, RequestEvent
from mcpr.store import Filter, Window
from mcpr.store.questions import OperationRow, operations
from mcpr.store.sqlite import SqliteEventStore


def asked(path: Path, where: Filter | None = None) -> list[OperationRow]:
    with SqliteEventStore(path) as store:
        return operations(store, where or Filter(), 100)


def one(tmp_path: Path, *events: RequestEvent) -> OperationRow:
    (row,) = asked(a_store(tmp_path / "s.db", events))
    return row


def times(row: OperationRow) -> tuple[int, int, int, int]:
    """total, server, client and proxy time, in ms."""
    spent = (row.total_us, row.server_us, row.client_us, row.proxy_us)
    return spent[0] // 1000, spent[1] // 1000, spent[2] // 1000, spent[3] // 1000


def test_a_call_that_asks_its_client_is_one_operation_not_two(tmp_path: Path) -> None:
    """6 s that read as two calls of half a second, where ids alone are looked at."""
    row = one(
        tmp_path,
        asks("a", at=0, took=500, upstream=400),
        a_leg(Link(answers="a" * 32), at=5_500, took=500, upstream=450),
    )
    assert times(row) == (6_000, 850, 5_000, 150)
    assert (row.requests, row.kinds, row.state, row.unlinked) == (2, "input", "done", None)
    assert (row.tool, row.session, row.started_ms) == ("get_weather", None, at_ms(0))


def test_a_task_works_while_nobody_asks(tmp_path: Path) -> None:
    row = one(
        tmp_path,
        a_leg(Link(task="t", status="working"), at=0, took=100, upstream=100),
        polls("t", "working", at=1_000, took=100),
        polls("t", "completed", at=4_000, took=100),
        polls("t", "completed", at=6_000, took=100, method="tasks/result"),
    )
    # Done at 4.1 s; until the client fetches it, the time is the client's.
    assert times(row) == (6_100, 4_200, 1_900, 0)
    assert (row.requests, row.kinds, row.state) == (4, "task", "done")


def test_a_task_that_waits_for_input_is_its_clients_time(tmp_path: Path) -> None:
    row = one(
        tmp_path,
        a_leg(Link(task="t", status="input_required"), at=0, took=100, upstream=100),
        polls("t", "working", at=2_100, took=100, method="tasks/update"),
        polls("t", "completed", at=3_200, took=100),
    )
    assert times(row) == (3_300, 1_300, 2_000, 0)


def test_requests_that_overlap_count_once(tmp_path: Path) -> None:
    row = one(
        tmp_path,
        a_leg(Link(task="t", status="working"), at=0, took=100, upstream=100),
        polls("t", "working", at=200, took=500),
        polls("t", "completed", at=400, took=100),
    )
    assert times(row) == (700, 700, 0, 0)


STATES = {
    "asked": ([asks("a", at=0)], "waiting"),
    "answered": ([asks("a", at=0), a_leg(Link(answers="a" * 32), at=10)], "done"),
    "answered badly": (
        [asks("a", at=0), a_leg(Link(answers="a" * 32), at=10, outcome="tool_error")],
        "failed",
    ),
    "asked again": (
        [asks("a", at=0), a_leg(Link(answers="a" * 32, asks="b" * 32), at=10)],
        "waiting",
    ),
    "working": ([a_leg(Link(task="t", status="working"), at=0)], "working"),
    "task failed": (
        [a_leg(Link(task="t", status="working"), at=0), polls("t", "failed", at=9)],
        "failed",
    ),
    "task cancelled": (
        [a_leg(Link(task="t", status="working"), at=0), polls("t", "cancelled", at=9)],
        "done",
    ),
    "task waits": ([a_leg(Link(task="t", status="input_required"), at=0)], "waiting"),
}


@pytest.mark.parametrize(("events", "state"), STATES.values(), ids=STATES)
def test_an_operation_stands_as_its_last_request_left_it(
    tmp_path: Path, events: list[RequestEvent], state: str
) -> None:
    assert one(tmp_path, *events).state == state


def test_the_newest_stands_first_and_whole_calls_are_none(tmp_path: Path) -> None:
    events = [asks("a", at=0), a_leg(Link(opens=True), at=1), asks("b", at=9), a_leg(Link(), at=4)]
    assert [row.started_ms for row in asked(a_store(tmp_path / "s.db", events))] == [
        at_ms(9),
        at_ms(0),
    ]


def test_an_operation_is_in_every_window_that_it_reaches_into(tmp_path: Path) -> None:
    first = asks("a", at=0, took=100)
    path = a_store(tmp_path / "s.db", [first, a_leg(Link(answers="a" * 32), at=5_000, took=100)])
    for since, until, expected in (
        (0, 6_000, [2]),
        (200, 6_000, [2]),
        (0, 300, [1]),
        (5_101, 9_000, []),
    ):
        rows = asked(path, Filter(window=Window(at_ms(since), at_ms(until))))
        assert [row.requests for row in rows] == expected


def test_a_tools_operations_keep_the_requests_that_name_no_tool(tmp_path: Path) -> None:
    events = [a_leg(Link(task="t", status="working"), at=0), polls("t", "completed", at=9)]
    path = a_store(tmp_path / "s.db", [*events, asks("a", at=3, tool="other")])
    assert [row.requests for row in asked(path, Filter(tool="get_weather"))] == [2]


links = st.builds(
    Link,
    asks=st.sampled_from([None, None, "", "a" * 32, "b" * 32]),
    answers=st.sampled_from([None, None, "", "a" * 32, "b" * 32]),
    task=st.sampled_from([None, None, "t", "u"]),
    status=st.sampled_from([None, "working", "input_required", "completed"]),
)
legs = st.builds(
    a_leg,
    links,
    at=st.integers(0, 50),
    took=st.integers(0, 30),
    upstream=st.integers(0, 40),
    method=st.sampled_from(["tools/call", "tasks/get"]),
    client=st.sampled_from(["claude", "cursor"]),
    session=st.sampled_from([None, "0" * 32, "1" * 32]),
)


@given(st.lists(legs, max_size=12))
@settings(max_examples=30, deadline=None)
def test_the_times_of_every_operation_add_up(
    tmp_path_factory: pytest.TempPathFactory, events: list[RequestEvent]
) -> None:
    for row in asked(a_store(tmp_path_factory.mktemp("store") / "s.db", events)):
        assert row.total_us == row.server_us + row.client_us + row.proxy_us
        assert min(row.server_us, row.client_us, row.proxy_us) >= 0
        assert row.total_us // 1000 == row.ended_ms - row.started_ms


def test_a_call_whose_session_was_lost_is_one_operation_with_its_retry(tmp_path: Path) -> None:
    """From the bytes of both calls: 404, a new initialize, and the same call again."""
    play = Playbook()
    play.opens("s", initialize(), welcome())
    gone = play.post(call_tool("add", a=1), session("s"), at=10).answers(404, JSON, at=11)
    gone.says(error(-32600), at=12).ends(at=13)
    events = play.take()
    play.opens("t", initialize(), welcome())
    again = play.post(call_tool("add", a=1), session("t"), at=1000).answers(200, JSON, at=1001)
    again.says(result(), at=1002).ends(at=1003)
    path = a_store(tmp_path / "s.db", [*events, *play.take()])
    with SqliteEventStore(path) as store:
        (row,) = operations(store, Filter(), 10)
    assert (row.kinds, row.requests, row.state, row.unlinked) == ("retry", 2, "done", None)
    assert row.client_us > 900_000
