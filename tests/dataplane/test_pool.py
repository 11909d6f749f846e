"""Connections to the upstream: kept, thrown away, waited for; and nothing is ever sent twice."""

import asyncio
import select
import socket

import pytest
from tests.dataplane.building import CALL, CHUNKED, EVENTS, RESULT, answer, get, head, post, request
from tests.dataplane.caller import calling
from tests.dataplane.fake_upstream import (
    Peer,
    answering,
    closed_port,
    deaf_port,
    holding,
    playing,
)
from tests.dataplane.plane import Plane, proxying
from tests.dataplane.scene import LOOPS, run, turn, until

from mcpr.dataplane.state import SECOND
from mcpr.protocol.limits import Limits

EARLY_SECONDS = 5.0
STREAM = head(b"HTTP/1.1 200 OK", EVENTS, CHUNKED)


def age(plane: Plane, seconds: float) -> None:
    """Make the idle connections older than they are."""
    for upstream in plane.pool.idle:
        upstream.idle_since_ns -= round(seconds * SECOND)


def wait_for_news(plane: Plane) -> None:
    """Wait until the kernel has it, while the loop stands still."""
    (upstream,) = plane.pool.idle
    news = select.poll()
    news.register(upstream.transport.get_extra_info("socket").fileno(), select.POLLIN)
    assert news.poll(EARLY_SECONDS * 1000)


def test_a_connection_is_used_again() -> None:
    async def scene() -> None:
        async with (
            playing(answering(answer())) as upstream,
            proxying(upstream.port) as plane,
            calling(plane.port) as caller,
            calling(plane.port) as other,
        ):
            for _ in range(3):
                assert (await caller.call(post())).status == 200
                assert (await other.call(get())).status == 200
            assert len(upstream.peers) == 1

    run(scene())


@pytest.mark.parametrize(("seconds", "connections"), [(3.5, 1), (4.0, 2)])
def test_a_connection_waits_for_at_most_four_seconds(seconds: float, connections: int) -> None:
    """Servers close theirs after five: uvicorn and Node by default."""

    async def scene() -> None:
        async with (
            playing(answering(answer())) as upstream,
            proxying(upstream.port) as plane,
            calling(plane.port) as caller,
        ):
            assert (await caller.call(post())).status == 200
            age(plane, seconds)
            assert (await caller.call(post())).status == 200
            assert len(upstream.peers) == connections

    run(scene())


@pytest.mark.parametrize(("seconds", "connections"), [(0.9, 1), (1.0, 2)])
def test_what_the_upstream_says_of_its_patience_is_heeded(seconds: float, connections: int) -> None:
    """`Keep-Alive: timeout=2`: we leave a second earlier."""

    async def scene() -> None:
        async with (
            playing(answering(answer(RESULT, b"Keep-Alive: max=9, timeout=2"))) as upstream,
            proxying(upstream.port) as plane,
            calling(plane.port) as caller,
        ):
            for _ in range(2):
                assert (await caller.call(post())).status == 200
                age(plane, seconds)
            assert (await caller.call(post())).status == 200
            assert len(upstream.peers) == 1 + 2 * (connections - 1)

    run(scene())


def test_connections_that_nobody_uses_are_closed_in_time() -> None:
    async def scene() -> None:
        async with (
            playing(answering(answer())) as upstream,
            proxying(upstream.port, Limits(pool_idle_seconds=0.1)) as plane,
            calling(plane.port) as caller,
        ):
            assert (await caller.call(post())).status == 200
            assert len(plane.pool.idle) == 1
            await until(lambda: not plane.pool.connections)
            assert plane.pool.idle == []
            assert len(upstream.peers) == 1

    run(scene())


@pytest.mark.parametrize("loop", LOOPS)
@pytest.mark.parametrize("how", ["closes", "says more"])
def test_a_connection_of_which_something_came_while_idle_is_not_used(how: str, loop: str) -> None:
    """Even when the loop has not yet told of it: the socket knows."""

    async def scene() -> None:
        async with (
            playing(answering(answer())) as upstream,
            proxying(upstream.port) as plane,
            calling(plane.port) as caller,
        ):
            for connections in range(1, 4):
                assert (await caller.call(post())).status == 200
                assert len(upstream.peers) == connections
                age(plane, 0.006)
                with upstream.peers[-1].socket() as peer:
                    if how == "closes":
                        peer.shutdown(socket.SHUT_WR)
                    else:
                        peer.send(b"HTTP/1.1 408 Request Timeout\r\n\r\n")
                wait_for_news(plane)
                with caller.socket() as sending:
                    sending.send(post())
                assert (await caller.answer()).raw == answer()
            assert len(upstream.requests) == 6

    run(scene(), loop)


CLOSINGS = {
    "answer-says-so": answer(RESULT, b"Connection: close"),
    "http-1.0": answer().replace(b"HTTP/1.1", b"HTTP/1.0"),
}


@pytest.mark.parametrize("name", CLOSINGS)
def test_a_connection_that_its_upstream_wants_closed_is_not_used_again(name: str) -> None:
    async def scene() -> None:
        async with (
            playing(answering(CLOSINGS[name])) as upstream,
            proxying(upstream.port) as plane,
            calling(plane.port) as caller,
        ):
            for _ in range(3):
                got = await caller.call(post())
                assert (got.status, got.value(b"connection")) == (200, None)
            assert len(upstream.peers) == 3

    run(scene())


@pytest.mark.parametrize("loop", LOOPS)
@pytest.mark.parametrize("how", ["closes", "resets"])
@pytest.mark.parametrize("is_first", [True, False], ids=["new", "kept"])
def test_a_request_is_never_sent_twice(how: str, loop: str, *, is_first: bool) -> None:
    """R1. Whether the upstream did what was asked before it closed, nobody knows."""

    async def script(peer: Peer) -> None:
        if not is_first and peer is peer.upstream.peers[0]:
            await peer.request()
            await peer.send(answer())
        await peer.request()
        if how == "resets":
            peer.reset()

    async def scene() -> None:
        async with (
            playing(script) as upstream,
            proxying(upstream.port) as plane,
            calling(plane.port) as caller,
        ):
            if not is_first:
                assert (await caller.call(post())).status == 200
                plane.rows()
                upstream.requests.clear()
            got = await caller.call(post())
            assert (got.status, got.value(b"mcpr-error")) == (502, b"cut")
            assert b'"id":7' in got.body
            assert len(upstream.requests) == 1
            row = plane.row()
            assert (row.outcome, row.origin, row.http_status) == ("broken", "transport", 502)

    run(scene(), loop)


def test_an_upstream_that_closes_as_it_accepts_is_not_waited_for() -> None:
    async def script(peer: Peer) -> None:
        peer.reset()

    async def scene() -> None:
        async with (
            playing(script) as upstream,
            proxying(upstream.port) as plane,
            calling(plane.port) as caller,
        ):
            for _ in range(3):
                got = await caller.call(post())
                assert (got.status, got.value(b"mcpr-error")) == (502, b"cut")
                assert plane.row().outcome == "broken"

    run(scene())


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
