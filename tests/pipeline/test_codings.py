"""Compressed bodies are read on the side, within a bound."""

import gzip
import itertools
import zlib
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.protocol.size import examples

from mcpr.pipeline.codings import Inflater, Unreadable, inflate, is_known


def bare(data: bytes) -> bytes:
    """`deflate` as some servers send it: without the zlib head."""
    coder = zlib.compressobj(wbits=-15)
    return coder.compress(data) + coder.flush()


CODERS: dict[str, tuple[str, Callable[[bytes], bytes]]] = {
    "gzip": ("gzip", gzip.compress),
    "x-gzip": ("x-gzip", gzip.compress),
    "deflate": ("deflate", zlib.compress),
    "deflate, fast": ("deflate", lambda data: zlib.compress(data, 1)),
    "deflate without a head": ("deflate", bare),
}


@pytest.mark.parametrize("name", CODERS)
@given(data=st.binary(max_size=300), cuts=st.lists(st.integers(0, 400), max_size=5))
@examples(40)
def test_a_body_is_inflated_wherever_it_is_cut(name: str, data: bytes, cuts: list[int]) -> None:
    coding, compress = CODERS[name]
    body = compress(data)
    borders = [0, *sorted(min(cut, len(body)) for cut in cuts), len(body)]
    inflater = Inflater(coding)
    pieces = [body[a:b] for a, b in itertools.pairwise(borders)]
    read = [inflater.feed(piece, 1000) for piece in pieces]
    assert b"".join(piece or b"" for piece in read) == data
    assert inflate(body, coding, 1000) == data


@pytest.mark.parametrize("name", CODERS)
def test_more_than_the_bound_is_not_read(name: str) -> None:
    coding, compress = CODERS[name]
    body = compress(b"x" * 1_000_000)
    assert inflate(body, coding, 999_999) is None
    assert inflate(body, coding, 1_000_000) == b"x" * 1_000_000


@pytest.mark.parametrize("coding", ["gzip", "deflate"])
def test_what_is_not_in_its_coding_is_unreadable(coding: str) -> None:
    with pytest.raises(Unreadable):
        inflate(b"\xff\xff\xff\xff", coding, 100)


def test_only_codings_of_the_standard_library_are_known() -> None:
    known = [
        name
        for name in ("gzip", "x-gzip", "deflate", "br", "zstd", "gzip,gzip", "")
        if is_known(name)
    ]
    assert known == ["gzip", "x-gzip", "deflate"]
