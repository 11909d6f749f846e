"""What passes although mcpr, the server or nobody at all knows it: the must-dos of a proxy of MCP.

Each test is a whole passage with real sockets: what left the client is what reached the server, and
the other way round, byte for byte. tests/must_do.py says which test is for which duty.
"""

import asyncio
import json

import pytest
from tests.dataplane.building import (
    CALL,
    CHUNKED,
    EVENTS,
    JSON,
    RESULT,
    REVISION,
    answer,
    get,
    head,
    post,
)
from tests.dataplane.caller import calling
from tests.dataplane.fake_upstream import Peer, answering, playing
from tests.dataplane.messages import Message, chunked
from tests.dataplane.plane import proxying
from tests.dataplane.scene import run

from mcpr.dataplane.state import FOREVER
from mcpr.events import RequestEvent
from mcpr.protocol.limits import Limits

META = "io.modelcontextprotocol/"
MODERN_META = {f"{META}protocolVersion": "2026-07-28", f"{META}clientCapabilities": {}}


def encode(**members: object) -> bytes:
    """A JSON-RPC message with these members, in this order."""
    return json.dumps({"jsonrpc": "2.0", **members}).encode()


async def passage(asks: bytes, says: bytes) -> tuple[Message, Message, list[RequestEvent]]:
    """What the server got, what the client got, and what was recorded."""
    async with (
        playing(answering(says)) as upstream,
        proxying(upstream.port) as plane,
        calling(plane.port) as caller,
    ):
        got = await caller.call(asks)
        return upstream.requests[0], got, plane.rows()


MCP_LINES = (
    b"Mcp-Session-Id: 1868a90c-visible!ASCII~",
    b"MCP-Protocol-Version: DRAFT-2027-v1",
    b"Last-Event-ID: stream-1_0000000007",
    b"Mcp-Method: tools/call",
    b"Mcp-Name: =?base64?Z2V0X3dlYXRoZXI=?=",
    b"Mcp-Param-Region: eu-west",
    b"Mcp-Param-Count: 42",
    b"Mcp-Something-New: of a later revision",
    b"Authorization: Bearer a.b.c==",
    b'WWW-Authenticate: Bearer resource_metadata="https://as.example/x", scope="a b"',
    b'WWW-Authenticate: DPoP algs="ES256"',
    b"DPoP: eyJ0eXAi.eyJodHUi.sig",
    b"DPoP-Nonce: n-0S6_WzA2Mj",
    b"Accept: application/json;q=0.9, text/event-stream, */*",
    b"Content-Type: application/json; charset=UTF-8",
    b"traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    b"tracestate: a=1,b=2",
    b"baggage: user=x",
    b"Cache-Control: no-cache, no-transform",
    b"Origin: http://localhost:6274",
    b"User-Agent: openai-mcp/1.0.0 (ChatGPT)",
    b"x-openai-session: v1/abc",
    b'Link: </mcp/server-card>; rel="mcp"',
)


@pytest.mark.parametrize(
    "line", MCP_LINES, ids=[line.partition(b":")[0].decode() for line in MCP_LINES]
)
def test_a_header_of_mcp_passes_in_both_directions(line: bytes) -> None:
    body = b"{}"
    length = b"Content-Length: %d" % len(body)
    lines = (line,) if line.startswith(b"Content-Type") else (JSON, line)

    async def scene() -> None:
        asks = head(b"POST /mcp HTTP/1.1", b"Host: localhost", *lines, length) + body
        says = head(b"HTTP/1.1 200 OK", *lines, length) + body
        sent, got, _ = await passage(asks, says)
        assert line in sent.lines
        assert line in got.lines

    run(scene())


