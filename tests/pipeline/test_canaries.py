"""What was asked and what was answered is nowhere in a row (the events page P6-P9).

Every place of an exchange holds a word of its own, which a name, a version or a revision could be
taken for. None may stand in the public part; in the local part only those that are documented to.
"""

import gzip
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import get_args

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.pipeline.messages import PROGRESS, batch, event, notification, text
from tests.pipeline.playbook import EVENTS, JSON, Playbook, answer_facts_of, facts_of
from tests.protocol.size import examples

from mcpr.events import Detail, RequestEvent
from mcpr.pipeline import exchange as room
from mcpr.pipeline.calls import record
from mcpr.pipeline.outcomes import Ending
from mcpr.protocol.mcp import META_CLIENT, META_REVISION

#: Place → the only field of the local part that may hold what stands there.
DOCUMENTED = {
    "resource": "subject",
    "prompt": "subject",
    "longtool": "subject",
    "method": "method",
    "errormessage": "error_text",
    "clientname": "client_name",
    "server": "link",
    "path": "path",
}
_CANARY = re.compile("canary([a-z]+)z")


def canary(place: str) -> str:
    return f"canary{place}z"


def header(name: str) -> bytes:
    return f"{name}: {canary('header')}".encode()


META = {
    META_REVISION: canary("revision"),
    META_CLIENT: {"name": canary("clientname"), "title": canary("meta")},
    "progressToken": canary("meta"),
    "openai/userLocation": {"city": canary("meta")},
    canary("metakey"): canary("meta"),
}
#: A place → what is asked there. The id is a word, too.
ID = canary("id")
ASKED: dict[str, object] = {
    "arguments": {
        "method": "tools/call",
        "params": {
            "name": "add",
            "arguments": {canary("key"): [canary("arguments")], "name": canary("arguments")},
        },
    },
    "arguments as text": {
        "method": "tools/call",
        "params": {"name": "add", "arguments": canary("arguments")},
    },
    "meta": {"method": "tools/call", "params": {"name": "add", "_meta": META}},
    "tool": {"method": "tools/call", "params": {"name": canary("longtool") + " !"}},
    "prompt": {
        "method": "prompts/get",
        "params": {"name": canary("prompt"), "arguments": {"a": canary("arguments")}},
    },
    "resource": {
        "method": "resources/read",
        "params": {"uri": f"file:///{canary('resource')}?q={canary('resource')}"},
    },
    "stray uri and name": {
        "method": "tools/list",
        "params": {"name": canary("stray"), "uri": canary("stray"), "cursor": canary("stray")},
    },
    "completion": {
        "method": "completion/complete",
        "params": {"ref": {"name": canary("ref")}, "argument": {"value": canary("arguments")}},
    },
    "log level": {"method": "logging/setLevel", "params": {"level": canary("level")}},
    "task": {"method": "tasks/get", "params": {"taskId": canary("task")}},
    "retry": {
        "method": "tools/call",
        "params": {
            "name": "add",
            "requestState": canary("state"),
            "inputResponses": {"x": canary("elicited")},
        },
    },
    "initialize": {
        "method": "initialize",
        "params": {
            "protocolVersion": canary("revision"),
            "clientInfo": {"name": canary("clientname"), "version": canary("version") + " "},
            "capabilities": {canary("key"): {}},
        },
    },
    "subscription": {
        "method": "subscriptions/listen",
        "params": {"notifications": {"resourceSubscriptions": [canary("uri")]}},
    },
    "unknown method": {"method": canary("method"), "params": {"name": canary("stray")}},
    "unknown key": {"method": "ping", canary("key"): canary("value"), "params": [canary("value")]},
}
BODIES: dict[str, bytes] = {
    **{name: text({"jsonrpc": "2.0", "id": ID, **said}) for name, said in ASKED.items()},  # type: ignore[dict-item]  # all are objects
    "notification": notification("notifications/progress", {"message": canary("note")}),
    "cancellation": notification(
        "notifications/cancelled", {"requestId": canary("id"), "reason": canary("note")}
    ),
    "elicited": text({"id": ID, "result": {"action": "accept", "content": canary("elicited")}}),
    "sampled": text(
        {"id": ID, "result": {"model": canary("sampled"), "content": canary("sampled")}}
    ),
    "refused": text({"id": ID, "error": {"code": -1, "message": canary("refused")}}),
    "garbage": canary("garbage").encode(),
    "half": b'{"method":"tools/call","params":{"name":"' + canary("garbage").encode(),
    "doubled": b'{"id":1,"method":"ping","method":"tools/call","params":{"name":"add","Name":"%b"}}'
    % canary("stray").encode(),
}
BODIES["batch"] = batch(BODIES["arguments"], BODIES["elicited"], BODIES["prompt"])

