"""What is too large to decode where calls travel is decoded in the companion.

`pack` makes one frame of an exchange and its bodies; `complete` reads it on the other side and
returns the rows, by the same code that would have made them in the data-plane process. The frame
lives in memory and in a pipe between two processes of one user, never in a file.
"""

from collections.abc import Sequence
from typing import NamedTuple

import msgspec

from mcpr.events import Ids, RequestEvent
from mcpr.pipeline.exchange import Exchange, Recording
from mcpr.pipeline.facts import AnswerFacts, RequestFacts
from mcpr.pipeline.identity import Caller, SessionNames
from mcpr.pipeline.outcomes import Ending
from mcpr.pipeline.rows import caller_of, revision_of
from mcpr.protocol.mcp import LISTINGS, is_modern


class Digest(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """An exchange that is over, with what was too large to read. Times in ns of one clock.

    answer_body: see `AnswerReader.kept`. unread: a part of the answer was let go of.
    has_rows: its rows are made already. change: the server's word that a list has changed, and
    widgets: those that it had in it, packed; then nothing else is meant.
    key: of `SessionNames`.
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
    key: bytes
    has_rows: bool = False
    change: bytes = b""
    widgets: tuple[bytes, ...] = ()


class Passing(NamedTuple):
    """An exchange that showed what a server offers, for `pipeline/schema` to read.

    caller: what tells kinds of callers apart, over sessions; session: this one caller, as far as it
    can be told. answer: see `Digest.answer_body`. change: the server's word that a list changed.
    widgets: see `pipeline/csp/news`; then there is nothing else.
    is_kept: whether the local part is recorded, to which definitions belong.
    """

    server: str
    caller: tuple[str, bool, bool]
    session: str
    ts_ms: int
    request: bytes
    answer: bytes
    is_events: bool
    coding: str | None
    change: bytes
    is_kept: bool = True
    widgets: tuple[bytes, ...] = ()


class Completed(NamedTuple):
    """What is in a frame: rows, and what it shows of the server."""

    rows: list[RequestEvent]
    passing: Passing | None


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Digest).decode


def pack_look(exchange: Exchange, change: bytes, now_ns: int) -> bytes:
    """One frame of an exchange whose rows are made, or that goes on."""
    frame = _digest(exchange, "complete", now_ns)
    if change:
        frame = msgspec.structs.replace(frame, request=b"", answer_body=b"", change=change)
    return _encode(msgspec.structs.replace(frame, has_rows=True))


def pack_widgets(exchange: Exchange, widgets: Sequence[bytes], now_ns: int) -> bytes:
    """One frame of the widgets that were in an exchange's answer."""
    frame = _decode(pack(exchange, "complete", now_ns))
    frame = msgspec.structs.replace(frame, request=b"", answer_body=b"", widgets=tuple(widgets))
    return _encode(msgspec.structs.replace(frame, has_rows=True))


def pack(exchange: Exchange, ending: Ending, now_ns: int) -> bytes:
    """One frame of an exchange that ended."""
    return _encode(_digest(exchange, ending, now_ns))


def _digest(exchange: Exchange, ending: Ending, now_ns: int) -> Digest:
    recording = exchange.recording
    reader = exchange.reader
    caller = recording.sessions.caller(exchange.facts.session)
    return Digest(
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
        recording.names.key,
    )


def complete(frame: bytes, ids: Ids) -> list[RequestEvent]:
    """The rows of a packed exchange. Raises msgspec.DecodeError on a frame that is none."""
    return read(frame, ids).rows


def read(frame: bytes, ids: Ids) -> Completed:
    """All that is in a frame. Raises msgspec.DecodeError on a frame that is none."""
    digest = _decode(frame)
    rows: list[RequestEvent] = []
    recording = Recording(digest.server, rows.append, ids, keep_detail=digest.keep_detail)
    recording.names = SessionNames(digest.key)
    if digest.facts.session is not None and any(digest.caller):
        recording.sessions.opened(digest.facts.session, Caller(*digest.caller))
    recording.wall_ns = digest.wall_ns
    exchange = Exchange(recording, digest.facts, digest.started_ns, digest.facts.kind)
    exchange.sent_ns = digest.sent_ns
    exchange.read_request(digest.request)
    passing = _passing(exchange, digest)
    if not digest.has_rows:
        _make_rows(exchange, digest)
    return Completed(rows, passing)


def _make_rows(exchange: Exchange, digest: Digest) -> None:
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
    exchange.recording.unanswered.drain(digest.ended_ns)


def _passing(exchange: Exchange, digest: Digest) -> Passing | None:
    """What the exchange shows of the server; None for most."""
    message, answer = exchange.message, digest.answer
    if not (digest.change or digest.widgets):
        if message is None or answer is None or not digest.answer_body:
            return None
        if not any(asked.method in LISTINGS for asked in (message, *exchange.others)):
            return None
    caller = caller_of(exchange, message)
    revision = revision_of(exchange, message, caller)
    kind = (caller.name or caller.client or "", digest.facts.has_credential, is_modern(revision))
    return Passing(
        server=digest.server,
        caller=kind,
        session=digest.facts.session or repr((*kind, caller.version)),
        ts_ms=(digest.ended_ns + digest.wall_ns) // 1_000_000,
        request=digest.request,
        answer=digest.answer_body,
        is_events=answer is not None and answer.is_events,
        coding=None if answer is None or answer.is_events else answer.coding,
        change=digest.change,
        is_kept=digest.keep_detail,
        widgets=digest.widgets,
    )
