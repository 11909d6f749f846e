"""The fast way, the long way, in pieces: nothing of an exchange tells which way it took."""

from collections.abc import Sequence
from dataclasses import replace

import msgspec
from hypothesis import given
from hypothesis import strategies as st
from tests.dataplane.building import CALL, CHUNKED, EVENTS, JSON, RESULT, head
from tests.dataplane.caller import calling
from tests.dataplane.fake_upstream import Peer, playing
from tests.dataplane.messages import Message, chunked, cut_at, is_same
from tests.dataplane.plane import proxying
from tests.dataplane.scene import run, until
from tests.dataplane.test_rows import ERROR, FAILED, NOTE, TEXT
from tests.protocol.size import examples

from mcpr.events import Detail, RequestEvent

TIMELESS = {"id": b"", "ts_ms": 0, "latency_us": 0, "upstream_us": 0}


def without_times(rows: Sequence[RequestEvent]) -> list[RequestEvent]:
    """The rows but for what no two conversations share."""
    bare = []
    for row in rows:
        detail = msgspec.structs.replace(row.detail or Detail(), upstream_first_us=None)
        bare.append(msgspec.structs.replace(row, detail=detail, **TIMELESS))
    return bare


def without_our_date(message: Message) -> Message:
    """An answer of our own says when it was made; an upstream's stays as it is."""
    if message.value(b"mcpr-error") is None:
        return message
    kept = [line for line in message.lines if not line.startswith(b"Date:")]
    return replace(message, head=head(message.start, *kept))


HEADERS = st.lists(
    st.sampled_from(
        (
            b"Traceparent: 00-1",
            b"Authorization: Bearer x",
            b"Cookie: a=1",
            b"Cookie: b=2",
            b"X-Request-ID: r",
            b"x-own: 1",
            b"X-Own: 2",
            b"Connection: x-own",
            b"Connection: keep-alive, x-request-id",
            b"Connection: close",
            b"Expect: 100-continue",
            b"Mcp-Session-Id: s",
            b"Mcp-Method: tools/call",
            b"Date: Sun, 22 Nov 2026 10:00:00 GMT",
            b"Set-Cookie: c",
            b"ETag: e",
            b"Content-Encoding: identity",
            b"Origin: http://evil.example",
        )
    ),
    max_size=6,
    unique=True,
)
BODIES = st.sampled_from(
    (
        CALL,
        CALL.replace(b"7", b'"seven"'),
        CALL.replace(b"tools/call", b"t\\u006fols/call"),
        CALL.replace(b'"id":7', b'"id":7,"id":8'),
        b'{"jsonrpc":"2.0","id":7,"method":"ping"}',
        b'{"jsonrpc":"2.0","id":7,"method":"resources/read","params":{"uri":"file:///x"}}',
        b'{"jsonrpc":"2.0","id":7,"method":"server/discover"}',
        NOTE,
        b"{}",
        b"",
        b"\xff",
    )
)
ANSWERS = st.sampled_from((RESULT, FAILED, ERROR, b"{}", b"", b"<html>", b"[%b]" % RESULT))
KINDS = st.sampled_from((JSON, EVENTS, TEXT))
STATUSES = st.sampled_from((b"200 OK", b"202 Accepted", b"401 No", b"404 Lost", b"500 Oops"))


def framed(body: bytes, *lines: bytes, is_chunked: bool, start: bytes) -> bytes:
    if is_chunked:
        return head(start, *lines, CHUNKED) + chunked(*filter(None, (body[:7], body[7:])))
    return head(start, *lines, b"Content-Length: %d" % len(body)) + body


@examples(120)
@given(
    st.tuples(HEADERS, BODIES, st.booleans()),
    st.tuples(HEADERS, ANSWERS, KINDS, STATUSES, st.booleans()),
    st.tuples(st.lists(st.integers(1, 300), max_size=3), st.lists(st.integers(1, 200), max_size=3)),
)
def test_the_way_an_exchange_takes_is_seen_neither_in_its_bytes_nor_in_its_row(
    asks: tuple[list[bytes], bytes, bool],
    says: tuple[list[bytes], bytes, bytes, bytes, bool],
    cuts: tuple[list[int], list[int]],
) -> None:
    """New heads, known heads, in one piece, in many: the same bytes both ways, the same rows."""
    lines, body, is_chunked = asks
    start = b"POST /mcp HTTP/1.1"
    asked = framed(body, b"Host: localhost", JSON, *lines, is_chunked=is_chunked, start=start)
    lines, body, kind, status, is_chunked = says
    lines = [line for line in lines if not line.startswith((b"Expect", b"Mcp-Session-Id"))]
    said = framed(body, kind, *lines, is_chunked=is_chunked, start=b"HTTP/1.1 " + status)
    ways = (((), ()), ((), ()), cuts, ((), cuts[1]), (cuts[0], ()), ((), ()))

    async def script(peer: Peer) -> None:
        while await peer.request() is not None:
            await peer.send(*cut_at(said, *cuts_now[0][1]))

    async def scene() -> None:
        async with playing(script) as upstream, proxying(upstream.port) as plane:
            got, rows = [], []
            for way in ways:
                cuts_now[:] = [way]
                async with calling(plane.port) as caller:
                    await caller.send(*cut_at(asked, *way[0]))
                    answered = await caller.answer(bodiless=False)
                    while answered.status == 100:
                        answered = await caller.answer()
                    got.append(without_our_date(answered))
                    rows.append(without_times(plane.rows()))
                    # The next one finds a connection that was used a moment ago.
                    await until(lambda: not plane.pool.exchanges)
            for other in got[1:]:
                assert is_same(got[0], other)
            # What comes in chunks goes on in chunks of our own.
            sent = [replace(seen, framed=seen.body) for seen in upstream.requests]
            for seen in sent[1:]:
                assert is_same(sent[0], seen)
            assert len(rows[0]) == 1
            for these in rows[1:]:
                assert these == rows[0]

    cuts_now: list[tuple[Sequence[int], Sequence[int]]] = []
    run(scene())
