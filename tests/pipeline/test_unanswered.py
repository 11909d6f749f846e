"""A call's stream may end before its answer, which then comes on a later stream of the session."""

import pytest
from tests.pipeline.messages import (
    PRIMING,
    PROGRESS,
    batch,
    call_tool,
    cancelled,
    error,
    event,
    initialize,
    modern,
    result,
    welcome,
)
from tests.pipeline.playbook import (
    EVENTS,
    JSON,
    Playbook,
    Talk,
    detail_of,
    ended_as,
    said,
    session,
    session_hash,
)

from mcpr.pipeline.outcomes import Ending
from mcpr.pipeline.unanswered import MAX_WAITING, WAIT_NS

LAST_ID = b"Last-Event-ID: 1"


def poll(play: Playbook, body: bytes, name: str = "s", at: float = 10) -> Talk:
    """A call whose stream the server is about to leave."""
    return play.post(body, session(name), at=at, sent=at).answers(200, EVENTS).says(PRIMING)


def resume(play: Playbook, name: str = "s") -> Talk:
    return play.get(session(name), LAST_ID, at=900).answers(200, EVENTS, at=910)


@pytest.mark.parametrize("ending", ["complete", "cut"])
def test_a_call_that_is_answered_on_a_later_get_is_one_row_with_all_its_time(
    ending: Ending,
) -> None:
    play = Playbook()
    poll(play, call_tool(id=7)).ends(ending, at=100)
    assert play.take() == []
    talk = resume(play).says(PROGRESS, at=950)
    assert play.take() == []
    talk.says(event(result(7, isError=True), b"id: 2"), at=1010)
    row = play.take_one()
    assert said([row]) == ["rpc tools/call get_weather tool_error tool"]
    assert (row.latency_us, row.upstream_us) == (1_000_000, 1_000_000)
    assert (row.session, row.bytes_out) == (session_hash("s"), len(PRIMING))
    assert detail_of(row).note is None
    talk.ends("gone")
    assert said(play.take()) == ["stream ok"]


def test_an_answer_is_claimed_once() -> None:
    play = Playbook()
    poll(play, call_tool()).ends()
    talk = resume(play).says(event(result()), event(result()))
    assert said(play.take()) == ["rpc tools/call get_weather ok"]
    talk.ends()


NOT_MINE = {
    "another session": ("t", result(1)),
    "another id": ("s", result(2)),
    "the id as text": ("s", result("1")),
    "the server's own request with that id": ("s", call_tool(id=1)),
    "an error without an id": ("s", error(-32603, id=None)),
}


@pytest.mark.parametrize(("name", "data"), NOT_MINE.values(), ids=NOT_MINE)
def test_what_is_not_its_answer_does_not_claim_a_waiting_call(name: str, data: bytes) -> None:
    play = Playbook()
    poll(play, call_tool(id=1)).ends()
    resume(play, name).says(event(data)).ends()
    assert said(play.take()) == ["stream ok"]
    assert len(play.recording.unanswered) == 1


def test_a_stream_without_a_session_claims_nothing() -> None:
    play = Playbook()
    poll(play, call_tool()).ends()
    play.get().answers(200, EVENTS).says(event(result())).ends()
    assert said(play.take()) == ["stream ok"]


def test_calls_of_several_sessions_with_one_id_are_told_apart() -> None:
    play = Playbook()
    poll(play, call_tool("a", id=1), "s").ends()
    poll(play, call_tool("b", id=1), "t").ends()
    resume(play, "t").says(event(error(-32603)))
    resume(play, "s").says(event(result()))
    assert said(play.take()) == ["rpc tools/call b rpc_error server -32603", "rpc tools/call a ok"]


def test_a_call_that_nobody_answers_is_broken_and_unlinked_after_its_time() -> None:
    play = Playbook()
    wait_ms = WAIT_NS / 1e6
    poll(play, call_tool(), at=10).ends(at=100)
    poll(play, call_tool("later"), at=20).ends(at=200)
    play.waits(at=100 + wait_ms)
    assert play.take() == []
    play.waits(at=101 + wait_ms)
    row = play.take_one()
    assert said([row]) == ["rpc tools/call get_weather broken transport"]
    assert detail_of(row).note == "unlinked"
    # Its time ended with its stream, not with our patience.
    assert row.latency_us == 90_000
    resume(play).says(event(result()))
    assert said(play.take()) == ["rpc tools/call later ok"]


def test_unlinked_stands_beside_what_else_is_odd() -> None:
    play = Playbook()
    body = b'{"id":1,"method":"tools/call","params":{"name":"a","name":"b"}}'
    poll(play, body).ends()
    play.recording.unanswered.drain(10**12)
    assert detail_of(play.take_one()).note == "ambiguous unlinked"


def test_when_the_program_ends_all_that_wait_are_recorded() -> None:
    play = Playbook()
    for number in range(3):
        poll(play, call_tool(id=number)).ends()
    play.recording.unanswered.drain(10**9)
    assert [ended_as(row) for row in play.take()] == ["broken/transport"] * 3
    assert len(play.recording.unanswered) == 0


def test_the_number_of_those_that_wait_is_bounded_and_the_oldest_goes_first() -> None:
    play = Playbook()
    for number in range(MAX_WAITING + 2):
        poll(play, call_tool(f"t{number}")).ends()
    assert [row.tool for row in play.take()] == ["t0", "t1"]
    assert len(play.recording.unanswered) == MAX_WAITING


