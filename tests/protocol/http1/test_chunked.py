"""The chunked coding: where the payload is, where the body ends, and what is no chunk at all."""

import itertools
import time
from collections.abc import Iterator
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.protocol.http1.building import post
from tests.protocol.http1.other_parsers import H11, Llhttp, Refused
from tests.protocol.size import IS_FULL, examples

from mcpr.protocol.http1 import LAST_CHUNK, BadChunk, Chunked, one_chunk

HEAD = post(b"Transfer-Encoding: chunked")


def read(pieces: list[bytes]) -> tuple[bytes, int | None]:
    """The payload, and how many bytes the body has (None: it has not ended)."""
    reader = Chunked()
    payload: list[bytes] = []
    before = 0
    for piece in pieces:
        found, end = reader.feed(piece)
        payload += found
        if reader.done:
            assert reader.feed(b"more", 1) == ([], 1)
            return b"".join(payload), before + end
        assert end == len(piece)
        before += end
    return b"".join(payload), None


WHOLE = {
    "nothing": (b"0\r\n\r\n", b""),
    "several zeros": (b"000\r\n\r\n", b""),
    "one chunk": (b"3\r\nabc\r\n0\r\n\r\n", b"abc"),
    "two chunks": (b"3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n", b"abcde"),
    "hexadecimal, in both cases": (
        b"a\r\n0123456789\r\nA\r\n0123456789\r\n0\r\n\r\n",
        b"0123456789" * 2,
    ),
    "zeros before the size": (b"000000000000003\r\nabc\r\n0\r\n\r\n", b"abc"),
    "data that looks like framing": (b"7\r\n\r\n0\r\n\r\n\r\n0\r\n\r\n", b"\r\n0\r\n\r\n"),
    "extension": (b"3;a\r\nabc\r\n0\r\n\r\n", b"abc"),
    "extension with a value": (b"3;a=b;c=d\r\nabc\r\n0;e\r\n\r\n", b"abc"),
    "extension in quotes": (b'3;a="b; c\\" \xff"\r\nabc\r\n0\r\n\r\n', b"abc"),
    "extension in empty quotes": (b'3;a=""\r\nabc\r\n0\r\n\r\n', b"abc"),
    "extension between blanks": (b"3 ; a\t=  b ;c\r\nabc\r\n0\r\n\r\n", b"abc"),
    "trailer": (b"3\r\nabc\r\n0\r\nX: a\r\n\r\n", b"abc"),
    "trailers": (b"0\r\nX: a\r\nx-y:\r\nX:\xff \t\r\n\r\n", b""),
}


@pytest.mark.parametrize(("body", "payload"), WHOLE.values(), ids=WHOLE)
def test_a_body_is_read_to_its_end_and_not_beyond(body: bytes, payload: bytes) -> None:
    for after in (b"", b"\r\n", b"GET / HTTP/1.1\r\n", b"0\r\n\r\n"):
        assert read([body + after]) == (payload, len(body))


@pytest.mark.parametrize(("body", "payload"), WHOLE.values(), ids=WHOLE)
def test_a_body_reads_the_same_cut_anywhere(body: bytes, payload: bytes) -> None:
    after = b"GET /"
    data = body + after
    for cut in range(1, len(data)):
        assert read([data[:cut], data[cut:]]) == (payload, len(body))
    assert read([bytes([byte]) for byte in data]) == (payload, len(body))


