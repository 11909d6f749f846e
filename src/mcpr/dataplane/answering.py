"""The answering half of a client connection: from the upstream's head to the next request.

The other half is `client.py`. Deadlines are nanoseconds of the monotonic clock.
"""

import asyncio
from time import monotonic_ns
from typing import TYPE_CHECKING

from mcpr.dataplane.body import RequestBody
from mcpr.dataplane.editing import EditedAnswer
from mcpr.dataplane.handler import AnswerPlan, Editor, Ending, Refusal, RequestPlan, Watch
from mcpr.dataplane.refusals import REFUSALS, render
from mcpr.dataplane.state import (
    ANSWER,
    CLOSED,
    EXCHANGE,
    FOREVER,
    HEAD,
    IDLE,
    LINGER,
    NAMES,
    NOWHERE,
    SECOND,
    SENT,
    STREAM,
    WAITING,
)
from mcpr.protocol.http1 import LAST_CHUNK, Form, RequestHead, ResponseHead, Stem

if TYPE_CHECKING:
    from mcpr.dataplane.listener import Listener
    from mcpr.dataplane.pool import Pool
    from mcpr.dataplane.upstream import Upstream

_LINGER_NS = 5 * SECOND


class Answering(asyncio.Protocol):
    """What a client connection is, and how it answers.

    state, place: see `state`. deadline_ns: when patience ends; the listener's sweep looks at it.
    takes_whole: an answer that comes in one piece may be written as it is planned.
    watch, head, plan: of the exchange under way.
    unwatched: the request body of a common call; nobody watches it as long as it goes well.
    edited: the answer under way, if it is changed on its way.
    form: of the requests' heads, if none of them comes twice; stem: of those that do.
    """

    __slots__ = (
        "_allowance",
        "_unchunk",
        "_unframed",
        "ahead",
        "body",
        "connection_task",
        "deadline_ns",
        "edited",
        "form",
        "head",
        "held",
        "held_size",
        "keep",
        "listener",
        "method",
        "place",
        "plan",
        "reading_paused",
        "sent_ns",
        "started_ns",
        "state",
        "stem",
        "suffix",
        "takes_whole",
        "transport",
        "unwatched",
        "upstream",
        "watch",
        "writing_paused",
    )

    transport: asyncio.Transport

    def __init__(self, listener: "Listener") -> None:
        self.listener = listener
        self.state = IDLE
        self.place = NOWHERE
        self.deadline_ns = FOREVER
        self.takes_whole = False
        self.keep = True
        self.method = b""
        self.suffix = b"\r\n"
        self.head: RequestHead | None = None
        self.plan: RequestPlan | None = None
        self.form: Form[RequestPlan] | None = None
        self.stem: Stem[RequestPlan] = listener.stems.none
        self.watch: Watch | None = None
        self.unwatched: bytes | None = None
        self.started_ns = 0
        self.sent_ns = 0
        self.upstream: Upstream | None = None
        self.connection_task: asyncio.Task[None] | None = None
        self.ahead = b""
        self.body: RequestBody | None = None  # None: complete
        self.held: list[bytes] = []
        self.held_size = 0
        self.reading_paused = False
        self.writing_paused = False
        self._allowance = -1
        self._unchunk = False
        self._unframed = False
        self.edited: EditedAnswer | None = None

    def seen(self) -> Watch | None:
        """Who watches the exchange under way: from now on somebody does."""
        body = self.unwatched
        if body is not None:
            assert self.plan is not None
            # First: who opens the watch may ask for all there are.
            self.unwatched = None
            self.watch = self.listener.open(self.plan, body, self.started_ns)
            self.watch.sent_ns = self.sent_ns
        return self.watch

    def interim(self, data: bytes) -> None:
        """A 1xx head other than 100."""
        if self.head is not None and not self.head.http10:
            self.transport.write(data)

    def start_answer(
        self, head: ResponseHead, plan: AnswerPlan, now_ns: int, *, framed: bool
    ) -> bytes | None:
        """The answer's head came. `framed`: its end can be told without closing.

        Returns the head to write, so that it can go out in one piece with what follows it; None
        when the exchange is refused after all.
        """
        watch, request, request_plan = self.seen(), self.head, self.plan
        assert watch is not None
        assert request is not None
        assert request_plan is not None
        pool = request_plan.pool
        if plan.is_stream and not self._leave_count(pool):
            self.fail("busy")
            return None
        watch.read_head(plan.facts, now_ns)
        if request_plan.answer_lines:
            plan = plan.exactly(request_plan.answer_lines, plan.length)
        if watch.editor is not None:
            return self._start_edited(watch.editor, request, plan)
        self.state = ANSWER
        self.deadline_ns = FOREVER
        self._allowance = pool.limits.answer_bytes if plan.is_bounded else -1
        self._unchunk = request.http10 and head.chunked
        self._unframed = not framed or self._unchunk
        if self._unframed or self.body is not None:
            self.keep = False
        if self.keep and not request.http10:
            return plan.ended
        lines = plan.without_chunking() if self._unchunk else plan.lines
        return lines + (b"Connection: keep-alive\r\n\r\n" if self.keep else _CLOSE)

    def _start_edited(self, editor: Editor, request: RequestHead, plan: AnswerPlan) -> bytes:
        """The answer is changed on its way: what is held is not begun, and may still fail well."""
        assert self.plan is not None
        self.edited = EditedAnswer(editor, plan, http10=request.http10)
        self._unframed = self.edited.is_unframed
        self.deadline_ns = FOREVER
        self._allowance = self.plan.pool.limits.answer_bytes if plan.is_bounded else -1
        self._unchunk = False
        if self._unframed or self.body is not None:
            self.keep = False
        if not editor.is_stream:
            return b""
        self.state = ANSWER
        return self.edited.head(keep=self.keep)

    def _leave_count(self, pool: "Pool") -> bool:
        """Become a stream: they have a count of their own. Returns False if that is full."""
        if pool.streams >= pool.limits.streams:
            return False
        self.release()
        self.place = STREAM
        pool.streams += 1
        return True

    def more_answer(
        self, head: bytes, raw: bytes, pieces: list[bytes] | tuple[bytes, ...], now_ns: int
    ) -> None:
        """More of the answer's body: as it came, and without its framing; after a head, maybe."""
        if self._unchunk:
            raw = b"".join(pieces)
        if self._allowance >= 0:
            self._allowance -= sum(map(len, pieces))
            if self._allowance < 0:
                # Before writing: the piece too many may hold the body's end.
                if head:
                    self.state = SENT  # Nothing was handed on: there may be a better answer.
                self.fail("over")
                return
        watch = self.watch
        assert watch is not None
        if self.edited is not None:
            try:
                raw = self.edited.more(pieces)
            except ValueError:
                self.fail("garbage")
                return
        self.transport.write(head + raw if head else raw)
        for piece in pieces:
            watch.read_data(piece, now_ns)

    def end_answer(self) -> None:
        """The answer is complete."""
        if self.edited is not None:
            self.transport.write(self.edited.end(keep=self.keep))
        self.upstream = None
        self.release()
        self.finish("complete")

    def release(self) -> None:
        """Give the exchange's place upstream back."""
        place, self.place = self.place, NOWHERE
        if place != NOWHERE:
            assert self.plan is not None
            if place == EXCHANGE:
                self.plan.pool.leave()
            else:
                self.plan.pool.streams -= 1

    def finish(self, ending: Ending) -> None:
        """The exchange is over: record it, and go on to the next, or close."""
        now = monotonic_ns()
        watch, self.watch = self.seen(), None
        self.edited = None
        if watch is not None:
            watch.end(ending, now)
        if not self.keep:
            if self.body is not None and ending == "complete":
                self._linger(now)
            else:
                self.close()
            return
        self.state = IDLE
        self.deadline_ns = now + self.listener.idle_ns
        self.go_on()

    def go_on(self) -> None:
        """Read again, and first what the client sent ahead of its turn."""
        if self.writing_paused:
            # Who does not take its answers gets no more of them.
            self.pause_request()
            return
        self.read_on()
        if self.ahead:
            self.listener.loop.call_soon(self._next)

    def _next(self) -> None:
        if self.state == IDLE and self.ahead:
            self.data_received(b"")

    # Failures

    def fail(self, ending: Ending) -> None:
        """The exchange cannot be completed. Answers if nothing was answered yet, else cuts."""
        if self.state >= LINGER:
            return
        if self.state == ANSWER or ending not in REFUSALS:
            # The client sees the answer end where it ended: unfinished.
            self.drop_upstream()
            self.keep = False
            self.finish(ending)
        else:
            self.refuse(REFUSALS[ending])

    def drop_upstream(self) -> None:
        """Whatever goes on upstream is no longer wanted."""
        upstream, self.upstream = self.upstream, None
        task, self.connection_task = self.connection_task, None
        if task is not None and task is not asyncio.current_task(self.listener.loop):
            task.cancel()
        if self.state == WAITING and self.plan is not None:
            self.plan.pool.forget(self)
        self.release()
        if upstream is not None:
            upstream.close()

    def refuse(self, refusal: Refusal) -> None:
        """Answer ourselves. If something of the request is still to come, close afterwards."""
        now = monotonic_ns()
        handler = self.listener.handler
        self.drop_upstream()
        self.held = []
        self.held_size = 0
        self.edited = None
        watch = self.watch = self.seen() or handler.refuse(refusal, now)
        watch.status = refusal.status
        # After these nobody knows what the next bytes are.
        knows = refusal.ending not in {"malformed", "internal"}
        self.keep = self.keep and knows and self.body is None
        kind, words = handler.words(watch, refusal)
        head_only = self.method == b"HEAD"
        if self.plan is not None and self.plan.answer_lines and not refusal.lines:
            refusal = Refusal(
                refusal.status, refusal.ending, refusal.reason, self.plan.answer_lines
            )
        self.transport.write(render(refusal, kind, words, keep=self.keep, head_only=head_only))
        if self.keep:
            self.finish(refusal.ending)
            return
        self.watch = None
        watch.end(refusal.ending, now)
        self._linger(now)

    def _linger(self, now_ns: int) -> None:
        """Close, but not before the client has had time to read why.

        A close with unread bytes is a reset, which may overtake the answer (RFC 9112 section 9.6).
        """
        self.state = LINGER
        self.deadline_ns = now_ns + _LINGER_NS
        self.ahead = b""
        self.read_on()
        if self.transport.can_write_eof():
            self.transport.write_eof()

    def close(self) -> None:
        """Close; what is written is still delivered, for a while."""
        self.state = CLOSED
        self.deadline_ns = monotonic_ns() + self.listener.stalled_ns
        self.transport.close()

    # Backpressure

    def pause_writing(self) -> None:
        """The client does not read as fast as its answer comes: its upstream waits."""
        self.writing_paused = True
        if self.state == ANSWER:
            self.deadline_ns = monotonic_ns() + self.listener.stalled_ns
            if self.place == EXCHANGE and self.plan is not None:
                # From here on it lasts as long as its reader likes: others need the place.
                self._leave_count(self.plan.pool)
        elif self.state < ANSWER and self.body is None:
            self.pause_request()
        if self.upstream is not None:
            self.upstream.pause_reading()

    def resume_writing(self) -> None:
        """The client has caught up."""
        self.writing_paused = False
        if self.state == ANSWER:
            self.deadline_ns = FOREVER
        if self.upstream is not None:
            self.upstream.resume_reading()
        elif self.state <= HEAD:
            self.go_on()

    def pause_request(self) -> None:
        """The upstream is slow to take the request body, or it is not its turn."""
        if not self.reading_paused:
            self.reading_paused = True
            self.transport.pause_reading()

    def read_on(self) -> None:
        """Take more from the client."""
        if self.reading_paused:
            self.reading_paused = False
            self.transport.resume_reading()

    # Draining

    def announce_close(self) -> None:
        """The listener drains: this exchange is the connection's last, where that can be said."""
        if self.state < ANSWER:
            self.keep = False
            self.takes_whole = False

    def end_stream(self) -> None:
        """End an endless stream properly, if it is between two messages now."""
        watch, upstream = self.watch, self.upstream
        if self.state != ANSWER or watch is None or upstream is None:
            return
        if not (watch.is_endless and watch.at_border and upstream.at_border):
            return
        if not self._unframed:
            self.transport.write(LAST_CHUNK)
        self.drop_upstream()
        self.keep = False
        self.finish("complete")

    def __repr__(self) -> str:
        return f"<Client {NAMES[self.state]} {self.head!r}>"


_CLOSE = b"Connection: close\r\n\r\n"