FRAMES = {
    "every-field": b"event: message\nid: 7\nretry: 1500\ndata: " + RESULT + b"\n\n",
    "lines-of-windows": b"event: message\r\nid: 7\r\ndata: " + RESULT + b"\r\n\r\n",
    "lines-of-old-macs": b"id: 7\rdata: " + RESULT + b"\r\r",
    "priming": b"id: 0\nretry: 50\ndata: \n\ndata: " + RESULT + b"\n\n",
    "empty-data": b"id: 0\ndata\n\n" + b"data: " + RESULT + b"\n\n",
    "comments": b": keepalive\n\n:\n\ndata: " + RESULT + b"\n\n: bye\n\n",
    "data-in-lines": b'data: {"jsonrpc":"2.0",\ndata: "id":7,"result":{}}\n\n',
    "no-space": b"data:" + RESULT + b"\nid:\n\n",
    "byte-order-mark": b"\xef\xbb\xbfdata: " + RESULT + b"\n\n",
    "unknown-fields": b"topic: x\nwhatever\ndata: " + RESULT + b"\n\n",
    "other-event": b"event: endpoint\ndata: /message?sessionId=1\n\n",
    "not-ended": b"data: " + RESULT + b"\n\nid: 8\ndata: half an ev",
    "no-events": b"<html>a mistake</html>",
}


@pytest.mark.parametrize("name", FRAMES)
@pytest.mark.parametrize("size", [1, 5, 10_000])
def test_the_framing_of_events_passes_byte_for_byte(name: str, size: int) -> None:
    frames = FRAMES[name]
    pieces = [frames[here : here + size] for here in range(0, len(frames), size)]

    async def scene() -> None:
        says = head(b"HTTP/1.1 200 OK", EVENTS, CHUNKED) + chunked(*pieces)
        _, got, rows = await passage(post(), says)
        assert got.body == frames
        assert [row.bytes_out for row in rows] == [len(frames)]

    run(scene())


UNREADABLE = {
    "no-json": b"no json at all",
    "cut-short": CALL[:-5],
    "empty": b"",
    "not-utf-8": b'{"jsonrpc":"2.0","id":1,"method":"ping","x":"\xff"}',
    "too-deep": b"[" * 5000,
    "another-json": b'"text"',
    "not-a-number": b'{"jsonrpc":"2.0","id":NaN,"method":"ping"}',
    "members-twice": b'{"jsonrpc":"2.0","id":1,"method":"ping","method":"tools/list"}',
    "another-version": b'{"jsonrpc":"1.0","id":1,"method":"ping"}',
    "large-numbers": b'{"jsonrpc":"2.0","id":12345678901234567890123,"method":"ping"}',
    "spaces": b' \r\n{ "method" : "ping" ,"id":1e0,  "jsonrpc":"2.0" }\t',
    "batch": b'[{"jsonrpc":"2.0","id":1,"method":"ping"},7]',
}


@pytest.mark.parametrize("name", UNREADABLE)
def test_a_body_that_may_not_be_understood_passes_and_is_counted(name: str) -> None:
    body = UNREADABLE[name]

    async def scene() -> None:
        says = answer(body, status=b"400 Bad Request")
        sent, got, rows = await passage(post(body), says)
        assert sent.body == body
        assert got.body == body
        assert sum(row.bytes_in for row in rows) == len(body)
        assert {row.http_status for row in rows} == {400}

    run(scene())


NEW = {
    "method": encode(id=1, method="skills/get", params={"_meta": MODERN_META, "name": "x"}),
    "version": encode(
        id="a", method="tools/list", params={"_meta": {f"{META}protocolVersion": "v999.0.0"}}
    ),
    "meta": encode(
        id=1,
        method="tools/call",
        params={"name": "t", "_meta": {**MODERN_META, "com.example/x": [1, {"deep": None}]}},
    ),
    "extension": encode(
        id=1,
        method="tools/call",
        params={
            "name": "t",
            "_meta": {
                **MODERN_META,
                f"{META}clientCapabilities": {"extensions": {"com.example/later": {}}},
            },
        },
    ),
    "members": encode(id=1, method="ping", params={}, later={"a": 1}, also=[]),
    "notification": encode(method="notifications/later", params={"x": 1}),
}
NEW_ANSWERS = {
    "result-type": encode(id=1, result={"resultType": "later", "then": {"x": 1}}),
    "member": encode(id=1, later=True),
    "code": encode(id=1, error={"code": -32099, "message": "later", "data": {"a": 1}}),
    "meta": encode(
        id=1, result={"_meta": {"com.example/x": 1}, "ttlMs": 5, "cacheScope": "public"}
    ),
    "request": encode(id=1, method="sampling/later", params={}),
}


