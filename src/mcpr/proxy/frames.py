"""What the data-plane process and its companion say to each other over their socket.

A frame is four bytes with the length of its body (big-endian), one byte of kind, and the body.
Bodies are MessagePack of the structs below, except DIGEST's, which belongs to `pipeline/digest`.
Both ends are always the same version of the same program: no negotiation, no versioning.
"""

from collections.abc import Iterator, Sequence
from enum import IntEnum
from typing import Any, Final, TypeVar, cast

import msgspec

from mcpr.errors import McprError
from mcpr.events import Batch, RequestEvent
from mcpr.events.batch import Columns
from mcpr.sinks.counts import Reason, Tally

HEADER_BYTES: Final = 5
# Above the largest frame the recorder lets through; more means that the stream is out of step.
LARGEST_BODY: Final = 64 * 1024 * 1024

_T = TypeVar("_T")


class Kind(IntEnum):
    """Direction and body of each frame."""

    # data plane → companion
    START = 1  # Assignment; the first frame, once
    EVENTS = 2  # Columns
    DIGEST = 3  # opaque
    LOSSES = 4  # Losses; whenever they have grown
    FIN = 5  # Fin; nothing follows
    STATE = 6  # PlaneState; once a second
    REOPEN = 7  # Reopen; files that others rotate are opened anew
    CONFIG = 9  # Config; whenever the settings were read
    # companion → data plane
    READY = 16  # Ready; the answer to START
    FAILED = 17  # Failed; the other answer to START, and the companion ends
    ACK = 18  # Ack; whenever something was settled
    FINAL = 19  # Ack; the answer to FIN, and the companion ends
    PINNED = 20  # Pinned; before READY, and whenever it has changed


class AdminBind(msgspec.Struct, array_like=True, frozen=True):
    """Where the companion's admin pages listen: the first free of `tries` ports from `port` on.

    token_hash, names: see `admin_guard`.
    """

    host: str
    port: int
    tries: int
    token_hash: bytes = b""
    names: list[str] = []

    def __repr__(self) -> str:
        return f"<AdminBind {self.host}:{self.port}>"


class Carried(msgspec.Struct, array_like=True, frozen=True):
    """The books of one sink that earlier companions left."""

    published: int
    tally: Tally


class Losses(msgspec.Struct, array_like=True, frozen=True):
    """Events lost in the data-plane process since it began, by reason; the same for every sink."""

    dropped: dict[Reason, int]


class Assignment(msgspec.Struct, array_like=True, frozen=True):
    """What a companion is to do. sinks: (name, target) pairs; carried: one for each of them.

    has_plane: whether states of a data plane will come; without one it is not ready.
    config: the settings, as people may see them.
    pin: server whose tools are pinned, and whether others are blocked; None: they are not.
    keep: how many ms and bytes of requests the store keeps; None: all.
    """

    sinks: list[tuple[str, str]]
    admin: AdminBind | None
    carried: list[Carried]
    losses: Losses
    restarts: int
    has_plane: bool = False
    config: str = ""
    pin: tuple[str, bool] | None = None
    keep: tuple[int, int] | None = None


class PoolState(msgspec.Struct, array_like=True, frozen=True, kw_only=True):
    """The connections to one server. The last three only grow.

    exchanges, streams, waiting: see `dataplane/pool`. idle, in_use: connections.
    opened, reused, failed: how often an exchange got a new connection, an old one, none.
    """

    server: str
    exchanges: int
    streams: int
    waiting: int
    idle: int
    in_use: int
    opened: int
    reused: int
    failed: int


class PlaneState(msgspec.Struct, array_like=True, frozen=True, kw_only=True):
    """How the data-plane process stands.

    connections: of clients, open. held_bytes: large bodies kept to be read by the companion.
    cpu_seconds, resident_bytes: of that process; no bytes where the system does not tell.
    log: the form in which events are shown; None where that is as it was.
    reloads, refused: how often the settings were read again, and how often that changed nothing
    because they were wrong; is_current: whether those in force are the last that were read.
    sessions, sessions_evicted: whose caller is remembered, and that were forgotten for the bound.
    """

    is_draining: bool
    connections: int
    held_bytes: int
    cpu_seconds: float
    resident_bytes: int | None
    pools: list[PoolState]
    log: str | None = None
    reloads: int = 0
    refused: int = 0
    is_current: bool = True
    sessions: int = 0
    sessions_evicted: int = 0


