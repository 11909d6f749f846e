"""Envelope v1: an event as JSON on the wire, exactly the list of what may leave the machine.

Rules of this file: `_RequestV1` is that list, written out once more and by hand, so that a field
added to `RequestEvent` does not leave by itself; `Detail` is never read here. An absent value is an
absent key: no null, one form per event. `decode` takes nothing it does not know.
docs/reference/events.md is the prose, docs/reference/envelope-v1.schema.json the schema.
"""

from collections.abc import Sequence
from typing import Annotated, Final, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from mcpr.events.ids import to_text
from mcpr.events.outcome import Kind, Origin, Outcome
from mcpr.events.types import RequestEvent

VERSION: Final = 1

Verdict = Literal[
    "refused:not_an_object",
    "refused:unknown_version",
    "refused:unknown_key",
    "refused:missing_key",
    "refused:bad_value",
]

# The greatest integer that every JSON reader takes as it is (RFC 8259, section 6).
_MOST: Final = 2**53 - 1

# Python's `$` also matches before a line end at the end; the look-ahead takes that back.
_Id = Annotated[
    str,
    Meta(
        pattern=r"^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$(?!\n)",
        description="UUIDv7 of the event; the same id is the same event.",
    ),
]
_Instant = Annotated[
    int, Meta(ge=0, le=_MOST, description="Arrival of the request, UTC, epoch milliseconds.")
]
_Server = Annotated[
    str,
    Meta(
        pattern=r"^[^\x00-\x1f\x7f]{1,128}$(?!\n)", description="Configured name of the MCP server."
    ),
]
_Method = Annotated[
    str,
    Meta(
        pattern=r"^[A-Za-z0-9_./$-]{1,128}$(?!\n)",
        description="MCP method, or `_other` for one the specification does not know.",
    ),
]
_Tool = Annotated[
    str,
    Meta(
        pattern=r"^[A-Za-z0-9_./$-]{1,128}$(?!\n)",
        description="Name of the called tool, or `_other`.",
    ),
]
_Status = Annotated[int, Meta(ge=100, le=599, description="HTTP status the client was answered.")]
_Code = Annotated[int, Meta(ge=-_MOST, le=_MOST, description="Code of the JSON-RPC error.")]
_Latency = Annotated[
    int,
    Meta(ge=0, le=_MOST, description="Arrival to the last byte of the answer, microseconds."),
]
_Upstream = Annotated[
    int,
    Meta(ge=0, le=_MOST, description="The part of it spent at the server, microseconds."),
]
_BytesIn = Annotated[int, Meta(ge=0, le=_MOST, description="Size of the message, bytes.")]
_BytesOut = Annotated[int, Meta(ge=0, le=_MOST, description="Size of its answer, bytes.")]
_Session = Annotated[
    str, Meta(pattern=r"^[0-9a-f]{32}$(?!\n)", description="Keyed hash of the session's id.")
]
_Client = Annotated[
    str,
    Meta(
        pattern=r"^[a-z0-9][a-z0-9._-]{0,63}$(?!\n)",
        description="Slug of the known-clients table, or `other`.",
    ),
]
_ClientVersion = Annotated[
    str, Meta(pattern=r"^[0-9A-Za-z.+-]{1,32}$(?!\n)", description="Version the client states.")
]
_Revision = Annotated[
    str, Meta(pattern=r"^[0-9A-Za-z.-]{1,32}$(?!\n)", description="MCP protocol revision.")
]


class _RequestV1(
    msgspec.Struct,
    frozen=True,
    kw_only=True,
    gc=False,
    forbid_unknown_fields=True,
    omit_defaults=True,
):
    v: Literal[1]
    id: _Id
    ts_ms: _Instant
    server: _Server
    kind: Kind
    method: _Method | UnsetType = UNSET
    tool: _Tool | UnsetType = UNSET
    outcome: Outcome
    origin: Origin | UnsetType = UNSET
    http_status: _Status | UnsetType = UNSET
    rpc_code: _Code | UnsetType = UNSET
    latency_us: _Latency
    upstream_us: _Upstream | UnsetType = UNSET
    bytes_in: _BytesIn
    bytes_out: _BytesOut
    session: _Session | UnsetType = UNSET
    client: _Client | UnsetType = UNSET
    client_version: _ClientVersion | UnsetType = UNSET
    revision: _Revision | UnsetType = UNSET


