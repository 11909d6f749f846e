"""What is too large to decode here is decoded in the companion, with the same rows."""

import gzip
from collections.abc import Iterator

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.pipeline.conversations import Conversation, conversations
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
    notification,
    request,
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
from tests.protocol.size import examples

from mcpr.events import Ids, RequestEvent
from mcpr.pipeline import exchange as room
from mcpr.pipeline.answers import KEEP_LIMIT
from mcpr.pipeline.digest import complete
from mcpr.pipeline.exchange import COUNTED, DECODE_LIMIT
from mcpr.pipeline.identity import Caller

LARGE = "x" * (DECODE_LIMIT + 1)
GZIP = b"Content-Encoding: gzip"
ZED = Caller("zed", "1.2", "Zed!", "2025-06-18")


def without_id(rows: list[RequestEvent]) -> list[RequestEvent]:
    return [msgspec.structs.replace(row, id=b"") for row in rows]


def both(happen: Conversation) -> tuple[list[RequestEvent], list[RequestEvent], int]:
    """The rows in place, those of the companion, and how many frames it read."""
    rows = []
    frames = 0
    for in_companion in (False, True):
        play = Playbook(in_companion=in_companion)
        play.recording.sessions.opened(session_hash("s"), ZED)
        happen.happen(play)
        play.waits(at=200_000)
        rows.append(sorted(without_id(play.take()), key=repr))
        frames += len(play.frames)
        assert play.recording.held == 0
    return rows[0], rows[1], frames


@pytest.mark.parametrize("limit", [0, 1, 30, 100])
def test_the_companion_makes_the_rows_that_would_have_been_made_here(
    limit: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "DECODE_LIMIT", limit)
    seen = 0

    @given(conversations())
    @examples(150)
    def holds(conversation: Conversation) -> None:
        nonlocal seen
        in_place, in_companion, frames = both(conversation)
        assert in_companion == in_place
        seen += frames

    holds()
    assert seen > 20


def test_a_large_request_is_read_by_the_companion() -> None:
    play = Playbook(in_companion=True)
    body = call_tool(text=LARGE)
    talk = play.post(body, at=10, sent=12).answers(200, JSON, at=20)
    assert talk.exchange.request_id is None
    talk.says(result(isError=True)).ends(at=30)
    row = play.take_one()
    assert said([row]) == ["rpc tools/call get_weather tool_error tool"]
    assert (row.bytes_in, row.latency_us, row.upstream_us) == (len(body), 20_000, 18_000)
    assert detail_of(row).upstream_first_us == 8_000
    assert len(play.frames) == 1


LARGE_ANSWERS: dict[str, tuple[list[bytes], list[bytes], str]] = {
    "JSON": ([JSON], [result(1, isError=True, text=LARGE)], "tool_error/tool"),
    "JSON in pieces": (
        [JSON],
        [b'{"id":1,"result":{"x":"', LARGE.encode(), b'","isError":true}}'],
        "tool_error/tool",
    ),
    "an error": ([JSON], [error(-32603, LARGE)], "rpc_error/server/-32603"),
    "another id": ([JSON], [result(2, text=LARGE)], "broken/protocol"),
    "garbage": ([JSON], [LARGE.encode()], "broken/protocol"),
    "gzip": ([JSON, GZIP], [gzip.compress(result(1, isError=True, text=LARGE))], "tool_error/tool"),
    "no gzip": ([JSON, GZIP], [LARGE.encode()], "unread"),
    "brotli": ([JSON, b"Content-Encoding: br"], [LARGE.encode()], "unread"),
    "an event": (
        [EVENTS],
        [PROGRESS, event(result(1, isError=True, text=LARGE))],
        "tool_error/tool",
    ),
    "an event in gzip": (
        [EVENTS, GZIP],
        [gzip.compress(PROGRESS + event(result(1, isError=True, text=LARGE)))],
        "tool_error/tool",
    ),
    "an event on lines": (
        [EVENTS],
        [
            b'data: {"id":1,\ndata: "result":{"isError":true,\ndata:"x":"'
            + LARGE.encode()
            + b'"}}\n\n'
        ],
        "tool_error/tool",
    ),
    "a large question before": (
        [EVENTS],
        [
            event(request("sampling/createMessage", {"result": LARGE})),
            event(result(1, isError=True)),
        ],
        "tool_error/tool",
    ),
    "a large note after": (
        [EVENTS],
        [event(result(1, isError=True)), event(notification("x", {"error": LARGE}))],
        "tool_error/tool",
    ),
    "a large note, no answer": (
        [EVENTS],
        [event(notification("x", {"error": LARGE}))],
        "broken/protocol",
    ),
    "two large ones": (
        [EVENTS],
        [event(result(2, text=LARGE)), event(result(1, isError=True, text=LARGE))],
        "tool_error/tool",
    ),
}


