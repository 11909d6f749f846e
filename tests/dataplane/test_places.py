"""Places upstream and waiting for them; who leaves gives back what it had."""

import asyncio

import pytest
from tests.dataplane.building import CALL, CHUNKED, EVENTS, answer, get, head, post, request
from tests.dataplane.caller import calling
from tests.dataplane.fake_upstream import (
    Peer,
    answering,
    closed_port,
    deaf_port,
    holding,
    playing,
)
from tests.dataplane.plane import proxying
from tests.dataplane.scene import LOOPS, run, turn, until
from tests.dataplane.test_pool import age

from mcpr.protocol.limits import Limits

STREAM = head(b"HTTP/1.1 200 OK", EVENTS, CHUNKED)


def test_an_upstream_that_is_not_there_becomes_502_at_once() -> None:
    async def scene() -> None:
        async with proxying(closed_port()) as plane, calling(plane.port) as caller:
            for _ in range(2):
                got = await caller.call(post())
                assert (got.status, got.value(b"mcpr-error")) == (502, b"unreachable")
                assert got.value(b"connection") is None
                row = plane.row()
                assert (row.outcome, row.origin, row.http_status) == ("unreachable", "connect", 502)
                assert (row.upstream_us, row.bytes_in) == (None, len(CALL))

    run(scene())


def test_a_call_that_could_not_be_sent_took_no_time_upstream() -> None:
    """Also after calls on the same connection that were sent."""

    async def scene() -> None:
        async with (
            playing(answering(answer())) as upstream,
            proxying(upstream.port) as plane,
            calling(plane.port) as caller,
        ):
            for _ in range(2):
                assert (await caller.call(post())).status == 200
            assert [row.upstream_us is not None for row in plane.rows()] == [True, True]
            upstream.stop_listening()
            age(plane, 10)
            assert (await caller.call(post())).status == 502
            assert plane.row().upstream_us is None

    run(scene())


def test_an_upstream_that_does_not_accept_becomes_502_in_time() -> None:
    async def scene() -> None:
        with deaf_port() as port:
            async with (
                proxying(port, Limits(connect_seconds=0.1)) as plane,
                calling(plane.port) as caller,
            ):
                got = await caller.call(post())
                assert (got.status, got.value(b"mcpr-error")) == (502, b"unreachable")
                row = plane.row()
                assert (row.outcome, row.origin) == ("unreachable", "connect")

    run(scene())


def test_who_finds_no_place_waits_and_is_served_in_turn_on_the_connections_that_come_free() -> None:
    gate = asyncio.Event()

    async def script(peer: Peer) -> None:
        while await peer.request() is not None:
            await gate.wait()
            # In two pieces: the long way.
            await peer.send(answer()[:20], answer()[20:])

    async def scene() -> None:
        async with (
            playing(script) as upstream,
            proxying(upstream.port, Limits(exchanges=2)) as plane,
            calling(plane.port) as one,
            calling(plane.port) as two,
            calling(plane.port) as three,
            calling(plane.port) as four,
        ):
            callers = (one, two, three, four)
            for number, caller in enumerate(callers):
                await caller.send(post(target=b"/%d" % number))
                await until(lambda n=number: len(plane.pool.waiting) == max(0, n - 1))  # type: ignore[misc]
            await until(lambda: len(upstream.requests) == 2)
            assert plane.pool.exchanges == 2
            gate.set()
            for caller in callers:
                assert (await caller.answer()).status == 200
            assert [r.start.split()[1] for r in upstream.requests[2:]] == [b"/2", b"/3"]
            assert len(upstream.peers) == 2

    run(scene())


def test_a_full_queue_and_a_wait_that_was_too_long_become_503() -> None:
    async def scene() -> None:
        limits = Limits(exchanges=1, waiters=1, wait_seconds=0.1)
        async with (
            playing(holding) as upstream,
            proxying(upstream.port, limits) as plane,
            calling(plane.port) as first,
            calling(plane.port) as waiting,
            calling(plane.port) as refused,
        ):
            await first.send(post())
            await until(lambda: len(upstream.requests) == 1)
            await waiting.send(post())
            await until(lambda: len(plane.pool.waiting) == 1)
            for caller in (refused, waiting, refused):
                got = await (caller.answer() if caller is waiting else caller.call(post()))
                assert (got.status, got.value(b"mcpr-error")) == (503, b"busy")
                assert got.value(b"retry-after") == b"1"
                assert b'"id":7' in got.body
                row = plane.row()
                assert (row.outcome, row.origin, row.http_status) == ("limited", "limit", 503)
                assert row.upstream_us is None
                # The last one finds room in the queue, and waits in vain.
            assert len(upstream.requests) == 1

    run(scene())


