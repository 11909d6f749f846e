"""What is too large to decode where calls travel is decoded in the companion.

`pack` makes one frame of an exchange and its bodies; `complete` reads it on the other side and
returns the rows, by the same code that would have made them in the data-plane process. The frame
lives in memory and in a pipe between two processes of one user, never in a file.
"""

import msgspec

from mcpr.events import Ids, RequestEvent
from mcpr.pipeline.exchange import Exchange, Recording
from mcpr.pipeline.facts import AnswerFacts, RequestFacts
from mcpr.pipeline.identity import Caller
from mcpr.pipeline.outcomes import Ending


class Digest(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """An exchange that is over, with what was too large to read. Times in ns of one clock.

    answer_body: see `AnswerReader.kept`. unread: a part of the answer was let go of.
    """

    server: str
    keep_detail: bool
    facts: RequestFacts
    answer: AnswerFacts | None
    caller: tuple[str | None, str | None, str | None, str | None]
    ending: Ending
    status: int | None
    wall_ns: int
    started_ns: int
    sent_ns: int
    first_ns: int
    ended_ns: int
    bytes_in: int
    bytes_out: int
    cancelled: bool
    unread: bool
    request: bytes
    answer_body: bytes


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Digest).decode


def pack(exchange: Exchange, ending: Ending, now_ns: int) -> bytes:
    """One frame of an exchange that ended."""
    recording = exchange.recording
    reader = exchange.reader
    caller = recording.sessions.caller(exchange.facts.session)
    return _encode(
        Digest(
            recording.server,
            recording.keep_detail,
            exchange.facts,
            exchange.answer,
            (caller.client, caller.version, caller.name, caller.revision),
            ending,
            exchange.status,
            recording.wall_ns,
            exchange.started_ns,
            exchange.sent_ns,
            exchange.first_ns,
            now_ns,
            exchange.bytes_in,
            exchange.bytes_out,
            exchange.cancelled,
            reader is not None and reader.unread,
            exchange.body,
            b"" if reader is None else reader.kept,
        )
    )


def complete(frame: bytes, ids: Ids) -> list[RequestEvent]:
    """The rows of a packed exchange. Raises msgspec.DecodeError on a frame that is none."""
    digest = _decode(frame)
    rows: list[RequestEvent] = []
    recording = Recording(digest.server, rows.append, ids, keep_detail=digest.keep_detail)
    if digest.facts.session is not None and any(digest.caller):
        recording.sessions.opened(digest.facts.session, Caller(*digest.caller))
    recording.wall_ns = digest.wall_ns
    exchange = Exchange(recording, digest.facts, digest.started_ns, digest.facts.kind)
    exchange.sent_ns = digest.sent_ns
    exchange.read_request(digest.request)
    exchange.cancelled = digest.cancelled
    answer = digest.answer
    if answer is not None:
        if answer.is_events:
            answer = msgspec.structs.replace(answer, coding=None)
        exchange.read_head(answer, digest.first_ns)
        if digest.answer_body:
            exchange.read_data(digest.answer_body, digest.ended_ns)
        if exchange.reader is not None and digest.unread:
            exchange.reader.unread = True
    exchange.status = digest.status
    exchange.bytes_in = digest.bytes_in
    exchange.bytes_out = digest.bytes_out
    exchange.end(digest.ending, digest.ended_ns)
    recording.unanswered.drain(digest.ended_ns)
    return rows
