"""A relay that passes every byte on unchanged, but for one header line that it may drop.

With nothing to drop it is the control of the conformance comparison, with a header it is the
planted violation that must turn the comparison red. It records nothing and retries nothing; for
each connection of a client it opens one to the server, and either end's close closes both.

    python -m tests.conformance.headerdropper --upstream-port 9000 --drop-response content-type
"""

import argparse
import asyncio
import re
import sys
from asyncio import StreamReader, StreamWriter
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass

_PIECE_BYTES = 65536
_LENGTH = re.compile(rb"^content-length:\s*(\d+)\s*$", re.IGNORECASE | re.MULTILINE)
_CHUNKED = re.compile(rb"^transfer-encoding:.*\bchunked\s*$", re.IGNORECASE | re.MULTILINE)
_BODILESS_STATUS = re.compile(rb"HTTP/1\.1 (1\d\d|204|304) ")


@dataclass(frozen=True, slots=True)
class Relay:
    """Where to relay to, and the header to drop from requests and from responses, if any."""

    upstream_port: int
    drop_request: str | None = None
    drop_response: str | None = None

    async def serve(self, announce: Callable[[str], None]) -> None:
        """Listen on a free loopback port, announce its URL, and relay until cancelled."""
        server = await asyncio.start_server(self._carry, "127.0.0.1", 0)
        announce(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}")
        async with server:
            await server.serve_forever()

    async def _carry(self, from_client: StreamReader, to_client: StreamWriter) -> None:
        from_server, to_server = await asyncio.open_connection("127.0.0.1", self.upstream_port)
        try:
            async with asyncio.TaskGroup() as pair:
                ways = (
                    pair.create_task(_relay(from_client, to_server, self.drop_request)),
                    pair.create_task(_relay(from_server, to_client, self.drop_response)),
                )
                await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
                for way in ways:
                    way.cancel()
        finally:
            to_server.close()
            to_client.close()


async def _relay(source: StreamReader, sink: StreamWriter, dropped: str | None) -> None:
    """Pass messages on, in one direction, until either end closes."""
    with suppress(ConnectionError, asyncio.IncompleteReadError):
        while True:
            head = await source.readuntil(b"\r\n\r\n")
            await _send(sink, without_header(head, dropped))
            await _body_relay(head)(source, sink)


def without_header(head: bytes, name: str | None) -> bytes:
    """`head` without the lines of the header `name`; every other byte stays."""
    if name is None:
        return head
    line = rb"^" + re.escape(name.encode()) + rb":[^\n]*\n"
    return re.sub(line, b"", head, flags=re.IGNORECASE | re.MULTILINE)


def _body_relay(head: bytes) -> Callable[[StreamReader, StreamWriter], Awaitable[None]]:
    """How the body after this head ends (RFC 9112, section 6.3), as the function to relay it."""
    if _BODILESS_STATUS.match(head):
        return _relay_nothing
    if _CHUNKED.search(head):
        return _relay_chunks
    length = _LENGTH.search(head)
    if length is not None:
        return lambda source, sink: _relay_bytes(source, sink, int(length[1]))
    return _relay_to_the_end if head.startswith(b"HTTP/") else _relay_nothing


async def _relay_nothing(_source: StreamReader, _sink: StreamWriter) -> None:
    """A message without a body."""


async def _relay_chunks(source: StreamReader, sink: StreamWriter) -> None:
    while (size := await _relay_line(source, sink)) not in (b"0\r\n", b"\r\n"):
        await _relay_bytes(source, sink, int(size.split(b";")[0], 16) + len(b"\r\n"))
    while await _relay_line(source, sink) != b"\r\n":
        pass  # a trailer line


async def _relay_line(source: StreamReader, sink: StreamWriter) -> bytes:
    line = await source.readuntil(b"\r\n")
    await _send(sink, line)
    return line


async def _relay_bytes(source: StreamReader, sink: StreamWriter, count: int) -> None:
    while count:
        piece = await source.read(min(count, _PIECE_BYTES))
        if not piece:
            raise asyncio.IncompleteReadError(piece, count)
        await _send(sink, piece)
        count -= len(piece)


async def _relay_to_the_end(source: StreamReader, sink: StreamWriter) -> None:
    while piece := await source.read(_PIECE_BYTES):
        await _send(sink, piece)


async def _send(sink: StreamWriter, piece: bytes) -> None:
    sink.write(piece)
    await sink.drain()


def _announce(url: str) -> None:
    sys.stdout.write(f"relaying on {url}\n")
    sys.stdout.flush()


def main() -> None:
    """Relay until SIGTERM."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--upstream-port", type=int, required=True)
    parser.add_argument("--drop-request", metavar="NAME")
    parser.add_argument("--drop-response", metavar="NAME")
    asyncio.run(Relay(**vars(parser.parse_args())).serve(_announce))


if __name__ == "__main__":
    main()