@pytest.mark.parametrize(("head", "pieces", "wanted"), LARGE_ANSWERS.values(), ids=LARGE_ANSWERS)
@pytest.mark.parametrize("text", ["", LARGE], ids=["small request", "large request"])
@pytest.mark.parametrize("in_companion", [False, True], ids=["in place", "in the companion"])
def test_a_large_answer_is_read_wherever_it_is_read(
    head: list[bytes], pieces: list[bytes], wanted: str, text: str, in_companion: bool
) -> None:
    play = Playbook(in_companion=in_companion)
    talk = play.post(call_tool(text=text)).answers(200, *head)
    talk.says(*pieces).ends()
    row = play.take_one()
    assert ended_as(row) == wanted
    assert row.bytes_out == sum(map(len, pieces))
    assert play.recording.held == 0


def test_what_is_answered_small_needs_no_companion() -> None:
    play = Playbook(in_companion=True)
    talk = play.post(call_tool()).answers(200, EVENTS)
    talk.says(event(notification("x", {"error": LARGE})), event(result())).ends()
    assert ended_as(play.take_one()) == "ok"
    assert play.frames == []


def test_a_batch_with_large_and_small_answers_is_read_whole() -> None:
    play = Playbook(in_companion=True)
    talk = play.post(batch(*(call_tool(f"t{n}", id=n) for n in range(4)))).answers(200, EVENTS)
    talk.says(event(result(0, isError=True)), event(result(1, text=LARGE)))
    talk.says(event(error(-32601, id=2)), event(result(3, isError=True, text=LARGE))).ends()
    assert said(play.take()) == [
        "rpc tools/call t0 tool_error tool",
        "rpc tools/call t1 ok",
        "rpc tools/call t2 rpc_error client -32601",
        "rpc tools/call t3 tool_error tool",
    ]


@pytest.mark.parametrize("ending", ["cut", "gone", "timeout", "over", "internal"])
@pytest.mark.parametrize("body", [call_tool(text=LARGE), modern("ping", {"x": LARGE})])
def test_a_large_exchange_that_broke_off_ends_as_a_small_one(body: bytes, ending: str) -> None:
    rows = []
    for in_companion in (False, True):
        play = Playbook(in_companion=in_companion)
        play.post(body).ends(ending)  # type: ignore[arg-type]  # one of the endings
        rows += without_id(play.take())
    assert rows[0] == rows[1]


def test_a_large_call_that_was_cancelled_is_cancelled() -> None:
    play = Playbook(in_companion=True)
    talk = play.post(call_tool(id=1), session("s")).answers(200, EVENTS)
    play.post(cancelled(1), session("s")).answers(202).ends()
    talk.says(event(error(0, LARGE))).ends()
    assert ended_as(play.take()[1]) == "cancelled/client/0"


def test_a_large_call_that_may_be_answered_later_is_unlinked_at_once() -> None:
    play = Playbook(in_companion=True)
    play.post(call_tool(text=LARGE), session("s")).answers(200, EVENTS).says(PRIMING).ends()
    row = play.take_one()
    assert ended_as(row) == "broken/transport"
    assert detail_of(row).note == "unlinked"


