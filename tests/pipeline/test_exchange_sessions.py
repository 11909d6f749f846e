"""Who calls, in both eras: by the session somebody opened, or by what the request says itself."""

import gzip

import pytest
from tests.pipeline.messages import (
    batch,
    call_tool,
    client,
    error,
    event,
    initialize,
    modern,
    request,
    result,
    welcome,
)
from tests.pipeline.playbook import (
    EVENTS,
    JSON,
    LEGACY,
    MODERN,
    Playbook,
    detail_of,
    said,
    session,
    session_hash,
)

from mcpr.events import RequestEvent
from mcpr.protocol.mcp import META_CLIENT, META_REVISION


def who(row: RequestEvent) -> tuple[str | None, str | None, str | None, str | None]:
    return row.session, row.client, row.client_version, row.revision


def test_initialize_opens_the_session_that_its_answer_names() -> None:
    play = Playbook()
    play.post(initialize()).answers(200, JSON, session("s")).says(welcome("2025-06-18")).ends()
    row = play.take_one()
    assert said([row]) == ["rpc initialize ok"]
    assert who(row) == (session_hash("s"), "claude-code", "2.1.0", "2025-06-18")
    assert detail_of(row).client_name == "claude-code"


LATER = {
    "call": call_tool(),
    "notification": b'{"method":"notifications/initialized"}',
    "answer": result(1),
    "batch": batch(call_tool()),
}


@pytest.mark.parametrize("body", LATER.values(), ids=LATER)
def test_later_messages_of_the_session_carry_its_client_and_revision(body: bytes) -> None:
    play = Playbook()
    play.opens("s", initialize(revision="2025-11-25"), welcome("2025-06-18"))
    play.exchange(body, result(), session("s"))
    row = play.take_one()
    assert who(row) == (session_hash("s"), "claude-code", "2.1.0", "2025-06-18")
    assert detail_of(row).client_name == "claude-code"


@pytest.mark.parametrize("method", [b"GET", b"DELETE"])
def test_streams_and_deletes_of_the_session_carry_its_client(method: bytes) -> None:
    play = Playbook()
    play.opens("s", initialize(), welcome())
    play.sends(method, b"Accept: text/event-stream", session("s")).answers(405).ends()
    assert who(play.take_one()) == (session_hash("s"), "claude-code", "2.1.0", "2025-11-25")


def test_another_session_and_no_session_know_nothing_of_it() -> None:
    play = Playbook()
    play.opens("s", initialize(), welcome())
    play.exchange(call_tool(), result(), session("t"))
    play.exchange(call_tool(), result())
    assert [who(row) for row in play.take()] == [
        (session_hash("t"), None, None, None),
        (None, None, None, None),
    ]


def test_the_head_of_a_request_says_its_revision_before_the_session_does() -> None:
    play = Playbook()
    play.opens("s", initialize(), welcome("2025-06-18"))
    play.exchange(call_tool(), result(), session("s"), LEGACY)
    assert play.take_one().revision == "2025-11-25"


NOT_OPENED = {
    "400": (400, JSON, error(-32600, id=0)),
    "404": (404, JSON, error(-32001, id=None)),
    "500": (500, JSON, welcome()),
    "307": (307, JSON, welcome()),
    "an error": (200, JSON, error(-32602, id=0)),
    "garbage": (200, JSON, b"<html>"),
    "another id": (200, JSON, result(9, protocolVersion="2025-11-25")),
    "HTML": (200, b"Content-Type: text/html", b"<html>"),
    "no answer in the events": (200, EVENTS, event(error(-1, id=9))),
}


@pytest.mark.parametrize(("status", "kind", "body"), NOT_OPENED.values(), ids=NOT_OPENED)
def test_an_initialize_that_did_not_succeed_opens_no_session(
    status: int, kind: bytes, body: bytes
) -> None:
    play = Playbook()
    play.post(initialize()).answers(status, kind, session("s")).says(body).ends()
    row = play.take_one()
    # What the client said of itself holds for its own request all the same.
    assert (row.session, row.client) == (None, "claude-code")
    assert len(play.recording.sessions) == 0


def test_a_session_on_the_answer_to_anything_else_opens_none() -> None:
    play = Playbook()
    play.post(call_tool()).answers(200, JSON, session("s")).says(result()).ends()
    assert play.take_one().session is None
    assert len(play.recording.sessions) == 0


def test_without_a_session_initialize_still_tells_client_and_negotiated_revision() -> None:
    play = Playbook()
    play.exchange(initialize(), welcome("2025-03-26"))
    assert who(play.take_one()) == (None, "claude-code", "2.1.0", "2025-03-26")


