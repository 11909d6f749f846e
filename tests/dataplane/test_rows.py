"""The row that each conversation leaves in the record, and that the way it took leaves no trace."""

from dataclasses import dataclass

import pytest
from tests.dataplane.building import (
    CALL,
    CHUNKED,
    EVENTS,
    JSON,
    RESULT,
    answer,
    get,
    head,
    post,
    request,
)
from tests.dataplane.caller import calling
from tests.dataplane.fake_upstream import Peer, answering, playing
from tests.dataplane.messages import chunked
from tests.dataplane.plane import proxying
from tests.dataplane.scene import run, until

from mcpr.events import Kind, Origin, Outcome

ERROR = b'{"jsonrpc":"2.0","id":7,"error":{"code":-32000,"message":"no such place"}}'
FAILED = b'{"jsonrpc":"2.0","id":7,"result":{"content":[],"isError":true}}'
NOTE = b'{"jsonrpc":"2.0","method":"notifications/initialized"}'
EVENT = b"event: message\r\ndata: " + RESULT + b"\r\n\r\n"
ACCEPTED = head(b"HTTP/1.1 202 Accepted", b"Content-Length: 0")
TEXT = b"Content-Type: text/plain"


@dataclass(frozen=True)
class Case:
    """A conversation, and what its row must say. answer: as it comes; its size without framing."""

    asks: bytes
    says: bytes
    kind: Kind
    outcome: Outcome
    origin: Origin | None = None
    status: int = 200
    bytes_in: int = len(CALL)
    bytes_out: int = len(RESULT)
    method: str | None = "tools/call"
    tool: str | None = "get_weather"
    rpc_code: int | None = None


