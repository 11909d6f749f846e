"""Counts of latency buckets as bytes in a row, and as one large number while they are added up.

A question over months adds up ten thousands of them. As a number with a field of 64 bits for each
bucket, counts are added by one addition, a microsecond; a row for each bucket costs fifty times
that.
"""

import struct
from collections.abc import Mapping

_FIELD = 8
_HEAD = struct.Struct("<HB")
_FORMATS = {1: "B", 2: "H", 4: "I", 8: "Q"}


def pack(counts: Mapping[int, int]) -> bytes:
    """Bytes: the first bucket, how many bytes a count has, a count for it and each one after it."""
    first, last = min(counts), max(counts)
    most = max(counts.values())
    width = next(width for width in _FORMATS if most < 256**width)
    values = [counts.get(bucket, 0) for bucket in range(first, last + 1)]
    return _HEAD.pack(first, width) + struct.pack(f"<{len(values)}{_FORMATS[width]}", *values)


def number(packed: bytes) -> int:
    """Packed counts as a number; numbers of counts can be added to one another."""
    first: int
    width: int
    first, width = _HEAD.unpack_from(packed)
    values: bytes | bytearray = packed[_HEAD.size :]
    if width < _FIELD:
        wide = bytearray(len(values) // width * _FIELD)
        for at in range(width):
            wide[at::_FIELD] = values[at::width]
        values = wide
    return int.from_bytes(values, "little") << (8 * _FIELD * first)


def counts(total: int) -> dict[int, int]:
    """What such a number counts, by bucket; none with 0."""
    size = -(-total.bit_length() // (8 * _FIELD))
    values = struct.unpack(f"<{size}Q", total.to_bytes(size * _FIELD, "little"))
    return {bucket: count for bucket, count in enumerate(values) if count}
