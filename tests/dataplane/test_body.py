"""A request body on its way: out of one framing, into the next."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.dataplane.building import CHUNKED, request
from tests.dataplane.messages import chunked, cut_at
from tests.protocol.size import examples

from mcpr.dataplane.body import RequestBody
from mcpr.protocol.http1 import BadChunk, Heads, RequestHead


def head_with(*lines: bytes) -> RequestHead:
    return Heads(max_line=1024, max_fields=16).request(request(b"POST", *lines))


def test_without_framing_there_is_no_body() -> None:
    body = RequestBody(head_with())
    assert body.done
    assert body.announced == 0


def test_a_length_announces_the_body_and_a_chunked_one_announces_nothing() -> None:
    assert RequestBody(head_with(b"Content-Length: 5")).announced == 5
    assert RequestBody(head_with(CHUNKED)).announced == 0


@examples(60)
@given(st.lists(st.binary(max_size=40), max_size=5), st.lists(st.integers(0, 300)), st.binary())
def test_a_chunked_body_in_any_pieces_comes_out_whole_and_is_framed_anew(
    payload: list[bytes], places: list[int], follows: bytes
) -> None:
    wire = chunked(*filter(None, payload), trailers=b"X-Sum: 1\r\n")
    body = RequestBody(head_with(CHUNKED))
    framed, rest = b"", b""
    for piece in cut_at(wire + follows, *places):
        if body.done:
            rest += piece
            continue
        pieces, rest = body.take(piece)
        framed += body.frame(pieces)
    again = RequestBody(head_with(CHUNKED))
    pieces, after = again.take(framed)
    assert (b"".join(pieces), after, rest) == (b"".join(payload), b"", follows)
    assert body.done
    assert again.done


@examples(60)
@given(st.binary(min_size=1, max_size=60), st.lists(st.integers(0, 99)), st.binary(max_size=30))
def test_a_body_of_stated_length_ends_there_and_is_passed_on_as_it_came(
    payload: bytes, places: list[int], follows: bytes
) -> None:
    body = RequestBody(head_with(b"Content-Length: %d" % len(payload)))
    framed, rest = b"", b""
    for piece in cut_at(payload + follows, *places):
        if body.done:
            rest += piece
            continue
        pieces, rest = body.take(piece)
        framed += body.frame(pieces)
    assert (framed, rest, body.done) == (payload, follows, True)


def test_a_broken_chunk_is_said_to_be_one() -> None:
    with pytest.raises(BadChunk):
        RequestBody(head_with(CHUNKED)).take(b"0x3\r\nabc\r\n")
