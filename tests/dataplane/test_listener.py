"""Accepting connections, and the patience with them."""

import asyncio
import time

import pytest
from tests.dataplane.building import (
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
from tests.dataplane.plane import proxying, relaying
from tests.dataplane.scene import run, until

from mcpr.errors import McprError
from mcpr.protocol.limits import MIB, Limits

STREAM = head(b"HTTP/1.1 200 OK", EVENTS, CHUNKED)
OPENS_STREAM = get(b"Accept: text/event-stream")
A_WHILE = 10.0


LATE_REQUESTS = {
    "no-first-byte": b"",
    "half-a-head": post()[:30],
    "half-a-body": post()[:-5],
    "half-a-chunked-body": request(b"POST", JSON, CHUNKED) + b'8\r\n{"json',
    "half-an-upload": request(b"PUT", b"Content-Length: 10") + b"half",
}


@pytest.mark.parametrize("name", LATE_REQUESTS)
def test_a_request_that_does_not_arrive_in_time_becomes_408(name: str) -> None:
    async def script(peer: Peer) -> None:
        await peer.gone()

    async def scene() -> None:
        limits = Limits(head_seconds=0.1, body_seconds=0.1)
        async with (
            playing(script) as upstream,
            proxying(upstream.port, limits) as plane,
            calling(plane.port) as caller,
        ):
            await caller.send(LATE_REQUESTS[name])
            if name == "no-first-byte":
                assert await caller.rest() == b""
                assert plane.rows() == []
                return
            got = await caller.answer()
            assert (got.status, got.value(b"mcpr-error")) == (408, b"malformed")
            assert await caller.rest() == b""
            row = plane.row()
            assert (row.outcome, row.origin, row.http_status) == ("http_error", "client", 408)
            assert plane.is_at_rest()

    run(scene())


def test_a_body_that_goes_on_coming_is_waited_for() -> None:
    """The patience is between two pieces; the whole may take as long as it likes."""

    async def scene() -> None:
        async with (
            playing(answering(answer())) as upstream,
            proxying(upstream.port) as plane,
            calling(plane.port) as caller,
        ):
            asks = post()
            await caller.send(asks[:-40])
            (client,) = plane.listener.clients
            for here in range(len(asks) - 40, len(asks), 10):
                before = client.deadline_ns
                assert before <= time.monotonic_ns() + plane.listener.body_ns
                await caller.send(asks[here : here + 10])
                await until(lambda: client.deadline_ns > before)  # noqa: B023 - awaited here
            assert (await caller.answer()).status == 200

    run(scene())


def test_a_connection_without_requests_is_closed_in_time() -> None:
    async def scene() -> None:
        async with (
            playing(answering(answer())) as upstream,
            proxying(upstream.port, Limits(idle_seconds=0.1)) as plane,
            calling(plane.port) as caller,
        ):
            assert (await caller.call(post())).status == 200
            assert await caller.rest() == b""
            assert plane.row().outcome == "ok"

    run(scene())


@pytest.mark.parametrize("times", [1, 2], ids=["new-head", "known-head"])
def test_an_upstream_that_does_not_begin_to_answer_becomes_504(times: int) -> None:
    async def script(peer: Peer) -> None:
        for _ in range(times - 1):
            await peer.request()
            await peer.send(answer())
        await holding(peer)

    async def scene() -> None:
        async with (
            playing(script) as upstream,
            proxying(upstream.port, Limits(first_byte_seconds=0.1)) as plane,
            calling(plane.port) as caller,
        ):
            for _ in range(times - 1):
                assert (await caller.call(post())).status == 200
                assert plane.row().outcome == "ok"
            got = await caller.call(post())
            assert (got.status, got.value(b"mcpr-error")) == (504, b"timeout")
            assert b'"id":7' in got.body
            row = plane.row()
            assert (row.outcome, row.origin, row.http_status) == ("timeout", "transport", 504)
            assert row.upstream_us is not None
            assert len(upstream.requests) == times
            assert plane.pool.idle == []

    run(scene())


def test_a_stream_may_begin_whenever_it_likes() -> None:
    begins = asyncio.Event()

    async def script(peer: Peer) -> None:
        await peer.request()
        await begins.wait()
        await peer.send(STREAM + b"0\r\n\r\n")

    async def scene() -> None:
        async with (
            playing(script) as upstream,
            proxying(upstream.port, Limits(first_byte_seconds=0.1)) as plane,
            calling(plane.port) as streaming,
            calling(plane.port) as calling_too,
        ):
            await streaming.send(OPENS_STREAM)
            # Long enough for a call on another connection to be given up.
            assert (await calling_too.call(post())).status == 504
            begins.set()
            assert (await streaming.answer()).status == 200

    run(scene())


def test_an_upstream_that_does_not_take_an_upload_is_not_the_clients_fault() -> None:
    async def script(_peer: Peer) -> None:
        await closed.wait()

    async def scene() -> None:
        async with (
            playing(script, limit=1024, receive_bytes=4096) as upstream,
            proxying(upstream.port, Limits(body_seconds=0.2)) as plane,
            calling(plane.port) as caller,
        ):
            size = 24 * MIB
            caller.writer.write(request(b"PUT", b"Content-Length: %d" % size) + b"x" * size)
            got = await caller.answer()
            assert (got.status, got.value(b"mcpr-error")) == (504, b"timeout")
            row = plane.row()
            assert (row.outcome, row.origin) == ("timeout", "transport")
            closed.set()

    closed = asyncio.Event()
    run(scene())


def test_a_connection_too_many_becomes_503_and_those_before_go_on() -> None:
    async def scene() -> None:
        async with (
            playing(answering(answer())) as upstream,
            proxying(upstream.port, Limits(connections=2)) as plane,
            calling(plane.port) as one,
        ):
            async with calling(plane.port) as two:
                assert (await one.call(post())).status == 200
                assert (await two.call(post())).status == 200
                async with calling(plane.port) as three:
                    got = await three.answer()
                    assert (got.status, got.value(b"mcpr-error")) == (503, b"busy")
                    assert got.value(b"retry-after") == b"1"
                    assert await three.rest() == b""
                assert (await one.call(post())).status == 200
            await until(lambda: len(plane.listener.clients) == 1)
            async with calling(plane.port) as four:
                assert (await four.call(post())).status == 200
            outcomes = sorted(row.outcome for row in plane.rows())
            assert outcomes == ["limited", "ok", "ok", "ok", "ok"]

    run(scene())


def test_a_taken_port_is_said_to_be_taken_and_what_to_do() -> None:
    async def scene() -> None:
        async with playing(holding) as upstream, relaying(upstream.port) as plane:
            with pytest.raises(McprError) as caught:
                await plane.listener.start("127.0.0.1", upstream.port)
            assert str(upstream.port) in caught.value.what
            assert "--port" in caught.value.next_step

    run(scene())


def test_the_first_row_has_the_time_of_the_wall_clock() -> None:
    """The clock is read before the first request, not only at the first tick after it."""

    async def scene() -> None:
        before = time.time_ns() // 1_000_000
        async with (
            playing(answering(answer())) as upstream,
            proxying(upstream.port) as plane,
            calling(plane.port) as caller,
        ):
            await caller.call(post())
            assert before - 1 <= plane.row().ts_ms <= time.time_ns() // 1_000_000 + 1

    run(scene())