class Config(msgspec.Struct, array_like=True, frozen=True):
    """The settings in force, as people may see them."""

    text: str


class Reopen(msgspec.Struct, array_like=True, frozen=True):
    """Nothing more to say."""


class Pinned(msgspec.Struct, array_like=True, frozen=True):
    """The tools that may be called; None while nothing is pinned."""

    allowed: list[str] | None


class Fin(msgspec.Struct, array_like=True, frozen=True):
    """Write what you have, in at most `seconds`."""

    seconds: float


class Ready(msgspec.Struct, array_like=True, frozen=True):
    """The sinks are open. admin: where the admin pages are, as (host, port)."""

    admin: tuple[str, int] | None


class Failed(msgspec.Struct, array_like=True, frozen=True):
    """The companion cannot do its work: the parts of an McprError."""

    what: str
    why: str
    next_step: str
    code: str | None = None

    @classmethod
    def of(cls, error: McprError) -> "Failed":
        """The error's words."""
        return cls(error.what, error.why, error.next_step, error.code)

    def error(self) -> McprError:
        """The error, on the other side."""
        return McprError(self.what, self.why, self.next_step, self.code)


class Ack(msgspec.Struct, array_like=True, frozen=True):
    """What this companion has settled since it began; every number only grows.

    digests: digest frames it is done with, one way or another.
    digested: events these became, dropped ones included.
    tallies: one for each sink of the assignment, in its order.
    """

    digests: int
    digested: int
    tallies: list[Tally]


class FrameError(Exception):
    """The bytes are no frames: one end is not what it should be."""


class FrameReader:
    """Cuts a byte stream into frames."""

    __slots__ = ("_held",)

    def __init__(self) -> None:
        self._held = bytearray()

    def feed(self, data: bytes) -> Iterator[tuple[int, bytes]]:
        """The frames that are complete now, as (kind, body), one at a time: take them all.

        Raises FrameError where the bytes stop making sense, after the frames before that.
        """
        held = self._held
        held += data
        start = 0
        while len(held) - start >= HEADER_BYTES:
            length = int.from_bytes(held[start : start + 4], "big")
            if length > LARGEST_BODY:
                raise FrameError(f"a frame of {length} bytes")
            end = start + HEADER_BYTES + length
            if len(held) < end:
                break
            with memoryview(held) as view:
                body = bytes(view[start + HEADER_BYTES : end])
            yield held[start + 4], body
            start = end
        del held[:start]


_encoder = msgspec.msgpack.Encoder()
_columns_decoder = msgspec.msgpack.Decoder(Columns)
_decoders: dict[type, msgspec.msgpack.Decoder[Any]] = {
    form: msgspec.msgpack.Decoder(form)
    for form in (Assignment, Losses, Fin, PlaneState, Ready, Failed, Ack, Config, Pinned)
}


def frame(kind: Kind, body: bytes) -> bytes:
    """One frame."""
    return len(body).to_bytes(4, "big") + kind.to_bytes(1, "big") + body


def pack(kind: Kind, message: msgspec.Struct) -> bytes:
    """One frame with a message as its body."""
    return frame(kind, _encoder.encode(message))


def pack_events(batch: Sequence[RequestEvent]) -> bytes:
    """One EVENTS frame. Raises ValueError, OverflowError or TypeError when there is none."""
    return frame(Kind.EVENTS, _encoder.encode(Batch.of(batch).columns))


def packable(batch: Sequence[RequestEvent]) -> list[RequestEvent]:
    """The events that have a form in MessagePack: no half surrogates, no 65-bit numbers."""
    found = []
    for event in batch:
        try:
            pack_events([event])
        except (ValueError, OverflowError, TypeError):
            continue
        found.append(event)
    return found


def unpack(body: bytes, form: type[_T]) -> _T:
    """The message in a body. Raises FrameError."""
    try:
        return cast("_T", _decoders[form].decode(body))
    except msgspec.DecodeError as error:
        raise FrameError(f"not a {form.__name__}") from error


def unpack_events(body: bytes) -> Batch:
    """The events of an EVENTS frame. Raises FrameError."""
    try:
        return Batch(_columns_decoder.decode(body))
    except msgspec.DecodeError as error:
        raise FrameError("not a list of events") from error