BROKEN = {
    "hexadecimal prefix": b"0x3\r\nabc\r\n",
    "hexadecimal prefix, upper case": b"0X3\r\nabc\r\n",
    "sign": b"+3\r\nabc\r\n",
    "negative": b"-3\r\nabc\r\n",
    "underscore": b"1_0\r\n0123456789abcdef\r\n",
    "no size": b"\r\nabc\r\n",
    "only an extension": b";a\r\nabc\r\n",
    "no number": b"xyz\r\n",
    "other digits": "\uff13\r\nabc\r\n".encode(),
    "blank before the size": b" 3\r\nabc\r\n",
    "blank after the size": b"3 \r\nabc\r\n",
    "size of 16 digits": b"0000000000000003\r\nabc\r\n",
    "size that wraps around": b"10000000000000003\r\nabc\r\n",
    "size ends in LF": b"3\nabc\r\n",
    "size ends in CR": b"3\rabc\r\n",
    "CR CR LF": b"3\r\r\nabc\r\n",
    "NUL after the size": b"3\0\r\nabc\r\n",
    "extension without a name": b"3;\r\nabc\r\n",
    "extension without a value": b"3;a=\r\nabc\r\n",
    "extension with LF in it": b"3;a\nabc\r\n0\r\n\r\n",
    "extension with CR in it": b"3;a\rb\r\nabc\r\n",
    "extension with LF in quotes": b'3;a="\n"\r\nabc\r\n',
    "extension with quotes left open": b'3;a="b\r\nabc\r\n',
    "extension with words after quotes": b'3;a="b"c\r\nabc\r\n',
    "extension with a control character": b"3;a=\x01\r\nabc\r\n",
    "comma for a semicolon": b"3,a\r\nabc\r\n",
    "extension too long": b"3;" + b"a" * 4096 + b"\r\nabc\r\n",
    "no CRLF after the data": b"3\r\nabc0\r\n\r\n",
    "LF after the data": b"3\r\nabc\n0\r\n\r\n",
    "CR after the data": b"3\r\nabc\r0\r\n\r\n",
    "other byte after the data": b"3\r\nabcX\r\n0\r\n\r\n",
    "two other bytes after the data": b"3\r\nabcXY0\r\n\r\n",
    "data longer than its size": b"3\r\nabcd\r\n0\r\n\r\n",
    "trailer without a colon": b"0\r\nX\r\n\r\n",
    "trailer without a name": b"0\r\n: a\r\n\r\n",
    "trailer with a space before the colon": b"0\r\nX : a\r\n\r\n",
    "folded trailer": b"0\r\nX: a\r\n b\r\n\r\n",
    "trailer ends in LF": b"0\r\nX: a\n\r\n",
    "trailer with a CR in it": b"0\r\nX: a\rb\r\n\r\n",
    "trailer with NUL": b"0\r\nX: \0\r\n\r\n",
    "end in LF": b"0\r\n\n",
    "trailers too large": b"0\r\n" + (b"X: " + b"a" * 4000 + b"\r\n") * 5,
    "trailer too long": b"0\r\nX: " + b"a" * 4096,
    "trailer that frames": b"0\r\nContent-Length: 3\r\n\r\n",
    "trailer that frames anew": b"0\r\ntransfer-encoding: chunked\r\n\r\n",
    "trailer that routes": b"0\r\nHOST: b\r\n\r\n",
    "trailer that vouches": b"0\r\nX-Forwarded-For: 127.0.0.1\r\n\r\n",
    "trailer about the connection": b"0\r\nConnection: close\r\n\r\n",
}


@pytest.mark.parametrize("body", BROKEN.values(), ids=BROKEN)
def test_broken_framing_is_refused_however_it_arrives(body: bytes) -> None:
    for size in (len(body), 1, 2, 3, 5):
        pieces = [body[i : i + size] for i in range(0, len(body), size)]
        with pytest.raises(BadChunk):
            read(pieces)


@pytest.mark.parametrize("body", [body for body, _ in WHOLE.values()], ids=WHOLE)
def test_a_body_that_stops_early_has_not_ended(body: bytes) -> None:
    for cut in range(len(body)):
        assert read([body[:cut]])[1] is None


def test_a_chunk_may_be_larger_than_any_memory() -> None:
    """Its size is only counted down: the payload is handed on as it comes."""
    reader = Chunked()
    size = 16**15 - 1
    assert reader.feed(b"%x\r\nabc" % size) == ([b"abc"], 18 + 2)
    assert reader._left == size - 3


def test_payload_starts_where_it_is_told_to() -> None:
    assert Chunked().feed(b"HEAD3\r\nabc\r\n0\r\n\r\nNEXT", 4) == ([b"abc"], 17)


def test_a_border_is_where_a_chunk_has_ended_and_none_begun() -> None:
    reader = Chunked()
    borders = []
    for byte in b"3\r\nabc\r\n1\r\nd\r\n0\r\n\r\n":
        borders.append(reader.at_border)
        reader.feed(bytes([byte]))
    assert [index for index, at_border in enumerate(borders) if at_border] == [0, 8, 14]
    assert not reader.at_border


def test_one_chunk_and_the_last_one_make_a_body() -> None:
    body = one_chunk(b"a" * 300) + one_chunk(b"") + one_chunk(b"b") + LAST_CHUNK
    assert read([body]) == (b"a" * 300 + b"b", len(body))


@pytest.mark.parametrize(
    "line",
    [
        b"3" + b" " * 4000 + b"\0\r\n",
        b"3;" + b" " * 4000 + b"\0\r\n",
        b"3;a=" + b"a" * 4000 + b"\0\r\n",
        b"3" + b";a" * 2000 + b"\0\r\n",
        b'3;a="' + b"\\a" * 2000 + b"\r\n",
        b"0\r\nX:" + b" " * 4000 + b"\0\r\n",
        b"0\r\n" + b"X" * 4000 + b"\r\n",
    ],
    ids=["blanks", "blanks in", "value", "extensions", "quotes", "trailer", "trailer name"],
)
def test_no_crafted_line_is_read_in_quadratic_time(line: bytes) -> None:
    started = time.process_time()
    with pytest.raises(BadChunk):
        read([line])
    assert time.process_time() - started < 0.05


