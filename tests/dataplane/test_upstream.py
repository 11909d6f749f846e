"""How answers are read: every framing, interim heads, and what is no answer at all."""

import asyncio

import pytest
from tests.dataplane.building import (
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
from tests.dataplane.scene import LOOPS, run, turn, until

from mcpr.protocol.limits import Limits

CHUNKED_JSON = head(b"HTTP/1.1 200 OK", JSON, CHUNKED)
CHUNKED_EVENTS = head(b"HTTP/1.1 200 OK", EVENTS, CHUNKED)


@pytest.mark.parametrize("loop", LOOPS)
def test_a_chunked_answer_passes_with_its_extensions_and_trailers(loop: str) -> None:
    says = (
        CHUNKED_JSON + b"5;name=value\r\nfirst\r\n06\r\nsecond\r\n0\r\nX-Sum: 1\r\nX-Sum: 2\r\n\r\n"
    )

    async def scene() -> None:
        async with (
            playing(answering(says)) as upstream,
            proxying(upstream.port) as plane,
            calling(plane.port) as caller,
        ):
            for _ in range(2):
                got = await caller.call(get())
                assert (got.raw, got.body) == (says, b"firstsecond")
            assert len(upstream.peers) == 1

    run(scene(), loop)


def test_an_event_is_handed_on_before_the_next_one_comes() -> None:
    """R2: the head at once, then each piece as it comes."""
    heard = asyncio.Event()

    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.send(CHUNKED_EVENTS)
        for number in range(3):
            await heard.wait()
            heard.clear()
            await peer.send(b"8\r\ndata: %d\n\r\n" % number)
        await heard.wait()
        await peer.send(b"0\r\n\r\n")
        await peer.gone()

    async def scene() -> None:
        async with (
            playing(script) as upstream,
            proxying(upstream.port) as plane,
            calling(plane.port) as caller,
        ):
            await caller.send(post())
            assert b"text/event-stream" in await caller.reader.readuntil(b"\r\n\r\n")
            for number in range(3):
                heard.set()
                assert await caller.reader.readexactly(13) == b"8\r\ndata: %d\n\r\n" % number
            heard.set()
            assert await caller.reader.readexactly(5) == b"0\r\n\r\n"

    run(scene())


@pytest.mark.parametrize("loop", LOOPS)
def test_an_answer_that_ends_with_its_connection_ends_with_the_clients(loop: str) -> None:
    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.send(head(b"HTTP/1.1 200 OK", JSON), RESULT[:9], RESULT[9:])

    async def scene() -> None:
        async with (
            playing(script) as upstream,
            proxying(upstream.port) as plane,
            calling(plane.port) as caller,
        ):
            got = await caller.call(post())
            assert got.value(b"connection") == b"close"
            assert got.body == RESULT
            row = plane.row()
            assert (row.outcome, row.bytes_out) == ("ok", len(RESULT))
            assert plane.pool.idle == []

    run(scene(), loop)


def test_interim_heads_pass_and_the_answer_follows() -> None:
    hints = head(b"HTTP/1.1 103 Early Hints", b"Link: </a>; rel=preload")

    async def script(peer: Peer) -> None:
        while await peer.request() is not None:
            await peer.send(head(b"HTTP/1.1 100 Continue") + hints, hints + answer())

    async def scene() -> None:
        async with (
            playing(script) as upstream,
            proxying(upstream.port) as plane,
            calling(plane.port) as caller,
        ):
            for _ in range(2):
                await caller.send(get())
                assert (await caller.answer(bodiless=True)).raw == hints
                assert (await caller.answer(bodiless=True)).raw == hints
                assert (await caller.answer()).body == RESULT
            old = request(b"GET", b"Connection: keep-alive", version=b"1.0")
            assert (await caller.call(old)).body == RESULT
            assert {row.http_status for row in plane.rows()} == {200}

    run(scene())


GARBAGE = {
    "no-http": b"SSH-2.0-OpenSSH_9.6\r\n\r\n",
    "http-2": b"HTTP/2.0 200 OK\r\n\r\n",
    "bare-line-feeds": b"HTTP/1.1 200 OK\nContent-Length: 0\n\n",
    "two-lengths": head(b"HTTP/1.1 200 OK", b"Content-Length: 1", b"Content-Length: 2") + b"x",
    "length-and-chunks": head(b"HTTP/1.1 200 OK", CHUNKED, b"Content-Length: 2") + b"0\r\n\r\n",
    "two-codings": head(b"HTTP/1.1 200 OK", b"Transfer-Encoding: gzip, chunked"),
    "switching-protocols": head(b"HTTP/1.1 101 Switching", b"Upgrade: websocket"),
    "endless-head": b"HTTP/1.1 200 OK\r\nX: " + b"x" * 70_000,
    "odd-keep-alive": head(b"HTTP/1.1 abc Odd", b"Keep-Alive: timeout=" + b"9" * 5000),
}


@pytest.mark.parametrize("name", GARBAGE)
def test_what_is_not_http_becomes_502(name: str) -> None:
    async def scene() -> None:
        async with (
            playing(answering(GARBAGE[name])) as upstream,
            proxying(upstream.port) as plane,
            calling(plane.port) as caller,
        ):
            got = await caller.call(post())
            assert (got.status, got.value(b"mcpr-error")) == (502, b"garbage")
            assert got.value(b"connection") is None
            assert b'"id":7' in got.body
            row = plane.row()
            assert (row.outcome, row.origin, row.http_status) == ("broken", "protocol", 502)
            assert len(upstream.requests) == 1

    run(scene())


def test_a_keep_alive_that_is_no_number_of_seconds_is_passed_over() -> None:
    async def scene() -> None:
        says = answer(RESULT, b"Keep-Alive: timeout=" + b"9" * 5000 + b", max=x, timeout=")
        async with (
            playing(answering(says)) as upstream,
            proxying(upstream.port) as plane,
            calling(plane.port) as caller,
        ):
            assert (await caller.call(post())).status == 200

    run(scene())


CUTS = {
    "length": (head(b"HTTP/1.1 200 OK", JSON, b"Content-Length: 100"), RESULT[:20]),
    "chunked": (CHUNKED_JSON, b"14\r\n" + RESULT[:20] + b"\r\n"),
    "mid-chunk": (CHUNKED_JSON, b"ff\r\n" + RESULT[:20]),
    "events": (CHUNKED_EVENTS, b"8\r\ndata: 1\n\r\n"),
    "broken-chunk": (CHUNKED_JSON, b"5\r\nfirst__zz\r\n"),
}


@pytest.mark.parametrize("loop", LOOPS)
@pytest.mark.parametrize("how", ["closed", "reset"])
@pytest.mark.parametrize("name", CUTS)
def test_an_answer_cut_in_mid_body_is_seen_as_unfinished(name: str, how: str, loop: str) -> None:
    start, piece = CUTS[name]

    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.send(start, piece)
        if how == "reset":
            peer.reset()

    async def scene() -> None:
        async with (
            playing(script) as upstream,
            proxying(upstream.port) as plane,
            calling(plane.port) as caller,
        ):
            got = await caller.call(post())
            assert got.status == 200
            assert not got.is_whole
            assert got.framed in piece
            await until(lambda: not plane.listener.clients)
            row = plane.row()
            origin = "protocol" if name == "broken-chunk" else "transport"
            assert (row.outcome, row.origin, row.http_status) == ("broken", origin, 200)

    run(scene(), loop)


def test_a_connection_that_says_more_than_its_answer_is_not_used_again() -> None:
    async def scene() -> None:
        async with (
            playing(answering(answer() + b"HTTP/1.1 200 OK\r\n")) as upstream,
            proxying(upstream.port) as plane,
            calling(plane.port) as caller,
        ):
            for _ in range(3):
                assert (await caller.call(get())).raw == answer()
            assert len(upstream.peers) == 3

    run(scene())


def test_an_early_answer_reaches_a_client_that_is_still_sending() -> None:
    """The upstream refuses an upload it has not read; the client sends on, then reads why."""

    async def script(peer: Peer) -> None:
        await peer.head()
        await peer.send(answer(b"no", b"Content-Type: text/plain", status=b"413 No"))
        await peer.gone()

    async def scene() -> None:
        async with (
            playing(script) as upstream,
            proxying(upstream.port) as plane,
            calling(plane.port) as caller,
        ):
            size = 6 * 1024 * 1024
            await caller.send(request(b"PUT", b"Content-Length: %d" % size), b"x" * 1000)
            await turn()
            await caller.send(b"x" * (size - 1000))
            got = await caller.answer()
            assert (got.status, got.body) == (413, b"no")
            assert got.value(b"connection") == b"close"
            row = plane.row()
            assert (row.outcome, row.origin) == ("http_error", "client")
            assert plane.pool.idle == []

    run(scene())


def test_a_connection_whose_upstream_has_not_taken_the_request_is_not_used_again() -> None:
    """A pooled connection must not begin with what is left of another exchange."""
    body = b'{"jsonrpc":"2.0","id":7,"method":"ping","params":"' + b"x" * 20_000_000 + b'"}'

    async def script(peer: Peer) -> None:
        await peer.head()
        await peer.send(answer())
        await closed.wait()

    async def scene() -> None:
        async with (
            playing(script, limit=1024, receive_bytes=4096) as upstream,
            proxying(upstream.port, Limits(request_bytes=1 << 26)) as plane,
            calling(plane.port) as caller,
        ):
            for _ in range(2):
                assert (await caller.call(post(body))).status == 200
            assert plane.pool.idle == []
            assert len(upstream.peers) == 2
            closed.set()

    closed = asyncio.Event()
    run(scene())


OVER = b'{"jsonrpc":"2.0","id":7,"result":{"text":"' + b"x" * 300 + b'"}}'


@pytest.mark.parametrize("pieces", [1, 2], ids=["whole", "after-its-head"])
def test_a_json_answer_announced_as_too_large_becomes_502(pieces: int) -> None:
    says = answer(OVER)
    parts = (says,) if pieces == 1 else (says[: -len(OVER)], OVER)

    async def script(peer: Peer) -> None:
        while await peer.request() is not None:
            await peer.send(*parts)

    async def scene() -> None:
        async with (
            playing(script) as upstream,
            proxying(upstream.port, Limits(answer_bytes=200)) as plane,
            calling(plane.port) as caller,
        ):
            for _ in range(2):
                got = await caller.call(post())
                assert (got.status, got.value(b"mcpr-error")) == (502, b"over")
                row = plane.row()
                assert (row.outcome, row.origin, row.http_status) == ("limited", "limit", 502)

    run(scene())


def test_a_chunked_json_answer_over_the_limit_is_cut() -> None:
    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.send(CHUNKED_JSON + b"a\r\n0123456789\r\n", chunked(OVER))
        await peer.gone()

    async def scene() -> None:
        async with (
            playing(script) as upstream,
            proxying(upstream.port, Limits(answer_bytes=200)) as plane,
            calling(plane.port) as caller,
        ):
            got = await caller.call(post())
            assert (got.status, got.is_whole, got.body) == (200, False, b"0123456789")
            row = plane.row()
            assert (row.outcome, row.origin, row.http_status) == ("limited", "limit", 200)
            assert row.bytes_out == 10

    run(scene())


def test_a_chunked_json_answer_that_comes_at_once_and_is_too_large_becomes_502() -> None:
    async def scene() -> None:
        async with (
            playing(answering(CHUNKED_JSON + chunked(OVER))) as upstream,
            proxying(upstream.port, Limits(answer_bytes=200)) as plane,
            calling(plane.port) as caller,
        ):
            got = await caller.call(post())
            assert (got.status, got.value(b"mcpr-error")) == (502, b"over")
            row = plane.row()
            assert (row.outcome, row.origin, row.http_status) == ("limited", "limit", 502)

    run(scene())


@pytest.mark.parametrize("kind", [EVENTS, b"Content-Type: text/html"])
def test_only_json_answers_have_a_largest_size(kind: bytes) -> None:
    says = head(b"HTTP/1.1 200 OK", kind, CHUNKED) + chunked(OVER, OVER)

    async def scene() -> None:
        async with (
            playing(answering(says)) as upstream,
            proxying(upstream.port, Limits(answer_bytes=200)) as plane,
            calling(plane.port) as caller,
        ):
            got = await caller.call(get())
            assert got.is_whole
            assert got.body == OVER + OVER

    run(scene())
