"""Heads that could be read in two ways are refused: that is what request smuggling lives on."""

import time

import pytest
from tests.protocol.http1.building import CL3, LIMITS, TE, get, post, read, read_response

from mcpr.protocol.http1 import BadHead

REFUSED = {
    # Two ways to frame the body
    "length and coding": (post(CL3, TE), 400),
    "coding and length": (post(TE, CL3), 400),
    "two lengths, equal": (post(CL3, CL3), 400),
    "two lengths, unequal": (post(CL3, b"Content-Length: 4"), 400),
    "two lengths in two spellings": (post(CL3, b"content-length: 3"), 400),
    "two lengths in one field": (post(b"Content-Length: 3, 3"), 400),
    "length with a sign": (post(b"Content-Length: +3"), 400),
    "negative length": (post(b"Content-Length: -3"), 400),
    "hexadecimal length": (post(b"Content-Length: 0x3"), 400),
    "length with an underscore": (post(b"Content-Length: 1_0"), 400),
    "length with a fraction": (post(b"Content-Length: 3.0"), 400),
    "length in two words": (post(b"Content-Length: 3 3"), 400),
    "empty length": (post(b"Content-Length:"), 400),
    "length in other digits": (post("Content-Length: ٣".encode()), 400),
    "length beyond what a number holds": (post(b"Content-Length: " + b"9" * 16), 400),
    "unknown coding": (post(b"Transfer-Encoding: gzip"), 501),
    "coding before chunked": (post(b"Transfer-Encoding: gzip, chunked"), 501),
    "coding after chunked": (post(b"Transfer-Encoding: chunked, gzip"), 501),
    "identity": (post(b"Transfer-Encoding: identity"), 501),
    "chunked twice": (post(TE, TE), 501),
    "chunked twice in one field": (post(b"Transfer-Encoding: chunked, chunked"), 501),
    "chunked with a comma": (post(b"Transfer-Encoding: chunked,"), 501),
    "chunked with a parameter": (post(b"Transfer-Encoding: chunked;q=1"), 501),
    "chunked in quotes": (post(b'Transfer-Encoding: "chunked"'), 501),
    "xchunked": (post(b"Transfer-Encoding: xchunked"), 501),
    "empty coding": (post(b"Transfer-Encoding:"), 501),
    "coding in HTTP/1.0": (post(TE, version=b"1.0"), 400),
    "tab after chunked": (post(b"Transfer-Encoding: chunked\t"), 501),
    "vertical tab before chunked": (post(b"Transfer-Encoding: \x0bchunked"), 400),
    # Lines that are none
    "space before the colon": (post(b"Content-Length : 3"), 400),
    "tab before the colon": (post(b"X\t: 3"), 400),
    "folded line": (post(b"X: a", b" b"), 400),
    "folded line with a tab": (post(b"X: a", b"\tContent-Length: 3"), 400),
    "folded first line": (post(host=b" Host: a"), 400),
    "bare CR in a value": (post(b"X: a\rb"), 400),
    "bare CR before a field": (post(b"X: a\rContent-Length: 3"), 400),
    "bare CR in a name": (post(b"X\rY: a"), 400),
    "CR CR LF": (post(b"X: a\r"), 400),
    "bare LF in a value": (post(b"X: a\nContent-Length: 3"), 400),
    "bare LF at the start": (b"\n" + post(), 400),
    "bare LF after the request line": (b"POST / HTTP/1.1\nHost: a\r\n\r\n", 400),
    "bare LF LF in the middle": (post(b"X: a\n\nPOST /admin HTTP/1.1"), 400),
    "NUL in a value": (post(b"X: a\0b"), 400),
    "NUL in a name": (post(b"X\0: a"), 400),
    "DEL in a value": (post(b"X: a\x7fb"), 400),
    "control character in a value": (post(b"X: a\x01b"), 400),
    "empty name": (post(b": a"), 400),
    "no colon": (post(b"Content-Length"), 400),
    "name with a space": (post(b"Content Length: 3"), 400),
    "name with a letter that is not ASCII": (post("Cöntent-Length: 3".encode()), 400),
    "name in parentheses": (post(b"(X): 3"), 400),
    # The request line
    "empty line first": (b"\r\n" + post(), 400),
    "nothing": (b"\r\n\r\n", 400),
    "HTTP/0.9": (b"GET /\r\n\r\n", 400),
    "HTTP/1.2": (post(version=b"1.2"), 400),
    "HTTP/2.0": (post(version=b"2.0"), 400),
    "HTTP/1.10": (post(version=b"1.10"), 400),
    "HTTP/1.": (post(version=b"1."), 400),
    "http in lower case": (b"GET / http/1.1\r\nHost: a\r\n\r\n", 400),
    "the preface of HTTP/2": (b"PRI * HTTP/2.0\r\n\r\n", 400),
    "two spaces": (b"GET  / HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    "tab for a space": (b"GET\t/ HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    "space at the start": (b" GET / HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    "space at the end": (b"GET / HTTP/1.1 \r\nHost: a\r\n\r\n", 400),
    "space in the target": (get(b"/a b"), 400),
    "no method": (b" / HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    "method with a colon": (get(b"/", method=b"GE:T"), 400),
    "target that is not ASCII": (get("/ü".encode()), 400),
    "target with a control character": (get(b"/\x01"), 400),
    "target with DEL": (get(b"/\x7f"), 400),
    "fragment": (get(b"/a#b"), 400),
    "fragment in an absolute target": (get(b"http://a/#b"), 400),
    "no path": (get(b"mcp"), 400),
    "host and port as a target": (get(b"a:80"), 400),
    "asterisk with GET": (get(b"*"), 400),
    "other scheme": (get(b"ftp://a/"), 400),
    "absolute target of another host": (get(b"http://b/"), 400),
    "absolute target of another port": (get(b"http://a:81/"), 400),
    "absolute target with a user": (get(b"http://u@a/"), 400),
    "absolute target without a host": (get(b"http:///x"), 400),
    "CONNECT": (get(b"a:443", method=b"CONNECT"), 405),
    # Host
    "no Host": (post(host=b""), 400),
    "two Hosts, equal": (post(b"Host: a"), 400),
    "two Hosts, unequal": (post(b"host: b"), 400),
    "two Hosts in HTTP/1.0": (post(b"Host: b", version=b"1.0"), 400),
    "Host with a path": (post(host=b"Host: a/b"), 400),
    "Host with a user": (post(host=b"Host: u@a"), 400),
    "Host with a space": (post(host=b"Host: a b"), 400),
    "Host list": (post(host=b"Host: a, b"), 400),
    "Host with a scheme": (post(host=b"Host: http://a"), 400),
    "Host with a long port": (post(host=b"Host: a:123456"), 400),
    "Host with a word for a port": (post(host=b"Host: a:http"), 400),
    "Host that is not ASCII": (post(host="Host: bücher".encode()), 400),
    # Fields that would vanish before the server sees them
    "Connection: content-length": (post(CL3, b"Connection: content-length"), 400),
    "Connection: Transfer-Encoding": (post(TE, b"Connection: close, Transfer-Encoding"), 400),
    "Connection: host": (post(b"Connection: host"), 400),
    "Connection: authorization": (post(b"Connection: authorization"), 400),
    "Connection: mcp-session-id": (
        post(b"Connection: keep-alive", b"Connection: Mcp-Session-Id"),
        400,
    ),
    # Expect
    "unknown expectation": (post(CL3, b"Expect: 200-ok"), 417),
    "one expectation too many": (post(CL3, b"Expect: 100-continue", b"Expect: x"), 417),
    "list of expectations": (post(CL3, b"Expect: 100-continue, 100-continue"), 417),
    # Sizes
    "request line too long": (get(b"/" + b"a" * LIMITS.line_bytes), 431),
    "field too long": (post(b"X: " + b"a" * LIMITS.line_bytes), 431),
    "too many fields": (post(*[b"X: a"] * LIMITS.fields), 431),
    "head too large": (post(*[b"X: " + b"a" * 16_000] * 5), 431),
}


@pytest.mark.parametrize(("data", "status"), REFUSED.values(), ids=REFUSED)
def test_a_head_that_could_be_read_in_two_ways_is_refused(data: bytes, status: int) -> None:
    with pytest.raises(BadHead) as caught:
        read(data)
    assert caught.value.status == status
    assert caught.value.reason


REFUSED_RESPONSES = {
    "length and coding": b"HTTP/1.1 200 OK\r\n%b\r\n%b\r\n\r\n" % (CL3, TE),
    "two lengths": b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 3\r\n\r\n",
    "two lengths in one field": b"HTTP/1.1 200 OK\r\nContent-Length: 3, 3\r\n\r\n",
    "coding in HTTP/1.0": b"HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
    "interim answer with a length": b"HTTP/1.1 103 Early Hints\r\nContent-Length: 3\r\n\r\n",
    "interim answer in chunks": b"HTTP/1.1 100 Continue\r\n%b\r\n\r\n" % TE,
    "unknown coding": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: br\r\n\r\n",
    "HTTP/2": b"HTTP/2 200\r\n\r\n",
    "ICY": b"ICY 200 OK\r\n\r\n",
    "status of two digits": b"HTTP/1.1 20 OK\r\n\r\n",
    "status of four digits": b"HTTP/1.1 2000 OK\r\n\r\n",
    "status 099": b"HTTP/1.1 099 OK\r\n\r\n",
    "status with a sign": b"HTTP/1.1 +20 OK\r\n\r\n",
    "reason with a control character": b"HTTP/1.1 200 O\x01K\r\n\r\n",
    "reason with a bare CR": b"HTTP/1.1 200 O\rK\r\n\r\n",
    "folded line": b"HTTP/1.1 200 OK\r\nX: a\r\n b\r\n\r\n",
    "space before the colon": b"HTTP/1.1 200 OK\r\nContent-Length : 3\r\n\r\n",
    "a request": b"GET / HTTP/1.1\r\nHost: a\r\n\r\n",
}


@pytest.mark.parametrize("data", REFUSED_RESPONSES.values(), ids=REFUSED_RESPONSES)
def test_an_upstream_answer_that_could_be_read_in_two_ways_is_refused(data: bytes) -> None:
    with pytest.raises(BadHead):
        read_response(data)


CRAFTED = {
    "blanks before a value": post(b"X:" + b" " * 16_000 + b"\0"),
    "blanks after a value": post(b"X: a" + b" " * 16_000 + b"\0"),
    "words": post(b"X:" + b" a" * 8_000 + b"\0"),
    "a long name": post(b"X" * 16_000),
    "a long host in the target": get(b"http://" + b"a" * 16_000 + b"#"),
    "a long target": get(b"/" + b"a" * 16_000 + b"\0"),
    "a long method": get(b"/", method=b"A" * 16_000 + b"\0"),
    "a long host": post(host=b"Host: " + b"a" * 16_000 + b"\0"),
}


@pytest.mark.parametrize("data", CRAFTED.values(), ids=CRAFTED)
def test_no_crafted_line_is_read_in_quadratic_time(data: bytes) -> None:
    """Linear takes less than a millisecond here, quadratic took half a second and more."""
    started = time.process_time()
    with pytest.raises(BadHead):
        read(data)
    assert time.process_time() - started < 0.1