OPENED = {
    "events": ([EVENTS], event(welcome("2025-06-18")), "2025-06-18", "ok"),
    "gzip": (
        [JSON, b"Content-Encoding: gzip"],
        gzip.compress(welcome("2025-06-18")),
        "2025-06-18",
        "ok",
    ),
    "no revision in it": ([JSON], result(0), "2025-11-25", "ok"),
    "a revision that is none": ([JSON], result(0, protocolVersion="latest"), "2025-11-25", "ok"),
    # Whether it succeeded cannot be read; that it was answered with a session can.
    "brotli": ([JSON, b"Content-Encoding: br"], b"\x0b\x02", "2025-11-25", "unread"),
}


@pytest.mark.parametrize(("lines", "body", "revision", "outcome"), OPENED.values(), ids=OPENED)
def test_a_session_opens_in_whatever_form_the_answer_comes(
    lines: list[bytes], body: bytes, revision: str, outcome: str
) -> None:
    play = Playbook()
    play.post(initialize()).answers(200, *lines, session("s")).says(body).ends()
    row = play.take_one()
    assert (row.outcome, row.session, row.revision) == (outcome, session_hash("s"), revision)
    play.exchange(call_tool(), result(), session("s"))
    assert who(play.take_one()) == (session_hash("s"), "claude-code", "2.1.0", revision)


def test_a_client_that_left_after_the_answer_has_opened_its_session() -> None:
    play = Playbook()
    talk = play.post(initialize()).answers(200, EVENTS, session("s")).says(event(welcome()))
    talk.ends("gone")
    play.exchange(call_tool(), result(), session("s"))
    assert [row.client for row in play.take()] == ["claude-code", "claude-code"]


def test_a_session_that_is_lost_and_opened_anew_belongs_to_the_new_client() -> None:
    play = Playbook()
    play.opens("s", initialize("zed"), welcome())
    play.exchange(call_tool(), error(-32600, id=None), session("s"), status=404)
    play.opens("s", initialize("goose"), welcome())
    play.exchange(call_tool(), result(), session("s"))
    assert play.take_one().client == "goose"


def test_a_modern_request_describes_itself_whatever_session_it_names() -> None:
    play = Playbook()
    play.opens("s", initialize(), welcome())
    play.exchange(modern("tools/call", {"name": "add"}), result(), session("s"), LEGACY)
    row = play.take_one()
    assert who(row) == (session_hash("s"), "chatgpt", "1.0.0", "2026-07-28")
    assert detail_of(row).client_name == "openai-mcp"


def test_both_eras_may_be_spoken_in_turn_on_one_session() -> None:
    play = Playbook()
    play.opens("s", initialize(), welcome())
    play.exchange(modern("ping"), result(), session("s"))
    play.exchange(call_tool(), result(), session("s"))
    assert [row.client for row in play.take()] == ["chatgpt", "claude-code"]


def meta(**fields: object) -> bytes:
    names = {"revision": META_REVISION, "client": META_CLIENT}
    return request("ping", {"_meta": {names.get(key, key): x for key, x in fields.items()}})


HALF_DESCRIBED = {
    "nothing": (meta(progressToken=1), "claude-code", "2.1.0", "2025-11-25"),
    "revision alone": (meta(revision="2026-07-28"), "claude-code", "2.1.0", "2026-07-28"),
    "client alone": (meta(client=client("zed", "1")), "zed", "1", None),
    "client without a name": (meta(client={"version": "1"}), None, "1", None),
    "client of another type": (meta(client="zed"), "claude-code", "2.1.0", "2025-11-25"),
    "revision that is none": (meta(revision="latest"), "claude-code", "2.1.0", "2025-11-25"),
    "revision of another type": (meta(revision=7), "claude-code", "2.1.0", "2025-11-25"),
    "version of another type": (meta(client={"name": "zed", "version": 7}), "zed", None, None),
}


@pytest.mark.parametrize(
    ("body", "slug", "version", "revision"), HALF_DESCRIBED.values(), ids=HALF_DESCRIBED
)
def test_what_a_request_leaves_open_its_session_tells(
    body: bytes, slug: str | None, version: str | None, revision: str | None
) -> None:
    play = Playbook()
    play.opens("s", initialize(), welcome())
    play.exchange(body, result(), session("s"))
    assert who(play.take_one())[1:] == (slug, version, revision)


def test_on_the_stateless_wire_the_head_tells_the_revision_of_a_client_that_does_not() -> None:
    play = Playbook()
    play.exchange(meta(client=client("zed", "1")), result(), MODERN)
    assert who(play.take_one()) == (None, "zed", "1", "2026-07-28")


def test_sessions_are_bounded_and_the_oldest_is_forgotten() -> None:
    play = Playbook()
    play.recording.sessions._limit = 3
    for number in range(5):
        play.opens(f"s{number}", initialize("zed"), welcome())
    for number in range(5):
        play.exchange(call_tool(), result(), session(f"s{number}"))
    assert [row.client for row in play.take()] == [None, None, "zed", "zed", "zed"]
