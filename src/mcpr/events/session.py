"""The session event's envelope: that a session began or ended, and nothing of what was said in it.

What may leave is this list, as `events/envelope` has it for requests. The session is a keyed hash;
its id opens it on many servers, and is kept nowhere.
"""

from typing import Annotated, Final, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from mcpr.events.envelope import Refused, envelope_verdict
from mcpr.events.ids import to_text
from mcpr.events.types import SessionEvent, SessionState

VERSION: Final = 1
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
    int, Meta(ge=0, le=_MOST, description="When it began or ended, UTC, epoch milliseconds.")
]
_Server = Annotated[
    str,
    Meta(
        pattern=r"^[^\x00-\x1f\x7f]{1,128}$(?!\n)", description="Configured name of the MCP server."
    ),
]
_Session = Annotated[
    str, Meta(pattern=r"^[0-9a-f]{32}$(?!\n)", description="Keyed hash of the session's id.")
]
_State = Annotated[SessionState, Meta(description="`active` when it began, `ended`, or `idle`.")]
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


class _SessionV1(
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
    session: _Session
    state: _State
    client: _Client | UnsetType = UNSET
    client_version: _ClientVersion | UnsetType = UNSET
    revision: _Revision | UnsetType = UNSET


KEYS: Final[tuple[str, ...]] = _SessionV1.__struct_fields__
_REQUIRED: Final = tuple(
    field.name for field in msgspec.structs.fields(_SessionV1) if field.required
)
_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(_SessionV1)


def encode(event: SessionEvent) -> bytes:
    """The event as one JSON object without a line end. Trusts its values."""
    return _encoder.encode(
        _SessionV1(
            v=VERSION,
            id=to_text(event.id),
            ts_ms=event.ts_ms,
            server=event.server,
            session=event.session,
            state=event.state,
            client=UNSET if event.client is None else event.client,
            client_version=UNSET if event.client_version is None else event.client_version,
            revision=UNSET if event.revision is None else event.revision,
        )
    )


def decode(data: bytes) -> SessionEvent:
    """The event that `data` says. Raises Refused, by the rules of `events/envelope`."""
    try:
        said = _decoder.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Refused(envelope_verdict(data, KEYS, _REQUIRED)) from error
    return SessionEvent(
        id=bytes.fromhex(said.id.replace("-", "")),
        ts_ms=said.ts_ms,
        server=said.server,
        session=said.session,
        state=said.state,
        client=None if said.client is UNSET else said.client,
        client_version=None if said.client_version is UNSET else said.client_version,
        revision=None if said.revision is UNSET else said.revision,
    )


def schema() -> dict[str, object]:
    """The JSON Schema (2020-12) of one event, as docs/reference/ has it."""
    _, components = msgspec.json.schema_components([_SessionV1])
    shape = components[_SessionV1.__name__]
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "mcpr event envelope, version 1: session",
        "description": "A session began or ended.",
        "type": "object",
        "properties": shape["properties"],
        "required": shape["required"],
        "additionalProperties": False,
    }
