"""Event ids: UUIDv7 (RFC 9562), strictly increasing within one process.

Time and randomness are arguments, so that a test can say what the next id is.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Final

_VERSION = 0x7 << 76
_VARIANT = 0b10 << 62
_RAND_A = (1 << 12) - 1
_RAND_B = (1 << 62) - 1
#: An id's time may be so much earlier than its publication.
_LAG_MS: Final = 100

#: Ids that follow one another without a gap: the first one, and how many there are. All agree in
#: their first 65 bits, so that one integer of 64 bits can count through them.
Run = tuple[bytes, int]
_COMMON_BITS: Final = 63


class Ids:
    """Mints ids. `randbits(n)` gives n random bits.

    An id follows the one before it without a gap, unless that is more than 100 ms old: whoever
    moves or stores many of them names the first one and their number. RFC 9562 allows both, a
    counter in the random part (6.2) and a time that is a little off (6.1).
    """

    __slots__ = ("_next", "_randbits", "_ts_ms")

    def __init__(self, randbits: Callable[[int], int]) -> None:
        self._randbits = randbits
        self._ts_ms = -1 - _LAG_MS
        self._next = 0

    def mint(self, ts_ms: int) -> bytes:
        """Return the next id, 16 bytes. A clock that goes back does not make ids go back."""
        return self.mint_run(ts_ms, 1)[0]

    def mint_run(self, ts_ms: int, count: int) -> Run:
        """Return the next `count` ids, as `mint` would one after the other."""
        if ts_ms > self._ts_ms + _LAG_MS:
            self._ts_ms = ts_ms
            # The top bit of the counter starts clear: room for 2^61 ids.
            self._next = (
                (ts_ms << 80)
                | _VERSION
                | ((self._randbits(12) & _RAND_A) << 64)
                | _VARIANT
                | (self._randbits(61) & _RAND_B >> 1)
            )
        first = self._next
        self._next = first + count
        return first.to_bytes(16, "big"), count


def runs_of(ids: Iterable[bytes]) -> list[Run]:
    """The ids as runs, in order."""
    runs: list[Run] = []
    first = start = count = 0
    for event_id in ids:
        number = int.from_bytes(event_id, "big")
        if count and number == start + count and number >> _COMMON_BITS == first:
            count += 1
            continue
        if count:
            runs.append((start.to_bytes(16, "big"), count))
        start, first, count = number, number >> _COMMON_BITS, 1
    if count:
        runs.append((start.to_bytes(16, "big"), count))
    return runs


def ids_of(runs: Iterable[Run]) -> Iterator[bytes]:
    """Every id of some runs, in order."""
    for first, count in runs:
        start = int.from_bytes(first, "big")
        for number in range(start, start + count):
            yield number.to_bytes(16, "big")


def part_of(runs: Iterable[Run], start: int, stop: int) -> list[Run]:
    """The runs of the ids from place `start` to before place `stop`."""
    part: list[Run] = []
    at = 0
    for first, count in runs:
        begin, end = max(start, at), min(stop, at + count)
        if begin < end:
            number = int.from_bytes(first, "big") + begin - at
            part.append((number.to_bytes(16, "big"), end - begin))
        at += count
    return part


def joined(runs: Iterable[Run]) -> list[Run]:
    """The same ids in as few runs as may be."""
    whole: list[Run] = []
    for first, count in runs:
        if whole:
            begin, size = whole[-1]
            start, number = int.from_bytes(begin, "big"), int.from_bytes(first, "big")
            if number == start + size and number >> _COMMON_BITS == start >> _COMMON_BITS:
                whole[-1] = (begin, size + count)
                continue
        whole.append((first, count))
    return whole


def to_text(event_id: bytes) -> str:
    """The usual form: 8-4-4-4-12 hex digits."""
    text = event_id.hex()
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"
