"""Stems give exactly the heads that were added, whatever else comes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcpr.protocol.http1 import Stem, Stems

BLANK = b"\r\n\r\n"
HEADS = [
    b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 12\r\naccept: x",
    b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 34\r\naccept: x",
    b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 345\r\naccept: x",
    b"POST / HTTP/1.1\r\nhost: a\r\nCONTENT-LENGTH:5",
    b"GET / HTTP/1.1\r\nhost: a",
]


def found(stem: Stem[bytes], data: bytes) -> tuple[bytes, bytes] | None:
    """What the hot path asks of a stem."""
    if data[stem.head] != stem.before or (plan := stem.plans.get(data[stem.key])) is None:
        return None
    return plan, data[stem.body]


@pytest.mark.parametrize("head", HEADS, ids=repr)
@pytest.mark.parametrize("body", [b"", b"{}", b"a\r\n\r\nb"], ids=repr)
def test_a_head_that_was_added_is_found_with_its_body(head: bytes, body: bytes) -> None:
    stems: Stems[bytes] = Stems()
    kept = {other: stems.add(other, other) for other in HEADS}
    assert found(kept[head], head + BLANK + body) == (head, body)


def test_heads_that_differ_in_a_length_of_so_many_digits_share_a_stem() -> None:
    stems: Stems[bytes] = Stems()
    kept = [stems.add(head, head) for head in HEADS]
    assert kept[0] is kept[1]
    assert len({id(stem) for stem in kept}) == len(HEADS) - 1
    assert "host" not in repr(kept[0])


@given(st.sampled_from(HEADS), st.integers(0, 80), st.binary(max_size=3), st.binary(max_size=9))
def test_bytes_that_begin_with_no_known_head_are_not_found(
    head: bytes, at: int, change: bytes, body: bytes
) -> None:
    stems: Stems[bytes] = Stems()
    kept = [stems.add(other, other) for other in HEADS]
    data = (head + BLANK)[:at] + change + (head + BLANK)[at:] + body
    begun, blank, rest = data.partition(BLANK)
    wanted = (begun, rest) if blank and begun in HEADS else None
    assert {found(stem, data) for stem in kept} - {None} == ({wanted} - {None})


def test_what_was_forgotten_is_found_by_nobody() -> None:
    stems: Stems[bytes] = Stems()
    stem = stems.add(HEADS[0], HEADS[0])
    stems.clear()
    assert found(stem, HEADS[0] + BLANK) is None
    assert found(stems.none, b"") is None
    assert found(stems.none, b"\0\0\0") is None
