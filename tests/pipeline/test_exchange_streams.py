"""Answers that are streams: of a POST, of a GET, of a subscription."""

import pytest
from tests.pipeline.messages import (
    PROGRESS,
    call_tool,
    cancelled,
    error,
    event,
    modern,
    notification,
    request,
    result,
)
from tests.pipeline.playbook import EVENTS, JSON, Playbook, ended_as, said, session

from mcpr.pipeline.outcomes import Ending

ELICIT = event(request("elicitation/create", {"message": "your name?"}, id=1))
SAMPLE = event(request("sampling/createMessage", {"messages": ["the result and the error"]}, id=1))
KEEP_ALIVE = b": keep-alive\n\n"


def test_a_call_answered_by_events_ends_with_its_answer_after_progress_and_questions() -> None:
    play = Playbook()
    # The server's own requests have ids of their own, which may equal the client's.
    talk = play.post(call_tool(id=1), session("s")).answers(200, EVENTS)
    talk.says(PROGRESS, KEEP_ALIVE, ELICIT)
    play.post(result(1, action="accept"), session("s")).answers(202).ends()
    talk.says(SAMPLE)
    play.post(error(-1, id=1), session("s")).answers(202).ends()
    talk.says(PROGRESS, event(result(1, isError=True)))
    talk.ends(at=5000)
    rows = play.take()
    assert said(rows) == [
        "notification ok",
        "notification ok",
        "rpc tools/call get_weather tool_error tool",
    ]
    assert rows[2].latency_us == 4_990_000


@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("size", [1, 2, 3, 7, 1000])
def test_events_are_read_wherever_they_are_cut(ending: str, size: int) -> None:
    play = Playbook()
    stream = b"\xef\xbb\xbf" + PROGRESS + ELICIT + event(result(1, text="ü", isError=True))
    stream = stream.replace(b"\n", ending.encode())
    talk = play.post(call_tool()).answers(200, EVENTS)
    talk.says(*(stream[i : i + size] for i in range(0, len(stream), size))).ends()
    row = play.take_one()
    assert ended_as(row) == "tool_error/tool"
    assert row.bytes_out == len(stream)


def test_an_answer_on_several_data_lines_is_read() -> None:
    play = Playbook()
    talk = play.post(call_tool()).answers(200, EVENTS)
    talk.says(b'data: {"jsonrpc":"2.0",\ndata: "id":1,\ndata: "result":{}}\n\n').ends()
    assert ended_as(play.take_one()) == "ok"


def test_an_answer_whose_keys_are_written_with_escapes_is_read() -> None:
    play = Playbook()
    talk = play.post(call_tool()).answers(200, EVENTS)
    talk.says(event(rb'{"id":1,"\u0072esult":{}}')).ends()
    assert ended_as(play.take_one()) == "ok"


def test_a_stream_of_a_get_is_one_row_when_it_ends() -> None:
    play = Playbook()
    talk = play.get(session("s"), at=10).answers(200, EVENTS, at=20).says(ELICIT, PROGRESS)
    assert talk.exchange.is_endless
    talk.ends("gone", at=60_010)
    row = play.take_one()
    assert said([row]) == ["stream ok"]
    assert row.latency_us == 60_000_000


GET_STREAMS: list[tuple[int, list[bytes], Ending, str]] = [
    (200, [EVENTS], "complete", "ok"),
    (200, [EVENTS], "gone", "ok"),
    (200, [EVENTS], "cut", "broken/transport"),
    (405, [], "complete", "probe"),
    (405, [], "gone", "probe"),
    (401, [], "complete", "challenge/auth"),
    (401, [], "gone", "challenge/auth"),
    (403, [], "complete", "http_error/auth"),
    (404, [JSON], "complete", "http_error/client"),
    (400, [JSON], "complete", "http_error/client"),
    (502, [], "complete", "http_error/server"),
    (502, [], "unreachable", "unreachable/connect"),
    (503, [], "busy", "limited/limit"),
]


@pytest.mark.parametrize(("status", "lines", "ending", "wanted"), GET_STREAMS)
def test_a_get_for_events_ends_by_status_and_ending(
    status: int, lines: list[bytes], ending: Ending, wanted: str
) -> None:
    play = Playbook()
    play.get().answers(status, *lines).ends(ending)
    row = play.take_one()
    assert (row.kind, ended_as(row)) == ("stream", wanted)


def test_a_get_that_is_left_before_it_was_answered_is_no_error() -> None:
    play = Playbook()
    play.get().ends("gone")
    assert said(play.take()) == ["stream ok"]


def test_a_get_that_asked_for_anything_and_got_events_is_a_stream() -> None:
    play = Playbook()
    talk = play.sends(b"GET", b"Accept: */*", target=b"/sse").answers(200, EVENTS)
    assert talk.exchange.is_endless
    talk.ends("gone")
    assert said(play.take()) == ["stream ok"]