def test_a_stream_leaves_the_count_of_exchanges_and_has_one_of_its_own() -> None:
    async def script(peer: Peer) -> None:
        while (asked := await peer.request()) is not None:
            await peer.send(STREAM if asked.start.startswith(b"GET") else answer())

    async def scene() -> None:
        async with (
            playing(script) as upstream,
            proxying(upstream.port, Limits(exchanges=1, streams=2)) as plane,
            calling(plane.port) as one,
            calling(plane.port) as two,
            calling(plane.port) as three,
        ):
            for caller in (one, two):
                await caller.send(get(b"Accept: text/event-stream"))
                assert await caller.reader.readuntil(b"\r\n\r\n")
            assert (plane.pool.streams, plane.pool.exchanges) == (2, 0)
            for _ in range(2):
                assert (await three.call(post())).status == 200
                got = await three.call(get(b"Accept: text/event-stream"))
                assert (got.status, got.value(b"mcpr-error")) == (503, b"busy")
            plane.rows()
            one.close()
            await until(lambda: plane.pool.streams == 1)
            await three.send(get(b"Accept: text/event-stream"))
            assert b" 200 OK" in await three.reader.readuntil(b"\r\n\r\n")

    run(scene())


@pytest.mark.parametrize("loop", LOOPS)
def test_a_client_that_leaves_while_waiting_or_connecting_is_forgotten(loop: str) -> None:
    async def scene() -> None:
        with deaf_port() as port:
            async with (
                proxying(port, Limits(exchanges=1)) as plane,
                calling(plane.port) as connecting,
                calling(plane.port) as waiting,
            ):
                await connecting.send(post())
                await until(lambda: plane.pool.exchanges == 1)
                await waiting.send(post())
                await until(lambda: len(plane.pool.waiting) == 1)
                waiting.close()
                await until(lambda: not plane.pool.waiting)
                connecting.close()
                await until(plane.is_at_rest)
                assert [row.outcome for row in plane.rows()] == ["client_gone", "client_gone"]

    run(scene(), loop)


def test_a_request_that_turns_out_broken_while_it_waits_gives_its_place_back() -> None:
    """Its answer is ours by then: a connection that comes later is not for it."""
    broken = request(b"POST", CHUNKED)

    async def scene() -> None:
        async with (
            playing(holding) as upstream,
            proxying(upstream.port, Limits(exchanges=1)) as plane,
            calling(plane.port) as first,
            calling(plane.port) as waiting,
        ):
            await first.send(post())
            await until(lambda: len(upstream.requests) == 1)
            await waiting.send(broken)
            await until(lambda: len(plane.pool.waiting) == 1)
            await waiting.send(b"zz\r\n")
            assert (await waiting.answer()).status == 400
            assert not plane.pool.waiting
            first.close()
            await until(plane.is_at_rest)
            await turn()
            assert len(upstream.peers) == 1
            assert [row.outcome for row in plane.rows()] == ["http_error", "client_gone"]

    run(scene())


def test_a_request_that_turns_out_broken_on_its_way_is_refused_and_its_upstream_dropped() -> None:
    async def script(peer: Peer) -> None:
        await peer.head()
        await peer.gone()

    async def scene() -> None:
        async with (
            playing(script) as upstream,
            proxying(upstream.port) as plane,
            calling(plane.port) as caller,
        ):
            await caller.send(request(b"POST", CHUNKED) + b"3\r\nabc\r\n")
            await until(lambda: len(upstream.peers) == 1)
            got = await caller.call(b"3\r\nabcd\r\n")
            assert (got.status, got.value(b"mcpr-error")) == (400, b"malformed")
            row = plane.row()
            assert (row.outcome, row.origin, row.http_status) == ("http_error", "client", 400)
            assert plane.is_at_rest()

    run(scene())