@pytest.mark.parametrize("asks", NEW)
@pytest.mark.parametrize("says", NEW_ANSWERS)
@pytest.mark.parametrize("form", [JSON, EVENTS], ids=["json", "events"])
def test_what_a_later_revision_may_bring_passes_untouched(
    asks: str, says: str, form: bytes
) -> None:
    body, result = NEW[asks], NEW_ANSWERS[says]
    result = result if form == JSON else b"event: later\ndata: " + result + b"\n\n"

    async def scene() -> None:
        sent, got, rows = await passage(post(body), answer(result, form))
        assert (sent.body, got.body) == (body, result)
        assert len(rows) == 1

    run(scene())


MISMATCHES = {
    "method": (b"Mcp-Method: tools/list",),
    "name": (b"Mcp-Method: tools/call", b"Mcp-Name: another_tool"),
    "name-twice": (b"Mcp-Method: tools/call", b"Mcp-Name: get_weather", b"Mcp-Name: another"),
}


@pytest.mark.parametrize("name", MISMATCHES)
def test_headers_that_contradict_the_body_pass_and_are_noted(name: str) -> None:
    """Enforcing it locks real clients out; whether to refuse is for the server to say."""

    async def scene() -> None:
        sent, got, (row,) = await passage(post(CALL, *MISMATCHES[name]), answer())
        assert set(MISMATCHES[name]) <= set(sent.lines)
        assert (sent.body, got.body) == (CALL, RESULT)
        assert row.outcome == "ok"
        assert row.detail is not None
        assert row.detail.note == "mismatch"

    run(scene())


def test_space_around_a_mirrored_name_is_no_contradiction() -> None:
    """RFC 9110, section 5.5; the server gets the line as it came all the same."""
    line = b"Mcp-Name:  get_weather\t "

    async def scene() -> None:
        sent, _, (row,) = await passage(post(CALL, b"Mcp-Method: tools/call", line), answer())
        assert line in sent.lines
        assert row.detail is None or row.detail.note is None

    run(scene())


def test_every_request_of_a_connection_is_of_the_era_that_it_says_itself() -> None:
    modern = encode(id=2, method="tools/call", params={"name": "get_weather", "_meta": MODERN_META})
    newer = post(modern).replace(REVISION, b"MCP-Protocol-Version: 2026-07-28")
    refused = answer(
        encode(id=2, error={"code": -32022, "message": "no", "data": {"supported": []}}),
        status=b"400 Bad Request",
    )

    async def scene() -> None:
        async with (
            playing(answering(answer(), refused)) as upstream,
            proxying(upstream.port) as plane,
            calling(plane.port) as caller,
        ):
            for asks, body, says, revision in (
                (post(), CALL, answer(), "2025-11-25"),
                (newer, modern, refused, "2026-07-28"),
                (post(), CALL, refused, "2025-11-25"),
            ):
                got = await caller.call(asks)
                assert (upstream.requests[-1].body, got.raw) == (body, says)
                assert plane.row().revision == revision

    run(scene())


@pytest.mark.parametrize(
    "status", [b"301 Moved", b"302 Found", b"303 See", b"307 Temp", b"308 Perm"]
)
def test_a_redirect_is_the_clients_to_follow(status: bytes) -> None:
    async def scene() -> None:
        says = answer(b"", b"Location: /mcp/", status=status)
        async with (
            playing(answering(says)) as upstream,
            proxying(upstream.port) as plane,
            calling(plane.port) as caller,
        ):
            got = await caller.call(post())
            assert (got.raw, len(upstream.requests)) == (says, 1)

    run(scene())


