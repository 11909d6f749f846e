"""Event ids: UUIDv7 (RFC 9562), strictly increasing within one process.

Time and randomness are arguments, so that a test can say what the next id is.
"""

import struct
from collections.abc import Callable

_VERSION = 0x7 << 76
_VARIANT = 0b10 << 62
_RAND_A = (1 << 12) - 1
_RAND_B = (1 << 62) - 1


class Ids:
    """Mints ids. `randbits(n)` gives n random bits."""

    __slots__ = ("_next", "_randbits", "_ts_ms")

    def __init__(self, randbits: Callable[[int], int]) -> None:
        self._randbits = randbits
        self._ts_ms = -1
        self._next = 0

    def mint(self, ts_ms: int) -> bytes:
        """Return the next id, 16 bytes. A clock that goes back does not make ids go back."""
        if ts_ms > self._ts_ms:
            self._ts_ms = ts_ms
            # The top bit of the counter starts clear: room for 2^61 ids in one millisecond.
            self._next = (
                (ts_ms << 80)
                | _VERSION
                | ((self._randbits(12) & _RAND_A) << 64)
                | _VARIANT
                | (self._randbits(61) & _RAND_B)
            )
        else:
            self._next += 1
        return self._next.to_bytes(16, "big")

    def mint_many(self, ts_ms: int, count: int) -> list[bytes]:
        """Return the next ids, as `mint` would one after the other."""
        self.mint(ts_ms)
        first = self._next
        self._next = last = first + count - 1
        if first >> 64 != last >> 64:
            return [(first + i).to_bytes(16, "big") for i in range(count)]
        # The upper half is the same in all: one pack makes them, and slices take them apart.
        high, low = first >> 64, first & 0xFFFF_FFFF_FFFF_FFFF
        halves = [high] * (2 * count)
        halves[1::2] = range(low, low + count)
        packed = struct.pack(f">{2 * count}Q", *halves)
        return [packed[i : i + 16] for i in range(0, 16 * count, 16)]


def to_text(event_id: bytes) -> str:
    """The usual form: 8-4-4-4-12 hex digits."""
    text = event_id.hex()
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"
