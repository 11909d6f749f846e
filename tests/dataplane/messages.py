"""Reads HTTP/1.1 messages off a stream as a test sees them: raw, and taken apart.

Written apart from mcpr's own parser, so that a mistake there is not repeated here.
"""

import asyncio
import contextlib
import itertools
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Message:
    """A request or an answer. head: with its blank line. framed: the body as it came on the wire.

    body: without framing. is_whole: it ended where its framing says, not where the peer left.
    """

    head: bytes
    framed: bytes
    body: bytes
    is_whole: bool

    @property
    def raw(self) -> bytes:
        return self.head + self.framed

    @property
    def start(self) -> bytes:
        return self.head.partition(b"\r\n")[0]

    @property
    def status(self) -> int:
        return int(self.start.split(b" ")[1])

    @property
    def lines(self) -> list[bytes]:
        """The header lines, in order, as they came."""
        return self.head[:-4].split(b"\r\n")[1:]

    def values(self, name: bytes) -> list[bytes]:
        """Every value of a field, in order."""
        found = []
        for line in self.lines:
            this, _, value = line.partition(b":")
            if this.lower() == name.lower():
                found.append(value.strip())
        return found

    def value(self, name: bytes) -> bytes | None:
        """The only value of a field; None where there is none."""
        values = self.values(name)
        assert len(values) < 2, f"{name!r} came twice"
        return values[0] if values else None


async def read_message(
    reader: asyncio.StreamReader, *, bodiless: bool = False, ends_by_close: bool = False
) -> Message | None:
    """The next message; None at the end of the stream.

    bodiless: whatever the head says, no body follows. ends_by_close: a body of no stated length
    lasts until the stream ends.
    """
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except (asyncio.IncompleteReadError, ConnectionError) as end:
        begun = getattr(end, "partial", b"")
        return Message(begun, b"", b"", is_whole=False) if begun else None
    bare = Message(head, b"", b"", is_whole=True)
    if bodiless:
        return bare
    coding, length = bare.value(b"transfer-encoding"), bare.value(b"content-length")
    if coding is not None:
        assert coding.lower() == b"chunked"
        assert length is None
        return await _read_chunked(reader, head)
    if length is not None:
        body = await _read(reader, int(length))
        return Message(head, body, body, is_whole=len(body) == int(length))
    if ends_by_close:
        body = await read_all(reader)
        return Message(head, body, body, is_whole=True)
    return bare


async def _read(reader: asyncio.StreamReader, size: int) -> bytes:
    """So many bytes, or what came of them before the end."""
    data = bytearray()
    with contextlib.suppress(ConnectionError):
        while len(data) < size and (piece := await reader.read(size - len(data))):
            data += piece
    return bytes(data)


async def read_all(reader: asyncio.StreamReader) -> bytes:
    """Everything up to the end, however it comes."""
    data = bytearray()
    with contextlib.suppress(ConnectionError):
        while piece := await reader.read(1 << 20):
            data += piece
    return bytes(data)


async def _read_chunked(reader: asyncio.StreamReader, head: bytes) -> Message:
    framed, body = bytearray(), bytearray()
    is_whole = False
    with contextlib.suppress(ConnectionError):
        while True:
            line = await _read_line(reader)
            framed += line
            if not line.endswith(b"\r\n"):
                break
            size = int(line[:-2].partition(b";")[0], 16)
            if not size:
                is_whole = True
                break
            chunk = await _read(reader, size + 2)
            framed += chunk
            body += chunk[:size]
            if len(chunk) < size + 2:
                break
            assert chunk.endswith(b"\r\n")
        while is_whole and line != b"\r\n":
            line = await _read_line(reader)
            framed += line
            is_whole = line.endswith(b"\r\n")
    return Message(head, bytes(framed), bytes(body), is_whole=is_whole)


async def _read_line(reader: asyncio.StreamReader) -> bytes:
    """A line with its end, or what came of it."""
    try:
        return await reader.readuntil(b"\r\n")
    except asyncio.IncompleteReadError as end:
        return end.partial


def is_same(one: Message, other: Message) -> bool:
    """Whether two messages differ in nothing but in how lines of different names are ordered."""
    return (one.start, one.framed, one.is_whole, _by_name(one)) == (
        other.start,
        other.framed,
        other.is_whole,
        _by_name(other),
    )


def _by_name(message: Message) -> list[bytes]:
    # Sorting is stable: lines of one name stay in their order.
    return sorted(message.lines, key=lambda line: line.partition(b":")[0].lower())


def as_message(raw: bytes) -> Message:
    """A whole message from its bytes."""
    head, _, body = raw.partition(b"\r\n\r\n")
    return Message(head + b"\r\n\r\n", body, body, is_whole=True)


def chunked(*pieces: bytes, trailers: bytes = b"") -> bytes:
    """The pieces in the chunked coding, with its end."""
    return b"".join(b"%x\r\n%b\r\n" % (len(p), p) for p in pieces) + b"0\r\n%b\r\n" % trailers


def cut_at(data: bytes, *places: int) -> list[bytes]:
    """The data in pieces that end at these places."""
    borders = [0, *sorted(place for place in places if place < len(data)), len(data)]
    return [data[a:b] for a, b in itertools.pairwise(borders) if a < b]