@pytest.mark.parametrize("status", [b"400 Bad Request", b"404 Not Found", b"503 Busy"])
def test_a_lost_session_is_the_clients_to_open_anew(status: bytes) -> None:
    body = encode(id=7, error={"code": -32001, "message": "Session not found"})

    async def scene() -> None:
        says = answer(body, b"Retry-After: 1", status=status)
        async with (
            playing(answering(says)) as upstream,
            proxying(upstream.port) as plane,
            calling(plane.port) as caller,
        ):
            got = await caller.call(post(CALL, b"Mcp-Session-Id: gone"))
            assert (got.raw, len(upstream.requests)) == (says, 1)

    run(scene())


TIGHT = Limits(
    first_byte_seconds=0.1,
    head_seconds=0.1,
    body_seconds=0.1,
    idle_seconds=0.1,
    pool_idle_seconds=0.1,
    stalled_seconds=0.1,
)


@pytest.mark.parametrize("asks", [post(), get(b"Accept: text/event-stream")], ids=["post", "get"])
def test_no_deadline_hangs_over_a_stream_that_has_begun(asks: bytes) -> None:
    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.send(head(b"HTTP/1.1 200 OK", EVENTS, CHUNKED))
        await peer.gone()

    async def scene() -> None:
        async with (
            playing(script) as upstream,
            proxying(upstream.port, TIGHT) as plane,
            calling(plane.port) as caller,
        ):
            await caller.send(asks)
            await caller.reader.readuntil(b"\r\n\r\n")
            (client,) = plane.listener.clients
            assert client.deadline_ns == FOREVER

    run(scene())


def test_streams_of_one_session_go_on_side_by_side() -> None:
    """Each answer on the stream of its own request, in the order in which the server speaks."""
    streams: dict[bytes, Peer] = {}
    all_there = asyncio.Event()
    session = b"Mcp-Session-Id: one"

    async def script(peer: Peer) -> None:
        request = await peer.request()
        assert request is not None
        await peer.send(head(b"HTTP/1.1 200 OK", EVENTS, CHUNKED))
        streams[request.body] = peer
        if len(streams) == 3:
            all_there.set()
        await peer.gone()

    calls = [encode(id=number, method="tools/call", params={"name": "t"}) for number in (1, 2)]

    async def scene() -> None:
        async with (
            playing(script) as upstream,
            proxying(upstream.port) as plane,
            calling(plane.port) as first,
            calling(plane.port) as second,
            calling(plane.port) as listener,
        ):
            await first.send(post(calls[0], session))
            await second.send(post(calls[1], session))
            await listener.send(get(session, b"Accept: text/event-stream"))
            callers = dict(zip([*calls, b""], [first, second, listener], strict=True))
            for caller in callers.values():
                await caller.reader.readuntil(b"\r\n\r\n")
            await all_there.wait()
            for said in (b"", calls[1], calls[0], calls[1], b""):
                piece = b"data: " + said + b"x\n\n"
                await streams[said].send(b"%x\r\n%b\r\n" % (len(piece), piece))
                assert await callers[said].reader.readuntil(b"x\n\n\r\n")
            answers = {
                body: b"data: " + encode(id=number, result={}) + b"\n\n"
                for number, body in ((1, calls[0]), (2, calls[1]))
            }
            for body, piece in answers.items():
                await streams[body].send(b"%x\r\n%b\r\n0\r\n\r\n" % (len(piece), piece))
                assert (await callers[body].reader.readuntil(b"0\r\n\r\n")).endswith(
                    piece + b"\r\n0\r\n\r\n"
                )
            assert [(row.method, row.outcome) for row in plane.rows()] == [("tools/call", "ok")] * 2

    run(scene())
