"""Heads for tests: written by a few words, read as the data plane reads them."""

from mcpr.protocol.http1 import Heads, RequestHead, ResponseHead, find_end
from mcpr.protocol.limits import Limits

LIMITS = Limits()


def read(data: bytes) -> RequestHead:
    """Reads a request's head as the data plane does."""
    end = find_end(data, limit=LIMITS.head_bytes)
    assert end == len(data), f"the head ends at {end}, not at {len(data)}"
    return Heads(max_line=LIMITS.line_bytes, max_fields=LIMITS.fields).request(data)


def read_response(data: bytes) -> ResponseHead:
    end = find_end(data, limit=LIMITS.head_bytes)
    assert end == len(data)
    return Heads(max_line=LIMITS.line_bytes, max_fields=LIMITS.fields).response(data)


def post(*lines: bytes, version: bytes = b"1.1", host: bytes = b"Host: a") -> bytes:
    return b"\r\n".join([b"POST /mcp HTTP/" + version, *([host] if host else []), *lines, b"", b""])


def get(target: bytes, *lines: bytes, method: bytes = b"GET") -> bytes:
    return b"\r\n".join([method + b" " + target + b" HTTP/1.1", b"Host: a", *lines, b"", b""])


CL3 = b"Content-Length: 3"
TE = b"Transfer-Encoding: chunked"
