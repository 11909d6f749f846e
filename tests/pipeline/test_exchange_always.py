"""Whatever happens, each request is recorded once, with its bytes and its times."""

from hypothesis import given
from hypothesis import strategies as st
from tests.pipeline.conversations import (
    AnswerHead,
    Conversation,
    conversations,
    endings,
    heads,
    pieces,
)
from tests.pipeline.playbook import WALL_MS, Playbook, session
from tests.protocol.size import examples

from mcpr.pipeline.outcomes import Ending


@given(conversations(), st.booleans())
@examples(400)
def test_there_is_one_row_for_each_request_or_one_for_the_exchange(
    conversation: Conversation, in_companion: bool
) -> None:
    play = Playbook(in_companion=in_companion)
    conversation.happen(play)
    waiting = len(play.recording.unanswered)
    rows = play.take()
    play.waits(at=200_000)
    rows += play.take()
    expected = max(1, conversation.requests)
    assert len(rows) == expected
    assert len({row.id for row in rows}) == expected
    assert waiting <= expected
    for row in rows:
        assert (row.latency_us, row.upstream_us, row.ts_ms) == (4000, 3000, WALL_MS + 10)
        assert row.http_status == (conversation.head and conversation.head.status)
    assert sum(row.bytes_in for row in rows) == len(conversation.body)
    assert sum(row.bytes_out for row in rows) == conversation.bytes_out
    assert play.recording.held == 0


@given(
    st.sampled_from([b"GET", b"DELETE", b"PUT", b"OPTIONS"]),
    st.sampled_from([(), (b"Accept: text/event-stream",)]),
    st.none() | heads,
    pieces,
    endings,
)
@examples(150)
def test_a_request_without_messages_is_one_row(
    method: bytes,
    lines: tuple[bytes, ...],
    head: AnswerHead | None,
    said: tuple[bytes, ...],
    ending: Ending,
) -> None:
    play = Playbook()
    talk = play.sends(method, *lines, session("s"))
    if head is not None:
        talk.answers(head.status, *head.lines).says(*said)
    talk.ends(ending)
    row = play.take_one()
    assert row.kind in {"stream", "http"}
    assert row.bytes_out == (0 if head is None else sum(map(len, said)))


@given(st.lists(conversations(), max_size=6))
@examples(60)
def test_several_exchanges_at_once_do_not_get_in_each_others_way(
    all_at_once: list[Conversation],
) -> None:
    play = Playbook()
    under_way = []
    for number, conversation in enumerate(all_at_once):
        # A session for each, so that none cancels or answers what is another's.
        talk = play.post(conversation.body, session(f"s{number}"))
        under_way.append((talk, conversation))
    for talk, conversation in under_way:
        if conversation.head is not None:
            talk.answers(conversation.head.status, *conversation.head.lines)
    for step in range(5):
        for talk, conversation in under_way:
            if conversation.head is not None:
                talk.says(*conversation.pieces[step : step + 1])
    for talk, conversation in reversed(under_way):
        talk.ends(conversation.ending)
    play.waits(at=200_000)
    rows = play.take()
    assert len(rows) == sum(max(1, conversation.requests) for conversation in all_at_once)
    assert sum(row.bytes_out for row in rows) == sum(x.bytes_out for x in all_at_once)