CASES = {
    "json": Case(post(), answer(), "rpc", "ok"),
    "json-chunked": Case(
        post(),
        head(b"HTTP/1.1 200 OK", JSON, CHUNKED) + chunked(RESULT[:9], RESULT[9:]),
        "rpc",
        "ok",
    ),
    "json-request-chunked": Case(
        request(b"POST", JSON, CHUNKED) + chunked(CALL[:9], CALL[9:]), answer(), "rpc", "ok"
    ),
    "events": Case(post(), answer(EVENT, EVENTS), "rpc", "ok", bytes_out=len(EVENT)),
    "events-chunked": Case(
        post(),
        head(b"HTTP/1.1 200 OK", EVENTS, CHUNKED) + chunked(b": hello\n\n", EVENT),
        "rpc",
        "ok",
        bytes_out=len(EVENT) + 9,
    ),
    "tool-error": Case(post(), answer(FAILED), "rpc", "tool_error", "tool", bytes_out=len(FAILED)),
    "rpc-error": Case(
        post(), answer(ERROR), "rpc", "rpc_error", "server", bytes_out=len(ERROR), rpc_code=-32000
    ),
    "notification": Case(
        post(NOTE),
        ACCEPTED,
        "notification",
        "ok",
        status=202,
        bytes_in=len(NOTE),
        bytes_out=0,
        method="notifications/initialized",
        tool=None,
    ),
    "other-id": Case(post(), answer(RESULT.replace(b"7", b"8")), "rpc", "broken", "protocol"),
    "text-instead-of-json": Case(
        post(), answer(b"<html>", TEXT), "rpc", "broken", "protocol", bytes_out=6
    ),
    "server-error": Case(
        post(),
        answer(b"oops", TEXT, status=b"500 Oops"),
        "rpc",
        "http_error",
        "server",
        status=500,
        bytes_out=4,
    ),
    "first-401": Case(
        post(),
        answer(b"who", TEXT, b"WWW-Authenticate: Bearer", status=b"401 Unauthorized"),
        "rpc",
        "challenge",
        "auth",
        status=401,
        bytes_out=3,
    ),
    "401-with-a-token": Case(
        post(CALL, b"Authorization: Bearer x"),
        answer(b"who", TEXT, status=b"401 Unauthorized"),
        "rpc",
        "http_error",
        "auth",
        status=401,
        bytes_out=3,
    ),
    "plain-http": Case(
        get(target=b"/health?deep=1"),
        answer(b"fine", TEXT),
        "http",
        "ok",
        bytes_in=0,
        bytes_out=4,
        method=None,
        tool=None,
    ),
    "oauth": Case(
        get(target=b"/.well-known/oauth-protected-resource/mcp"),
        answer(b"{}"),
        "oauth",
        "ok",
        bytes_in=0,
        bytes_out=2,
        method=None,
        tool=None,
    ),
    "stream-not-offered": Case(
        get(b"Accept: text/event-stream"),
        answer(b"no", TEXT, status=b"405 Method Not Allowed"),
        "stream",
        "probe",
        status=405,
        bytes_in=0,
        bytes_out=2,
        method=None,
        tool=None,
    ),
    "delete-session": Case(
        request(b"DELETE", b"Mcp-Session-Id: s"),
        head(b"HTTP/1.1 204 No Content"),
        "http",
        "ok",
        status=204,
        bytes_in=0,
        bytes_out=0,
        method=None,
        tool=None,
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_a_conversation_leaves_its_row_the_first_time_and_the_next(name: str) -> None:
    """The first time the heads are new, then they are known: the record must not tell."""
    case = CASES[name]

    async def scene() -> None:
        async with (
            playing(answering(case.says)) as upstream,
            proxying(upstream.port) as plane,
            calling(plane.port) as caller,
        ):
            for times in range(1, 4):
                got = await caller.call(case.asks, bodiless=case.status in {202, 204})
                assert got.status == case.status
                row = plane.row()
                assert (row.kind, row.outcome, row.origin) == (case.kind, case.outcome, case.origin)
                assert (row.http_status, row.rpc_code) == (case.status, case.rpc_code)
                assert (row.method, row.tool) == (case.method, case.tool)
                assert (row.bytes_in, row.bytes_out) == (case.bytes_in, case.bytes_out)
                assert row.server == "weather"
                assert row.upstream_us is not None
                assert 0 <= row.upstream_us <= row.latency_us
                assert len(upstream.requests) == times

    run(scene())


def test_every_request_of_a_batch_has_its_row() -> None:
    batch = (
        b'[{"jsonrpc":"2.0","id":1,"method":"ping"},{"jsonrpc":"2.0","id":2,"method":"tools/list"}]'
    )
    both = (
        b'[{"jsonrpc":"2.0","id":1,"result":{}},{"jsonrpc":"2.0","id":2,"error":{"code":-32603}}]'
    )

    async def scene() -> None:
        async with (
            playing(answering(answer(both))) as upstream,
            proxying(upstream.port) as plane,
            calling(plane.port) as caller,
        ):
            for _ in range(2):
                await caller.call(post(batch))
                rows = {row.method: (row.outcome, row.rpc_code) for row in plane.rows()}
                assert rows == {"ping": ("ok", None), "tools/list": ("rpc_error", -32603)}

    run(scene())


def test_a_session_is_known_from_its_initialize_on() -> None:
    hello = (
        b'{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-11-25",'
        b'"capabilities":{},"clientInfo":{"name":"claude-code","version":"1.2.3"}}}'
    )
    welcome = b'{"jsonrpc":"2.0","id":0,"result":{"protocolVersion":"2025-06-18"}}'
    session = b"Mcp-Session-Id: very-secret"

    async def scene() -> None:
        async with (
            playing(answering(answer(welcome, session), answer())) as upstream,
            proxying(upstream.port) as plane,
            calling(plane.port) as caller,
        ):
            plain = request(b"POST", JSON, b"Content-Length: %d" % len(hello)) + hello
            await caller.call(plain)
            (first,) = plane.rows()
            for _ in range(2):
                await caller.call(post(CALL, session))
                (later,) = plane.rows()
                assert (first.session, first.client) == (later.session, later.client)
                assert later.client_version == "1.2.3"
            assert first.session is not None
            assert "secret" not in first.session

    run(scene())


def test_a_call_cancelled_by_a_notification_is_recorded_as_cancelled() -> None:
    """Also one that nobody watched: its head was known and its body whole."""
    session = b"Mcp-Session-Id: s"
    cancels = b'{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":7}}'

    async def script(peer: Peer) -> None:
        while (asked := await peer.request()) is not None:
            if b"cancelled" in asked.body:
                await peer.send(ACCEPTED)
                # A server that stops says nothing more of the call.
                await upstream_calls[-1].send(b"0\r\n\r\n")
            elif upstream_calls:
                upstream_calls.append(peer)
                await peer.send(head(b"HTTP/1.1 200 OK", EVENTS, CHUNKED))
            else:
                upstream_calls.append(peer)
                await peer.send(answer())

    async def scene() -> None:
        async with (
            playing(script) as upstream,
            proxying(upstream.port) as plane,
            calling(plane.port) as caller,
            calling(plane.port) as other,
        ):
            await caller.call(post(CALL, session))
            plane.rows()
            await caller.send(post(CALL, session))
            await until(lambda: len(upstream.requests) == 2)
            await other.call(post(cancels, session), bodiless=True)
            assert (await caller.answer()).is_whole
            rows = {row.kind: row.outcome for row in plane.rows()}
            assert rows == {"notification": "ok", "rpc": "cancelled"}

    upstream_calls: list[Peer] = []
    run(scene())
