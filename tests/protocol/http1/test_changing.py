"""A head without its changing lines means what the whole head means, or is not read that way."""

from collections import Counter
from collections.abc import Callable
from random import Random

import pytest
from tests.protocol.http1.building import get, post
from tests.protocol.http1.mutated_heads import a_request, a_response
from tests.protocol.http1.test_against_other_parsers import chance_of, read_our_way
from tests.protocol.size import IS_FULL

from mcpr.protocol.http1 import (
    BadChunk,
    Chunked,
    RequestHead,
    ResponseHead,
    has_credential,
    length_of,
    only_chunk,
    split_answer,
    split_request,
)
from mcpr.protocol.http1.changing import ANSWER_NAMES, REQUEST_NAMES

BLOCKS = 5
PER_BLOCK = 50_000 if IS_FULL else 1_000


def add_changing_lines(data: bytes, chance: Random) -> bytes:
    """The head with more of the lines that are taken out, somewhere between its lines."""
    *lines, blank, end = data.split(b"\r\n")
    for name in chance.choices(sorted({*REQUEST_NAMES, *ANSWER_NAMES}), k=chance.randint(0, 3)):
        value = chance.choice([b" 3", b": x", b"", b" ", b"\t5 ", b" a\xff b"])
        spelled = chance.choice([name, name.title(), name.upper()])
        lines.insert(chance.randint(1, max(len(lines), 1)), spelled + b":" + value)
    return b"\r\n".join([*lines, blank, end])


def describe(head: RequestHead | ResponseHead) -> list[object]:
    """What a head says apart from its fields and its length."""
    start: list[object] = (
        [head.method, head.target, head.authority, head.expects_continue]
        if isinstance(head, RequestHead)
        else [head.start, head.status]
    )
    return [*start, head.http10, head.chunked, head.keep_alive, head.dropped]


def compare(data: bytes, *, response: bool) -> str:
    """Checks one head; says which way it went."""
    parts = (split_answer if response else split_request)(data)
    assert b"".join(parts[::2]) != data or len(parts) == 1
    skeleton, lines = b"".join(parts[::2]), parts[1::2]
    whole = read_our_way(data, response=response)
    rest = read_our_way(skeleton, response=response)
    length = length_of(lines)
    if whole is None:
        interim = isinstance(rest, ResponseHead) and rest.status < 200
        assert rest is None or length == -1 or (length is not None and (rest.chunked or interim))
        return "refused"
    assert rest is not None
    assert describe(rest) == describe(whole)
    assert length == whole.content_length
    assert rest.content_length is None
    found = Counter(field.line for field in rest.fields) + Counter(line + b"\r\n" for line in lines)
    assert found == Counter(field.line for field in whole.fields)
    # One line that carries a credential must not be taken for none, nor the other way round.
    credentials = [field for field in rest.fields if field.name == b"authorization"]
    assert (has_credential(lines) or bool(credentials)) == bool(whole.values(b"authorization"))
    return "taken apart" if lines else "left whole"


@pytest.mark.parametrize("block", range(BLOCKS))
@pytest.mark.parametrize("make", [a_request, a_response], ids=["requests", "answers"])
def test_a_head_means_the_same_with_its_changing_lines_taken_out(
    make: Callable[[Random], bytes], block: int
) -> None:
    chance = chance_of(block, f"changing {make.__name__}")
    ways: Counter[str] = Counter()
    for _ in range(PER_BLOCK):
        data = make(chance)
        end = data.find(b"\r\n\r\n") + 4
        if end < 4:
            continue
        data = data[:end]
        if chance.random() < 0.7:
            data = add_changing_lines(data, chance)
        try:
            ways[compare(data, response=make is a_response)] += 1
        except AssertionError as exc:
            raise AssertionError(f"{data!r}: {exc}") from exc
    assert min(ways["refused"], ways["taken apart"], ways["left whole"]) > PER_BLOCK * 0.05, ways


