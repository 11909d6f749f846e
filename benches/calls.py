"""The requests of the benches: `tools/call` as the TypeScript SDK sends it in the session era.

1,000 different bodies of 200 to 578 bytes in 64 lengths, 20 tools, the SDK's 11 headers, one
session. Every request has an id of its own, of constant width and put last as the SDK does, so
a request is two prepared pieces around the id and Content-Length is known beforehand.

This module is the only place that knows the bytes: wrk gets the same pieces as a Lua table.
"""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

BODIES = 1000
LENGTHS = 64
SHORTEST_BYTES = 200
STEP_BYTES = 6
TOOLS = 20
ID_WIDTH = 8
FIRST_ID = 10_000_000
REVISION = "2025-11-25"
SESSION = "b7a1c0de-0000-4000-8000-000000000001"


@dataclass(frozen=True, slots=True)
class Call:
    """One prepared request: `before`, a header never seen (or nothing), `after`, the id, `}`."""

    before: str
    after: str

    def encode(self, request_id: int, *, is_fresh: bool = False) -> bytes:
        """The request's bytes with this id; `is_fresh`: with a header that was never seen."""
        trace = f"traceparent: 00-{request_id:032x}-{request_id:016x}-01\r\n" if is_fresh else ""
        return f"{self.before}{trace}{self.after}{request_id}}}".encode()


def prepare_calls(url: str) -> list[Call]:
    """The 1,000 requests for the endpoint `url`."""
    return [_prepare(url, k) for k in range(BODIES)]


def request_ids() -> Iterator[int]:
    """Ids of constant width; one iterator per subject, so that none comes twice in a session."""
    return itertools.count(FIRST_ID)


def write_lua(calls: list[Call], path: Path) -> None:
    """Writes the pieces as a Lua table that `calls.lua` loads."""
    rows = (f"{{{_quote(call.before)},{_quote(call.after)}}}" for call in calls)
    path.write_text("return {\n" + ",\n".join(rows) + "\n}\n")


def _quote(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + escaped.replace("\r", "\\r").replace("\n", "\\n") + '"'


def _prepare(url: str, k: int) -> Call:
    target = urlsplit(url)
    body, size = _body_before_id(k)
    before = f"POST {target.path} HTTP/1.1\r\nhost: {target.netloc}\r\nconnection: keep-alive\r\n"
    after = (
        "accept: application/json, text/event-stream\r\n"
        "content-type: application/json\r\n"
        f"mcp-protocol-version: {REVISION}\r\n"
        f"mcp-session-id: {SESSION}\r\n"
        "accept-language: *\r\n"
        "sec-fetch-mode: cors\r\n"
        "user-agent: node\r\n"
        "accept-encoding: gzip, deflate\r\n"
        f"content-length: {size}\r\n\r\n"
    )
    return Call(before, after + body)


def _body_before_id(k: int) -> tuple[str, int]:
    size = SHORTEST_BYTES + STEP_BYTES * (k % LENGTHS)
    start = (
        f'{{"method":"tools/call","params":{{"name":"tool_{k % TOOLS:02d}",'
        f'"arguments":{{"city":"place-{k:04d}","text":"'
    )
    end = '"}},"jsonrpc":"2.0","id":'
    fill = size - len(start) - len(end) - ID_WIDTH - len("}")
    return start + ("lorem ipsum " * 60)[:fill] + end, size