def test_a_large_answer_to_initialize_opens_its_session_here_too() -> None:
    play = Playbook(in_companion=True)
    answer = result(0, protocolVersion="2025-06-18", instructions=LARGE)
    play.post(initialize("zed")).answers(200, JSON, session("s")).says(answer).ends()
    row = play.take_one()
    assert (row.session, row.client, row.revision) == (session_hash("s"), "zed", "2025-06-18")
    play.exchange(call_tool(), result(), session("s"))
    row = play.take_one()
    # What was negotiated stands in what is not decoded here; what was asked for is known.
    assert (row.client, row.revision) == ("zed", "2025-11-25")


def test_the_companion_knows_who_opened_the_session() -> None:
    play = Playbook(in_companion=True)
    play.opens("s", initialize("zed", "1.2"), welcome("2025-06-18"))
    play.exchange(call_tool(text=LARGE), result(), session("s"))
    row = play.take_one()
    assert (row.client, row.client_version, row.revision) == ("zed", "1.2", "2025-06-18")
    assert detail_of(row).client_name == "zed"


def test_without_detail_the_companion_makes_none() -> None:
    play = Playbook(in_companion=True, keep_detail=False)
    play.exchange(request("resources/read", {"uri": "file:///x", "y": LARGE}), result())
    assert play.take_one().detail is None


def test_a_large_answer_on_a_get_stream_is_not_kept_for_as_long_as_it_stays_open() -> None:
    play = Playbook(in_companion=True)
    play.post(call_tool(), session("s")).answers(200, EVENTS).says(PRIMING).ends()
    talk = play.get(session("s")).answers(200, EVENTS)
    talk.says(event(result(text=LARGE)))
    # It answers the only call that waits, in a form that is not read here.
    assert [ended_as(row) for row in play.take()] == ["unread"]
    assert play.recording.held == 0
    talk.ends("gone")
    assert said(play.take()) == ["stream ok"]
    assert play.frames == []


@pytest.mark.parametrize("frame", [b"", b"\x90", b"\x91\x01", b"{}", b"\xc1"])
def test_a_frame_that_is_none_is_told(frame: bytes) -> None:
    with pytest.raises(msgspec.DecodeError):
        complete(frame, Ids(lambda _bits: 0))


# How much is kept


@pytest.fixture
def crowd() -> Iterator[Playbook]:
    play = Playbook(in_companion=True)
    play.recording.max_held = 1_000_000
    yield play
    assert play.recording.held == 0