RESULT = {
    "content": [{"type": "text", "text": canary("result")}],
    "structuredContent": {canary("key"): canary("result")},
    "_meta": {canary("metakey"): canary("meta")},
    "protocolVersion": canary("revision"),
    "serverInfo": {"name": canary("server"), "version": canary("server")},
    "requestState": canary("state"),
}
ERROR = {"code": -32603, "message": canary("errormessage"), "data": {"x": canary("errordata")}}
QUESTION = text(
    {"id": ID, "method": "elicitation/create", "params": {"message": canary("question")}}
)
ANSWERS: dict[str, bytes] = {
    "result": text({"jsonrpc": "2.0", "id": ID, "result": RESULT}),
    "failed": text({"jsonrpc": "2.0", "id": ID, "result": {**RESULT, "isError": True}}),
    "error": text({"jsonrpc": "2.0", "id": ID, "error": ERROR}),
    "error for nobody": text({"jsonrpc": "2.0", "id": None, "error": ERROR}),
    "garbage": canary("result").encode(),
}

REQUEST_LINES = [
    *(header(name) for name in ("Authorization", "Cookie", "Mcp-Session-Id", "Last-Event-ID")),
    *(header(name) for name in ("X-Api-Key", "MCP-Protocol-Version", "Mcp-Method", "Mcp-Name")),
    *(header(name) for name in ("Mcp-Param-City", "traceparent", "User-Agent", "Origin")),
]
ANSWER_LINES = [
    *(header(name) for name in ("Mcp-Session-Id", "Set-Cookie", "WWW-Authenticate", "Location")),
]
TARGET = f"/{canary('path')}?{canary('query')}={canary('query')}".encode()


@dataclass(frozen=True)
class Leak:
    place: str
    field: str


def leaks(rows: Iterable[RequestEvent]) -> set[Leak]:
    """Every word that stands where it may not."""
    found = set()
    for row in rows:
        public = msgspec.to_builtins(msgspec.structs.replace(row, detail=None))
        for field, value in zip(row.__struct_fields__, public, strict=True):
            found |= {Leak(place, field) for place in _CANARY.findall(str(value))}
        for field in Detail.__struct_fields__:
            value = getattr(row.detail, field, None)
            for place in _CANARY.findall(str(value)):
                if DOCUMENTED.get(place) != field:
                    found.add(Leak(place, field))
    return found


PLACES = ("in place", "in the companion")


def talk(
    play: Playbook, body: bytes, status: int, kind: bytes, pieces: list[bytes], ending: Ending
) -> list[RequestEvent]:
    exchange = play.post(body, *REQUEST_LINES, target=TARGET)
    exchange.answers(status, kind, *ANSWER_LINES).says(*pieces).ends(ending)
    play.recording.unanswered.drain(10**9)
    return play.take()


