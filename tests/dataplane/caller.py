"""A client that sends exactly what a test says, and reads answers one by one."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator
from typing import cast

from tests.dataplane.fake_upstream import reset, second_handle
from tests.dataplane.messages import Message, read_all, read_message
from tests.dataplane.scene import turn


class Caller:
    """One connection to the proxy."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    async def send(self, *pieces: bytes) -> None:
        """Send the pieces so that they arrive one by one."""
        with contextlib.suppress(ConnectionError):
            for piece in pieces:
                self.writer.write(piece)
                await self.writer.drain()
                await turn()

    async def answer(self, *, bodiless: bool = False) -> Message:
        """The next answer, interim ones too."""
        answer = await read_message(self.reader, bodiless=bodiless, ends_by_close=True)
        assert answer is not None, "the connection ended before an answer"
        return answer

    async def call(self, *pieces: bytes, bodiless: bool = False) -> Message:
        """Send a request, read its answer."""
        await self.send(*pieces)
        return await self.answer(bodiless=bodiless)

    async def rest(self) -> bytes:
        """Everything up to the end of the connection."""
        return await read_all(self.reader)

    def socket(self) -> socket.socket:
        """A second handle of the connection's socket, past the loop; whoever asks closes it."""
        return second_handle(self.writer)

    def close(self) -> None:
        """Leave properly."""
        self.writer.close()

    def reset(self) -> None:
        """Leave with a reset."""
        reset(self.writer)


@contextlib.asynccontextmanager
async def calling(
    port: int, *, limit: int = 1 << 24, receive_bytes: int | None = None
) -> AsyncIterator[Caller]:
    """Connect to the proxy; leave at the end.

    limit: half of what is read ahead of the test. receive_bytes: size of the socket's own buffer.
    """
    sock = socket.socket()
    if receive_bytes is not None:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_bytes)
    sock.setblocking(False)  # noqa: FBT003 - the standard library's signature
    await asyncio.get_running_loop().sock_connect(sock, ("127.0.0.1", port))
    reader, writer = await asyncio.open_connection(sock=sock, limit=limit)
    try:
        yield Caller(reader, writer)
    finally:
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()


def port_of(caller: Caller) -> int:
    """The port that the caller calls from."""
    sock = cast("socket.socket", caller.writer.get_extra_info("socket"))
    return int(sock.getsockname()[1])
