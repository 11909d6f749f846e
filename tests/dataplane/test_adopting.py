"""Other settings while exchanges are under way: these end as they began, the next ones differ."""

import asyncio

import pytest
from tests.dataplane.building import answer, get, post
from tests.dataplane.caller import calling
from tests.dataplane.fake_upstream import Peer, Script, answering, playing
from tests.dataplane.plane import Plane, proxying
from tests.dataplane.scene import LOOPS, run, until
from tests.dataplane.test_places import STREAM

from mcpr.dataplane import Address, Pool
from mcpr.pipeline.guard import Guard
from mcpr.pipeline.identity import SessionNames
from mcpr.protocol.limits import Limits
from mcpr.proxy.handler import ProxyHandler


def adopt(plane: Plane, limits: Limits, port: int | None = None, *names: str) -> None:
    """Give the plane other limits, another upstream, other names by which it may be called."""
    assert isinstance(plane.handler, ProxyHandler)
    pool = plane.listener.pools[0]
    authority = f"127.0.0.1:{port or pool.address.port}"
    handler = ProxyHandler(
        plane.handler.recording,
        Guard(frozenset(names), loopback=not names),
        SessionNames(b"k" * 32),
        authority,
        limits.first_byte_seconds,
    )
    if port is None:
        pool.adopt(handler, limits)
    else:
        pool = Pool(Address("127.0.0.1", port), limits, handler, plane.listener.loop)
    handler.pool = pool
    plane.listener.adopt(handler, pool, limits)


def gated(gate: asyncio.Semaphore) -> Script:
    """A script that answers once for each release of the gate."""

    async def script(peer: Peer) -> None:
        while await peer.request() is not None:
            await gate.acquire()
            await peer.send(answer())

    return script


def test_a_head_that_was_seen_before_is_decided_anew() -> None:
    async def scene() -> None:
        async with (
            playing(answering(answer())) as upstream,
            proxying(upstream.port) as plane,
            calling(plane.port) as caller,
        ):
            for _ in range(3):
                assert (await caller.call(post())).status == 200
            adopt(plane, Limits(), None, "mcp.example.com")
            got = await caller.call(post())
            assert (got.status, got.value(b"mcpr-error")) == (403, b"denied")

    run(scene())


def test_a_smaller_body_limit_holds_on_open_connections() -> None:
    async def scene() -> None:
        async with (
            playing(answering(answer())) as upstream,
            proxying(upstream.port) as plane,
            calling(plane.port) as caller,
        ):
            assert (await caller.call(post())).status == 200
            adopt(plane, Limits(request_bytes=10))
            got = await caller.call(post())
            assert (got.status, got.value(b"mcpr-error")) == (413, b"too_large")

    run(scene())


def test_a_higher_limit_lets_in_those_who_wait_and_a_lower_one_ends_nobody() -> None:
    gate = asyncio.Semaphore(0)

    async def scene() -> None:
        async with (
            playing(gated(gate)) as upstream,
            proxying(upstream.port, Limits(exchanges=1)) as plane,
            calling(plane.port) as one,
            calling(plane.port) as two,
            calling(plane.port) as three,
            calling(plane.port) as four,
        ):
            callers = (one, two, three, four)
            for caller in callers:
                await caller.send(post())
            await until(lambda: len(plane.pool.waiting) == 3)
            adopt(plane, Limits(exchanges=3))
            await until(lambda: len(upstream.requests) == 3)
            assert (plane.pool.exchanges, len(plane.pool.waiting)) == (3, 1)
            adopt(plane, Limits(exchanges=1))
            gate.release()
            await until(lambda: plane.pool.exchanges == 2)
            # The one that waits has to wait on: there are still more than there may be.
            assert (len(plane.pool.waiting), len(upstream.requests)) == (1, 3)
            for _ in range(3):
                gate.release()
            for caller in callers:
                assert (await caller.answer()).status == 200
            assert len(upstream.requests) == 4

    run(scene())


@pytest.mark.parametrize("loop", LOOPS)
def test_another_upstream_gets_what_is_new_and_the_old_one_ends_what_it_has(loop: str) -> None:
    async def streaming(peer: Peer) -> None:
        while (asked := await peer.request()) is not None:
            await peer.send(STREAM if asked.start.startswith(b"GET") else answer())

    async def scene() -> None:
        async with (
            playing(streaming) as old,
            playing(answering(answer())) as new,
            proxying(old.port) as plane,
            calling(plane.port) as stream,
            calling(plane.port) as caller,
        ):
            await stream.send(get(b"Accept: text/event-stream"))
            assert await stream.reader.readuntil(b"\r\n\r\n")
            assert (await caller.call(post())).status == 200
            reused = plane.pool.reused
            adopt(plane, Limits(), new.port)
            assert (await caller.call(post())).status == 200
            assert (len(old.requests), len(new.requests)) == (2, 1)
            # Nobody needs the idle connection to the old one; the stream needs its own.
            await until(lambda: len(plane.pool.connections) == 1)
            assert plane.listener.pools == [plane.listener.pools[0], plane.pool]
            stream.close()
            await until(lambda: len(plane.listener.pools) == 1)
            assert plane.listener.pools[0].opened == plane.pool.opened + 1
            assert plane.listener.pools[0].reused == reused
            await plane.listener.close_pools()

    run(scene(), loop)


def test_a_request_that_is_still_arriving_goes_where_its_head_was_to_go() -> None:
    async def scene() -> None:
        whole = post()
        async with (
            playing(answering(answer())) as old,
            playing(answering(answer())) as new,
            proxying(old.port) as plane,
            calling(plane.port) as caller,
        ):
            await caller.send(whole[:-5])
            adopt(plane, Limits(), new.port)
            # Long enough for a pool without exchanges to be let go of.
            await until(lambda: plane.listener.pools[1].idle_ns == 0)
            assert (await caller.call(whole[-5:])).status == 200
            assert (len(old.requests), len(new.requests)) == (1, 0)
            await until(lambda: len(plane.listener.pools) == 1)
            await until(lambda: not plane.pool.connections)
            assert (await caller.call(whole)).status == 200
            assert (len(old.requests), len(new.requests)) == (1, 1)
            await plane.listener.close_pools()

    run(scene())
