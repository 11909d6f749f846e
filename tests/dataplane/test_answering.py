"""How a client connection ends its exchanges: its reader leaves, or its body is too large."""

import asyncio
import contextlib

import pytest
from tests.dataplane.building import (
    CALL,
    CHUNKED,
    EVENTS,
    JSON,
    answer,
    get,
    head,
    post,
    request,
)
from tests.dataplane.caller import calling
from tests.dataplane.fake_upstream import Peer, answering, holding, playing
from tests.dataplane.messages import chunked
from tests.dataplane.plane import proxying
from tests.dataplane.scene import LOOPS, run, until
from tests.dataplane.test_backpressure import LARGE_BYTES, SMALL_BUFFER, is_stalled, pieces

from mcpr.protocol.limits import MIB, Limits

MODERN = CALL.replace(
    b'{"name"', b'{"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28"},"name"'
)


BEGINNINGS = {
    "before-the-answer": b"",
    "in-a-body-of-stated-length": head(b"HTTP/1.1 200 OK", JSON, b"Content-Length: 99") + b'{"j',
    "in-a-chunked-body": head(b"HTTP/1.1 200 OK", JSON, CHUNKED) + b'3\r\n{"j\r\n',
    "in-a-stream": head(b"HTTP/1.1 200 OK", EVENTS, CHUNKED) + b"8\r\ndata: 1\n\r\n",
    "in-a-body-without-end": head(b"HTTP/1.1 200 OK", EVENTS) + b"data: 1\n\n",
}


@pytest.mark.parametrize("loop", LOOPS)
@pytest.mark.parametrize("how", ["closes", "resets"])
@pytest.mark.parametrize("name", BEGINNINGS)
@pytest.mark.parametrize("body", [CALL, MODERN], ids=["legacy", "modern"])
def test_a_client_that_leaves_takes_its_upstream_exchange_with_it(
    body: bytes, name: str, how: str, loop: str
) -> None:
    """R2: at once, in every era; only the record differs."""
    dropped = asyncio.Event()

    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.send(BEGINNINGS[name])
        await peer.gone()
        dropped.set()

    async def scene() -> None:
        async with (
            playing(script) as upstream,
            proxying(upstream.port) as plane,
            calling(plane.port) as caller,
        ):
            await caller.send(post(body))
            if BEGINNINGS[name]:
                await caller.reader.readuntil(b"\r\n\r\n")
            else:
                await until(lambda: len(upstream.requests) == 1)
            if how == "closes":
                caller.close()
            else:
                caller.reset()
            await dropped.wait()
            assert plane.is_at_rest()
            row = plane.row()
            assert row.outcome == ("cancelled" if body is MODERN else "client_gone")
            assert row.origin == "client"
            assert row.http_status == (200 if BEGINNINGS[name] else None)

    run(scene(), loop)


@pytest.mark.parametrize("loop", LOOPS)
@pytest.mark.parametrize("how", ["closes", "resets"])
def test_a_reader_that_leaves_without_reading_takes_its_upstream_exchange_with_it(
    how: str, loop: str
) -> None:
    async def script(peer: Peer) -> None:
        await peer.request()
        with contextlib.suppress(ConnectionError):
            for piece in (head(b"HTTP/1.1 200 OK", b"Content-Length: %d" % LARGE_BYTES), *pieces()):
                peer.writer.write(piece)
                await peer.writer.drain()
        dropped.set()

    async def scene() -> None:
        async with (
            playing(script) as upstream,
            proxying(upstream.port) as plane,
            calling(plane.port, limit=SMALL_BUFFER, receive_bytes=SMALL_BUFFER) as slow,
        ):
            await slow.send(get())
            await until(lambda: is_stalled(plane))
            if how == "closes":
                slow.close()
            else:
                slow.reset()
            await dropped.wait()
            assert plane.is_at_rest()
            assert plane.row().outcome == "client_gone"

    dropped = asyncio.Event()
    run(scene(), loop)


