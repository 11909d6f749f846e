"""`[limits]`: how much of the wire is accepted. docs/topics/limits.md tells what happens beyond."""

from dataclasses import dataclass, field
from typing import Annotated

from mcpr.protocol.limits import Limits as WireLimits
from mcpr.settings.fields import about
from mcpr.settings.kinds import Count, Seconds, Whole, duration, size

_WIRE = WireLimits()


@dataclass(frozen=True, slots=True)
class ServerLimits:
    """Limits of the exchanges with one server; what is not set is as in `[limits]`."""

    request_size: Annotated[int, size()] = field(
        default=_WIRE.request_bytes,
        metadata=about("JSON body of a POST; over it 413.", reload=True),
    )
    answer_size: Annotated[int, size()] = field(
        default=_WIRE.answer_bytes,
        metadata=about("JSON answer; over it 502, or cut if it is chunked.", reload=True),
    )
    exchanges: Count = field(
        default=_WIRE.exchanges,
        metadata=about("Exchanges with the server at a time; the next one waits.", reload=True),
    )
    streams: Count = field(
        default=_WIRE.streams,
        metadata=about("Open event streams at a time; over it 503.", reload=True),
    )
    waiters: Annotated[int, Whole(0, 1_000_000)] = field(
        default=_WIRE.waiters,
        metadata=about("Exchanges that wait for a place; over it 503.", reload=True),
    )
    wait_timeout: Annotated[float, duration("0s")] = field(
        default=_WIRE.wait_seconds,
        metadata=about("How long one waits for a place; then 503.", reload=True),
    )
    connect_timeout: Seconds = field(
        default=_WIRE.connect_seconds,
        metadata=about("Until the server accepts; then 502.", reload=True),
    )
    first_byte_timeout: Seconds = field(
        default=_WIRE.first_byte_seconds,
        metadata=about("Until its answer begins; then 504. Not for GET streams.", reload=True),
    )
    pool_idle_timeout: Annotated[float, duration("0s")] = field(
        default=_WIRE.pool_idle_seconds,
        metadata=about("How long an unused connection to the server is kept.", reload=True),
    )


@dataclass(frozen=True, slots=True)
class Limits(ServerLimits):
    """How much of the wire is accepted, and how long is waited for it."""

    # Not less than what is read in one piece without a look at this limit.
    head_size: Annotated[int, size("8KiB", "1MiB")] = field(
        default=_WIRE.head_bytes, metadata=about("Head of a request; over it 431.", reload=True)
    )
    line_size: Annotated[int, size("256B", "1MiB")] = field(
        default=_WIRE.line_bytes, metadata=about("One line of a head; over it 431.", reload=True)
    )
    fields: Annotated[int, Whole(16, 10_000)] = field(
        default=_WIRE.fields, metadata=about("Fields of a head; over it 431.", reload=True)
    )
    head_timeout: Seconds = field(
        default=_WIRE.head_seconds,
        metadata=about("From a head's first byte to its last; then 408.", reload=True),
    )
    body_timeout: Seconds = field(
        default=_WIRE.body_seconds,
        metadata=about("Between two pieces of a request body; then 408.", reload=True),
    )
    idle_timeout: Seconds = field(
        default=_WIRE.idle_seconds,
        metadata=about("How long a client connection may be without a request.", reload=True),
    )
    stalled_timeout: Seconds = field(
        default=_WIRE.stalled_seconds,
        metadata=about("How long a client may take nothing of its answer.", reload=True),
    )
    connections: Count = field(
        default=_WIRE.connections,
        metadata=about("Client connections at a time; over it 503.", reload=True),
    )
    drain_timeout: Annotated[float, duration("0s")] = field(
        default=30.0,
        metadata=about("How long a stop waits for what was begun.", reload=True),
    )


def wire_limits(limits: Limits, of_server: ServerLimits | None = None) -> WireLimits:
    """The limits as the data plane takes them, for exchanges with one server."""
    mine = of_server or limits
    return WireLimits(
        request_bytes=mine.request_size,
        answer_bytes=mine.answer_size,
        exchanges=mine.exchanges,
        streams=mine.streams,
        waiters=mine.waiters,
        wait_seconds=mine.wait_timeout,
        connect_seconds=mine.connect_timeout,
        first_byte_seconds=mine.first_byte_timeout,
        head_bytes=limits.head_size,
        line_bytes=limits.line_size,
        fields=limits.fields,
        head_seconds=limits.head_timeout,
        body_seconds=limits.body_timeout,
        idle_seconds=limits.idle_timeout,
        stalled_seconds=limits.stalled_timeout,
        pool_idle_seconds=mine.pool_idle_timeout,
        connections=limits.connections,
    )
