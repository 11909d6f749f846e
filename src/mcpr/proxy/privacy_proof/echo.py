"""The MCP server of the proof: it answers what it was told to answer, byte for byte."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

_WAIT_SECONDS = 20.0
JSON = "application/json"
EVENTS = "text/event-stream"


class Echo:
    """Listens on a free loopback port from the beginning.

    script: the answer to every request. heard, said: all that came and went, heads and bodies.
    """

    def __init__(self, script: bytes | None = None) -> None:
        self.heard = bytearray()
        self.said = bytearray()
        self.script = answer(result({})) if script is None else script
        echo = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            timeout = _WAIT_SECONDS

            def __getattr__(self, name: str) -> object:
                # do_GET, do_POST and whatever else a client may say.
                if name.startswith("do_"):
                    return self._answer
                raise AttributeError(name)

            def _answer(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                head = f"{self.requestline}\r\n{self.headers.as_string()}"
                echo.heard += head.encode(errors="replace") + body
                script = echo.script
                echo.said += script
                self.wfile.write(script)
                self.close_connection = b"\r\nConnection: close\r\n" in script

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base's name
                """Say nothing."""

        self._server = _Server(("127.0.0.1", 0), Handler)
        self.port: int = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        """Of the MCP endpoint."""
        return f"http://127.0.0.1:{self.port}/mcp"

    def close(self) -> None:
        """Stop."""
        self._server.shutdown()
        self._server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """A connection that the proxy cuts is part of the play."""


def answer(
    body: bytes,
    *headers: str,
    status: str = "200 OK",
    kind: str = JSON,
) -> bytes:
    """An answer with its length."""
    lines = [f"HTTP/1.1 {status}", f"Content-Type: {kind}", f"Content-Length: {len(body)}"]
    return "\r\n".join([*lines, *headers, "", ""]).encode() + body


def result(value: object, request_id: object = 7) -> bytes:
    """A JSON-RPC answer."""
    return _json({"jsonrpc": "2.0", "id": request_id, "result": value})


def error(message: str, data: object, code: int = -32000, request_id: object = 7) -> bytes:
    """A JSON-RPC error."""
    words = {"code": code, "message": message, "data": data}
    return _json({"jsonrpc": "2.0", "id": request_id, "error": words})


def call(method: str, params: object, request_id: object = 7) -> bytes:
    """A JSON-RPC request."""
    return _json({"jsonrpc": "2.0", "id": request_id, "method": method, "params": params})


def notification(method: str, params: object) -> bytes:
    """A JSON-RPC notification."""
    return _json({"jsonrpc": "2.0", "method": method, "params": params})


def events(*messages: bytes) -> bytes:
    """An event stream, each message an event and a chunk."""
    pieces = [b"data: " + message + b"\n\n" for message in messages]
    chunks = b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces)
    head = f"HTTP/1.1 200 OK\r\nContent-Type: {EVENTS}\r\nTransfer-Encoding: chunked\r\n\r\n"
    return head.encode() + chunks + b"0\r\n\r\n"


def _json(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()