def test_a_client_that_leaves_in_mid_upload_takes_its_upstream_exchange_with_it() -> None:
    dropped = asyncio.Event()

    async def script(peer: Peer) -> None:
        await peer.head()
        await peer.gone()
        dropped.set()

    async def scene() -> None:
        async with (
            playing(script) as upstream,
            proxying(upstream.port) as plane,
            calling(plane.port) as caller,
        ):
            await caller.send(request(b"PUT", b"Content-Length: 100") + b"half")
            await until(lambda: len(upstream.peers) == 1)
            caller.close()
            await dropped.wait()
            row = plane.row()
            assert (row.outcome, row.bytes_in) == ("client_gone", 4)

    run(scene())


def test_a_client_that_leaves_before_its_body_is_whole_is_not_sent_on() -> None:
    async def scene() -> None:
        async with (
            playing(holding) as upstream,
            proxying(upstream.port) as plane,
            calling(plane.port) as caller,
        ):
            await caller.send(post()[:-5])
            caller.close()
            await until(lambda: not plane.listener.clients)
            assert upstream.peers == []
            assert plane.row().outcome == "client_gone"

    run(scene())


@pytest.mark.parametrize("loop", LOOPS)
@pytest.mark.parametrize("framing", ["length", "chunked"])
def test_a_body_over_the_limit_becomes_413_and_the_client_can_read_it(
    framing: str, loop: str
) -> None:
    """R11. Even one that first sends all its 6 MB, then reads."""
    body = b'"' + b"x" * (6 * MIB) + b'"'
    asks = post(body)
    if framing == "chunked":
        asks = request(b"POST", JSON, CHUNKED) + chunked(body)

    async def scene() -> None:
        async with (
            playing(holding) as upstream,
            proxying(upstream.port) as plane,
            calling(plane.port) as caller,
        ):
            caller.writer.write(asks)
            await caller.writer.drain()
            got = await caller.answer()
            assert (got.status, got.value(b"mcpr-error")) == (413, b"too_large")
            assert got.value(b"connection") == b"close"
            assert b"-32603" in got.body
            assert await caller.rest() == b""
            assert upstream.peers == []
            row = plane.row()
            assert (row.outcome, row.origin, row.http_status) == ("limited", "limit", 413)

    run(scene(), loop)


@pytest.mark.parametrize("size", [10, 100_000])
def test_a_body_of_exactly_the_limit_passes(size: int) -> None:
    async def scene() -> None:
        body = CALL[:-2] + b',"arguments":"' + b"x" * size + b'"}}'
        limits = Limits(request_bytes=len(body))
        async with (
            playing(answering(answer())) as upstream,
            proxying(upstream.port, limits) as plane,
            calling(plane.port) as caller,
        ):
            for _ in range(2):
                assert (await caller.call(post(body))).status == 200
                chunks = request(b"POST", JSON, CHUNKED) + chunked(body[:9], body[9:])
                assert (await caller.call(chunks)).status == 200
            assert (await caller.call(post(body + b" "))).status == 413

    run(scene())


@pytest.mark.parametrize("lines", [(), (b"Content-Encoding: gzip", JSON)], ids=["other", "coded"])
def test_only_json_requests_have_a_largest_size(lines: tuple[bytes, ...]) -> None:
    async def scene() -> None:
        async with (
            playing(answering(answer())) as upstream,
            proxying(upstream.port, Limits(request_bytes=10)) as plane,
            calling(plane.port) as caller,
        ):
            for asks in (
                request(b"POST", *lines, b"Content-Length: 500") + b"x" * 500,
                request(b"POST", *lines, CHUNKED) + chunked(b"x" * 500),
            ):
                assert (await caller.call(asks)).status == 200
            assert [seen.body for seen in upstream.requests] == [b"x" * 500] * 2

    run(scene())


def test_a_client_that_says_to_wait_is_told_413_instead_of_100() -> None:
    async def scene() -> None:
        async with (
            playing(holding) as upstream,
            proxying(upstream.port) as plane,
            calling(plane.port) as caller,
        ):
            lines = (JSON, b"Expect: 100-continue", b"Content-Length: 9000000")
            assert (await caller.call(request(b"POST", *lines))).status == 413
            assert await caller.rest() == b""

    run(scene())
