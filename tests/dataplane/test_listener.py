"""Accepting, patience, and the end: what was begun is finished, and nothing new is begun."""

import asyncio
import socket
import time

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
from tests.dataplane.fake_upstream import Peer, answering, holding, playing
from tests.dataplane.messages import chunked
from tests.dataplane.plane import Plane, proxying, relaying
from tests.dataplane.scene import LOOPS, run, until

from mcpr.dataplane.state import IDLE
from mcpr.errors import McprError
from mcpr.protocol.limits import MIB, Limits

STREAM = head(b"HTTP/1.1 200 OK", EVENTS, CHUNKED)
OPENS_STREAM = get(b"Accept: text/event-stream")
A_WHILE = 10.0


async def drained(plane: Plane, seconds: float = A_WHILE) -> int:
    return await plane.listener.drain(seconds, asyncio.Event())


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


# Draining


@pytest.mark.parametrize("loop", LOOPS)
@pytest.mark.parametrize("is_known", [False, True], ids=["new-head", "known-head"])
def test_a_drain_answers_what_was_asked_and_refuses_new_connections(
    loop: str, *, is_known: bool
) -> None:
    finishes = asyncio.Event()

    async def script(peer: Peer) -> None:
        if is_known:
            await peer.request()
            await peer.send(answer())
        await peer.request()
        await finishes.wait()
        await peer.send(answer())

    async def scene() -> None:
        async with (
            playing(script) as upstream,
            proxying(upstream.port) as plane,
            calling(plane.port) as caller,
            calling(plane.port) as idle,
            asyncio.TaskGroup() as group,
        ):
            if is_known:
                assert (await caller.call(post())).status == 200
            await caller.send(post())
            await until(lambda: len(upstream.requests) == 1 + is_known)
            draining = group.create_task(drained(plane))
            assert await idle.rest() == b""
            with pytest.raises(ConnectionError), socket.socket() as late:
                late.connect(("127.0.0.1", plane.port))
            assert not draining.done()
            finishes.set()
            got = await caller.answer()
            assert (got.body, got.value(b"connection")) == (RESULT, b"close")
            assert await caller.rest() == b""
            assert await draining == 0
            assert [row.outcome for row in plane.rows()] == ["ok"] * (1 + is_known)

    run(scene(), loop)


@pytest.mark.parametrize("loop", LOOPS)
def test_a_request_that_was_sent_before_the_drain_is_answered_although_nobody_read_it(
    loop: str,
) -> None:
    """Both the one on a kept connection and the one on a connection not yet accepted."""

    async def scene() -> None:
        async with (
            playing(answering(answer())) as upstream,
            proxying(upstream.port) as plane,
            calling(plane.port) as kept,
        ):
            assert (await kept.call(post())).status == 200
            with kept.socket() as first, socket.socket() as second:
                first.send(post())
                second.connect(("127.0.0.1", plane.port))
                second.send(post(CALL, b"Connection: close"))
                assert await drained(plane) == 0
                assert (await kept.answer()).status == 200
                assert second.recv(10_000).startswith(b"HTTP/1.1 200 OK")
            assert [row.outcome for row in plane.rows()] == ["ok"] * 3

    run(scene(), loop)


def test_a_drain_ends_open_streams_between_two_events() -> None:
    """R12: properly, and without waiting for the deadline."""
    completes = asyncio.Event()

    async def script(peer: Peer) -> None:
        asked = await peer.request()
        assert asked is not None
        await peer.send(STREAM + chunked(b"data: 1\n\n")[:-5])
        if b"/half" in asked.start:
            await peer.send(chunked(b"data: ")[:-5])
            await completes.wait()
            await peer.send(chunked(b"2\n\n")[:-5])
        await peer.gone()

    async def scene() -> None:
        async with (
            playing(script) as upstream,
            proxying(upstream.port) as plane,
            calling(plane.port) as whole,
            calling(plane.port) as half,
            asyncio.TaskGroup() as group,
        ):
            await whole.send(OPENS_STREAM)
            await half.send(OPENS_STREAM.replace(b"/mcp", b"/half"))
            await until(lambda: plane.pool.streams == 2)
            await half.reader.readuntil(b"data: \r\n")
            draining = group.create_task(drained(plane))
            got = await whole.answer()
            assert got.is_whole
            assert got.body == b"data: 1\n\n"
            assert not draining.done()
            completes.set()
            assert await half.rest() == chunked(b"2\n\n")
            assert await draining == 0
            assert [(row.kind, row.outcome) for row in plane.rows()] == [("stream", "ok")] * 2

    run(scene())


@pytest.mark.parametrize("is_known", [False, True], ids=["new-head", "known-head"])
def test_what_is_not_done_in_time_is_cut_and_counted(*, is_known: bool) -> None:
    async def script(peer: Peer) -> None:
        if is_known:
            await peer.request()
            await peer.send(answer())
        await holding(peer)

    async def scene() -> None:
        async with (
            playing(script) as upstream,
            proxying(upstream.port) as plane,
            calling(plane.port) as caller,
        ):
            if is_known:
                assert (await caller.call(post())).status == 200
            await caller.send(post())
            await until(lambda: len(upstream.requests) == 1 + is_known)
            assert await drained(plane, 0.05) == 1
            assert await caller.rest() == b""
            assert plane.is_at_rest()
            assert len(plane.rows()) == 1 + is_known

    run(scene())


def test_haste_ends_a_drain_at_once() -> None:
    async def scene() -> None:
        async with (
            playing(holding) as upstream,
            proxying(upstream.port) as plane,
            calling(plane.port) as caller,
            asyncio.TaskGroup() as group,
        ):
            await caller.send(post())
            await until(lambda: len(upstream.requests) == 1)
            hurry = asyncio.Event()
            draining = group.create_task(plane.listener.drain(3600, hurry))
            await until(lambda: plane.listener.draining)
            hurry.set()
            assert await draining == 1

    run(scene())


def test_a_kept_connection_whose_answer_was_under_way_is_closed_after_it() -> None:
    """Its head is out already and could not say so."""
    finishes = asyncio.Event()

    async def script(peer: Peer) -> None:
        await peer.request()
        whole = answer()
        await peer.send(whole[:-5])
        await finishes.wait()
        await peer.send(whole[-5:])
        await peer.gone()

    async def scene() -> None:
        async with (
            playing(script) as upstream,
            proxying(upstream.port) as plane,
            calling(plane.port) as caller,
            asyncio.TaskGroup() as group,
        ):
            await caller.send(post())
            begun = await caller.reader.readuntil(b"\r\n\r\n")
            assert b"Connection" not in begun
            draining = group.create_task(drained(plane))
            await until(lambda: plane.listener.draining)
            finishes.set()
            await until(lambda: all(c.state == IDLE for c in plane.listener.clients))
            assert await caller.rest() == RESULT
            assert await draining == 0

    run(scene())
