"""What is remembered of heads changes their cost, never their meaning, and has its bounds."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.protocol.size import examples

from mcpr.protocol.http1 import BadHead, Head, Heads
from mcpr.protocol.http1.heads import UNREMEMBERED, Memory


def new_heads(max_heads: int = 4096) -> Heads:
    return Heads(max_line=16_384, max_fields=128, max_heads=max_heads)


def a_request(*lines: bytes) -> bytes:
    return b"\r\n".join([b"POST /mcp HTTP/1.1", b"Host: a", *lines, b"", b""])


def meaning(head: Head) -> list[object]:
    """All that a head says, as values."""
    names = {name for kind in type(head).__mro__ for name in getattr(kind, "__slots__", ())}
    return [(name, getattr(head, name)) for name in sorted(names - {"plan"})]


def outcome(heads: Heads, data: bytes) -> object:
    try:
        return meaning(heads.request(data))
    except BadHead as bad:
        return bad.reason, bad.status


LINES = st.sampled_from(
    [
        b"Host: a",
        b"Host: b",
        b"Content-Length: 3",
        b"content-length: 3",
        b"Transfer-Encoding: chunked",
        b"Connection: close",
        b"Connection: x",
        b"X: 1",
        b"x: 1",
        b"X : 1",
        b"Authorization: a",
        b"traceparent: 1",
        b"Expect: 100-continue",
        b"",
        b" X: 1",
    ]
)
STARTS = st.sampled_from([b"GET / HTTP/1.1", b"GET / HTTP/1.0", b"POST http://a/ HTTP/1.1"])


@given(st.lists(st.tuples(STARTS, st.lists(LINES, max_size=5)), max_size=12))
@examples(300)
def test_a_warm_memory_reads_as_a_cold_one(heads: list[tuple[bytes, list[bytes]]]) -> None:
    warm = new_heads(max_heads=4)
    for start, lines in heads:
        data = b"\r\n".join([start, *lines, b"", b""])
        assert outcome(warm, data) == outcome(new_heads(), data)
        if data in warm.requests:
            assert meaning(warm.requests[data]) == outcome(new_heads(), data)


def test_a_head_that_was_seen_is_found_by_its_bytes() -> None:
    heads = new_heads()
    data = a_request(b"X: a")
    head = heads.request(data)
    assert heads.requests[data] is head
    answer = b"HTTP/1.1 200 OK\r\nX: a\r\n\r\n"
    assert heads.response(answer) is heads.responses[answer]
    assert data not in heads.responses


@pytest.mark.parametrize("name", sorted(UNREMEMBERED | {b"mcp-param-city"}))
def test_what_is_secret_or_new_each_time_is_not_remembered(name: bytes) -> None:
    heads = new_heads()
    for spelling in (name, name.title(), name.upper()):
        line = spelling + b": do-not-keep"
        heads.request(a_request(b"X: a", line))
        heads.response(b"HTTP/1.1 200 OK\r\nX: a\r\n" + line + b"\r\n\r\n")
    assert not heads.requests
    assert not heads.responses
    assert set(heads._lines) == {b"Host: a", b"X: a"}


@pytest.mark.parametrize("name", [b"Authorization", b"Cookie", b"traceparent", b"Set-Cookie"])
def test_the_well_known_secrets_are_among_them(name: bytes) -> None:
    assert name.lower() in UNREMEMBERED


def test_a_refused_head_is_not_remembered() -> None:
    heads = new_heads()
    with pytest.raises(BadHead):
        heads.request(a_request(b"Host: a"))
    assert not heads.requests


def test_there_are_never_more_heads_than_the_bound() -> None:
    heads = new_heads(max_heads=10)
    for number in range(35):
        heads.request(a_request(b"X: %d" % number))
        heads.response(b"HTTP/1.1 200 OK\r\nX: %d\r\n\r\n" % number)
        assert 0 < len(heads.requests) <= 10
        assert 0 < len(heads.responses) <= 10


def test_there_are_never_more_lines_than_the_bound() -> None:
    heads = new_heads(max_heads=1)
    for number in range(0, Heads.MAX_LINES * 2, 100):
        heads.request(a_request(*(b"X: %d" % (number + i) for i in range(100))))
        assert len(heads._lines) <= Heads.MAX_LINES


def test_a_long_line_or_a_long_head_is_not_remembered() -> None:
    heads = new_heads()
    heads.request(a_request(b"X: " + b"a" * Heads.MAX_REMEMBERED_LINE))
    assert set(heads._lines) == {b"Host: a"}
    data = a_request(*(b"X: " + b"a" * 500 for _ in range(9)))
    assert len(data) > Memory.MAX_HEAD
    heads.request(data)
    assert data not in heads.requests


def test_many_large_heads_are_bounded_by_their_bytes_not_only_by_their_number() -> None:
    """Each costs by its bytes and its lines: 4096 of the worst would take a hundred megabytes."""
    heads = new_heads()
    most = 0
    for number in range(1200):
        lines = [b"a%d: %d" % (i, number) for i in range(126)]
        heads.request(a_request(*lines))
        most = max(most, len(heads.requests))
    assert most * 126 * 256 <= Memory.MAX_COST
    assert most < 1200
