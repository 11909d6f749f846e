"""Answers in every form: in a coding, in pieces, too large, cut in the middle."""

import gzip
import zlib
from collections.abc import Callable

import pytest
from msgspec import Raw
from tests.pipeline.messages import PROGRESS, call_tool, event, notification, result
from tests.pipeline.playbook import EVENTS, JSON, Playbook, answer_facts_of, ended_as

from mcpr.pipeline.answers import KEEP_LIMIT, AnswerReader
from mcpr.pipeline.outcomes import Ending

FAILED = result(1, isError=True, content=["x" * 200])


def encoding(name: str) -> bytes:
    return b"Content-Encoding: " + name.encode()


@pytest.mark.parametrize(
    ("name", "compress"), [("gzip", gzip.compress), ("deflate", zlib.compress)]
)
@pytest.mark.parametrize(("kind", "body"), [(JSON, FAILED), (EVENTS, PROGRESS + event(FAILED))])
@pytest.mark.parametrize("size", [1, 10, 1000])
def test_a_compressed_answer_is_decoded(
    name: str, compress: Callable[[bytes], bytes], kind: bytes, body: bytes, size: int
) -> None:
    play = Playbook()
    data = compress(body)
    talk = play.post(call_tool()).answers(200, kind, encoding(name))
    talk.says(*(data[i : i + size] for i in range(0, len(data), size))).ends()
    row = play.take_one()
    assert ended_as(row) == "tool_error/tool"
    # What travelled is counted, not what it means.
    assert row.bytes_out == len(data)


@pytest.mark.parametrize("name", ["br", "zstd", "compress", "gzip, br"])
@pytest.mark.parametrize("kind", [JSON, EVENTS])
def test_an_answer_in_a_coding_that_is_not_read_is_unread_and_no_error(
    name: str, kind: bytes
) -> None:
    play = Playbook()
    play.post(call_tool()).answers(200, kind, encoding(name)).says(b"\x0b\x02").ends()
    assert ended_as(play.take_one()) == "unread"


@pytest.mark.parametrize("kind", [JSON, EVENTS])
def test_an_answer_that_is_not_in_the_coding_it_names_is_unread(kind: bytes) -> None:
    play = Playbook()
    talk = play.post(call_tool()).answers(200, kind, encoding("gzip"))
    talk.says(b"nonsense", b"more of it").ends()
    assert ended_as(play.take_one()) == "unread"


def test_a_compressed_answer_that_ends_early_is_garbage() -> None:
    play = Playbook()
    talk = play.post(call_tool()).answers(200, JSON, encoding("gzip"))
    talk.says(gzip.compress(FAILED)[:-20]).ends()
    assert ended_as(play.take_one()) == "broken/protocol"


CUTS: list[tuple[Ending, str]] = [
    ("cut", "broken/transport"),
    ("over", "limited/limit"),
    ("garbage", "broken/protocol"),
    ("gone", "client_gone/client"),
    ("complete", "broken/protocol"),
]


@pytest.mark.parametrize(("ending", "wanted"), CUTS)
@pytest.mark.parametrize(("kind", "body"), [(JSON, FAILED), (EVENTS, event(FAILED))])
@pytest.mark.parametrize("lines", [[], [encoding("gzip")]], ids=["plain", "gzip"])
def test_half_an_answer_is_none(
    lines: list[bytes], kind: bytes, body: bytes, ending: Ending, wanted: str
) -> None:
    for keep in (0, 1, len(body) // 2, len(body) - 2):
        play = Playbook()
        data = gzip.compress(body[:keep]) if lines else body[:keep]
        play.post(call_tool()).answers(200, kind, *lines).says(data).ends(ending)
        assert ended_as(play.take_one()) == wanted, keep


@pytest.mark.parametrize("ending", ["cut", "over", "gone"])
def test_an_answer_that_had_come_whole_counts_however_the_exchange_ends(ending: Ending) -> None:
    play = Playbook()
    play.post(call_tool()).answers(200, JSON).says(FAILED).ends(ending)
    play.post(call_tool()).answers(200, EVENTS).says(event(FAILED), PROGRESS[:9]).ends(ending)
    assert [ended_as(row) for row in play.take()] == ["tool_error/tool"] * 2


def test_json_over_the_keep_limit_is_unread() -> None:
    play = Playbook()
    talk = play.post(call_tool()).answers(200, JSON)
    talk.says(*[b" " * (KEEP_LIMIT // 2)] * 2, FAILED).ends()
    assert ended_as(play.take_one()) == "unread"


def test_json_that_grows_over_the_keep_limit_is_unread() -> None:
    play = Playbook()
    talk = play.post(call_tool()).answers(200, JSON, encoding("gzip"))
    talk.says(gzip.compress(b" " * KEEP_LIMIT + FAILED, 1)).ends()
    assert ended_as(play.take_one()) == "unread"


def test_an_event_larger_than_is_kept_does_not_hide_the_answer_after_it() -> None:
    play = Playbook()
    talk = play.post(call_tool()).answers(200, EVENTS)
    talk.says(b"data: ", *[b"x" * (KEEP_LIMIT // 2)] * 3, b"\n\n")
    assert talk.exchange.at_border
    talk.says(event(FAILED)).ends()
    assert ended_as(play.take_one()) == "tool_error/tool"


def test_an_answer_that_was_too_large_an_event_is_unread() -> None:
    play = Playbook()
    talk = play.post(call_tool()).answers(200, EVENTS)
    talk.says(b"data: ", *[b"x" * (KEEP_LIMIT // 2)] * 3, b"\n\n", PROGRESS).ends()
    assert ended_as(play.take_one()) == "unread"


def test_a_compressed_stream_that_grows_without_end_is_unread() -> None:
    play = Playbook()
    talk = play.post(call_tool()).answers(200, EVENTS, encoding("gzip"))
    bomb = gzip.compress(b"data: " + b"x" * 50_000_000, 9)
    assert len(bomb) < 65_536
    talk.says(bomb, bomb)
    reader = talk.exchange.reader
    assert reader is not None
    assert reader.held == 0
    talk.ends()
    assert ended_as(play.take_one()) == "unread"


def test_an_answer_in_a_stream_keeps_no_event_alive() -> None:
    reader = AnswerReader(answer_facts_of(200, EVENTS), KEEP_LIMIT)
    data = event(result(1, text="x" * 5000))
    assert len(reader.feed(data)) == 1
    assert reader.held == 0
    assert reader.at_border
    # `copy` of a raw value gives itself only where it owns its bytes, and no event's.
    found = reader.answers[0].id
    assert isinstance(found, Raw)
    assert found.copy() is found


def test_the_number_of_answers_that_are_kept_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mcpr.pipeline.answers._MAX_ANSWERS", 10)
    reader = AnswerReader(answer_facts_of(200, EVENTS), KEEP_LIMIT)
    for number in range(100):
        reader.feed(event(result(number)))
    assert len(reader.answers) == 10


@pytest.mark.parametrize("data", [b"result", b'"result"', b'{"result":', b"[]", b"[1]"])
def test_events_that_are_no_messages_are_passed_over(data: bytes) -> None:
    play = Playbook()
    talk = play.post(call_tool()).answers(200, EVENTS)
    talk.says(event(data), event(notification("x", {"error": "result"})), event(FAILED)).ends()
    assert ended_as(play.take_one()) == "tool_error/tool"
