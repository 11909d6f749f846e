"""pipeline/retries: a call that is made again after its session was lost has the same mark."""

import pytest
from tests.pipeline.messages import batch, call_tool, client, error, initialize, request, welcome
from tests.pipeline.messages import result as done
from tests.pipeline.playbook import JSON, MS, Playbook, answer_facts_of, facts_of, session

from mcpr.events import RequestEvent, read_link
from mcpr.pipeline.calls import record
from mcpr.pipeline.identity import Caller, SessionNames
from mcpr.pipeline.retries import Retries
from mcpr.protocol.jsonrpc import read_messages


def retry_of(row: RequestEvent) -> str | None:
    return read_link(None if row.detail is None else row.detail.link).retry


def opened(*names: str) -> Playbook:
    """A conversation in which each session was opened by the same client."""
    play = Playbook()
    for name in names:
        play.opens(name, initialize(), welcome())
    return play


def loses(play: Playbook, body: bytes, name: str = "s", at: float = 10) -> None:
    talk = play.post(body, session(name), at=at).answers(404, JSON, at=at + 1)
    talk.says(error(-32600, "Session not found"), at=at + 2).ends(at=at + 3)


def calls(play: Playbook, body: bytes, name: str = "t", at: float = 1000) -> None:
    talk = play.post(body, session(name), at=at).answers(200, JSON, at=at + 1)
    talk.says(done(), at=at + 2).ends(at=at + 3)


def test_a_call_that_is_made_again_in_a_new_session_has_the_mark_of_the_lost_one() -> None:
    play = opened("s")
    loses(play, call_tool("add", a=1))
    lost = play.take_one()
    play.opens("t", initialize(), welcome())
    calls(play, call_tool("add", id=7, a=1))
    again = play.take_one()
    assert retry_of(lost) is not None
    assert retry_of(again) == retry_of(lost)
    calls(play, call_tool("add", id=8, a=1))
    assert retry_of(play.take_one()) is None, "one lost call is made again once"
    assert not play.recording.sessions.retries


OTHERS = {
    "other arguments": (call_tool("add", a=2), "t", 1000),
    "another tool": (call_tool("sub", a=1), "t", 1000),
    "another method": (request("prompts/get", {"name": "add", "arguments": {"a": 1}}), "t", 1000),
    "the same session": (call_tool("add", a=1), "s", 1000),
    "somebody else": (call_tool("add", a=1), "other", 1000),
    "nobody known": (call_tool("add", a=1), "unknown", 1000),
    "much later": (call_tool("add", a=1), "t", 61_000),
}


@pytest.mark.parametrize(("body", "name", "at"), OTHERS.values(), ids=OTHERS)
def test_what_may_be_another_call_has_no_mark(body: bytes, name: str, at: float) -> None:
    play = opened("s", "t")
    info = {"protocolVersion": "2025-11-25", "clientInfo": client("zed", "1")}
    play.opens("other", request("initialize", info), welcome())
    loses(play, call_tool("add", a=1))
    play.take()
    calls(play, body, name, at)
    assert retry_of(play.take_one()) is None


@pytest.mark.parametrize("body", [request("tools/list"), request("ping"), batch(request("ping"))])
def test_what_every_session_asks_anyway_is_no_retry(body: bytes) -> None:
    play = opened("s", "t")
    loses(play, body)
    assert retry_of(play.take_one()) is None
    assert not play.recording.sessions.retries


def test_a_common_call_read_in_a_batch_is_found_as_well() -> None:
    play = opened("s", "t")
    body = call_tool("add", a=1)

    def completed(name: str, status: int, answer: bytes, at: int) -> tuple[object, ...]:
        facts = facts_of(b"POST", b"/mcp", JSON, session(name))
        times = (at * MS, (at + 1) * MS)
        return facts, body, *times, answer_facts_of(status, JSON), answer, *times

    found = [
        completed("t", 200, done(), 1),
        completed("s", 404, error(-32600), 2),
        completed("t", 200, done(), 3),
        completed("t", 200, done(), 4),
    ]
    record(play.recording, found)  # type: ignore[arg-type]  # tuples made by a helper
    marks = [retry_of(row) for row in play.take()]
    assert [mark is not None for mark in marks] == [False, True, True, False]
    assert marks[1] == marks[2]


def test_what_was_lost_is_forgotten_where_only_common_calls_come_after_it() -> None:
    play = opened("s")
    loses(play, call_tool("add", a=1))
    facts = facts_of(b"POST", b"/mcp", JSON)
    times = (99_000 * MS, 99_001 * MS)
    record(
        play.recording,
        [(facts, call_tool(), *times, answer_facts_of(200, JSON), done(), *times)],
    )
    assert not play.recording.sessions.retries


def test_the_mark_is_a_keyed_hash_that_tells_no_argument() -> None:
    marks = set()
    for key in (b"one", b"two"):
        play = opened("s")
        play.recording.names = SessionNames(key)
        play.recording.sessions.opened(play.recording.names.name(b"s"), Caller("zed"))
        retries, names = Retries(), play.recording.names
        (message,) = read_messages(call_tool("add", secret="canary"))
        facts = facts_of(b"POST", b"/mcp", JSON, session("s"))
        marks.add(retries.mark_of(facts, 404, 0, (names, message, Caller("zed"))))
    assert len(marks) == 2
    assert all(len(mark or "") == 32 for mark in marks)


def test_the_memory_of_lost_calls_is_bounded_and_forgets() -> None:
    retries, names, caller = Retries(), SessionNames(b"k"), Caller("zed")
    facts = facts_of(b"POST", b"/mcp", JSON, session("s"))
    for number in range(5000):
        (message,) = read_messages(call_tool("add", a=number))
        retries.mark_of(facts, 404, number, (names, message, caller))
    assert len(retries) == 1024
    (message,) = read_messages(request("ping"))
    retries.mark_of(facts, 200, 100_000_000_000, (names, message, caller))
    assert not retries