@pytest.mark.parametrize(
    ("lines", "length"),
    [
        ([], None),
        ([b"Authorization: a", b"traceparent: b"], None),
        ([b"Content-Length: 3"], 3),
        ([b"a: b", b"CONTENT-length:\t003 "], 3),
        ([b"Content-Length: 3", b"Content-Length: 3"], -1),
        ([b"Content-Length: 3, 3"], -1),
        ([b"Content-Length: +3"], -1),
        ([b"Content-Length: 0x3"], -1),
        ([b"Content-Length: " + b"9" * 16], -1),
        ([b"Content-Length: \xb2"], -1),
    ],
    ids=repr,
)
def test_a_length_taken_out_is_read_as_strictly_as_in_its_place(
    lines: list[bytes], length: int | None
) -> None:
    assert length_of(lines) == length


@pytest.mark.parametrize(
    "data",
    [
        post(b"Authorization : a"),
        post(b"Authorization:"),
        post(b"Authorization: a\rContent-Length: 3"),
        post(b"Authorization: a\nb"),
        post(b"Authorization: a\0"),
        post(b"X-Authorization: a"),
        get(b"/?\r\nauthorization"),
        b"Content-Length: 3 HTTP/1.1\r\n\r\n",
    ],
    ids=repr,
)
def test_a_line_that_is_not_in_order_stays_where_the_strict_parser_sees_it(data: bytes) -> None:
    assert split_request(data) == [data]


def test_a_skeleton_still_says_what_connection_drops() -> None:
    """So whoever puts the lines back can see that one of them ends here."""
    data = post(b"Connection: traceparent", b"traceparent: 1")
    skeleton = read_our_way(b"".join(split_request(data)[::2]), response=False)
    assert skeleton is not None
    assert skeleton.dropped == {b"traceparent"}


@pytest.mark.parametrize("name", [b"content-length", b"authorization", b"cookie", b"last-event-id"])
def test_a_head_whose_connection_names_what_is_taken_out_is_refused(name: bytes) -> None:
    data = post(b"Connection: " + name, name + b": 3")
    skeleton = b"".join(split_request(data)[::2])
    assert read_our_way(skeleton, response=False) is None


# A body that is one chunk


@pytest.mark.parametrize(
    ("data", "payload"),
    [
        (b"3\r\nabc\r\n0\r\n\r\n", b"abc"),
        (b"A\r\n0123456789\r\n0\r\n\r\n", b"0123456789"),
        (b"5\r\n\r\n0\r\n\r\n0\r\n\r\n", b"\r\n0\r\n"),
        (b"0\r\n\r\n", None),
        (b"0\r\n\r\n0\r\n\r\n", None),
        (b"3\r\nabc\r\n0\r\n\r\nX", None),
        (b"3\r\nabc\r\n0\r\nX: a\r\n\r\n", None),
        (b"3;a\r\nabc\r\n0\r\n\r\n", None),
        (b"0x3\r\nabc\r\n0\r\n\r\n", None),
        (b"+3\r\nabc\r\n0\r\n\r\n", None),
        (b"3\nabc\r\n0\r\n\r\n", None),
        (b"3\r\nabcXX0\r\n\r\n", None),
        (b"4\r\nabc\r\n0\r\n\r\n", None),
        (b"1\r\na\r\n1\r\nb\r\n0\r\n\r\n", None),
        (b"3\r\nabc\r\n", None),
        (b"", None),
    ],
    ids=repr,
)
def test_only_one_plain_chunk_and_the_last_one_are_taken_at_once(
    data: bytes, payload: bytes | None
) -> None:
    assert only_chunk(data) == payload


def test_what_is_taken_at_once_reads_the_same_step_by_step() -> None:
    chance = Random("one chunk")
    taken = 0
    for _ in range(500_000 if IS_FULL else 10_000):
        size = chance.choice((0, 1, 3, 7, 16))
        data = bytearray(b"%x\r\n%b\r\n0\r\n\r\n" % (size, b"\r\n0\r\n\r\n"[:size].ljust(size)))
        if chance.random() < 0.7:
            at = chance.randrange(len(data))
            data[at : at + chance.randint(0, 2)] = chance.choice((b"", b"0", b"\r\n", b"x", b"1"))
        payload = only_chunk(bytes(data))
        if payload is None:
            continue
        taken += 1
        reader = Chunked()
        try:
            assert reader.feed(bytes(data)) == ([payload], len(data))
        except BadChunk as exc:
            raise AssertionError(f"{data!r}: {exc}") from exc
        assert reader.done
    assert taken > 1_000
