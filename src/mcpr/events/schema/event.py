"""The schema event: that a list of a server changed, in names and counts, and its envelope.

No definition is in it: descriptions and schemas stay in the store of this machine. What may leave
is this list and nothing else, as `events/envelope` has it for requests.
"""

from collections.abc import Iterable
from typing import Annotated, Final, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from mcpr.events.envelope import Refused, envelope_verdict
from mcpr.events.ids import to_text
from mcpr.events.schema.lists import ListName, Verdict
from mcpr.protocol.mcp import bounded_tool

#: Names in one event; the counts say how many there were.
MAX_NAMES: Final = 100
VERSION: Final = 1
_MOST: Final = 2**53 - 1


class Counts(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """How many items the list has now, and how many of them this change touched.

    A renamed item counts as one added and one removed.
    """

    items: int
    added: int = 0
    removed: int = 0
    modified: int = 0


class SchemaEvent(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A list of a server became another version of itself, or was seen for the first time.

    id: UUIDv7. ts_ms: when the list was answered, epoch milliseconds. version: of this server's
    list, from 1 on. hash: 32 hex digits, of all its definitions. added, removed, modified: names of
    tools, bounded as a request's tool is; empty for other lists. verdict: None for a first version.
    """

    id: bytes
    ts_ms: int
    server: str
    list: ListName
    version: int
    hash: str
    added: tuple[str, ...]
    removed: tuple[str, ...]
    modified: tuple[str, ...]
    counts: Counts
    verdict: Verdict | None


def public_names(names: Iterable[str]) -> tuple[str, ...]:
    """Tools' names as they may leave: bounded, each once, the first MAX_NAMES."""
    return tuple(dict.fromkeys(map(bounded_tool, names)))[:MAX_NAMES]


# Python's `$` also matches before a line end at the end; the look-ahead takes that back.
_Id = Annotated[
    str,
    Meta(
        pattern=r"^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$(?!\n)",
        description="UUIDv7 of the event; the same id is the same event.",
    ),
]
_Instant = Annotated[
    int, Meta(ge=0, le=_MOST, description="When the list was answered, UTC, epoch milliseconds.")
]
_Server = Annotated[
    str,
    Meta(
        pattern=r"^[^\x00-\x1f\x7f]{1,128}$(?!\n)", description="Configured name of the MCP server."
    ),
]
_Version = Annotated[
    int, Meta(ge=1, le=_MOST, description="Version of this list of this server, from 1 on.")
]
_Hash = Annotated[
    str, Meta(pattern=r"^[0-9a-f]{32}$(?!\n)", description="Hash of the list's definitions.")
]
_Name = Annotated[str, Meta(pattern=r"^[A-Za-z0-9_./$-]{1,128}$(?!\n)")]
_Names = Annotated[
    tuple[_Name, ...],
    Meta(max_length=MAX_NAMES, description="Names of tools, or `_other`; the first hundred."),
]
_Count = Annotated[int, Meta(ge=0, le=_MOST)]


class _CountsV1(msgspec.Struct, frozen=True, kw_only=True, gc=False, forbid_unknown_fields=True):
    items: _Count
    added: _Count
    removed: _Count
    modified: _Count


class _SchemaV1(
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
    list: ListName
    version: _Version
    hash: _Hash
    added: _Names = ()
    removed: _Names = ()
    modified: _Names = ()
    counts: _CountsV1
    verdict: Verdict | UnsetType = UNSET


KEYS: Final[tuple[str, ...]] = _SchemaV1.__struct_fields__
_REQUIRED: Final = tuple(
    field.name for field in msgspec.structs.fields(_SchemaV1) if field.required
)
_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(_SchemaV1)


def encode(event: SchemaEvent) -> bytes:
    """The event as one JSON object without a line end."""
    counts = event.counts
    return _encoder.encode(
        _SchemaV1(
            v=VERSION,
            id=to_text(event.id),
            ts_ms=event.ts_ms,
            server=event.server,
            list=event.list,
            version=event.version,
            hash=event.hash,
            added=event.added[:MAX_NAMES],
            removed=event.removed[:MAX_NAMES],
            modified=event.modified[:MAX_NAMES],
            counts=_CountsV1(
                items=counts.items,
                added=counts.added,
                removed=counts.removed,
                modified=counts.modified,
            ),
            verdict=UNSET if event.verdict is None else event.verdict,
        )
    )


def decode(data: bytes) -> SchemaEvent:
    """The event that `data` says. Raises Refused, by the rules of `events/envelope`."""
    try:
        said = _decoder.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Refused(envelope_verdict(data, KEYS, _REQUIRED)) from error
    counts = said.counts
    return SchemaEvent(
        id=bytes.fromhex(said.id.replace("-", "")),
        ts_ms=said.ts_ms,
        server=said.server,
        list=said.list,
        version=said.version,
        hash=said.hash,
        added=said.added,
        removed=said.removed,
        modified=said.modified,
        counts=Counts(counts.items, counts.added, counts.removed, counts.modified),
        verdict=None if said.verdict is UNSET else said.verdict,
    )


def schema() -> dict[str, object]:
    """The JSON Schema (2020-12) of one event, as docs/reference/ has it."""
    _, components = msgspec.json.schema_components([_SchemaV1], ref_template="#/$defs/{name}")
    shape = components.pop(_SchemaV1.__name__)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "mcpr event envelope, version 1: schema",
        "description": "A list of a server became another version of itself, or was seen first.",
        "type": "object",
        "properties": shape["properties"],
        "required": shape["required"],
        "additionalProperties": False,
        "$defs": components,
    }
