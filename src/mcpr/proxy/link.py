"""The data plane's end of the socket, and the companion process at the other one."""

import asyncio
import contextlib
import socket
from collections.abc import Callable, Sequence
from typing import cast

from mcpr.proxy.frames import FrameError, FrameReader

# How long a companion may take to end after it said FINAL, or closed its end.
END_SECONDS = 2.0


class Link(asyncio.Protocol):
    """Writes frames, reports frames, and knows when it is over.

    tail: a duplicate of the transport's socket. When a write fails because the companion has died,
        the transport closes without reading what the companion had said before; that is read here.
    on_frame: called with every frame the companion sends.
    """

    def __init__(self, tail: socket.socket, on_frame: Callable[[int, bytes], None]) -> None:
        self.closed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._tail = tail
        self._on_frame = on_frame
        self._reader = FrameReader()
        self._transport: asyncio.WriteTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        self._transport = cast("asyncio.WriteTransport", transport)

    def data_received(self, data: bytes) -> None:
        """Cut the companion's words into frames."""
        try:
            for kind, body in self._reader.feed(data):
                self._on_frame(kind, body)
        except FrameError:
            self.abort()

    def eof_received(self) -> None:
        """The companion has closed its end: what is still to be written has no reader."""
        self.abort()

    def connection_lost(self, error: Exception | None) -> None:
        """Read the companion's last words."""
        self._transport = None
        with contextlib.suppress(OSError), self._tail:
            while data := self._tail.recv(65_536):
                self.data_received(data)
        if not self.closed.done():
            self.closed.set_result(None)

    @property
    def waiting_bytes(self) -> int:
        """Bytes that are written and that the companion's end has not taken."""
        return self._transport.get_write_buffer_size() if self._transport is not None else 0

    def write(self, data: bytes) -> None:
        """Send a whole frame; without effect once the link is closed."""
        if self._transport is not None:
            self._transport.write(data)

    def abort(self) -> None:
        """Close the link and forget what is not written."""
        if self._transport is not None:
            self._transport.abort()


class CompanionProcess:
    """A companion process and the link to it."""

    def __init__(self, link: Link, process: asyncio.subprocess.Process) -> None:
        self.link = link
        self._process = process

    @property
    def pid(self) -> int:
        """The companion's process id."""
        return self._process.pid

    async def end(self, seconds: float = END_SECONDS) -> str:
        """Wait for the process to end; kill it when `seconds` are over. Say how it ended."""
        try:
            async with asyncio.timeout(seconds):
                await self._process.wait()
        except TimeoutError:
            self.kill()
            await self._process.wait()
        self.link.abort()
        await self.link.closed
        status = self._process.returncode or 0
        return f"signal {-status} killed it" if status < 0 else f"it ended with status {status}"

    def kill(self) -> None:
        """End the process at once."""
        with contextlib.suppress(ProcessLookupError):
            self._process.kill()


async def spawn(
    command: Sequence[str], on_frame: Callable[[int, bytes], None], *, keeps_stdout: bool = False
) -> CompanionProcess:
    """Start `command` with the number of its end of the socket as its last argument.

    keeps_stdout: our stdout is its own, too; else it has none. Raises OSError.
    """
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
    with theirs, contextlib.ExitStack() as undo:
        undo.callback(ours.close)
        ours.setblocking(False)  # noqa: FBT003 - the standard library's signature
        tail = ours.dup()
        undo.callback(tail.close)
        tail.setblocking(False)  # noqa: FBT003 - the same
        process = await asyncio.create_subprocess_exec(
            *command,
            str(theirs.fileno()),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=None if keeps_stdout else asyncio.subprocess.DEVNULL,
            pass_fds=(theirs.fileno(),),
            # Ctrl-C in the terminal goes to the whole group; the companion has to outlive it.
            start_new_session=True,
        )
        loop = asyncio.get_running_loop()
        _, link = await loop.create_unix_connection(lambda: Link(tail, on_frame), sock=ours)
        undo.pop_all()
    return CompanionProcess(link, process)
