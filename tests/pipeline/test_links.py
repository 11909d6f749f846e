"""pipeline/links: what ties a row to others, as hashes that say nothing by themselves."""

import json

import pytest
from tests.pipeline.messages import call_tool, event, initialize, modern, request, result, welcome
from tests.pipeline.playbook import EVENTS, JSON, NAMES, Playbook, session

from mcpr.events import Link, RequestEvent, read_link

STATE = NAMES.mark(b"state", "s1")
TASK = NAMES.mark(b"task", "t1")


def link_of(row: RequestEvent) -> Link:
    return read_link(None if row.detail is None else row.detail.link)


def linked(body: bytes, answer: bytes, *, keep_detail: bool = True) -> Link:
    play = Playbook(keep_detail=keep_detail)
    play.exchange(body, answer)
    return link_of(play.take_one())


def call(**params: object) -> bytes:
    return modern("tools/call", {"name": "add", **params})


LINKS = {
    "a whole call": (call(), result(1, resultType="complete"), Link()),
    "asks for input": (
        call(),
        result(1, resultType="input_required", requestState="s1"),
        Link(asks=STATE),
    ),
    "asks without a state": (call(), result(1, resultType="input_required"), Link(asks="")),
    "answers": (call(requestState="s1", inputResponses={}), result(1), Link(answers=STATE)),
    "answers without a state": (call(inputResponses={"a": 1}), result(1), Link(answers="")),
    "answers and asks": (
        call(requestState="s1"),
        result(1, resultType="input_required", requestState="s1"),
        Link(answers=STATE, asks=STATE),
    ),
    "a state that nobody asked with": (call(), result(1, requestState="s1"), Link()),
    "begins a task (2025-11-25)": (
        request("tools/call", {"name": "add", "task": {"ttl": 1}}),
        result(1, task={"taskId": "t1", "status": "working"}),
        Link(task=TASK, status="working"),
    ),
    "begins a task": (
        call(),
        result(1, resultType="task", taskId="t1", status="working"),
        Link(task=TASK, status="working"),
    ),
    "asks about a task": (
        request("tasks/get", {"taskId": "t1"}),
        result(1, taskId="t1", status="completed"),
        Link(task=TASK, status="completed"),
    ),
    "takes what a task made": (
        request("tasks/result", {"taskId": "t1"}),
        result(1, content=[]),
        Link(task=TASK, status="completed"),
    ),
    "a status of its own": (
        request("tasks/get", {"taskId": "t1"}),
        result(1, taskId="t1", status="secret words"),
        Link(task=TASK),
    ),
    "lists tasks": (request("tasks/list"), result(1, tasks=[]), Link()),
    "says its server (2026-07-28)": (
        modern("server/discover"),
        result(1, _meta={"io.modelcontextprotocol/serverInfo": {"name": "W", "version": "1"}}),
        Link(server_name="W", server_version="1"),
    ),
}


@pytest.mark.parametrize(("body", "answer", "expected"), LINKS.values(), ids=LINKS)
def test_a_message_is_tied_to_others_by_what_it_says(
    body: bytes, answer: bytes, expected: Link
) -> None:
    assert linked(body, answer) == expected


@pytest.mark.parametrize("value", [5, None, [], {"a": 1}, True])
def test_what_is_of_the_wrong_type_ties_nothing(value: object) -> None:
    assert linked(call(requestState=value), result(1, requestState=value)) == Link()
    body = request("tasks/get", {"taskId": value})
    assert linked(body, result(1, task=value, status=value, resultType=value)) == Link()


def test_a_state_that_is_spelt_with_escapes_is_the_same_state() -> None:
    body = call(requestState="PLACE").replace(b"PLACE", b"\\u0073\\u0031")
    assert linked(body, result(1)) == Link(answers=STATE)


def test_links_are_read_in_event_streams_and_in_the_companion_too() -> None:
    asked = result(1, resultType="input_required", requestState="s1")
    for play in (Playbook(), Playbook(in_companion=True)):
        play.post(call(requestState="s1")).answers(200, EVENTS).says(event(asked)).ends()
        large = call(requestState="s1", arguments={"x": "x" * 300_000})
        play.post(large).answers(200, JSON).says(asked).ends()
        assert [link_of(row) for row in play.take()] == [Link(answers=STATE, asks=STATE)] * 2


def test_without_details_the_hashes_stay_and_the_names_go() -> None:
    asked = result(1, resultType="input_required", requestState="s1")
    assert linked(call(), asked, keep_detail=False) == Link(asks=STATE)
    discovered = result(1, serverInfo={"name": "W", "version": "1"})
    assert linked(modern("server/discover"), discovered, keep_detail=False) == Link()


def test_a_session_is_begun_by_its_own_initialize_only() -> None:
    play = Playbook()
    play.post(initialize()).answers(200, JSON, session("s")).says(welcome()).ends()
    assert link_of(play.take_one()) == Link(opens=True, server_name="s")
    play.exchange(initialize(), welcome(), session("s"))
    assert not link_of(play.take_one()).opens
    play.post(initialize()).answers(400, JSON, session("s")).says(welcome()).ends()
    assert not link_of(play.take_one()).opens


@pytest.mark.parametrize(
    ("status", "lines", "ends"),
    [
        (200, [session("s")], True),
        (204, [session("s")], True),
        (405, [session("s")], False),
        (200, [], False),
    ],
)
def test_a_delete_to_which_the_server_agrees_ends_its_session(
    status: int, lines: list[bytes], ends: bool
) -> None:
    play = Playbook()
    play.sends(b"DELETE", *lines).answers(status).ends()
    assert link_of(play.take_one()).ends is ends


def test_two_installations_and_two_servers_make_different_hashes() -> None:
    texts = []
    for server in ("one", "two"):
        play = Playbook()
        play.recording.names = type(NAMES)(server.encode() * 8)
        play.exchange(call(requestState="s1"), result(1))
        texts.append(link_of(play.take_one()).answers)
    assert len({*texts, STATE}) == 3


def test_nothing_of_a_state_or_a_task_is_in_the_row() -> None:
    play = Playbook()
    play.exchange(
        call(requestState="canary-state", inputResponses={"canary": "canary"}),
        result(1, resultType="input_required", requestState="canary-next"),
    )
    play.exchange(request("tasks/get", {"taskId": "canary-task"}), result(1, status="canary"))
    assert "canary" not in json.dumps([repr(row) for row in play.take()])


def test_a_common_call_has_no_link() -> None:
    play = Playbook()
    play.exchange(call_tool(), result())
    assert link_of(play.take_one()) == Link()
