"""The recorded facts. Frozen values without behaviour; nothing here does I/O.

A `RequestEvent` has two parts. Its own fields are the public part: the only things that may ever
leave the machine, and what may leave is this list, not a filter. `Detail` is the local part: it is
written to the local store (unless switched off) and has no encoder for any other way out. What
stands `Aside` is for sinks that are asked to tell of it, and is not kept.
"""

from typing import Literal

import msgspec

from mcpr.events.outcome import Kind, Origin, Outcome

SessionState = Literal["active", "idle", "ended"]


class Detail(msgspec.Struct, frozen=True, array_like=True, gc=False, omit_defaults=True):
    """What may be kept on this machine only.

    subject: the resource URI, the prompt name, or a tool name that the public part had to bound.
    method: the JSON-RPC method as it was sent, when the public part had to bound it.
    error_text: the JSON-RPC error's message, at most 512 characters. Never a tool's result.
    client_name: `clientInfo.name` as it was sent.
    http_method, path: of an exchange that is not JSON-RPC; the path without its query.
    note: what is odd about the request: `ambiguous`, `mismatch`, `unlinked`,
    `csp_unread`; space-separated.
    upstream_first_us: time from the request's last byte sent to the answer's first byte, in µs;
    None where the whole answer came with its first byte: then it is `upstream_us`.
    link: a `Link` as text, where the request is tied to others. Recorded in any case: there is
    nothing to read in it.
    """

    subject: str | None = None
    method: str | None = None
    error_text: str | None = None
    client_name: str | None = None
    http_method: str | None = None
    path: str | None = None
    note: str | None = None
    upstream_first_us: int | None = None
    link: str | None = None


class Aside(msgspec.Struct, frozen=True, array_like=True, gc=False, omit_defaults=True):
    """What a sink may need to tell of an event, and nobody keeps: no store and no envelope has it.

    exchange, rows: events with the same number, so many, are of one exchange (a batch).
    parent: 25 bytes of the trace context that the request itself named, else its HTTP head; empty
    where there is none, or where nobody asked for traces. link: that of the head, where it differs.
    """

    exchange: int = 0
    rows: int = 1
    parent: bytes = b""
    link: bytes = b""


class RequestEvent(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One JSON-RPC request, or one other exchange, complete.

    id: UUIDv7, 16 bytes, minted when the event is published.
    ts_ms: arrival of the request, UTC, epoch milliseconds.
    server: the configured name of the MCP server.
    method: a method the specification knows, `_other`, or None where there is none.
    tool: the called tool, bounded (`[A-Za-z0-9_./$-]{1,128}` or `_other`).
    http_status: status the client was answered with; None when no answer head was sent.
    rpc_code: code of the JSON-RPC error, if any.
    latency_us: from the request's arrival to the last byte of its answer handed on, in µs.
    upstream_us: from the request sent upstream to the last byte of its answer, in µs.
    bytes_in, bytes_out: size of the message and of its answer, in bytes.
    session: keyed hash of the `Mcp-Session-Id`, 32 hex digits.
    client: slug of the known-clients table or `other`; None when nobody said.
    client_version: matches `[0-9A-Za-z.+-]{1,32}` or None.
    revision: MCP protocol revision such as `2025-11-25`.
    """

    id: bytes
    ts_ms: int
    server: str
    kind: Kind
    method: str | None
    tool: str | None
    outcome: Outcome
    origin: Origin | None
    http_status: int | None
    rpc_code: int | None
    latency_us: int
    upstream_us: int | None
    bytes_in: int
    bytes_out: int
    session: str | None
    client: str | None
    client_version: str | None
    revision: str | None
    detail: Detail | None = None
    aside: Aside | None = None


class SessionEvent(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A session that began or ended.

    id: UUIDv7, 16 bytes; the same beginning or end has the same id. ts_ms: when, UTC, epoch ms.
    state: `active` when it began, `ended`; `idle` follows from time and is not told.
    session, client, client_version, revision: as in a request.
    """

    id: bytes
    ts_ms: int
    server: str
    session: str
    state: SessionState
    client: str | None
    client_version: str | None
    revision: str | None
