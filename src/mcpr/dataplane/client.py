"""One client connection: reads requests one after the other, and sees that they get an answer.

A small state machine around one deadline. Bytes that arrive ahead of their turn wait in a bounded
buffer; a client that reads slowly makes its own upstream wait, and nobody else.

`data_received` holds the common call in one piece, because every function call in it would be paid
by every request: a head seen before, its body whole, an idle connection at hand. Whatever is not
that goes the long way below, which does the same in all its cases.
"""

import asyncio
import logging
from time import monotonic_ns
from typing import Final, cast

from mcpr.dataplane.answering import Answering
from mcpr.dataplane.body import RequestBody
from mcpr.dataplane.editing import in_no_coding
from mcpr.dataplane.handler import Refusal, RequestPlan
from mcpr.dataplane.refusals import REFUSALS
from mcpr.dataplane.state import (
    ANSWER,
    BODY,
    CLOSED,
    EXCHANGE,
    FOREVER,
    HEAD,
    IDLE,
    LINGER,
    SENT,
    WAITING,
)
from mcpr.dataplane.upstream import FRESH_NS, Upstream
from mcpr.protocol.http1 import (
    BadChunk,
    BadHead,
    Form,
    RequestHead,
    find_end,
    length_of,
    may_come_again,
    split_request,
)

logger = logging.getLogger(__name__)

#: So much is kept of what comes ahead of its turn; a common call is no larger.
MAX_AHEAD: Final = 65_536
#: Larger heads are read the long way, where every limit is looked at.
_MAX_HEAD = 8192
_MAX_LINGER = 32 * 1024 * 1024