@pytest.fixture(params=PLACES)
def play(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Playbook:
    if request.param == PLACES[0]:
        return Playbook()
    monkeypatch.setattr(room, "DECODE_LIMIT", 0)
    return Playbook(in_companion=True)


@pytest.mark.parametrize("answer", ANSWERS)
@pytest.mark.parametrize("asked", BODIES)
def test_what_was_asked_and_answered_is_in_no_row(play: Playbook, asked: str, answer: str) -> None:
    body, said = BODIES[asked], ANSWERS[answer]
    stream = [event(QUESTION), PROGRESS, event(said, b"id: " + canary("eventid").encode())]
    for status in (200, 202, 400, 401, 403, 404, 405, 500):
        rows = talk(play, body, status, JSON, [said], "complete")
        rows += talk(play, body, status, EVENTS, stream, "complete")
        assert rows
        assert leaks(rows) == set()


@pytest.mark.parametrize("ending", get_args(Ending))
@pytest.mark.parametrize("asked", BODIES)
def test_however_it_ends_nothing_of_it_is_in_a_row(
    play: Playbook, asked: str, ending: Ending
) -> None:
    for said in (b"", ANSWERS["error"][:60], ANSWERS["failed"], event(QUESTION)):
        for kind in (JSON, EVENTS, b"Content-Type: text/" + canary("header").encode()):
            assert leaks(talk(play, BODIES[asked], 200, kind, [said], ending)) == set()


@pytest.mark.parametrize("method", [b"GET", b"DELETE", b"PUT", b"POST"])
@pytest.mark.parametrize("status", [200, 401, 405, 500])
def test_of_plain_http_only_the_path_is_kept_and_only_here(
    play: Playbook, method: bytes, status: int
) -> None:
    for accept in (b"Accept: */*", b"Accept: text/event-stream"):
        exchange = play.sends(
            method, accept, *REQUEST_LINES, target=TARGET, body=canary("form").encode()
        )
        exchange.answers(status, EVENTS, *ANSWER_LINES).says(event(ANSWERS["result"])).ends()
        (row,) = play.take()
        assert leaks([row]) == set()
        assert row.detail is not None
        assert row.detail.path == f"/{canary('path')}"


@pytest.mark.parametrize("asked", BODIES)
@pytest.mark.parametrize("answer", ANSWERS)
@pytest.mark.parametrize("lines", [[], REQUEST_LINES], ids=["bare", "headers"])
def test_calls_that_are_read_together_keep_nothing_of_it_either(
    asked: str, answer: str, lines: list[bytes]
) -> None:
    play = Playbook()
    facts = facts_of(b"POST", TARGET, JSON, *lines)
    for head, body in (
        (answer_facts_of(200, JSON, *ANSWER_LINES), ANSWERS[answer]),
        (answer_facts_of(200, EVENTS, *ANSWER_LINES), event(ANSWERS[answer])),
    ):
        record(play.recording, [(facts, BODIES[asked], 1, 2, head, body, 3, 4)])
    assert leaks(play.take()) == set()


def test_a_compressed_answer_is_kept_no_more_than_a_plain_one(play: Playbook) -> None:
    exchange = play.post(BODIES["arguments"]).answers(200, JSON, b"Content-Encoding: gzip")
    exchange.says(gzip.compress(ANSWERS["failed"])).ends()
    assert leaks(play.take()) == set()


@pytest.mark.parametrize("asked", BODIES)
def test_without_detail_not_even_the_documented_is_kept(asked: str) -> None:
    play = Playbook(keep_detail=False)
    for answer in ANSWERS.values():
        rows = talk(play, BODIES[asked], 200, JSON, [answer], "complete")
        assert "canary" not in repr(rows)


def test_everything_documented_is_kept_here() -> None:
    play = Playbook()
    kept = set()
    for body in BODIES.values():
        for answer in (ANSWERS["error"], ANSWERS["result"]):
            for row in talk(play, body, 200, JSON, [answer], "complete"):
                kept |= set(_CANARY.findall(repr(row.detail)))
    assert kept == set(DOCUMENTED)


_canaries = st.just(canary("deep"))
_deep = st.recursive(
    _canaries | st.integers() | st.none() | st.booleans(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            _canaries
            | st.sampled_from(["id", "method", "name", "uri", "message", "code", "isError"]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(_deep, _deep, _deep, st.sampled_from(["tools/call", "tools/list", "ping", "prompts/list"]))
@examples(300)
def test_wherever_a_word_stands_in_arguments_meta_or_result_it_is_in_no_row(
    arguments: object, meta: object, result: object, method: str
) -> None:
    params = {"name": "add", "arguments": arguments, "_meta": {"x": meta, "progressToken": meta}}
    body = text({"jsonrpc": "2.0", "id": 1, "method": method, "params": params})
    play = Playbook()
    for said in (
        {"id": 1, "result": {"content": result, "x": meta}},
        {"id": 1, "result": result},
        {"id": 1, "error": {"code": -1, "message": "no", "data": result}},
        {"id": 1, "error": {"code": result, "message": "no"}},
        {"id": 1, "method": "x", "params": result, "error": 1},
    ):
        answer = text(said)
        play.exchange(body, answer)
        facts, head = facts_of(b"POST", b"/mcp", JSON), answer_facts_of(200, JSON)
        record(play.recording, [(facts, body, 1, 2, head, answer, 3, 4)])
        assert "canary" not in repr(play.take())


# The proof can turn red


@pytest.mark.parametrize(
    "field", ["method", "tool", "session", "client", "client_version", "revision", "server"]
)
def test_a_word_in_the_public_part_is_found(field: str) -> None:
    play = Playbook()
    play.exchange(BODIES["arguments"], ANSWERS["result"])
    (row,) = play.take()
    planted = msgspec.structs.replace(row, **{field: canary("arguments")})
    assert leaks([planted]) == {Leak("arguments", field)}


@pytest.mark.parametrize("field", ["subject", "error_text", "note", "path", "client_name"])
def test_a_word_in_the_wrong_field_of_the_local_part_is_found(field: str) -> None:
    play = Playbook()
    play.exchange(BODIES["arguments"], ANSWERS["result"])
    (row,) = play.take()
    assert row.detail is not None
    detail = msgspec.structs.replace(row.detail, **{field: f"x {canary('result')}"})
    assert leaks([msgspec.structs.replace(row, detail=detail)]) == {Leak("result", field)}


def test_every_word_is_a_name_that_no_pattern_would_keep_out() -> None:
    words = set(_CANARY.findall(json.dumps([repr(BODIES), repr(ANSWERS), repr(REQUEST_LINES)])))
    assert len(words) > 20
    for word in words:
        assert re.fullmatch("[A-Za-z0-9_./$-]{1,32}", canary(word))