def test_what_waits_keeps_no_body_alive() -> None:
    play = Playbook()
    body = call_tool(text="x" * 5000)
    talk = poll(play, body)
    talk.ends()
    message = talk.exchange.message
    assert message is not None
    assert message.params is not None
    assert talk.exchange.body == b""
    assert talk.exchange.reader is None
    assert not message.params.arguments
    # The id is a copy: one that pointed into the body would keep all of it.
    assert bytes(talk.exchange.request_id or b"") == b"1"


def test_a_batch_may_be_answered_in_part_here_and_in_part_later() -> None:
    play = Playbook()
    body = batch(call_tool("a", id=1), call_tool("b", id=2), call_tool("c", id=3))
    poll(play, body).says(event(result(2))).ends()
    assert said(play.take()) == ["rpc tools/call b ok"]
    resume(play).says(event(batch(result(3), result(1))))
    assert said(play.take()) == ["rpc tools/call c ok", "rpc tools/call a ok"]
    assert len(play.recording.unanswered) == 0


NOT_WAITING: dict[str, tuple[list[bytes], list[bytes], bytes, Ending, str]] = {
    "no ids": ([session("s")], [EVENTS], PROGRESS, "complete", "broken/protocol"),
    "no ids, cut": ([session("s")], [EVENTS], PROGRESS, "cut", "broken/transport"),
    "no session": ([], [EVENTS], PRIMING, "complete", "broken/transport unlinked"),
    "no session, cut": ([], [EVENTS], PRIMING, "cut", "broken/transport"),
    "the client left": ([session("s")], [EVENTS], PRIMING, "gone", "client_gone/client"),
    "JSON": ([session("s")], [JSON], b"{}", "complete", "broken/protocol"),
    "brotli": (
        [session("s")],
        [EVENTS, b"Content-Encoding: br"],
        PRIMING,
        "complete",
        "unread",
    ),
}


@pytest.mark.parametrize(
    ("lines", "head", "body", "ending", "wanted"), NOT_WAITING.values(), ids=NOT_WAITING
)
def test_what_cannot_be_resumed_does_not_wait(
    lines: list[bytes], head: list[bytes], body: bytes, ending: Ending, wanted: str
) -> None:
    play = Playbook()
    play.post(call_tool(), *lines).answers(200, *head).says(body).ends(ending)
    row = play.take_one()
    note = detail_of(row).note
    assert ended_as(row) + (f" {note}" if note else "") == wanted


def test_a_call_that_was_cancelled_before_its_stream_ended_does_not_wait() -> None:
    play = Playbook()
    talk = poll(play, call_tool(id=1))
    play.post(cancelled(1), session("s")).answers(202).ends()
    talk.ends()
    assert said(play.take()) == [
        "notification notifications/cancelled ok",
        "rpc tools/call get_weather cancelled client",
    ]


def test_a_call_that_is_cancelled_while_it_waits_is_cancelled() -> None:
    play = Playbook()
    poll(play, call_tool(id=1)).ends(at=100)
    play.post(cancelled(2), session("s")).answers(202).ends()
    play.post(cancelled(1), session("t")).answers(202).ends()
    assert len(play.take()) == 2
    play.post(cancelled(1), session("s"), at=500).answers(202).ends()
    rows = play.take()
    assert said(rows) == [
        "rpc tools/call get_weather cancelled client",
        "notification notifications/cancelled ok",
    ]
    assert rows[0].latency_us == 90_000


def test_what_a_stream_carries_unread_may_be_the_answer_if_only_one_call_waits() -> None:
    play = Playbook()
    poll(play, call_tool()).ends()
    play.get(session("s")).answers(200, EVENTS, b"Content-Encoding: br").says(b"\x0b")
    assert said(play.take()) == ["rpc tools/call get_weather unread"]
    poll(play, call_tool("a", id=1)).ends()
    poll(play, call_tool("b", id=2)).ends()
    play.get(session("s")).answers(200, EVENTS, b"Content-Encoding: br").says(b"\x0b")
    assert play.take() == []


def test_a_call_whose_answer_was_perhaps_let_go_of_does_not_wait() -> None:
    play = Playbook()
    play.recording.max_held = 0
    poll(play, call_tool()).says(b"data: " + b"x" * 50_000, b"\n\n").ends()
    assert said(play.take()) == ["rpc tools/call get_weather unread"]


def test_a_get_that_resumes_an_initialize_opens_no_session_of_its_own() -> None:
    play = Playbook()
    poll(play, initialize(), "old").ends()
    resume(play, "old").says(event(welcome()))
    row = play.take_one()
    assert (row.method, row.outcome, row.session) == ("initialize", "ok", session_hash("old"))


def test_a_modern_discover_is_a_probe_when_its_late_answer_says_so() -> None:
    play = Playbook()
    poll(play, modern("server/discover", id="d")).ends()
    resume(play).says(event(error(-32601, id="d")))
    assert ended_as(play.take_one()) == "probe/-32601"


def test_on_the_oldest_transport_an_accepted_call_is_unread_and_unlinked() -> None:
    play = Playbook()
    target = b"/messages/?session_id=5"
    play.post(call_tool(), target=target).answers(202, b"Content-Type: text/plain").ends()
    row = play.take_one()
    assert ended_as(row) == "unread"
    assert detail_of(row).note == "unlinked"
    play.post(call_tool(), target=target).answers(404).ends()
    assert ended_as(play.take_one()) == "http_error/client"
    # On Streamable HTTP 202 is for what is not answered: a call is.
    play.post(call_tool()).answers(202).ends()
    assert ended_as(play.take_one()) == "broken/protocol"
