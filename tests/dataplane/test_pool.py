"""Connections to the upstream: kept, thrown away, waited for; and nothing is ever sent twice."""

import select
import socket

import pytest
from tests.dataplane.building import CHUNKED, EVENTS, RESULT, answer, get, head, post
from tests.dataplane.caller import calling
from tests.dataplane.fake_upstream import (
    Peer,
    answering,
    playing,
)
from tests.dataplane.plane import Plane, proxying
from tests.dataplane.scene import LOOPS, run, until

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


def test_new_used_and_failed_connections_are_counted_however_the_exchange_went() -> None:
    async def scene() -> None:
        async with (
            playing(answering(answer())) as upstream,
            proxying(upstream.port) as plane,
            calling(plane.port) as caller,
        ):
            pool = plane.pool
            for _ in range(3):  # Common calls, handed over in batches.
                assert (await caller.call(post())).status == 200
            assert (await caller.call(get())).status == 200  # No common call, but the fast way.
            # In two pieces: the long way.
            head, end, body = post().partition(b"\r\n\r\n")
            await caller.send(head + end)
            await caller.send(body)
            assert (await caller.answer()).status == 200
            assert (pool.opened, pool.reused, pool.failed) == (1, 4, 0)
            pool.flush()
            assert (pool.opened, pool.reused, pool.failed) == (1, 4, 0)
            age(plane, 9)
            assert (await caller.call(post())).status == 200
            assert (pool.opened, pool.reused, pool.failed) == (2, 4, 0)
        # Nobody listens there any more.
        async with proxying(upstream.port) as plane, calling(plane.port) as caller:
            assert (await caller.call(post())).status == 502
            assert (plane.pool.opened, plane.pool.reused, plane.pool.failed) == (0, 0, 1)

    run(scene())


def test_a_stream_begins_on_a_connection_like_any_other_exchange() -> None:
    async def scene() -> None:
        async with (
            playing(answering(answer(), STREAM)) as upstream,
            proxying(upstream.port) as plane,
            calling(plane.port) as caller,
        ):
            pool = plane.pool
            assert (await caller.call(post())).status == 200
            await caller.send(get(b"Accept: text/event-stream"))
            await until(lambda: pool.streams == 1)
            assert (pool.opened, pool.reused, pool.exchanges) == (1, 1, 0)
            caller.close()
            await until(lambda: pool.streams == 0)
            assert (pool.opened, pool.reused, pool.failed) == (1, 1, 0)

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
