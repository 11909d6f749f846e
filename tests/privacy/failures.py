"""Scenes in which an exchange fails, in every way that can be brought about from outside."""

import threading

from tests.privacy.messages import (
    CHUNKED,
    EVENTS,
    answer,
    call,
    chunks,
    error,
    event,
    events,
    notification,
    post,
    request,
    result,
    text,
)
from tests.privacy.stage import Scene, Stage

_MODERN = b"MCP-Protocol-Version: 2026-07-28"
_PAGE = b"Content-Type: text/html"
_MIB = 1024 * 1024


def _a_call(argument: str) -> bytes:
    return call("tools/call", {"name": "get_weather", "arguments": {"city": argument}})


def the_server_answers_with_a_status(stage: Stage) -> None:
    plant = stage.plant
    token = b"Authorization: Bearer " + plant("refused token").encode()
    for status, headers, rows in (
        ("500 Oops", (), "rpc http_error"),
        ("404 Gone", (), "rpc http_error"),
        ("403 Forbidden", (), "rpc http_error"),
        ("401 Unauthorized", (token,), "rpc http_error"),
        ("401 Unauthorized", (), "rpc challenge"),
    ):
        place = f"{status}, {rows}"
        metadata = f'WWW-Authenticate: Bearer resource_metadata="{plant(f"challenge of {place}")}"'
        page = f"<h1>{plant(f'page of {place}')}</h1>".encode()
        stage.call(
            _a_call(plant(f"argument of {place}")),
            answer(page, metadata.encode(), status=status, kind=_PAGE),
            rows=rows,
            headers=headers,
        )
    words = error(
        plant("message of a challenge", local="error_text"), plant("data of a challenge"), -32001
    )
    stage.call(_a_call("Bergen"), answer(words, status="401 Who?"), rows="rpc challenge")


def the_client_asks_for_what_there_is_not(stage: Stage) -> None:
    plant = stage.plant
    stage.exchange(
        request("GET", f"/mcp?p={plant('query of a probe')}", None, b"Accept: text/event-stream"),
        answer(plant("answer to a probe").encode(), status="405 No"),
        rows="stream probe",
    )


def the_answer_breaks(stage: Stage) -> None:
    plant = stage.plant
    begun = answer(result(text(plant("beginning of a cut answer"))))[:-4]
    stage.exchange(
        post(_a_call(plant("argument of a cut call")), stage.in_session),
        begun,
        None,
        rows="rpc broken",
    )
    stage.exchange(
        post(_a_call(plant("argument of an unanswered call")), stage.in_session),
        None,
        rows="rpc broken",
    )
    stage.exchange(
        post(_a_call("Bergen"), stage.in_session),
        b"HTTP/1.1 nonsense " + plant("status line of nonsense").encode() + b"\r\n\r\n",
        rows="rpc broken",
    )
    stage.call(
        _a_call("Bergen"),
        answer(b'{"jsonrpc":"2.0","id":7,"result":"' + plant("broken answer").encode()),
        rows="rpc broken",
    )
    stage.call(
        _a_call("Bergen"),
        answer(plant("page in place of JSON").encode(), kind=_PAGE),
        rows="rpc broken",
    )
    stage.exchange(
        post(_a_call("Bergen"), stage.in_session),
        answer(None, CHUNKED, kind=EVENTS)
        + chunks(event(notification("notifications/message", {"data": plant("cut stream")})))[:-5],
        None,
        rows="rpc broken",
    )


def an_answer_never_comes_where_it_could(stage: Stage) -> None:
    """It may still come on a stream of the session, so the row is written at the end."""
    told = event(
        notification("notifications/message", {"data": stage.plant("stream without an answer")}),
        b"id: " + stage.plant("id to resume from").encode(),
    )
    params = {"name": "get_weather", "arguments": stage.plant("argument of an unlinked call")}
    asked = post(call("tools/call", params, "unlinked"), stage.in_session)
    stage.exchange(asked, events(told), rows="")
    stage.late["rpc broken"] += 1


