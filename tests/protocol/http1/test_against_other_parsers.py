"""What we accept, llhttp and h11 read in the same way: no message has two meanings.

The oracles are not stricter judges: where they take what we refuse, that is in a table here.
"""

import os
from collections import Counter
from collections.abc import Callable
from random import Random

import pytest
from tests.protocol.http1.building import get, post
from tests.protocol.http1.mutated_heads import a_request, a_response
from tests.protocol.http1.other_parsers import H11, Llhttp, Reading, Refused
from tests.protocol.size import IS_FULL

from mcpr.protocol.http1 import BadHead, Heads, RequestHead, ResponseHead, find_end

ParserKind = type[Llhttp] | type[H11]
BLOCKS = 10
PER_BLOCK = 50_000 if IS_FULL else 1_000
NEVER_ENDS = -1


def read_our_way(data: bytes, *, response: bool) -> RequestHead | ResponseHead | None:
    """The head as we accept it, or None."""
    heads = Heads(max_line=16_384, max_fields=128)
    try:
        end = find_end(data, limit=65_536)
        if end < 0:
            return None
        return heads.response(data[:end]) if response else heads.request(data[:end])
    except BadHead:
        return None


def chance_of(block: int, kind: str) -> Random:
    """The same heads in every small run, new ones in every full run."""
    return Random(os.urandom(16) if IS_FULL else f"{kind} {block}")


def body_length(head: RequestHead | ResponseHead) -> int | None:
    """How we frame what follows: a number of bytes, NEVER_ENDS (until close), None for chunks."""
    if isinstance(head, ResponseHead) and head.is_bodiless(b"GET"):
        return 0
    if head.chunked:
        return None
    if head.content_length is not None:
        return head.content_length
    return NEVER_ENDS if isinstance(head, ResponseHead) else 0


def refuses_for_a_known_reason(parser: ParserKind, head: RequestHead | ResponseHead) -> bool:
    if isinstance(head, ResponseHead):
        return head.status == 101  # Nobody asked for an upgrade; the data plane refuses it, too.
    # llhttp knows a list of methods; a proxy knows none.
    return parser is Llhttp and head.method not in KNOWN_TO_LLHTTP


KNOWN_TO_LLHTTP = frozenset(
    b"GET HEAD POST PUT DELETE OPTIONS PATCH TRACE COPY LOCK MKCOL MOVE PROPFIND PROPPATCH SEARCH"
    b" UNLOCK BIND REBIND UNBIND ACL REPORT MKACTIVITY CHECKOUT MERGE M-SEARCH NOTIFY SUBSCRIBE"
    b" UNSUBSCRIBE PURGE MKCALENDAR LINK UNLINK SOURCE QUERY".split()
)


def compare(parser: ParserKind, head: RequestHead | ResponseHead, data: bytes) -> None:
    """Head, fields and framing, as the other parser reads them."""
    other = parser(response=isinstance(head, ResponseHead))
    reading = other.reading
    try:
        other.feed(data)
        assert reading.heads == 1, "it does not see one whole head"
    except Refused:
        assert refuses_for_a_known_reason(parser, head), "it refuses what we accept"
        return
    start_line = data.partition(b"\r\n")[0]
    if isinstance(head, RequestHead):
        method, target, _ = start_line.split(b" ")
        assert reading.start == (head.method, target) == (method, target)
        assert target.endswith(head.target) or head.target in {b"/", b"*"} or b"?" in target
    else:
        assert reading.start == (b"%d" % head.status,)
    assert reading.minor_version == (0 if head.http10 else 1)
    assert [(name, shown(name, value)) for name, value in reading.fields] == [
        (field.name, shown(field.name, field.value)) for field in head.fields
    ]
    is_interim = isinstance(head, ResponseHead) and head.status < 200
    if not reading.upgrades and not (is_interim and parser is H11):
        compare_framing(other, reading, body_length(head))


def shown(name: bytes, value: bytes) -> bytes:
    # h11 gives the coding in lower case.
    return value.lower() if name == b"transfer-encoding" else value


