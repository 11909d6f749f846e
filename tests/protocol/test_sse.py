"""Server-sent events: what is dispatched, wherever the pieces were cut, and what is kept."""

import itertools
import re
import time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from tests.protocol.size import examples

from mcpr.protocol.sse import Event, Reader

LIMIT = 1000
BOM = b"\xef\xbb\xbf"


def read(pieces: list[bytes], limit: int = LIMIT) -> list[Event]:
    reader = Reader(limit)
    return [event for piece in pieces for event in reader.feed(piece)]


def read_naively(stream: bytes, limit: int = LIMIT) -> list[Event]:
    """The standard's algorithm on the whole stream at once, plus what `Event` adds to it."""
    *lines, _ = re.split(rb"\r\n|\n|\r", stream.removeprefix(BOM))
    events: list[Event] = []
    data: list[bytes] = []
    has_id = False
    for line in lines:
        name, _, value = line.partition(b":")
        value = value.removeprefix(b" ")
        if not line:
            joined = b"\n".join(data)
            if data or has_id:
                events.append(Event(joined if len(joined) <= limit else None, has_id))
            data, has_id = [], False
        elif name == b"data":
            data.append(value)
        elif name == b"id" and value and b"\0" not in value:
            has_id = True
    return events


def an(data: bytes | None, *, has_id: bool = False) -> Event:
    return Event(data, has_id)


STREAMS = {
    "LF": (b"data: a\n\n", [an(b"a")]),
    "CRLF": (b"data: a\r\n\r\n", [an(b"a")]),
    "CR": (b"data: a\r\r", [an(b"a")]),
    "all three mixed": (b"data: a\rdata: b\ndata: c\r\n\n", [an(b"a\nb\nc")]),
    "CRLF, then CR": (b"data: a\r\n\rdata: b\n\n", [an(b"a"), an(b"b")]),
    "LF CR ends two lines": (b"data: a\n\rdata: b\n\n", [an(b"a"), an(b"b")]),
    "two events": (b"data: a\n\ndata: b\n\n", [an(b"a"), an(b"b")]),
    "BOM": (BOM + b"data: a\n\n", [an(b"a")]),
    "two BOMs": (BOM + BOM + b"data: a\n\ndata: b\n\n", [an(b"b")]),
    "BOM in the middle": (b"data: a\n" + BOM + b"data: b\n\n", [an(b"a")]),
    "comment": (b": hello\n\n:\n\ndata: a\n: b\n\n", [an(b"a")]),
    "keep-alive before an event": (b": ping\n\n: ping\n\ndata: a\n\n", [an(b"a")]),
    "id and data": (b"id: 1\ndata: a\n\n", [an(b"a", has_id=True)]),
    "id after data": (b"data: a\nid: 1\n\n", [an(b"a", has_id=True)]),
    "id alone": (b"id: 1\nretry: 5\n\ndata: a\n\n", [an(b"", has_id=True), an(b"a")]),
    "id with empty data": (b"id: 1\ndata:\n\n", [an(b"", has_id=True)]),
    "empty id": (b"id:\ndata: a\n\nid\ndata: b\n\nid: \n\n", [an(b"a"), an(b"b")]),
    "id with NUL": (b"id: 1\0\ndata: a\n\n", [an(b"a")]),
    "several data lines": (b"data: a\ndata: b\ndata:\ndata: c\n\n", [an(b"a\nb\n\nc")]),
    "empty data": (b"data:\n\ndata\n\ndata: \n\n", [an(b""), an(b""), an(b"")]),
    "two empty data lines": (b"data\ndata\n\n", [an(b"\n")]),
    "no blank after the colon": (b"data:a\n\n", [an(b"a")]),
    "two blanks after the colon": (b"data:  a \n\n", [an(b" a ")]),
    "colon in the value": (b"data: a: b:\n\n", [an(b"a: b:")]),
    "field without a colon": (b"dataset\nevent\ndata: a\n\n", [an(b"a")]),
    "other fields": (b"event: message\nretry: 1\nfoo: b\ndata: a\n\n", [an(b"a")]),
    "event without data": (b"event: message\n\n", []),
    "name in upper case": (b"DATA: a\n\n", []),
    "name with a blank": (b" data: a\ndata : b\n\n", []),
    "only blank lines": (b"\n\r\n\r\n\n", []),
    "text beyond ASCII": ("data: \u00e4\U0001f600\n\n".encode(), [an("\u00e4\U0001f600".encode())]),
    "no blank line at the end": (b"data: a\n\ndata: b\n", [an(b"a")]),
    "no end of line at the end": (b"data: a\n\ndata: b", [an(b"a")]),
    "nothing": (b"", []),
    "part of a BOM": (b"\xef\xbb", []),
    "other bytes first": (b"\xef\xbbdata: a\n\ndata: b\n\n", [an(b"b")]),
}


