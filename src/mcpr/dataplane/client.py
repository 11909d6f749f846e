"""One client connection: reads requests one after the other, hands answers on as they come.

A small state machine around one deadline. Bytes that arrive ahead of their turn wait in a bounded
buffer; a client that reads slowly makes its own upstream wait, and nobody else.
"""

import asyncio
import logging
from enum import IntEnum
from time import monotonic, monotonic_ns
from typing import TYPE_CHECKING, cast

from mcpr.dataplane.body import RequestBody
from mcpr.dataplane.handler import AnswerPlan, Ending, Refusal, RequestPlan, Watch
from mcpr.dataplane.place import Place
from mcpr.dataplane.refusals import REFUSALS, render
from mcpr.dataplane.upstream import Upstream
from mcpr.protocol.http1 import LAST_CHUNK, BadChunk, BadHead, RequestHead, ResponseHead, find_end

if TYPE_CHECKING:
    from mcpr.dataplane.listener import Listener

logger = logging.getLogger(__name__)

FOREVER = float("inf")
_MAX_AHEAD = 65_536
_MAX_LINGER = 32 * 1024 * 1024
_LINGER_SECONDS = 5.0


class State(IntEnum):
    """Where a client connection is. The order is the order of an exchange."""

    IDLE = 0  # between exchanges
    HEAD = 1  # a head has begun to arrive
    BODY = 2  # a body is read whole
    WAITING = 3  # for a place, or for a connection
    SENT = 4  # the request, or the beginning of it, is on its way
    ANSWER = 5  # the answer is being handed on
    LINGER = 6  # answered without reading all; what still comes is thrown away
    CLOSED = 7


