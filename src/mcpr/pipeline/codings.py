"""Undoes the content codings that the standard library can: a copy, read on the side.

Bounded: what grows beyond a bound is left unread, for a small body can be made to grow without end.
"""

import zlib

_WINDOWS = {"gzip": 31, "x-gzip": 31, "deflate": 15}
_BARE = -15


class Unreadable(ValueError):
    """The bytes are not in the coding they are said to be in."""


def is_known(coding: str) -> bool:
    """Whether bodies in this coding (lower case) can be read."""
    return coding in _WINDOWS


class Inflater:
    """Inflates one body in a known coding, piece by piece, borders anywhere."""

    __slots__ = ("_inflate", "_start")

    def __init__(self, coding: str) -> None:
        self._start = b""
        self._inflate: zlib._Decompress | None = None
        if coding != "deflate":
            self._inflate = zlib.decompressobj(_WINDOWS[coding])

    def feed(self, piece: bytes, most: int) -> bytes | None:
        """What this piece adds; None when that is more than `most` bytes. Raises Unreadable."""
        if self._inflate is None:
            piece = self._start + piece
            if len(piece) < 2:
                self._start = piece
                return b""
            self._inflate = zlib.decompressobj(_deflate_window(piece))
        try:
            data = self._inflate.decompress(piece, most + 1)
        except zlib.error as exc:
            raise Unreadable from exc
        return None if len(data) > most else data


def _deflate_window(start: bytes) -> int:
    """Some servers send `deflate` without the zlib head of RFC 9110 section 8.4.1.2."""
    has_head = start[0] & 15 == 8 and int.from_bytes(start[:2], "big") % 31 == 0
    return _WINDOWS["deflate"] if has_head else _BARE


def inflate(body: bytes, coding: str, most: int) -> bytes | None:
    """The whole body; None when it is larger than `most` bytes. Raises Unreadable."""
    return Inflater(coding).feed(body, most)