KEYS: Final[tuple[str, ...]] = _RequestV1.__struct_fields__
_REQUIRED: Final = tuple(
    field.name for field in msgspec.structs.fields(_RequestV1) if field.required
)

_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(_RequestV1)
_keys_decoder = msgspec.json.Decoder(dict[str, msgspec.Raw])


class Refused(ValueError):
    """The bytes are not an event of this envelope. `verdict` says why, and repeats no content."""

    def __init__(self, verdict: Verdict) -> None:
        super().__init__(verdict)
        self.verdict = verdict


def encode(event: RequestEvent) -> bytes:
    """The public part of the event, as one JSON object without a line end.

    Trusts the event's values; whoever makes an event bounds its names.
    """
    return _encoder.encode(
        _RequestV1(
            v=VERSION,
            id=to_text(event.id),
            ts_ms=event.ts_ms,
            server=event.server,
            kind=event.kind,
            method=UNSET if event.method is None else event.method,
            tool=UNSET if event.tool is None else event.tool,
            outcome=event.outcome,
            origin=UNSET if event.origin is None else event.origin,
            http_status=UNSET if event.http_status is None else event.http_status,
            rpc_code=UNSET if event.rpc_code is None else event.rpc_code,
            latency_us=event.latency_us,
            upstream_us=UNSET if event.upstream_us is None else event.upstream_us,
            bytes_in=event.bytes_in,
            bytes_out=event.bytes_out,
            session=UNSET if event.session is None else event.session,
            client=UNSET if event.client is None else event.client,
            client_version=UNSET if event.client_version is None else event.client_version,
            revision=UNSET if event.revision is None else event.revision,
        )
    )


def decode(data: bytes) -> RequestEvent:
    """The event that `data` says; it has no detail.

    Raises Refused with the verdict. Where several apply, the first of: not_an_object,
    unknown_version, unknown_key, missing_key, bad_value.
    """
    try:
        said = _decoder.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Refused(envelope_verdict(data, KEYS, _REQUIRED)) from error
    return RequestEvent(
        id=bytes.fromhex(said.id.replace("-", "")),
        ts_ms=said.ts_ms,
        server=said.server,
        kind=said.kind,
        method=None if said.method is UNSET else said.method,
        tool=None if said.tool is UNSET else said.tool,
        outcome=said.outcome,
        origin=None if said.origin is UNSET else said.origin,
        http_status=None if said.http_status is UNSET else said.http_status,
        rpc_code=None if said.rpc_code is UNSET else said.rpc_code,
        latency_us=said.latency_us,
        upstream_us=None if said.upstream_us is UNSET else said.upstream_us,
        bytes_in=said.bytes_in,
        bytes_out=said.bytes_out,
        session=None if said.session is UNSET else said.session,
        client=None if said.client is UNSET else said.client,
        client_version=None if said.client_version is UNSET else said.client_version,
        revision=None if said.revision is UNSET else said.revision,
    )


def schema() -> dict[str, object]:
    """The JSON Schema (2020-12) of one event, as docs/reference/envelope-v1.schema.json has it."""
    _, components = msgspec.json.schema_components([_RequestV1])
    shape = components[_RequestV1.__name__]
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "mcpr event envelope, version 1: request",
        "description": "One JSON-RPC request, or one other HTTP exchange, complete.",
        "type": "object",
        "properties": shape["properties"],
        "required": shape["required"],
        "additionalProperties": False,
    }


def envelope_verdict(data: bytes, keys: Sequence[str], required: Sequence[str]) -> Verdict:
    """Why `data` is refused: it is no event with these keys, of which some are required."""
    try:
        said = _keys_decoder.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return "refused:not_an_object"
    if "v" in said and bytes(said["v"]).strip() != b"1":
        return "refused:unknown_version"
    if any(key not in keys for key in said):
        return "refused:unknown_key"
    if any(key not in said for key in required):
        return "refused:missing_key"
    return "refused:bad_value"