LISTEN = modern("subscriptions/listen", {"notifications": {}}, id="l")
SUBSCRIPTIONS: dict[str, tuple[list[bytes], bytes, Ending, str]] = {
    "the server ends it": ([EVENTS], event(result("l")), "complete", "ok"),
    "it ends between events": ([EVENTS], PROGRESS, "complete", "ok"),
    "the client leaves": ([EVENTS], PROGRESS, "gone", "ok"),
    "it is cut": ([EVENTS], PROGRESS, "cut", "broken/transport"),
    "with ids": ([EVENTS], b"id: 1\ndata: \n\n", "complete", "ok"),
    "an error": ([EVENTS], event(error(-32603, id="l")), "complete", "rpc_error/server/-32603"),
    "JSON, no stream": ([JSON], error(-32601, id="l"), "complete", "rpc_error/client/-32601"),
    "JSON without an answer": ([JSON], b"{}", "complete", "broken/protocol"),
    "no first byte": ([], b"", "timeout", "timeout/transport"),
}


@pytest.mark.parametrize(
    ("lines", "body", "ending", "wanted"), SUBSCRIPTIONS.values(), ids=SUBSCRIPTIONS
)
def test_a_subscription_is_a_stream_that_somebody_ends(
    lines: list[bytes], body: bytes, ending: Ending, wanted: str
) -> None:
    play = Playbook()
    talk = play.post(LISTEN, session("s"))
    if lines:
        talk.answers(200, *lines).says(body)
    talk.ends(ending)
    row = play.take_one()
    assert (row.kind, row.method, ended_as(row)) == ("stream", "subscriptions/listen", wanted)


def test_a_stream_can_be_ended_only_between_two_events() -> None:
    play = Playbook()
    exchange = play.post(LISTEN).answers(200, EVENTS).exchange
    for piece, is_border in (
        (PROGRESS, True),
        (PROGRESS[:10], False),
        (PROGRESS[10:], True),
        (KEEP_ALIVE + b"da", False),
        (b"ta: x\n", False),
        (b"\n", True),
    ):
        exchange.read_data(piece, 1)
        assert exchange.at_border == is_border, piece


def test_an_answer_that_nobody_reads_has_a_border_everywhere() -> None:
    play = Playbook()
    talk = play.sends(b"GET").answers(200, b"Content-Type: text/html").says(b"<ht")
    assert talk.exchange.at_border


# Cancelled by a notification, as in the legacy era

CANCELLED: dict[str, tuple[bytes, Ending, str]] = {
    "the server ends the stream": (b"", "complete", "cancelled/client"),
    "the client leaves": (b"", "gone", "cancelled/client"),
    "the server says that it stopped": (event(error(0, id=1)), "complete", "cancelled/client/0"),
    "the answer was faster": (event(result(1)), "complete", "ok"),
    "the tool failed before": (event(result(1, isError=True)), "complete", "tool_error/tool"),
    "the server broke down": (b"", "cut", "broken/transport"),
}


@pytest.mark.parametrize(("says", "ending", "wanted"), CANCELLED.values(), ids=CANCELLED)
def test_a_cancelled_call_ends_as_cancelled_unless_it_was_answered(
    says: bytes, ending: Ending, wanted: str
) -> None:
    play = Playbook()
    talk = play.post(call_tool(id=1), session("s")).answers(200, EVENTS).says(PROGRESS)
    play.post(cancelled(1), session("s")).answers(202).ends()
    talk.says(says).ends(ending)
    row = play.take()[1]
    assert (row.method, ended_as(row)) == ("tools/call", wanted)


NOT_MEANT = {
    "another session": (cancelled(1), [session("t")]),
    "no session": (cancelled(1), []),
    "another id": (cancelled(2), [session("s")]),
    "the id as text": (cancelled("1"), [session("s")]),
    "no id": (notification("notifications/cancelled", {}), [session("s")]),
    "no params": (notification("notifications/cancelled"), [session("s")]),
}


@pytest.mark.parametrize(("body", "lines"), NOT_MEANT.values(), ids=NOT_MEANT)
def test_nothing_else_is_cancelled(body: bytes, lines: list[bytes]) -> None:
    play = Playbook()
    talk = play.post(call_tool(id=1), session("s")).answers(200, EVENTS)
    play.post(body, *lines).answers(202).ends()
    talk.ends("gone")
    assert ended_as(play.take()[1]) == "client_gone/client"


def test_without_a_session_ids_of_several_clients_are_not_mixed_up() -> None:
    play = Playbook()
    talk = play.post(call_tool(id=1)).answers(200, EVENTS)
    play.post(cancelled(1)).answers(202).ends()
    talk.ends()
    assert ended_as(play.take()[1]) == "broken/protocol"


def test_a_cancellation_in_a_batch_reaches_a_request_in_a_batch() -> None:
    play = Playbook()
    body = b"[" + call_tool("a", id=1) + b"," + call_tool("b", id=2) + b"]"
    talk = play.post(body, session("s")).answers(200, EVENTS)
    note = b"[" + notification("notifications/progress") + b"," + cancelled(2) + b"]"
    play.post(note, session("s")).answers(202).ends()
    talk.says(event(result(1))).ends()
    assert said(play.take()[1:]) == ["rpc tools/call a ok", "rpc tools/call b cancelled client"]