@pytest.mark.parametrize(("stream", "events"), STREAMS.values(), ids=STREAMS)
def test_a_stream_is_read_as_the_standard_says(stream: bytes, events: list[Event]) -> None:
    assert read([stream]) == events
    assert read_naively(stream) == events


@pytest.mark.parametrize(("stream", "events"), STREAMS.values(), ids=STREAMS)
def test_a_stream_reads_the_same_cut_anywhere(stream: bytes, events: list[Event]) -> None:
    for at in range(len(stream) + 1):
        assert read([stream[:at], b"", stream[at:]]) == events
    assert read([bytes([byte]) for byte in stream]) == events


def test_an_event_is_dispatched_with_its_blank_line_and_not_with_the_next_event() -> None:
    reader = Reader(LIMIT)
    assert reader.feed(b"data: a\r") == []
    assert reader.feed(b"\r") == [an(b"a")]
    assert reader.feed(b"\ndata: b\n") == []
    assert reader.feed(b"\n") == [an(b"b")]


# Events larger than what is kept


LARGE = b"x" * (LIMIT + 1)
OVER = {
    "one line": b"data: %b\n\n" % LARGE,
    "one line without a blank": b"data:%b\n\n" % LARGE,
    "many lines": b"data: %b\n" % (b"x" * 100) * 11 + b"\n",
    "lines that are only ends": b"data:\n" * (LIMIT + 2) + b"\n",
    "then a small line": b"data: %b\ndata: a\n\n" % LARGE,
    "a small line, then": b"data: a\ndata: %b\n\n" % LARGE,
    "with other fields": b"event: message\ndata: %b\nretry: 1\n\n" % LARGE,
    "CR for ends": b"data: %b\r\r" % LARGE,
    "CRLF for ends": b"data: %b\r\n\r\n" % LARGE,
}


@pytest.mark.parametrize("size", [1, 7, 64, 10_000])
@pytest.mark.parametrize("stream", OVER.values(), ids=OVER)
def test_a_large_event_is_reported_without_its_data_and_the_stream_goes_on(
    stream: bytes, size: int
) -> None:
    data = stream + b"data: b\n\n"
    pieces = [data[i : i + size] for i in range(0, len(data), size)]
    assert read(pieces) == [an(None), an(b"b")]


def test_a_large_event_keeps_its_id() -> None:
    stream = b"id: 1\ndata: %b\n\ndata: b\n\n" % LARGE
    assert read([stream]) == read([bytes([b]) for b in stream]) == [an(None, has_id=True), an(b"b")]


@pytest.mark.parametrize("size", [1, 7, 10_000])
@pytest.mark.parametrize(
    ("name", "events"),
    [(b": ", [an(b"a")]), (b"event: ", [an(b"a")]), (b"id: ", [an(b"a", has_id=True)])],
    ids=["comment", "event", "id"],
)
def test_a_large_line_that_is_not_data_costs_no_event(
    name: bytes, events: list[Event], size: int
) -> None:
    data = name + LARGE + b"\ndata: a\n\n: " + LARGE + b"\n\ndata: b\n\n"
    pieces = [data[i : i + size] for i in range(0, len(data), size)]
    assert read(pieces) == [*events, an(b"b")]


