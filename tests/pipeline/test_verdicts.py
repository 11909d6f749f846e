"""Every way a request can end, with its outcome, its origin and its code.

The tables here are written by hand from what was promised (ADR 0005, the mapping of outcomes),
not from the code; the conversations that fill them go through the whole room.
"""

from typing import get_args

import pytest
from tests.pipeline.messages import batch, call_tool, error, event, modern, notification, result
from tests.pipeline.playbook import EVENTS, JSON, TOKEN, Playbook, ended_as

from mcpr.events import ORIGINS, OUTCOMES, RequestEvent
from mcpr.pipeline.outcomes import ENDINGS, Ending

BR = b"Content-Encoding: br"
HTML = b"Content-Type: text/html"

#: What came before the end: header lines, body. The request has the id 1.
ANSWERS: dict[str, tuple[list[bytes], bytes]] = {
    "result": ([JSON], result(1, content=[])),
    "result null": ([JSON], b'{"jsonrpc":"2.0","id":1,"result":null}'),
    "result in a batch": ([JSON], batch(result(2), result(1))),
    "result in events": ([EVENTS], event(notification("x")) + event(result(1))),
    "isError": ([JSON], result(1, isError=True, content=[])),
    "isError in events": ([EVENTS], event(result(1, isError=True))),
    "isError false": ([JSON], result(1, isError=False)),
    "client's error": ([JSON], error(-32601)),
    "client's error in events": ([EVENTS], event(error(-32601))),
    "server's error": ([JSON], error(-32603)),
    "error for no id": ([JSON], error(-32601, id=None)),
    "error without an id": ([JSON], b'{"jsonrpc":"2.0","error":{"code":-32601,"message":"x"}}'),
    "error without a code": ([JSON], b'{"jsonrpc":"2.0","id":1,"error":{}}'),
    "error that is text": ([JSON], b'{"jsonrpc":"2.0","id":1,"error":"broken"}'),
    "error for another id": ([JSON], error(-32601, id="server-error")),
    "result for another id": ([JSON], result(2)),
    "result for the id as text": ([JSON], result("1")),
    "result without an id": ([JSON], b'{"jsonrpc":"2.0","result":{}}'),
    "neither": ([JSON], b'{"jsonrpc":"2.0","id":1}'),
    "error null": ([JSON], b'{"jsonrpc":"2.0","id":1,"error":null}'),
    "a request": ([JSON], call_tool()),
    "nothing": ([JSON], b""),
    "garbage": ([JSON], b"<html>"),
    "half": ([JSON], b'{"jsonrpc":"2.0","id":1,"result":{'),
    "HTML": ([HTML], b"<html>"),
    "no body": ([], b""),
    "events without an answer": ([EVENTS], event(notification("notifications/progress"))),
    "no event": ([EVENTS], b""),
    "half an event": ([EVENTS], b"data: " + result(1) + b"\n"),
    "brotli": ([JSON, BR], b"\x0b\x02\x80"),
    "brotli events": ([EVENTS, BR], b"\x0b\x02\x80"),
    "no gzip": ([JSON, b"Content-Encoding: gzip"], b"no gzip"),
}

#: What they come to: a column for each status (`+` with a token), a row for each family of answers.
#: Words: outcome/origin/code.
STATUSES = ["200", "202", "307", "400", "401", "401+", "403+", "403", "404", "405", "429", "500"]
_CODE = "/-32601"
_BY_STATUS = [
    *("http_error/client", "challenge/auth"),
    *["http_error/auth"] * 3,
    *["http_error/client"] * 3,
    "http_error/server",
]
_BY_CLIENTS_CODE = [
    f"rpc_error/client{_CODE}",
    f"challenge/auth{_CODE}",
    *[f"rpc_error/auth{_CODE}"] * 3,
    *[f"rpc_error/client{_CODE}"] * 4,
]
FAMILIES: dict[str, list[str]] = {
    "good": ["ok", "ok", "ok", *_BY_STATUS],
    "tool": ["tool_error/tool"] * 12,
    "client": [*[f"rpc_error/client{_CODE}"] * 3, *_BY_CLIENTS_CODE],
    "server": [
        *["rpc_error/server/-32603"] * 4,
        "challenge/auth/-32603",
        *["rpc_error/auth/-32603"] * 3,
        *["rpc_error/server/-32603"] * 4,
    ],
    "codeless": [
        *["rpc_error/server"] * 4,
        "challenge/auth",
        *["rpc_error/auth"] * 3,
        *["rpc_error/server"] * 4,
    ],
    # Its status, of 400 and more, tells that it is this request's.
    "foreign error": [*["broken/protocol"] * 3, *_BY_CLIENTS_CODE],
    "neither": ["broken/protocol"] * 12,
    "missing": [*["broken/protocol"] * 3, *_BY_STATUS],
    "unread": [*["unread"] * 3, *_BY_STATUS],
}
FAMILY_OF = {
    "result": "good",
    "result null": "good",
    "result in a batch": "good",
    "result in events": "good",
    "isError": "tool",
    "isError in events": "tool",
    "isError false": "good",
    "client's error": "client",
    "client's error in events": "client",
    "server's error": "server",
    "error for no id": "client",
    "error without an id": "client",
    "error without a code": "codeless",
    "error that is text": "codeless",
    "error for another id": "foreign error",
    "neither": "neither",
    "error null": "neither",
    "brotli": "unread",
    "brotli events": "unread",
    "no gzip": "unread",
}
UNANSWERED = {"missing", "unread"}
NO_HEAD = "no head"