def compare_framing(other: Llhttp | H11, reading: Reading, length: int | None) -> None:
    if length is None:
        body, wire = b"abc", b"3\r\nabc\r\n0\r\n\r\n"
    else:
        body = wire = b"x" * (7 if length == NEVER_ENDS else min(length, 100))
    if wire:
        assert not reading.is_complete, "it sees no body"
        if wire[:-1]:
            other.feed(wire[:-1])
        assert not reading.is_complete, "it sees a shorter body"
        other.feed(wire[-1:])
    assert reading.body == body
    assert reading.is_complete == (length is None or length == len(body))


@pytest.mark.parametrize("block", range(BLOCKS))
@pytest.mark.parametrize("make", [a_request, a_response], ids=["requests", "responses"])
def test_what_we_accept_is_read_in_the_same_way_by_all(
    make: Callable[[Random], bytes], block: int
) -> None:
    response = make is a_response
    chance = chance_of(block, make.__name__)
    seen: Counter[str] = Counter()
    for _ in range(PER_BLOCK):
        data = make(chance)
        head = read_our_way(data, response=response)
        if head is None:
            seen["refused"] += 1
            continue
        length = body_length(head)
        seen["chunked" if length is None else "length" if length > 0 else "none"] += 1
        data = data[: find_end(data, limit=65_536)]
        for parser in (Llhttp, H11):
            try:
                compare(parser, head, data)
            except (AssertionError, Refused) as exc:
                raise AssertionError(f"{parser.__name__} reads {data!r} otherwise: {exc}") from exc
    # The mutations are worth something only while they reach both sides, and all framings.
    assert seen["refused"] > PER_BLOCK * 0.3, seen
    assert min(seen["chunked"], seen["length"], seen["none"]) > PER_BLOCK * 0.02, seen


LLHTTP_TAKES = {
    "no Host": b"GET / HTTP/1.1\r\n\r\n",
    "two Hosts": post(b"Host: b"),
    "Host that is no host": post(host=b"Host: a/b@c"),
    "absolute target of another host": get(b"http://b/"),
    "asterisk with GET": get(b"*"),
    "fragment": get(b"/a#b"),
    "HTTP/2.0": post(version=b"2.0"),
    "coding in HTTP/1.0": post(b"Transfer-Encoding: chunked", version=b"1.0"),
    "coding before chunked": post(b"Transfer-Encoding: gzip, chunked"),
    "chunked with a tab before it": post(b"Transfer-Encoding:\tchunked"),
    "chunked with a comma before it": post(b"Transfer-Encoding: ,chunked"),
    "Connection: content-length": post(b"Content-Length: 3", b"Connection: content-length"),
    "unknown expectation": post(b"Expect: x"),
    "empty line first": b"\r\n" + post(),
    "CR alone first": b"\r" + post(),
}
H11_TAKES = {
    "folded line": post(b"X: a", b" b"),
    "bare LF": b"GET / HTTP/1.1\nHost: a\n\r\n",
    "two equal lengths": post(b"Content-Length: 3", b"Content-Length: 3"),
    "two lengths in one field": post(b"Content-Length: 3, 3"),
    "length and coding": post(b"Content-Length: 3", b"Transfer-Encoding: chunked"),
    "coding in HTTP/1.0": post(b"Transfer-Encoding: chunked", version=b"1.0"),
    "control character in a value": post(b"X: a\x01b"),
    "Host that is no host": post(host=b"Host: a/b@c"),
    "absolute target of another host": get(b"http://b/"),
    "fragment": get(b"/a#b"),
    "Connection: content-length": post(b"Content-Length: 3", b"Connection: content-length"),
    "unknown expectation": post(b"Expect: x"),
}


@pytest.mark.parametrize(
    ("parser", "data"),
    [
        pytest.param(parser, data, id=f"{parser.__name__} {name}")
        for parser, table in ((Llhttp, LLHTTP_TAKES), (H11, H11_TAKES))
        for name, data in table.items()
    ],
)
def test_what_other_parsers_let_through_we_refuse(parser: ParserKind, data: bytes) -> None:
    """A library would not relieve us of these checks. If one learns to refuse, this line goes."""
    other = parser()
    other.feed(data)
    assert other.reading.heads == 1
    assert read_our_way(data, response=False) is None