def foreign_names_are_denied(stage: Stage) -> None:
    plant = stage.plant
    for header in ("Host: %s.example", "Origin: https://%s.example"):
        name = header.partition(":")[0]
        stage.exchange(
            post(
                _a_call(plant(f"argument of a call with a foreign {name}")),
                (header % plant(f"foreign {name}")).encode(),
                target=f"/mcp?x={plant(f'query of a call with a foreign {name}')}",
            ),
            rows="http denied",
        )


def bodies_are_larger_than_allowed(stage: Stage) -> None:
    plant = stage.plant
    filler = b"x" * (6 * _MIB)
    body = plant("beginning of too large a body").encode() + filler
    stage.exchange(post(body + plant("end of too large a body").encode()), rows="http limited")
    body = plant("too large a body in chunks").encode() + filler
    stage.exchange(post(b"", CHUNKED) + chunks(body), rows="http limited")
    large = plant("too large an answer").encode() + filler + filler
    stage.exchange(post(_a_call("Bergen"), stage.in_session), answer(large), rows="rpc limited")
    large = plant("too large an answer in chunks").encode() + filler
    stage.exchange(
        post(_a_call("Bergen"), stage.in_session),
        answer(None, CHUNKED) + chunks(large, filler),
        rows="rpc limited",
    )


def a_head_is_refused(stage: Stage) -> None:
    plant = stage.plant
    user = f"http://{plant('user in a target')}@127.0.0.1/"
    for data in (
        request("GET", user, None),
        f"GET /{plant('target of half a head')} HTTP/1.1\r\nHost: x\nX: y\r\n\r\n".encode(),
        request("GET", "/", None, f"bad name: {plant('value of a bad header')}".encode()),
        request("GET", "/", None, f"X-Long: {plant('long header')}{'x' * 70_000}".encode()),
        request("GET", "/", None, f"Expect: {plant('expectation')}".encode()),
        request("GET", "/", None, f"Transfer-Encoding: {plant('transfer coding')}".encode()),
        plant("no HTTP at all").encode() + b"\r\n\r\n",
    ):
        stage.exchange(data, rows="http http_error")
    stage.exchange(
        post(b"", CHUNKED) + plant("size of a chunk").encode() + b"\r\n", rows="http http_error"
    )


def the_client_loses_patience(stage: Stage) -> None:
    plant = stage.plant
    begun = answer(None, CHUNKED, kind=EVENTS)
    for header, row in ((stage.in_session, "rpc client_gone"), (_MODERN, "rpc cancelled")):
        asked = post(_a_call(plant(f"argument of a call that ended {row}")), header)
        connection = stage.begin(asked, begun)
        stage.client.read_until(connection, b"\r\n\r\n")
        stage.leave(connection, row)
    # In the legacy era a notification says so; the stream then ends without an answer.
    told = threading.Event()
    asked = post(_a_call(plant("argument of a cancelled call")), stage.in_session)
    connection = stage.begin(asked, begun, told, chunks())
    stage.client.read_until(connection, b"\r\n\r\n")
    params = {"requestId": 7, "reason": plant("reason of a cancellation")}
    stage.exchange(
        post(notification("notifications/cancelled", params), stage.in_session),
        answer(b"", status="202 Accepted", kind=b"X-Accepted: 1"),
        rows="notification ok",
    )
    told.set()
    stage.client.read_until(connection, b"0\r\n\r\n")
    stage.leave(connection, "rpc cancelled")


SCENES: tuple[Scene, ...] = (
    the_server_answers_with_a_status,
    the_client_asks_for_what_there_is_not,
    the_answer_breaks,
    an_answer_never_comes_where_it_could,
    foreign_names_are_denied,
    bodies_are_larger_than_allowed,
    a_head_is_refused,
    the_client_loses_patience,
)