#: Of a request without an answer, whatever the status was.
BY_ENDING: dict[Ending, str] = {
    "cut": "broken/transport",
    "garbage": "broken/protocol",
    "timeout": "timeout/transport",
    "unreachable": "unreachable/connect",
    "over": "limited/limit",
    "busy": "limited/limit",
    "too_large": "limited/limit",
    "denied": "denied/policy",
    "malformed": "http_error/client",
    "stopped": "broken/proxy",
    "internal": "internal/proxy",
}


def ended(request: bytes, status: str, answer: str, ending: Ending) -> RequestEvent:
    play = Playbook()
    talk = play.post(request, *([TOKEN] if status.endswith("+") else []))
    if status != NO_HEAD:
        lines, body = ANSWERS[answer]
        talk.answers(int(status[:3]), *lines)
        if body:
            talk.says(body)
    talk.ends(ending)
    return play.take_one()


def expected(status: str, answer: str) -> str:
    return FAMILIES[FAMILY_OF.get(answer, "missing")][STATUSES.index(status)]


def is_unanswered(status: str, answer: str) -> bool:
    family = FAMILY_OF.get(answer, "missing")
    return family in UNANSWERED or (family == "foreign error" and status < "400")


@pytest.mark.parametrize("status", STATUSES)
@pytest.mark.parametrize("answer", ANSWERS)
def test_a_complete_exchange_ends_as_its_answer_and_its_status_say(
    answer: str, status: str
) -> None:
    assert ended_as(ended(call_tool(), status, answer, "complete")) == expected(status, answer)


@pytest.mark.parametrize("answer", ANSWERS)
@pytest.mark.parametrize("ending", BY_ENDING)
def test_an_exchange_that_broke_off_ends_as_its_answer_says_or_else_by_its_ending(
    ending: Ending, answer: str
) -> None:
    assert ended_as(ended(call_tool(), NO_HEAD, answer, ending)) == BY_ENDING[ending]
    for status in STATUSES:
        wanted = expected(status, answer)
        if is_unanswered(status, answer):
            wanted = BY_ENDING[ending]
        assert ended_as(ended(call_tool(), status, answer, ending)) == wanted, status


@pytest.mark.parametrize("answer", ANSWERS)
@pytest.mark.parametrize(
    ("request_", "left"),
    [(call_tool(), "client_gone/client"), (modern("tools/call"), "cancelled/client")],
    ids=["legacy", "modern"],
)
def test_a_client_that_left_early_is_gone_in_the_legacy_era_and_cancels_in_the_modern(
    request_: bytes, left: str, answer: str
) -> None:
    assert ended_as(ended(request_, NO_HEAD, answer, "gone")) == left
    for status in STATUSES:
        wanted = expected(status, answer)
        # Of an answer with an error status nobody needs to read all.
        if is_unanswered(status, answer) and status < "400":
            wanted = left
        assert ended_as(ended(request_, status, answer, "gone")) == wanted, status


def test_the_tables_hold_every_ending_there_is() -> None:
    assert {*BY_ENDING, "complete", "gone"} == set(get_args(Ending))
    assert {*ENDINGS, "complete"} == set(get_args(Ending))


def test_the_tables_hold_every_answer_and_every_status() -> None:
    assert set(FAMILY_OF) <= set(ANSWERS)
    assert {len(columns) for columns in FAMILIES.values()} == {len(STATUSES)}


DISCOVER = modern("server/discover")


@pytest.mark.parametrize("ending", BY_ENDING)
@pytest.mark.parametrize("status", [None, 400, 502])
def test_a_discover_that_broke_off_is_no_probe(ending: Ending, status: int | None) -> None:
    play = Playbook()
    talk = play.post(DISCOVER)
    talk.exchange.status = status
    talk.ends(ending)
    assert ended_as(play.take_one()) == BY_ENDING[ending]


def test_every_outcome_and_every_origin_of_the_lists_is_reached() -> None:
    told = {word for columns in FAMILIES.values() for word in columns} | {*BY_ENDING.values()}
    told |= {"client_gone/client", "cancelled/client", "probe"}
    assert {word.split("/")[0] for word in told} == set(OUTCOMES)
    assert {word.split("/")[1] for word in told if "/" in word} == set(ORIGINS)