# For all bodies

TOKENS = st.text("ab-!", min_size=1, max_size=3).map(str.encode)
QUOTED = st.text(' ;,"\\a\u00e4', max_size=4).map(
    lambda text: b'"' + text.replace("\\", "\\\\").replace('"', '\\"').encode("latin-1") + b'"'
)
EXTENSIONS = st.lists(
    st.tuples(TOKENS, st.none() | TOKENS | QUOTED).map(
        lambda pair: b";" + pair[0] + (b"" if pair[1] is None else b"=" + pair[1])
    ),
    max_size=2,
).map(b"".join)
CHUNKS = st.tuples(
    st.binary(min_size=1, max_size=40), EXTENSIONS, st.sampled_from(["x", "X", "04x"])
)
TRAILERS = st.lists(st.tuples(TOKENS, st.sampled_from([b"", b" a", b"\t\xff "])), max_size=2)


@st.composite
def bodies(draw: st.DrawFn) -> tuple[bytes, bytes]:
    """A valid body and its payload."""
    chunks = draw(st.lists(CHUNKS, max_size=4))
    wire = b"".join(
        format(len(data), form).encode() + extension + b"\r\n" + data + b"\r\n"
        for data, extension, form in chunks
    )
    end = b"0" + draw(EXTENSIONS) + b"\r\n"
    trailers = b"".join(name + b":" + value + b"\r\n" for name, value in draw(TRAILERS))
    return wire + end + trailers + b"\r\n", b"".join(data for data, _, _ in chunks)


def cut(data: bytes, cuts: list[int]) -> Iterator[bytes]:
    places = sorted({place % (len(data) + 1) for place in cuts} | {0, len(data)})
    for start, stop in itertools.pairwise(places):
        yield data[start:stop]


@given(bodies(), st.binary(max_size=10), st.lists(st.integers(0, 10_000), max_size=8))
@examples(400)
def test_any_cutting_gives_the_same_payload_and_the_same_end(
    body: tuple[bytes, bytes], after: bytes, cuts: list[int]
) -> None:
    wire, payload = body
    assert read(list(cut(wire + after, cuts))) == (payload, len(wire))


@given(bodies())
@examples(150)
def test_llhttp_and_h11_find_the_same_payload(body: tuple[bytes, bytes]) -> None:
    wire, payload = body
    for parser in (Llhttp, H11):
        other = parser()
        other.feed(HEAD)
        other.feed(wire[:-1])
        assert not other.reading.is_complete
        other.feed(wire[-1:])
        assert (other.reading.body, other.reading.is_complete) == (payload, True)


SPLINTERS = [
    *(
        b"\r",
        b"\n",
        b"\r\n",
        b" ",
        b"\t",
        b";",
        b"=",
        b'"',
        b"\\",
        b"0",
        b"x",
        b"\0",
        b"_",
        b"+",
        b",",
    ),
]
BODIES = [body for name, (body, _) in WHOLE.items() if "blanks" not in name]


def payload_by(parser: type[Llhttp] | type[H11], body: bytes) -> bytes | None:
    """The payload of a whole body; None where the other parser refuses it."""
    other = parser()
    other.feed(HEAD)
    try:
        other.feed(body)
    except Refused:
        return None
    assert other.reading.is_complete, "it sees no end"
    return other.reading.body


def test_mutated_bodies_that_we_accept_are_read_in_the_same_way_by_all() -> None:
    """Neither llhttp nor h11 knows the blanks that RFC 9112 wants tolerated around extensions."""
    chance = Random("chunked")
    accepted = 0
    for _ in range(500_000 if IS_FULL else 10_000):
        data = bytearray(chance.choice(BODIES))
        for _ in range(chance.choice((1, 1, 2, 3))):
            at = chance.randrange(len(data))
            data[at : at + chance.choice((0, 0, 1, 2))] = chance.choice(SPLINTERS)
        try:
            payload, end = read([bytes(data)])
        except BadChunk:
            continue
        if end is None:
            continue
        accepted += 1
        body = bytes(data[:end])
        for parser in (Llhttp, H11):
            other = payload_by(parser, body)
            is_explained = other is None and (b" " in body or b"\t" in body)
            assert other == payload or is_explained, f"{parser.__name__} {body!r}"
    assert accepted > 500
