"""JSON-RPC messages for tests, by a few words each."""

import json
from collections.abc import Mapping

from mcpr.protocol.mcp import META_CLIENT, META_REVISION

Id = int | str | None


def text(value: object) -> bytes:
    """The JSON of it, as SDKs write it: without blanks."""
    return json.dumps(value, separators=(",", ":")).encode()


def request(method: str, params: Mapping[str, object] | None = None, *, id: Id = 1) -> bytes:  # noqa: A002 - its name
    message: dict[str, object] = {"jsonrpc": "2.0", "id": id, "method": method}
    if params is not None:
        message["params"] = params
    return text(message)


def call_tool(name: str = "get_weather", *, id: Id = 1, **arguments: object) -> bytes:  # noqa: A002 - its name
    return request("tools/call", {"name": name, "arguments": arguments}, id=id)


def notification(method: str, params: Mapping[str, object] | None = None) -> bytes:
    return text(
        {"jsonrpc": "2.0", "method": method} | ({} if params is None else {"params": params})
    )


def cancelled(request_id: Id) -> bytes:
    return notification("notifications/cancelled", {"requestId": request_id, "reason": "enough"})


def result(id: Id = 1, **fields: object) -> bytes:  # noqa: A002 - its name
    return text({"jsonrpc": "2.0", "id": id, "result": fields})


def error(code: int, message: str = "no", *, id: Id = 1) -> bytes:  # noqa: A002 - its name
    return text({"jsonrpc": "2.0", "id": id, "error": {"code": code, "message": message}})


def batch(*messages: bytes) -> bytes:
    return b"[" + b",".join(messages) + b"]"


def event(data: bytes, *lines: bytes) -> bytes:
    """One server-sent event."""
    return b"\n".join([*lines, b"event: message", b"data: " + data, b"", b""])


#: As 2025-11-25 begins a stream that may be left: an id, and no data.
PRIMING = b"id: 1\ndata: \n\n"
PROGRESS = event(notification("notifications/progress", {"progressToken": 1, "progress": 2}))


def client(name: str = "claude-code", version: str = "2.1.0") -> dict[str, object]:
    return {"name": name, "version": version}


def initialize(
    name: str = "claude-code", version: str = "2.1.0", revision: str = "2025-11-25"
) -> bytes:
    params = {"protocolVersion": revision, "capabilities": {}, "clientInfo": client(name, version)}
    return request("initialize", params, id=0)


def welcome(revision: str = "2025-11-25") -> bytes:
    return result(0, protocolVersion=revision, capabilities={}, serverInfo={"name": "s"})


def modern(
    method: str,
    params: Mapping[str, object] | None = None,
    *,
    name: str = "openai-mcp",
    id: Id = 1,  # noqa: A002 - its name
) -> bytes:
    """A request that describes itself, as in revision 2026-07-28."""
    meta = {META_REVISION: "2026-07-28", META_CLIENT: client(name, "1.0.0")}
    return request(method, {**(params or {}), "_meta": meta}, id=id)
