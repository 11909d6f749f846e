"""An upstream that does what a test's script says, with real sockets."""

import asyncio
import contextlib
import os
import socket
import struct
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import cast

from tests.dataplane.messages import Message, read_all, read_message
from tests.dataplane.scene import turn


class Peer:
    """One connection that the proxy opened."""

    def __init__(
        self, upstream: "FakeUpstream", reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self.upstream = upstream
        self.reader = reader
        self.writer = writer

    async def request(self) -> Message | None:
        """The next request, whole; None when the proxy has closed."""
        request = await read_message(self.reader)
        if request is not None:
            self.upstream.requests.append(request)
        return request

    async def head(self) -> bytes:
        """The next request's head only."""
        return await self.reader.readuntil(b"\r\n\r\n")

    async def send(self, *pieces: bytes) -> None:
        """Send the pieces so that they arrive one by one."""
        with contextlib.suppress(ConnectionError):
            for piece in pieces:
                self.writer.write(piece)
                await self.writer.drain()
                await turn()

    async def gone(self) -> bytes:
        """Wait until the proxy closes; what it still sent."""
        return await read_all(self.reader)

    def socket(self) -> socket.socket:
        """A second handle of the connection's socket, past the loop; whoever asks closes it."""
        return second_handle(self.writer)

    def close(self) -> None:
        """Close properly."""
        self.writer.close()

    def reset(self) -> None:
        """Close with a reset."""
        reset(self.writer)


Script = Callable[[Peer], Awaitable[None]]


class FakeUpstream:
    """requests: whatever came whole, in order. peers: the connections, in order."""

    def __init__(self, server: asyncio.Server) -> None:
        self._server = server
        self.port = int(server.sockets[0].getsockname()[1])
        self.requests: list[Message] = []
        self.peers: list[Peer] = []

    def stop_listening(self) -> None:
        """From now on connections are refused."""
        self._server.close()


@contextlib.asynccontextmanager
async def playing(
    script: Script, *, limit: int = 1 << 20, receive_bytes: int | None = None
) -> AsyncIterator[FakeUpstream]:
    """A fake upstream that plays the script on each connection, and closes it afterwards.

    A script that fails, fails the scene. limit: half of what is read ahead of the script.
    receive_bytes: size of the sockets' own buffers.
    """
    async with asyncio.TaskGroup() as scripts:
        tasks: list[asyncio.Task[None]] = []
        fake: FakeUpstream

        async def play(peer: Peer) -> None:
            try:
                await script(peer)
            finally:
                peer.close()

        def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            peer = Peer(fake, reader, writer)
            fake.peers.append(peer)
            tasks.append(scripts.create_task(play(peer)))

        listening = socket.socket()
        listening.bind(("127.0.0.1", 0))
        if receive_bytes is not None:
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_bytes)
        server = await asyncio.start_server(accept, sock=listening, limit=limit)
        fake = FakeUpstream(server)
        try:
            yield fake
        finally:
            server.close()
            for task in tasks:
                task.cancel()
            for peer in fake.peers:
                peer.writer.close()
            await turn()


def answering(*answers: bytes) -> Script:
    """Answers each request of a connection in turn; the last answer again and again."""

    async def script(peer: Peer) -> None:
        count = 0
        while await peer.request() is not None:
            await peer.send(answers[min(count, len(answers) - 1)])
            count += 1

    return script


async def holding(peer: Peer) -> None:
    """Reads a request and never answers."""
    await peer.request()
    await peer.gone()


def second_handle(writer: asyncio.StreamWriter) -> socket.socket:
    """A socket of its own for the same connection."""
    return socket.socket(fileno=os.dup(writer.get_extra_info("socket").fileno()))


def reset(writer: asyncio.StreamWriter) -> None:
    """Close the connection so that the other side sees a reset."""
    sock = cast("socket.socket", writer.get_extra_info("socket"))
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


@contextlib.contextmanager
def deaf_port() -> Iterator[int]:
    """A port whose queue of connections is full: whoever connects there waits."""
    with contextlib.ExitStack() as stack:
        listening = stack.enter_context(socket.socket())
        listening.bind(("127.0.0.1", 0))
        listening.listen(0)
        for _ in range(4):
            filler = stack.enter_context(socket.socket())
            filler.setblocking(False)  # noqa: FBT003 - the standard library's signature
            with contextlib.suppress(BlockingIOError):
                filler.connect(listening.getsockname())
        yield listening.getsockname()[1]


def closed_port() -> int:
    """A port where nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
