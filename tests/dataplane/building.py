"""Requests and answers as bytes."""

CALL = b'{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"get_weather"}}'
RESULT = b'{"jsonrpc":"2.0","id":7,"result":{"content":[],"isError":false}}'
JSON = b"Content-Type: application/json"
EVENTS = b"Content-Type: text/event-stream"
REVISION = b"MCP-Protocol-Version: 2025-11-25"
ACCEPT = b"Accept: application/json, text/event-stream"
CHUNKED = b"Transfer-Encoding: chunked"


def head(start: bytes, *lines: bytes) -> bytes:
    """A head, blank line included."""
    return b"\r\n".join((start, *lines)) + b"\r\n\r\n"


def request(
    method: bytes, *lines: bytes, target: bytes = b"/mcp", version: bytes = b"1.1"
) -> bytes:
    """A request's head; the Host is a name that may be called."""
    return head(b"%b %b HTTP/%b" % (method, target, version), b"Host: localhost", *lines)


def post(body: bytes = CALL, *lines: bytes, target: bytes = b"/mcp") -> bytes:
    """A JSON call with the headers of an SDK."""
    length = b"Content-Length: %d" % len(body)
    return request(b"POST", JSON, ACCEPT, REVISION, *lines, length, target=target) + body


def get(*lines: bytes, target: bytes = b"/mcp") -> bytes:
    """A request without a body."""
    return request(b"GET", *lines, target=target)


def answer(body: bytes = RESULT, *lines: bytes, status: bytes = b"200 OK") -> bytes:
    """An answer with its length; JSON unless a Content-Type is among the lines."""
    kind = () if any(line.lower().startswith(b"content-type") for line in lines) else (JSON,)
    length = b"Content-Length: %d" % len(body)
    return head(b"HTTP/1.1 " + status, *kind, *lines, length) + body