class Client(asyncio.Protocol):
    """A client connection.

    deadline: monotonic seconds when patience ends. place: see Place; the pool sets it.
    takes_whole: an answer that comes in one piece may be written as it is planned.
    """

    __slots__ = (
        "_ahead",
        "_allowance",
        "_body",
        "_connecting",
        "_held",
        "_held_size",
        "_keep",
        "_paused",
        "_plan",
        "_suffix",
        "_unchunk",
        "_unframed",
        "_upstream",
        "deadline",
        "head",
        "listener",
        "method",
        "place",
        "state",
        "takes_whole",
        "transport",
        "watch",
    )

    transport: asyncio.Transport

    def __init__(self, listener: "Listener") -> None:
        self.listener = listener
        self.state = State.IDLE
        self.place = Place.NONE
        self.deadline = FOREVER
        self.method = b""
        self.takes_whole = False
        self.head: RequestHead | None = None
        self.watch: Watch | None = None
        self._ahead = b""
        self._plan: RequestPlan | None = None
        self._upstream: Upstream | None = None
        self._connecting: asyncio.Task[None] | None = None
        self._body: RequestBody | None = None  # None: complete
        self._held: list[bytes] = []
        self._held_size = 0
        self._keep = True
        self._allowance = -1
        self._unchunk = False
        self._unframed = False
        self._paused = False
        self._suffix = b"\r\n"

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports are none of asyncio's classes, but all of their methods.
        self.transport = transport = cast("asyncio.Transport", transport)
        transport.set_write_buffer_limits(high=65_536)
        peer = transport.get_extra_info("peername")
        if isinstance(peer, tuple):
            self._suffix = b"X-Forwarded-For: %b\r\n\r\n" % str(peer[0]).encode("ascii", "replace")
        self.deadline = monotonic() + self.listener.limits.head_seconds
        if not self.listener.admit(self):
            self._keep = False
            self._refuse(REFUSALS["busy"])

    # The request

    def data_received(self, data: bytes) -> None:
        try:
            if self.state == State.IDLE and not self._ahead:
                end = data.find(b"\r\n\r\n") + 4
                head = self.listener.heads.requests.get(data[:end])
                if head is not None:
                    plan = head.plan
                    if isinstance(plan, RequestPlan) and len(data) - end == plan.length:
                        self._begin(head, plan)
                        self._complete(data[end:])
                        return
            if self.state == State.LINGER:
                self._throw_away(data)
                return
            self._ahead = self._ahead + data if self._ahead else data
            self.advance()
        except Exception:
            logger.exception("a mistake of ours while reading a request")
            self.fail("internal")

    def advance(self) -> None:
        """Do what can be done with the bytes at hand."""
        try:
            if self.state <= State.HEAD:
                self._read_head()
            if self._body is not None and self._ahead and self.state < State.LINGER:
                self._read_body(self._body)
        except BadHead as bad:
            self._refuse(Refusal(bad.status, "malformed", bad.reason))
        except BadChunk as bad:
            if self.state > State.WAITING:
                self.fail("malformed")
            else:
                self._refuse(Refusal(400, "malformed", str(bad)))
        if len(self._ahead) > _MAX_AHEAD and self.state < State.LINGER:
            self.transport.pause_reading()

    def _read_head(self) -> None:
        listener = self.listener
        while self._ahead[:2] == b"\r\n":  # RFC 9112 section 2.2
            self._ahead = self._ahead[2:]
        if not self._ahead:
            return
        if self.state == State.IDLE:
            self.state = State.HEAD
            self.method = b""
            self.deadline = monotonic() + listener.limits.head_seconds
        end = find_end(self._ahead, limit=listener.limits.head_bytes)
        if end < 0:
            return
        data = self._ahead[:end]
        head = listener.heads.requests.get(data) or listener.heads.request(data)
        self._ahead = self._ahead[end:]
        plan = head.plan
        if not isinstance(plan, RequestPlan):
            plan = head.plan = listener.handler.plan_request(head)
        self._begin(head, plan)
        if head.has_body:
            self._expect_body(head, plan)
        elif plan.refusal is not None:
            self._refuse(plan.refusal)
        else:
            self._complete(b"")

    def _begin(self, head: RequestHead, plan: RequestPlan) -> None:
        listener = self.listener
        self.watch = listener.handler.begin(plan, monotonic_ns())
        self.head = head
        self.method = head.method
        self._plan = plan
        self._body = None
        self._keep = keep = head.keep_alive and not listener.draining
        self.takes_whole = keep and not head.http10

    def _expect_body(self, head: RequestHead, plan: RequestPlan) -> None:
        self._body = body = RequestBody(head)
        limits = self.listener.limits
        if plan.refusal is not None:
            self._refuse(plan.refusal)
        elif plan.whole and body.announced > limits.request_bytes:
            self._refuse(REFUSALS["too_large"])
        else:
            if head.expects_continue and not self._ahead:
                self.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            # A small body of a known size may as well be sent in one piece with its head.
            if plan.whole or (not head.chunked and len(self._ahead) >= body.announced):
                self.state = State.BODY
                self.deadline = monotonic() + limits.body_seconds
            else:
                self.takes_whole = False
                plan.pool.start(self)

    def _read_body(self, body: RequestBody) -> None:
        """Take the body's bytes: keep them until it is whole, or send them on."""
        pieces, self._ahead = body.take(self._ahead)
        if self.state != State.BODY and self._upstream is not None:
            self._send_pieces(body, pieces)
            return
        self._held += pieces
        self._held_size += sum(map(len, pieces))
        if self.state != State.BODY:
            if self._held_size > _MAX_AHEAD:
                self.transport.pause_reading()
        elif self._held_size > self.listener.limits.request_bytes:
            self._refuse(REFUSALS["too_large"])
        elif body.done:
            whole = b"".join(self._held)
            self._held.clear()
            self._held_size = 0
            self._body = None
            self._complete(whole, body)
        else:
            self.deadline = monotonic() + self.listener.limits.body_seconds

    def _complete(self, whole: bytes, body: RequestBody | None = None) -> None:
        """The request is here: show it, then find it a connection."""
        assert self.watch is not None
        assert self._plan is not None
        self.watch.read_request(whole)
        self._held = [whole if body is None else body.frame([whole])]
        self._plan.pool.start(self)

    def _send_pieces(self, body: RequestBody, pieces: list[bytes]) -> None:
        """Send what came of a body that is not read whole."""
        assert self.watch is not None
        assert self._upstream is not None
        self.watch.request_size(sum(map(len, pieces)))
        self._upstream.transport.write(body.frame(pieces))
        if body.done:
            self._body = None
        if self.state == State.SENT:
            self._await_answer()

    def _throw_away(self, data: bytes) -> None:
        self._held_size += len(data)
        if self._held_size > _MAX_LINGER:
            self.transport.abort()

    # What the pool says

    def wait(self, seconds: float) -> None:
        """No place yet."""
        self.state = State.WAITING
        self.deadline = monotonic() + seconds

    def connecting(self, task: asyncio.Task[None]) -> None:
        """A connection is on its way; the task has a deadline of its own."""
        self.state = State.WAITING
        self.deadline = FOREVER
        self._connecting = task

    def send_on(self, upstream: Upstream) -> None:
        """Here is a connection."""
        plan, watch, held, body = self._plan, self.watch, self._held, self._body
        assert plan is not None
        assert watch is not None
        self._connecting = None
        self._upstream = upstream
        self._held = []
        self._held_size = 0
        self.state = State.SENT
        if body is None:
            upstream.send(self, b"".join((plan.forward, self._suffix, *held)))
        else:
            upstream.send(self, plan.forward + self._suffix)
            self._send_pieces(body, held)
        watch.sent_ns = monotonic_ns()
        self._await_answer()
        if body is not None and not self._paused:
            self.transport.resume_reading()
            self.advance()

    def _await_answer(self) -> None:
        if self._body is not None:
            self.deadline = monotonic() + self.listener.limits.body_seconds
            return
        assert self._plan is not None
        seconds = self._plan.first_byte_seconds
        self.deadline = FOREVER if seconds is None else monotonic() + seconds

    # The answer

    def whole_answer(self, plan: AnswerPlan, body: bytes, now_ns: int) -> None:
        """Head and body came in one piece; the connection stays open."""
        watch = self.watch
        assert watch is not None
        self.transport.write(plan.ended + body)
        watch.read_head(plan.facts, now_ns)
        watch.read_data(body, now_ns)
        self._upstream = None
        self._release()
        self._finish("complete")

    def interim(self, data: bytes) -> None:
        """A 1xx head other than 100."""
        if self.head is not None and not self.head.http10:
            self.transport.write(data)

    def start_answer(
        self, head: ResponseHead, plan: AnswerPlan, now_ns: int, *, framed: bool
    ) -> None:
        """The answer's head came. `framed`: its end can be told without closing."""
        watch, request, request_plan = self.watch, self.head, self._plan
        assert watch is not None
        assert request is not None
        assert request_plan is not None
        pool = request_plan.pool
        if plan.is_stream and not pool.may_stream():
            self.fail("busy")
            return
        watch.read_head(plan.facts, now_ns)
        self.state = State.ANSWER
        self.deadline = FOREVER
        self._allowance = pool.limits.answer_bytes if plan.is_bounded else -1
        self._unchunk = request.http10 and head.chunked
        self._unframed = not framed or self._unchunk
        if self._unframed or self._body is not None:
            self._keep = False
        lines = plan.without_chunking() if self._unchunk else plan.lines
        if not self._keep:
            lines += b"Connection: close\r\n"
        elif request.http10:
            lines += b"Connection: keep-alive\r\n"
        self.transport.write(lines + b"\r\n")
        if plan.is_stream:
            # Only now: whoever waits for the place may need it at once.
            self._release()
            self.place = Place.STREAM
            pool.streams += 1

    def more_answer(self, raw: bytes, pieces: list[bytes] | tuple[bytes, ...], now_ns: int) -> None:
        """More of the answer's body: as it came, and without its framing."""
        watch = self.watch
        assert watch is not None
        for piece in pieces:
            watch.read_data(piece, now_ns)
        if self._allowance >= 0:
            self._allowance -= sum(map(len, pieces))
            if self._allowance < 0:
                self.fail("over")
                return
        self.transport.write(b"".join(pieces) if self._unchunk else raw)

    def end_answer(self) -> bool:
        """The answer is complete. Returns whether the request was sent whole, too."""
        whole = self._body is None
        self._upstream = None
        self._release()
        self._finish("complete")
        return whole

    def _release(self) -> None:
        """Give the exchange's place upstream back."""
        place, self.place = self.place, Place.NONE
        if place is not Place.NONE:
            assert self._plan is not None
            if place is Place.EXCHANGE:
                self._plan.pool.leave()
            else:
                self._plan.pool.streams -= 1

    def _finish(self, ending: Ending) -> None:
        """The exchange is over: record it, and go on to the next, or close."""
        watch, self.watch = self.watch, None
        if watch is not None:
            watch.end(ending, monotonic_ns())
        if not self._keep:
            self.close()
            return
        self.state = State.IDLE
        self.deadline = monotonic() + self.listener.idle_seconds
        if self._ahead:
            self.transport.resume_reading()
            self.listener.loop.call_soon(self._next)

    def _next(self) -> None:
        """Go on with what a client sent ahead."""
        if self.state == State.IDLE and self._ahead:
            self.data_received(b"")

    # Failures

    def fail(self, ending: Ending) -> None:
        """The exchange cannot be completed. Answers if nothing was answered yet, else cuts."""
        if self.state >= State.LINGER:
            return
        answering = self.state == State.ANSWER
        self._drop_upstream()
        if answering or ending == "gone" or ending not in REFUSALS:
            # The client sees the answer end where it ended: unfinished.
            self._keep = False
            self._finish(ending)
        else:
            self._refuse(REFUSALS[ending])

    def _drop_upstream(self) -> None:
        """Whatever goes on upstream is no longer wanted."""
        upstream, self._upstream = self._upstream, None
        task, self._connecting = self._connecting, None
        if task is not None and task is not asyncio.current_task(self.listener.loop):
            task.cancel()
        if self.state == State.WAITING and self._plan is not None:
            self._plan.pool.forget(self)
        self._release()
        if upstream is not None:
            upstream.close()

    def _refuse(self, refusal: Refusal) -> None:
        """Answer ourselves. If something of the request is still to come, close afterwards."""
        now = monotonic_ns()
        handler = self.listener.handler
        if self.watch is None:
            self.watch = handler.refuse(refusal, now)
        watch = self.watch
        watch.status = refusal.status
        self._keep = self._keep and self._body is None and refusal.ending != "malformed"
        kind, words = handler.words(watch, refusal)
        head_only = self.method == b"HEAD"
        self.transport.write(render(refusal, kind, words, keep=self._keep, head_only=head_only))
        if self._keep:
            self._finish(refusal.ending)
            return
        self.watch = None
        watch.end(refusal.ending, now)
        self._linger()

    def _linger(self) -> None:
        """Close, but not before the client has had time to read why.

        A close with unread bytes is a reset, which may overtake the answer (RFC 9112 section 9.6).
        """
        self.state = State.LINGER
        self.deadline = monotonic() + _LINGER_SECONDS
        self._ahead = b""
        self._held = []
        self._held_size = 0
        self.transport.resume_reading()
        if self.transport.can_write_eof():
            self.transport.write_eof()

    def expired(self) -> None:
        """The deadline has passed."""
        self.deadline = FOREVER
        if self.state == State.IDLE:
            self.close()
        elif self.state in {State.HEAD, State.BODY} or (
            self.state == State.SENT and self._body is not None
        ):
            self._drop_upstream()
            self._refuse(Refusal(408, "malformed", "the request took too long to arrive"))
        elif self.state == State.WAITING:
            self.fail("busy")
        elif self.state == State.SENT:
            self.fail("timeout")
        else:  # A client that does not read, or that does not leave.
            self.fail("gone")
            self.transport.abort()

    def eof_received(self) -> bool:
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        self.listener.clients.discard(self)
        self._drop_upstream()
        self.state = State.CLOSED
        watch, self.watch = self.watch, None
        if watch is not None:
            watch.end("gone", monotonic_ns())

    def close(self) -> None:
        """Close; what is written is still delivered."""
        self.state = State.CLOSED
        self.transport.close()

    # Backpressure

    def pause_writing(self) -> None:
        self._paused = True
        self.deadline = monotonic() + self.listener.limits.stalled_seconds
        if self._upstream is not None:
            self._upstream.pause_reading()

    def resume_writing(self) -> None:
        self._paused = False
        if self.state == State.ANSWER:
            self.deadline = FOREVER
        if self._upstream is not None:
            self._upstream.resume_reading()

    def pause_request(self) -> None:
        """The upstream is slow to take the request body."""
        self.transport.pause_reading()

    def resume_request(self) -> None:
        """The upstream takes more."""
        self.transport.resume_reading()

    # Draining

    def announce_close(self) -> None:
        """The listener drains: this exchange is the connection's last, where that can be said."""
        if self.state < State.ANSWER:
            self._keep = False
            self.takes_whole = False

    def end_stream(self) -> None:
        """End an endless stream properly, if it is between two messages now."""
        watch, upstream = self.watch, self._upstream
        if self.state != State.ANSWER or watch is None or upstream is None:
            return
        if not (watch.is_endless and watch.at_border and upstream.at_border):
            return
        if not self._unframed:
            self.transport.write(LAST_CHUNK)
        self._drop_upstream()
        self._keep = False
        self._finish("complete")

    def __repr__(self) -> str:
        return f"<Client {self.state.name} {self.head!r}>"
