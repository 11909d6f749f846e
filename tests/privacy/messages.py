"""The bytes of requests and answers: HTTP, JSON-RPC, event streams."""

import json

HOST = b"Host: 127.0.0.1"
JSON = b"Content-Type: application/json"
EVENTS = b"Content-Type: text/event-stream"
CHUNKED = b"Transfer-Encoding: chunked"
_ACCEPT = b"Accept: application/json, text/event-stream"


def dumps(value: object) -> bytes:
    """JSON as JavaScript writes it."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()


def call(method: str, params: object = None, request_id: object = 7, **others: object) -> bytes:
    """A JSON-RPC request."""
    message = {"jsonrpc": "2.0", "id": request_id, "method": method, **others}
    return dumps(message if params is None else {**message, "params": params})


def notification(method: str, params: object) -> bytes:
    """A JSON-RPC notification."""
    return dumps({"jsonrpc": "2.0", "method": method, "params": params})


def result(value: object, request_id: object = 7) -> bytes:
    """A JSON-RPC answer."""
    return dumps({"jsonrpc": "2.0", "id": request_id, "result": value})


def error(message: str, data: object, code: int = -32000, request_id: object = 7) -> bytes:
    """A JSON-RPC error."""
    words = {"code": code, "message": message, "data": data}
    return dumps({"jsonrpc": "2.0", "id": request_id, "error": words})


def text(*texts: str) -> dict[str, object]:
    """The content of a tool's result."""
    return {"content": [{"type": "text", "text": one} for one in texts]}


def post(body: bytes, *headers: bytes, target: str = "/mcp") -> bytes:
    """A POST with JSON in it; headers replace ours where they have the same name."""
    return request("POST", target, body, _ACCEPT, *headers, kind=JSON)


def request(
    method: str, target: str, body: bytes | None, *headers: bytes, kind: bytes = b""
) -> bytes:
    """Any request. kind: its Content-Type, unless the headers bring one."""
    names = {header.partition(b":")[0].lower() for header in headers}
    lines = [f"{method} {target} HTTP/1.1".encode()]
    if b"host" not in names:
        lines.append(HOST)
    if kind and b"content-type" not in names:
        lines.append(kind)
    lines += headers
    if body is not None and b"transfer-encoding" not in names:
        lines.append(b"Content-Length: %d" % len(body))
    return b"\r\n".join(lines) + b"\r\n\r\n" + (body or b"")


def answer(
    body: bytes | None, *headers: bytes, status: str = "200 OK", kind: bytes = JSON
) -> bytes:
    """An answer. Framed by its length, unless the headers say otherwise."""
    lines = [f"HTTP/1.1 {status}".encode(), kind, *headers]
    if CHUNKED not in headers and body is not None:
        lines.append(b"Content-Length: %d" % len(body))
    return b"\r\n".join(lines) + b"\r\n\r\n" + (body or b"")


def chunks(*pieces: bytes, extension: bytes = b"", trailer: bytes = b"") -> bytes:
    """A chunked body."""
    framed = [b"%x%b\r\n%b\r\n" % (len(piece), extension, piece) for piece in pieces]
    return b"".join(framed) + b"0\r\n" + trailer + b"\r\n"


def event(data: bytes, *fields: bytes) -> bytes:
    """One server-sent event."""
    return b"".join(field + b"\n" for field in fields) + b"data: " + data + b"\n\n"


def events(*parts: bytes) -> bytes:
    """An event stream as an answer, each part a chunk of its own."""
    return answer(None, CHUNKED, kind=EVENTS) + chunks(*parts)
