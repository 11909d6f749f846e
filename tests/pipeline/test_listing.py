"""Which exchanges are handed on to be read for what the server offers, and how."""

import gzip
import json

import pytest
from tests.pipeline.messages import batch, call_tool, event, initialize, request, result, welcome
from tests.pipeline.playbook import EVENTS, JSON, MODERN, MS, Playbook, said, session, session_hash

from mcpr.events import Ids
from mcpr.pipeline.digest import Passing, pack_look, read
from mcpr.pipeline.exchange import DECODE_LIMIT, Exchange
from mcpr.pipeline.schema import read_passing

TOOLS = result(1, tools=[{"name": "get"}])
CHANGED = b'{"jsonrpc":"2.0","method":"notifications/tools/list_changed"}'


class Watching(Playbook):
    """A playbook with somebody who wants to know."""

    def __init__(self) -> None:
        super().__init__(in_companion=True)
        self.seen: list[Passing] = []
        self.recording.look = self._look

    def _look(self, exchange: Exchange, change: bytes, now_ns: int) -> None:
        completed = read(pack_look(exchange, change, now_ns), Ids(lambda _bits: 0))
        assert completed.rows == []
        assert completed.passing is not None
        self.seen.append(completed.passing)


def tools_of(passing: Passing) -> list[bytes]:
    (page,) = read_passing(
        passing.request, passing.answer, is_events=passing.is_events, coding=passing.coding
    ).pages
    return list(page.texts)


@pytest.mark.parametrize(
    ("lines", "body"),
    [
        ([JSON], TOOLS),
        ([EVENTS], event(CHANGED.replace(b"tools/list_changed", b"message")) + event(TOOLS)),
        ([JSON, b"Content-Encoding: gzip"], gzip.compress(TOOLS)),
        ([EVENTS, b"Content-Encoding: gzip"], gzip.compress(event(TOOLS))),
    ],
    ids=["JSON", "events", "JSON in gzip", "events in gzip"],
)
def test_a_list_is_handed_on_as_it_came_and_its_row_is_made_here(
    lines: list[bytes], body: bytes
) -> None:
    play = Watching()
    play.post(request("tools/list")).answers(200, *lines).says(body[:9], body[9:]).ends(at=30)
    assert said(play.take()) == ["rpc tools/list ok"]
    (passing,) = play.seen
    assert [json.loads(text) for text in tools_of(passing)] == [{"name": "get"}]
    assert play.recording.held == 0


def test_a_list_too_large_to_decode_here_comes_with_its_digest() -> None:
    play = Watching()
    large = result(1, tools=[{"name": "get", "description": "x" * DECODE_LIMIT}])
    play.post(request("tools/list")).answers(200, JSON).says(large).ends()
    assert said(play.take()) == ["rpc tools/list ok"]
    (frame,) = play.frames
    passing = read(frame, Ids(lambda _bits: 0)).passing
    assert passing is not None
    assert len(tools_of(passing)) == 1
    assert play.seen == []


def test_large_events_keep_all_that_small_ones_said() -> None:
    play = Watching()
    both = batch(request("tools/list", id=1), request("prompts/list", id=2))
    large = result(2, prompts=[{"name": "p", "description": "x" * DECODE_LIMIT}])
    play.post(both).answers(200, EVENTS).says(event(TOOLS), event(large)).ends()
    (frame,) = play.frames
    passing = read(frame, Ids(lambda _bits: 0)).passing
    assert passing is not None
    reading = read_passing(
        passing.request, passing.answer, is_events=passing.is_events, coding=passing.coding
    )
    assert {page.which: len(page.texts) for page in reading.pages} == {"tools": 1, "prompts": 1}


@pytest.mark.parametrize("body", [call_tool(), request("resources/read", {"uri": "u"})])
def test_other_exchanges_are_nobodys_business(body: bytes) -> None:
    play = Watching()
    play.exchange(body, result(1))
    assert play.seen == []


def test_without_anybody_who_asks_nothing_is_kept() -> None:
    play = Playbook()
    talk = play.post(request("tools/list")).answers(200, JSON).says(TOOLS)
    talk.ends()
    assert talk.exchange.reader is not None
    assert talk.exchange.reader.kept == b""


def test_callers_are_told_apart_by_client_credential_and_era() -> None:
    play = Watching()
    play.opens("s", initialize("claude-code"), welcome())
    play.seen.clear()
    play.exchange(request("tools/list"), TOOLS, session("s"))
    play.exchange(request("tools/list"), TOOLS, session("s"), b"Authorization: Bearer x")
    play.exchange(request("tools/list"), TOOLS, MODERN)
    assert [passing.caller for passing in play.seen] == [
        ("claude-code", False, False),
        ("claude-code", True, False),
        ("", False, True),
    ]
    assert play.seen[0].session == session_hash("s")


def test_a_change_is_told_at_once_on_every_stream() -> None:
    play = Watching()
    stream = play.get(session("s")).answers(200, EVENTS, at=20)
    stream.says(event(CHANGED), at=25)
    (passing,) = play.seen
    assert (passing.change, passing.answer) == (CHANGED, b"")
    assert passing.ts_ms * MS == 25 * MS + play.recording.wall_ns
    stream.ends("gone", at=30)
    call = play.post(call_tool()).answers(200, EVENTS)
    call.says(event(CHANGED), event(result(1))).ends()
    assert len(play.seen) == 2


def test_many_words_of_the_same_change_are_one() -> None:
    play = Watching()
    play.get(session("s")).answers(200, EVENTS).says(event(CHANGED) * 1000)
    assert len(play.seen) == 1