def test_the_limit_is_the_size_of_the_joined_data() -> None:
    exactly = b"data: %b\n" % (b"x" * 499) + b"data: %b\n\n" % (b"x" * 500)
    assert read([exactly]) == [an(b"x" * 499 + b"\n" + b"x" * 500)]
    assert read([b"data: " + b"x" * LIMIT, b"\n\n"]) == [an(b"x" * LIMIT)]


@pytest.mark.parametrize(
    "stream",
    [
        b"data: " + b"x" * 100_000,
        b"data: xxxxxxxx\n" * 10_000,
        b"data:\n" * 20_000,
        b": " + b"x" * 100_000,
        b"id: " + b"x" * 100_000,
        b"x" * 100_000,
        b"\n" * 100_000,
        b"data: x\r" * 10_000,
        b"id: 1\n" * 10_000,
    ],
    ids=["data", "lines", "ends", "comment", "id", "no field", "blank lines", "CR", "ids"],
)
@pytest.mark.parametrize("size", [1, 1000, 100_000])
def test_never_much_more_than_the_limit_is_kept(stream: bytes, size: int) -> None:
    reader = Reader(LIMIT)
    started = time.process_time()
    for i in range(0, len(stream), size):
        reader.feed(stream[i : i + size])
        assert len(reader._rest) + len(reader._data or b"") == reader.held <= LIMIT + 6
    assert time.process_time() - started < 2  # Each byte is looked at a few times, not thousands.


def test_nothing_is_held_between_events() -> None:
    reader = Reader(LIMIT)
    reader.feed(b"id: 1\ndata: abc")
    assert reader.held == 9
    reader.feed(b"\n")
    assert reader.held == 3
    reader.feed(b"\n")
    assert reader.held == 0


# For all streams

LINES = st.sampled_from(
    [
        *(b"data: a", b"data:b", b"data", b"data:", b"data: \xc3\xa4", b"data: \xf0\x9f\x98\x80"),
        *(b"data:  x: ", b"data: " + b"y" * 12, b"data:" + b"z" * 25, b"id: 1", b"id:", b"id: \0x"),
        *(b"id", b": c", b":" + b"c" * 40, b"event: e", b"retry: 5", b"x" * 30, BOM, b"", b"", b""),
    ]
)
ENDS = st.sampled_from([b"\n", b"\r\n", b"\r"])


@given(
    st.booleans(),
    st.lists(st.tuples(LINES, ENDS), max_size=12),
    st.sampled_from([b"", b"data: a", b"\r"]),
    st.lists(st.integers(0, 10_000), max_size=8),
    st.sampled_from([6, 12, 13, 24, 25, 26, 1000]),
)
@example(False, [(b"data:" + b"z" * 25, b"\r"), (b"", b"\r")], b"", [30, 31], 24)  # noqa: FBT003
@examples(800)
def test_any_cutting_gives_the_same_events(
    has_bom: bool, lines: list[tuple[bytes, bytes]], rest: bytes, cuts: list[int], limit: int
) -> None:
    stream = BOM * has_bom + b"".join(line + end for line, end in lines) + rest
    places = sorted({place % (len(stream) + 1) for place in cuts} | {0, len(stream)})
    pieces = [stream[start:stop] for start, stop in itertools.pairwise(places)]
    assert read(pieces, limit) == read_naively(stream, limit)


@given(st.binary(max_size=60), st.lists(st.integers(0, 60), max_size=4))
@examples(300)
def test_no_bytes_whatever_upset_the_reader(stream: bytes, cuts: list[int]) -> None:
    places = sorted({min(place, len(stream)) for place in cuts} | {0, len(stream)})
    pieces = [stream[start:stop] for start, stop in itertools.pairwise(places)]
    assert read(pieces) == read_naively(stream)