def hold(play: Playbook, size: int, *, request_size: int = 0) -> Talk:
    """A call whose answer is under way and kept."""
    talk = play.post(call_tool(text="x" * request_size)).answers(200, JSON)
    for _ in range(size // 50_000):
        talk.says(b" " * 50_000)
    return talk


def test_what_is_kept_of_all_large_answers_together_is_bounded(crowd: Playbook) -> None:
    talks = [hold(crowd, 400_000) for _ in range(4)]
    assert crowd.recording.held <= 1_000_000
    for talk in talks:
        talk.says(result(isError=True)).ends()
    outcomes = [row.outcome for row in crowd.take()]
    assert sorted(outcomes) == ["tool_error", "tool_error", "unread", "unread"]


def test_what_is_kept_of_all_large_requests_together_is_bounded(crowd: Playbook) -> None:
    talks = [crowd.post(call_tool(text="x" * 400_000)) for _ in range(4)]
    assert crowd.recording.held <= 1_000_000
    assert sum(len(talk.exchange.body) for talk in talks) <= 1_000_000
    for talk in talks:
        talk.answers(200, JSON).says(result()).ends()
    assert said(crowd.take()) == ["rpc tools/call get_weather ok"] * 2 + ["rpc unread"] * 2


@pytest.mark.parametrize(
    ("status", "wanted"), [(401, "challenge/auth"), (500, "http_error/server"), (200, "unread")]
)
def test_a_request_that_was_let_go_of_still_ends_by_its_status(
    crowd: Playbook, status: int, wanted: str
) -> None:
    crowd.recording.max_held = 100_000
    body = call_tool(text="x" * 400_000)
    crowd.post(body).answers(status, JSON).says(result(text=LARGE)).ends()
    row = crowd.take_one()
    assert (row.kind, row.method, ended_as(row)) == ("rpc", None, wanted)
    assert row.bytes_in == len(body)
    crowd.post(body).ends("timeout")
    assert ended_as(crowd.take_one()) == "timeout/transport"


def test_the_companion_is_told_that_an_answer_was_let_go_of(crowd: Playbook) -> None:
    talk = crowd.post(call_tool(text="x" * 400_000)).answers(200, JSON)
    talk.says(b" " * 700_000, result()).ends()
    assert said(crowd.take()) == ["rpc tools/call get_weather unread"]
    assert len(crowd.frames) == 1


def test_a_request_that_was_let_go_of_needs_no_large_answer(crowd: Playbook) -> None:
    crowd.recording.max_held = COUNTED
    crowd.post(call_tool(text="x" * 200_000)).answers(200, JSON).says(result(isError=True)).ends()
    assert said(crowd.take()) == ["rpc tools/call get_weather tool_error tool"]
    crowd.recording.max_held = 1_000_000
    talk = crowd.post(call_tool(text="x" * 200_000))
    talk.exchange.body = b""
    talk.answers(200, JSON).says(result(text=LARGE)).ends()
    assert said(crowd.take()) == ["rpc tools/call get_weather unread"]


def test_streams_that_stay_open_count_what_they_keep_and_no_more(crowd: Playbook) -> None:
    talks = [crowd.get().answers(200, EVENTS) for _ in range(20)]
    for talk in talks:
        talk.says(b"data: " + b"x" * 90_000)
        assert crowd.recording.held <= 1_000_000
    assert crowd.recording.held > 0
    for talk in talks:
        talk.says(b"\n\n" + PROGRESS)
    assert crowd.recording.held == 0
    for talk in talks:
        talk.ends("gone")


def test_a_stream_that_let_go_goes_on_to_be_read(crowd: Playbook) -> None:
    crowd.recording.max_held = 50_000
    talk = crowd.post(call_tool()).answers(200, EVENTS)
    talk.says(b"data: " + b"x" * 90_000, b"y" * 10_000)
    assert crowd.recording.held <= 50_000
    talk.says(b"\n\n", PROGRESS, event(result(isError=True))).ends()
    assert ended_as(crowd.take_one()) == "tool_error/tool"


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 200_000)), max_size=40))
@examples(40)
def test_whatever_comes_the_bound_holds_and_all_is_given_back(steps: list[tuple[int, int]]) -> None:
    play = Playbook(in_companion=True)
    play.recording.max_held = 300_000
    talks: dict[int, Talk] = {}
    for number, size in steps:
        talk = talks.get(number)
        if talk is None:
            text = call_tool(text="x" * (size * 2))
            kind = EVENTS if number % 2 else JSON
            talks[number] = play.post(text).answers(200, kind)
        elif size % 5 == 0:
            talks.pop(number).ends()
        else:
            talk.says(b"data: " + b"x" * size + b"\n\n" * (size % 3))
        kept = [talk.exchange for talk in talks.values()]
        in_memory = sum(len(x.body) + (x.reader.held if x.reader else 0) for x in kept)
        assert play.recording.held <= 300_000
        assert in_memory <= play.recording.held + 4 * 2 * COUNTED
    for talk in talks.values():
        talk.ends("gone")
    assert play.recording.held == 0


def test_the_limit_of_what_is_kept_is_the_limit_of_an_answer() -> None:
    assert KEEP_LIMIT == 10 * 1024 * 1024


def test_what_nobody_can_take_is_recorded_without_its_answer() -> None:
    """A full pipe must cost the outcome, not the row; we chose it."""
    play = Playbook(in_companion=True)
    play.recording.digest = lambda _exchange, _ending, _now: False
    play.exchange(call_tool("add"), result(note=LARGE))
    (row,) = play.rows
    assert (row.kind, row.method, row.tool) == ("rpc", "tools/call", "add")
    assert (row.outcome, row.origin, row.http_status) == ("unread", None, 200)
    assert row.bytes_out > DECODE_LIMIT
