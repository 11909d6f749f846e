"""The end of a listener: what was begun is finished, and nothing new is begun."""

import asyncio
import socket

import pytest
from tests.dataplane.building import CALL, CHUNKED, EVENTS, RESULT, answer, get, head, post
from tests.dataplane.caller import calling
from tests.dataplane.fake_upstream import Peer, answering, holding, playing
from tests.dataplane.messages import chunked
from tests.dataplane.plane import Plane, proxying
from tests.dataplane.scene import LOOPS, run, until

from mcpr.dataplane.state import IDLE

STREAM = head(b"HTTP/1.1 200 OK", EVENTS, CHUNKED)
OPENS_STREAM = get(b"Accept: text/event-stream")
A_WHILE = 10.0


async def drained(plane: Plane, seconds: float = A_WHILE) -> int:
    return await plane.listener.drain(seconds, asyncio.Event())


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
            rows = plane.rows()
            assert len(rows) == 1 + is_known
            assert (rows[-1].outcome, rows[-1].origin) == ("broken", "proxy")

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
