"""The chunked transfer coding (RFC 9112 section 7.1), read strictly.

A reader says where the payload is and where the body ends; it keeps nothing of it. What frames the
body is checked byte by byte, so that the framing itself may be passed on as it came.
"""

import re
from enum import IntEnum

from mcpr.protocol.http1.head import Role, role_of

# Possessive quantifiers: a crafted line is not read in quadratic time.
_TOKEN = rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]++"
_SIZE_LINE = re.compile(
    rb"([0-9A-Fa-f]{1,15}+)"
    rb"(?:[ \t]*+;[ \t]*+" + _TOKEN + rb"(?:[ \t]*+=[ \t]*+(?:" + _TOKEN + rb'|"(?:'
    rb'[\t !#-\[\]-~\x80-\xff]|\\[\t -~\x80-\xff])*+"))?+)*+'
)
_PLAIN_SIZE_LINE = re.compile(rb"[0-9A-Fa-f]{1,15}+\r\n")
_TRAILER_LINE = re.compile(rb"(" + _TOKEN + rb"):[\t -~\x80-\xff]*+")
_MAX_LINE = 4096
_MAX_TRAILERS = 16384


class BadChunk(ValueError):
    """The framing is broken; nothing after this point can be trusted."""


class _At(IntEnum):
    SIZE = 0
    DATA = 1
    DATA_END = 2
    TRAILER = 3
    DONE = 4


# Looking a member up costs more than everything else a short chunk needs.
_SIZE, _DATA, _DATA_END, _TRAILER, _DONE = _At


class Chunked:
    """Reads one chunked body. Feed it what arrives until `done`."""

    __slots__ = ("_at", "_left", "_line", "_trailers", "done")

    def __init__(self) -> None:
        self._at = _SIZE
        self._left = 0
        self._line = b""
        self._trailers = 0
        self.done = False

    def feed(self, data: bytes, start: int = 0) -> tuple[list[bytes], int]:
        """Read on at `start`.

        Returns the payload found, and the index of the first byte that does not belong to this
        body: `len(data)` unless the body is `done`. Raises BadChunk.
        """
        payload: list[bytes] = []
        here, end = start, len(data)
        while here < end and not self.done:
            at = self._at
            if at is _SIZE:
                here = self._chunk(data, here, payload)
            elif at is _DATA:
                piece = data[here : here + self._left]
                payload.append(piece)
                here += len(piece)
                self._left -= len(piece)
                if not self._left:
                    self._at = _DATA_END
            elif at is _DATA_END:
                here = self._crlf(data, here)
            else:
                here = self._take_line(data, here)
        return payload, here

    @property
    def at_border(self) -> bool:
        """Whether a chunk has just ended and none has begun: here `LAST_CHUNK` could stand."""
        return self._at is _SIZE and not self._line

    def _chunk(self, data: bytes, here: int, payload: list[bytes]) -> int:
        """Read a chunk that is here as a whole, which is the rule; else its size line."""
        match = None if self._line else _PLAIN_SIZE_LINE.match(data, here)
        if match is None:
            return self._take_line(data, here)
        size = int(match[0], 16)
        here = match.end()
        stop = here + size
        if not size:
            self._at = _TRAILER
        elif data[stop : stop + 2] == b"\r\n":
            payload.append(data[here:stop])
            return stop + 2
        else:
            self._left = size
            self._at = _DATA
        return here

    def _crlf(self, data: bytes, here: int) -> int:
        wanted = b"\r\n"[len(self._line) :]
        piece = data[here : here + len(wanted)]
        if not wanted.startswith(piece):
            raise BadChunk("chunk data is not followed by CRLF")
        self._line += piece
        if len(self._line) == 2:
            self._line = b""
            self._at = _SIZE
        return here + len(piece)

    def _take_line(self, data: bytes, here: int) -> int:
        newline = data.find(b"\n", here)
        if newline < 0:
            self._line += data[here : here + _MAX_LINE + 1]
            if len(self._line) > _MAX_LINE:
                raise BadChunk("a chunk line is too long")
            return len(data)
        line = self._line + data[here:newline]
        self._line = b""
        if line[-1:] != b"\r":
            raise BadChunk("a chunk line ends in LF without CR")
        if len(line) > _MAX_LINE:
            raise BadChunk("a chunk line is too long")
        if self._at is _SIZE:
            self._size(line[:-1])
        else:
            self._trailer(line[:-1])
        return newline + 1

    def _size(self, line: bytes) -> None:
        match = _SIZE_LINE.fullmatch(line)
        if match is None:
            raise BadChunk("a chunk size is not a hexadecimal number")
        self._left = int(match[1], 16)
        self._at = _DATA if self._left else _TRAILER

    def _trailer(self, line: bytes) -> None:
        if not line:
            self._at = _DONE
            self.done = True
            return
        self._trailers += len(line)
        if self._trailers > _MAX_TRAILERS:
            raise BadChunk("the trailers are too large")
        match = _TRAILER_LINE.fullmatch(line)
        if match is None:
            raise BadChunk("a trailer line is not NAME: VALUE")
        # Passed on as it came, it would frame, route or vouch for a message that has begun.
        if role_of(match[1].lower()) is not Role.END_TO_END:
            raise BadChunk("a trailer names a field that belongs into the head")


def one_chunk(payload: bytes) -> bytes:
    """`payload` as a chunk of its own; nothing for nothing (an empty chunk would end the body)."""
    return b"%x\r\n%b\r\n" % (len(payload), payload) if payload else b""


class _Sizes(dict[bytes, int]):
    """A plain size as it is written → the number; -1 for what is none."""

    _MOST = 4096

    def __missing__(self, text: bytes) -> int:
        size = int(text, 16) if _PLAIN_SIZE.fullmatch(text) else -1
        if len(self) >= self._MOST:
            self.clear()
        if size >= 0:
            self[text] = size
        return size


_PLAIN_SIZE = re.compile(rb"[0-9A-Fa-f]{1,8}")
_sizes = _Sizes()


def only_chunk(data: bytes) -> bytes | None:
    """The payload, if it is all in one plain chunk, and the last one follows."""
    size, _, rest = data.partition(b"\r\n")
    if len(rest) != _sizes[size] + 7 or rest[-7:] != b"\r\n0\r\n\r\n":
        return None
    return rest[:-7] or None


LAST_CHUNK = b"0\r\n\r\n"
