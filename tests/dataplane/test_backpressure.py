"""Whoever reads slowly makes the one that sends to it wait, and nobody else; memory is bounded."""

import asyncio
import contextlib
import hashlib
from collections.abc import Iterator

import pytest
from tests.dataplane.building import CALL, CHUNKED, RESULT, answer, get, head, post, request
from tests.dataplane.caller import Caller, calling
from tests.dataplane.fake_upstream import Peer, playing
from tests.dataplane.messages import chunked
from tests.dataplane.plane import Plane, proxying
from tests.dataplane.scene import LOOPS, run, until

from mcpr.protocol.limits import MIB, Limits

#: More than the kernel keeps for both connections together.
LARGE_BYTES = 24 * MIB
PIECE_BYTES = 64 * 1024
#: The write buffers' high-water marks, and what one read brings, for both connections.
MOST_WAITING_BYTES = 1 * MIB
SMALL_BUFFER = 4096


def pieces() -> Iterator[bytes]:
    """Bytes of which no two pieces are alike."""
    for number in range(LARGE_BYTES // PIECE_BYTES):
        yield number.to_bytes(8, "big") * (PIECE_BYTES // 8)


def digest() -> bytes:
    whole = hashlib.sha256()
    for piece in pieces():
        whole.update(piece)
    return whole.digest()


def is_stalled(plane: Plane) -> bool:
    return any(client.writing_paused for client in plane.listener.clients)


@pytest.mark.parametrize("loop", LOOPS)
@pytest.mark.parametrize("framing", ["length", "chunked"])
def test_a_slow_reader_makes_its_own_upstream_wait_and_nobody_else(framing: str, loop: str) -> None:
    async def script(peer: Peer) -> None:
        asked = await peer.request()
        while asked is not None and asked.start.startswith(b"POST"):
            await peer.send(answer())
            asked = await peer.request()
        lines = (CHUNKED,) if framing == "chunked" else (b"Content-Length: %d" % LARGE_BYTES,)
        peer.writer.write(head(b"HTTP/1.1 200 OK", *lines))
        for piece in pieces():
            peer.writer.write(chunked(piece)[:-5] if framing == "chunked" else piece)
            await peer.writer.drain()
        if framing == "chunked":
            peer.writer.write(b"0\r\n\r\n")
        await peer.gone()

    async def scene() -> None:
        async with (
            playing(script) as upstream,
            proxying(upstream.port) as plane,
            calling(plane.port, limit=SMALL_BUFFER, receive_bytes=SMALL_BUFFER) as slow,
            calling(plane.port) as other,
        ):
            await slow.send(get())
            await until(lambda: is_stalled(plane))
            for _ in range(5):
                assert (await other.call(post(CALL, b"Connection: keep-alive"))).body == RESULT
                assert plane.waiting_bytes < MOST_WAITING_BYTES
            got = await slow.answer()
            assert got.is_whole
            assert hashlib.sha256(got.body).digest() == digest()

    run(scene(), loop)


@pytest.mark.parametrize("loop", LOOPS)
@pytest.mark.parametrize("framing", ["length", "chunked"])
def test_an_upstream_that_reads_slowly_makes_its_own_client_wait(framing: str, loop: str) -> None:
    reads = asyncio.Event()

    async def script(peer: Peer) -> None:
        await reads.wait()
        asked = await peer.request()
        assert asked is not None
        await peer.send(answer(hashlib.sha256(asked.body).digest()))

    async def send(caller: Caller) -> None:
        lines = (CHUNKED,) if framing == "chunked" else (b"Content-Length: %d" % LARGE_BYTES,)
        caller.writer.write(request(b"PUT", *lines))
        for piece in pieces():
            caller.writer.write(chunked(piece)[:-5] if framing == "chunked" else piece)
            await caller.writer.drain()
        if framing == "chunked":
            caller.writer.write(b"0\r\n\r\n")

    async def scene() -> None:
        async with (
            playing(script, limit=SMALL_BUFFER, receive_bytes=SMALL_BUFFER) as upstream,
            proxying(upstream.port) as plane,
            calling(plane.port) as caller,
            asyncio.TaskGroup() as sending,
        ):
            sending.create_task(send(caller))
            await until(
                lambda: any(c.reading_paused and c.upstream for c in plane.listener.clients)
            )
            for _ in range(20):
                await asyncio.sleep(0)
                assert plane.waiting_bytes < MOST_WAITING_BYTES
            reads.set()
            assert (await caller.answer()).body == digest()

    run(scene(), loop)


@pytest.mark.parametrize("loop", LOOPS)
def test_a_client_that_asks_on_and_reads_nothing_is_not_answered_on(loop: str) -> None:
    """Its answers would pile up in our memory. When it reads, it gets them all, in order."""
    count = 300
    body = b"z" * 150_000

    async def script(peer: Peer) -> None:
        while (asked := await peer.request()) is not None:
            await peer.send(answer(asked.start.split()[1] + body, b"Content-Type: text/plain"))

    async def ask(caller: Caller) -> None:
        for number in range(count):
            caller.writer.write(get(target=b"/%03d" % number))
            await caller.writer.drain()

    async def scene() -> None:
        async with (
            playing(script) as upstream,
            proxying(upstream.port) as plane,
            calling(plane.port, limit=SMALL_BUFFER, receive_bytes=SMALL_BUFFER) as caller,
            asyncio.TaskGroup() as asking,
        ):
            asking.create_task(ask(caller))
            await until(lambda: is_stalled(plane))
            await until(lambda: all(c.state == 0 for c in plane.listener.clients))
            for _ in range(20):
                await asyncio.sleep(0)
                assert plane.waiting_bytes < MOST_WAITING_BYTES
            assert len(upstream.requests) < count
            for number in range(count):
                assert (await caller.answer()).body == b"/%03d" % number + body

    run(scene(), loop)


def test_slow_readers_do_not_keep_the_places_of_others() -> None:
    """As many as there are places, and one more: only its reader waits for a stalled answer."""

    async def script(peer: Peer) -> None:
        asked = await peer.request()
        while asked is not None and asked.start.startswith(b"POST"):
            await peer.send(answer())
            asked = await peer.request()
        with contextlib.suppress(ConnectionError):
            for piece in (head(b"HTTP/1.1 200 OK", b"Content-Length: %d" % LARGE_BYTES), *pieces()):
                peer.writer.write(piece)
                await peer.writer.drain()

    async def scene() -> None:
        async with (
            playing(script) as upstream,
            proxying(upstream.port, Limits(exchanges=2, waiters=0)) as plane,
            calling(plane.port, limit=SMALL_BUFFER, receive_bytes=SMALL_BUFFER) as one,
            calling(plane.port, limit=SMALL_BUFFER, receive_bytes=SMALL_BUFFER) as two,
            calling(plane.port) as other,
        ):
            await one.send(get())
            await two.send(get())
            await until(lambda: plane.pool.streams == 2)
            for _ in range(3):
                assert (await other.call(post())).body == RESULT
            assert (await one.answer()).is_whole
            assert plane.pool.streams == 1

    run(scene())


def test_a_reader_that_stays_away_is_cut_off() -> None:
    async def script(peer: Peer) -> None:
        await peer.request()
        peer.writer.write(head(b"HTTP/1.1 200 OK", b"Content-Length: %d" % LARGE_BYTES))
        with contextlib.suppress(ConnectionError):
            for piece in pieces():
                peer.writer.write(piece)
                await peer.writer.drain()

    async def scene() -> None:
        async with (
            playing(script) as upstream,
            proxying(upstream.port, Limits(stalled_seconds=0.1)) as plane,
            calling(plane.port, limit=SMALL_BUFFER, receive_bytes=SMALL_BUFFER) as slow,
        ):
            await slow.send(get())
            await until(lambda: is_stalled(plane))
            await until(lambda: not plane.listener.clients)
            row = plane.row()
            assert (row.outcome, row.origin, row.http_status) == ("client_gone", "client", 200)

    run(scene())