class Client(Answering):
    """A client connection."""

    __slots__ = ()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A client connected."""
        # uvloop's transports are none of asyncio's classes, but all of their methods.
        self.transport = transport = cast("asyncio.Transport", transport)
        transport.set_write_buffer_limits(high=65_536)
        peer = transport.get_extra_info("peername")
        if isinstance(peer, tuple):
            self.suffix = b"X-Forwarded-For: %b\r\n\r\n" % str(peer[0]).encode("ascii", "replace")
        self.deadline_ns = monotonic_ns() + self.listener.head_ns
        if not self.listener.admit(self):
            self.keep = False
            self.refuse(REFUSALS["busy"])

    def data_received(self, data: bytes) -> None:
        """Bytes of a request; here in one piece the common call, of which nothing is special."""
        try:
            if self.state == IDLE and not self.ahead:
                stem = self.stem
                if (
                    self.form is None
                    and data[stem.head] == stem.before
                    and (known := stem.plans.get(data[stem.key])) is not None
                ):
                    plan: RequestPlan | None = known
                    body = data[stem.body]
                else:
                    # Not `find`: a method with a range costs as much as ten without.
                    head, blank, body = data.partition(b"\r\n\r\n")
                    plan = self._plan(head, body) if blank else None
                if (
                    plan is not None
                    and len(body) == plan.length
                    and not self.listener.draining
                    and (plan.marker is None or plan.marker not in body)
                ):
                    self.started_ns = now = monotonic_ns()
                    if plan.is_common:
                        self.unwatched = body
                    else:
                        self.watch = self.listener.open(plan, body, now)
                    self.head = plan.head
                    self.method = plan.method
                    self.plan = plan
                    self.keep = self.takes_whole = True
                    pool = plan.pool
                    idle = pool.idle
                    if idle and pool.exchanges < pool.max_exchanges:
                        upstream = idle[-1]
                        transport = upstream.transport
                        if now - upstream.idle_since_ns < FRESH_NS and not transport.is_closing():
                            del idle[-1]
                            pool.exchanges += 1
                            self.place = EXCHANGE
                            self.upstream = upstream
                            upstream.client = self
                            transport.write(b"".join((plan.forward, self.suffix, body)))
                            self.sent_ns = now = monotonic_ns()
                            if self.watch is not None:
                                self.watch.sent_ns = now
                            self.state = SENT
                            self.deadline_ns = now + plan.first_byte_ns
                            return
                    self.sent_ns = 0
                    self.held = [body]
                    pool.start(self)
                    return
            self._slowly(data)
        except Exception:
            logger.exception("a mistake of ours while reading a request")
            self.fail("internal")

    def _plan(self, head: bytes, body: bytes) -> RequestPlan | None:
        """The plan of a head; None if it needs the long way."""
        form = self.form
        plan = self.listener.known(head) if form is None else self._plan_form(form, head)
        if plan is None:
            plan = self._plan_changing(head, body)
        if plan is not None and plan.stem is not None:
            self.stem = plan.stem
        return plan

    def _plan_changing(self, head: bytes, body: bytes) -> RequestPlan | None:
        """The plan of a head that was never seen, but for lines that are new each time."""
        if len(head) > _MAX_HEAD or len(body) > MAX_AHEAD:
            return None
        listener = self.listener
        parts = split_request(head + b"\r\n\r\n")
        plan = None if len(parts) == 1 else listener.plan_skeleton(parts)
        if plan is None:
            return None
        lines = parts[1::2]
        length = length_of(lines) or 0
        if may_come_again(lines):
            self.form = None
            exact = plan.exactly(_joined(lines), length)
            listener.remember(listener.plans, head, exact)
            return exact
        self.form = form = None if length < 0 else listener.form_of(parts)
        if form is not None:
            # Of the lines that change only the length's is kept: others may hold secrets.
            kept = [line for line in lines if length_of([line]) is not None]
            key = b"%d" % length if kept else b""
            if key not in form.plans:
                listener.remember(form.plans, key, plan.exactly(_joined(kept), length))
        return plan.exactly(_joined(lines), length)

    def _plan_form(self, form: Form[RequestPlan], head: bytes) -> RequestPlan | None:
        """The plan of a head that changes where the one before it did."""
        values = form.values(head) if len(head) <= _MAX_HEAD else None
        if values is None:
            # Another kind of request in between; the next one may be of this form again.
            return self.listener.known(head)
        plan = form.plans.get(form.length(values))
        return None if plan is None else plan.exactly(form.other_lines(values), plan.length)

    def _slowly(self, data: bytes) -> None:
        """The long way, for every case."""
        if self.state == LINGER:
            self._throw_away(data)
            return
        self.ahead = self.ahead + data if self.ahead else data
        self.advance()

    def advance(self) -> None:
        """Do what can be done with the bytes at hand."""
        try:
            if self.state <= HEAD:
                self._read_head()
            if self.body is not None and self.ahead and self.state < LINGER:
                self._read_body(self.body)
        except BadHead as bad:
            self.refuse(Refusal(bad.status, "malformed", bad.reason))
        except BadChunk as bad:
            if self.state == ANSWER:
                self.fail("malformed")
            else:
                self.refuse(Refusal(400, "malformed", str(bad)))
        if len(self.ahead) > MAX_AHEAD and WAITING <= self.state < LINGER:
            self.pause_request()

    def _read_head(self) -> None:
        listener = self.listener
        start = 0
        while self.ahead.startswith(b"\r\n", start):  # RFC 9112 section 2.2
            start += 2
        if start:
            self.ahead = self.ahead[start:]
        if not self.ahead:
            return
        if self.state == IDLE:
            self.state = HEAD
            self.method = b""
            self.plan = None
            self.deadline_ns = monotonic_ns() + listener.head_ns
            self.held_size = 0
        # While a head arrives, `held_size` is how much of it has been looked at.
        end = find_end(self.ahead, limit=listener.limits.head_bytes, seen=self.held_size)
        if end < 0:
            self.held_size = len(self.ahead)
            return
        self.held_size = 0
        head = listener.read_head(self.ahead[:end])
        plan = cast("RequestPlan", head.plan)
        self.ahead = self.ahead[end:]
        self._begin(head, plan)
        if head.has_body:
            self._expect_body(head, plan)
        elif plan.refusal is not None:
            self.refuse(plan.refusal)
        else:
            self._complete(b"")

    def _begin(self, head: RequestHead, plan: RequestPlan) -> None:
        listener = self.listener
        self.watch = listener.handler.begin(plan, monotonic_ns())
        self.head = head
        self.method = head.method
        self.plan = plan
        self.body = None
        self.keep = keep = head.keep_alive and not listener.draining
        self.takes_whole = (
            keep and not head.http10 and head.method != b"HEAD" and not plan.answer_lines
        )

    def _expect_body(self, head: RequestHead, plan: RequestPlan) -> None:
        self.body = body = RequestBody(head)
        limits = self.listener.limits
        if plan.refusal is not None:
            self.refuse(plan.refusal)
        elif plan.whole and body.announced > limits.request_bytes:
            self.refuse(REFUSALS["too_large"])
        else:
            if head.expects_continue and not self.ahead:
                self.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            # A small body of a known size may as well be sent in one piece with its head.
            if plan.whole or (not head.chunked and len(self.ahead) >= body.announced):
                self.state = BODY
                self.deadline_ns = monotonic_ns() + self.listener.body_ns
            else:
                self.takes_whole = False
                plan.pool.start(self)

    def _read_body(self, body: RequestBody) -> None:
        """Take the body's bytes: keep them until it is whole, or send them on."""
        assert self.plan is not None
        pieces, self.ahead = body.take(self.ahead)
        if self.state != BODY and self.upstream is not None:
            self._send_pieces(body, pieces)
            return
        self.held += pieces
        self.held_size += sum(map(len, pieces))
        if self.state != BODY:
            if self.held_size > MAX_AHEAD:
                self.pause_request()
        elif self.plan.whole and self.held_size > self.listener.limits.request_bytes:
            self.refuse(REFUSALS["too_large"])
        elif body.done:
            whole = b"".join(self.held)
            self.held.clear()
            self.held_size = 0
            self.body = None
            self._complete(whole, body)
        else:
            self.deadline_ns = monotonic_ns() + self.listener.body_ns

    def _complete(self, whole: bytes, body: RequestBody | None = None) -> None:
        """The request is here: show it, then find it a connection."""
        assert self.watch is not None
        assert self.plan is not None
        self.watch.read_request(whole)
        if self.watch.objection is not None:
            # With 200, as JSON-RPC answers come: clients take 401 and 403 for a wish to sign in.
            self.refuse(Refusal(200, "denied", self.watch.objection))
            return
        if self.watch.edits:
            self.takes_whole = False
            self.plan = in_no_coding(self.plan)
        self.held = [whole if body is None else body.frame([whole])]
        self.plan.pool.start(self)

    def _send_pieces(self, body: RequestBody, pieces: list[bytes]) -> None:
        """Send what came of a body that is not read whole."""
        assert self.watch is not None
        assert self.upstream is not None
        self.watch.request_size(sum(map(len, pieces)))
        self.upstream.transport.write(body.frame(pieces))
        if body.done:
            self.body = None
        if self.state == SENT:
            self._await_answer()

    def _throw_away(self, data: bytes) -> None:
        self.held_size += len(data)
        if self.held_size > _MAX_LINGER:
            self.transport.abort()

    # What the pool says

    def wait(self, wait_ns: int) -> None:
        """No place yet."""
        self.state = WAITING
        self.deadline_ns = monotonic_ns() + wait_ns

    def connecting(self, task: asyncio.Task[None]) -> None:
        """A connection is on its way; the task has a deadline of its own."""
        self.state = WAITING
        self.deadline_ns = FOREVER
        self.connection_task = task

    def send_on(self, upstream: Upstream) -> None:
        """Here is a connection."""
        plan, held, body = self.plan, self.held, self.body
        assert plan is not None
        self.connection_task = None
        self.upstream = upstream
        self.held = []
        self.held_size = 0
        self.state = SENT
        upstream.client = self
        if self.writing_paused:
            upstream.pause_reading()
        if body is None:
            upstream.transport.write(b"".join((plan.forward, self.suffix, *held)))
        else:
            # Before anything is written: the upstream may ask for a pause at once.
            self.read_on()
            upstream.transport.write(plan.forward + self.suffix)
            self._send_pieces(body, held)
        self.sent_ns = monotonic_ns()
        if self.watch is not None:
            self.watch.sent_ns = self.sent_ns
        self._await_answer()

    def _await_answer(self) -> None:
        assert self.plan is not None
        patience = self.plan.first_byte_ns if self.body is None else self.listener.body_ns
        self.deadline_ns = monotonic_ns() + patience

    def resume_request(self) -> None:
        """The upstream takes more of the request body."""
        self.read_on()
        if self.ahead:
            self.advance()

    # Ends

    def expired(self) -> None:
        """The deadline has passed."""
        self.deadline_ns = FOREVER
        if self.state == IDLE:
            self.close()
        elif self.state in {HEAD, BODY} or (
            # An upstream that does not take the body is no fault of the client.
            self.state == SENT and self.body is not None and not self.reading_paused
        ):
            self.refuse(Refusal(408, "malformed", "the request took too long to arrive"))
        elif self.state == WAITING:
            self.fail("busy")
        elif self.state == SENT:
            self.fail("timeout")
        else:  # A client that does not read, or that does not leave.
            self.fail("gone")
            self.transport.abort()

    def eof_received(self) -> bool:
        """The client will send no more; like nginx we take that for its leaving."""
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        """The client is gone: so is the need for its answer."""
        self.listener.clients.discard(self)
        self.drop_upstream()
        self.state = CLOSED
        watch, self.watch = self.seen(), None
        if watch is not None:
            watch.end("gone", monotonic_ns())


def _joined(lines: list[bytes]) -> bytes:
    """Lines with their ends."""
    return b"".join([line + b"\r\n" for line in lines])
