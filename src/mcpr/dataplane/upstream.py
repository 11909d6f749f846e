"""One connection to an upstream: it carries one exchange at a time and reads its answer.

As in `client.py`, the common answer (a head seen before, its body whole) is handled in one piece.
"""

import asyncio
import logging
import select
from time import monotonic_ns
from typing import TYPE_CHECKING, Final, cast

from mcpr.dataplane.handler import AnswerPlan, Ending, RequestPlan, Watch
from mcpr.dataplane.state import IDLE, NOWHERE
from mcpr.protocol.http1 import (
    BadChunk,
    BadHead,
    Chunked,
    ResponseHead,
    find_end,
    length_of,
    may_come_again,
    only_chunk,
    split_answer,
)

if TYPE_CHECKING:
    from mcpr.dataplane.client import Client
    from mcpr.dataplane.pool import Pool

logger = logging.getLogger(__name__)

#: How an answer's body ends, as what is left of it: a number of bytes, or one of these.
_CHUNKED: Final = -1
_UNTIL_CLOSE: Final = -2
#: Below this age an idle connection is taken as it is; above, its socket is asked first.
FRESH_NS: Final = 5_000_000
#: Larger heads are read the long way, where every limit is looked at.
_MAX_HEAD: Final = 8192
#: Common calls are recorded together: this many, or those of a short time.
BATCH: Final = 64


class Upstream(asyncio.Protocol):
    """An upstream connection.

    client: whose exchange it carries. idle_since_ns, idle_ns: since when it waits in the pool, and
    how long it may.
    """

    __slots__ = (
        "_buffer",
        "_chunked",
        "_left",
        "_paused",
        "_plan",
        "_poll",
        "_reusable",
        "client",
        "idle_ns",
        "idle_since_ns",
        "pool",
        "transport",
    )

    transport: asyncio.Transport

    def __init__(self, pool: "Pool") -> None:
        self.pool = pool
        self.client: Client | None = None
        self.idle_since_ns = 0
        self.idle_ns = pool.idle_ns
        self._buffer = b""
        self._plan: AnswerPlan | None = None
        self._left = 0
        self._chunked: Chunked | None = None
        self._reusable = True
        self._paused = False
        self._poll: select.poll | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The upstream accepted."""
        self.transport = transport = cast("asyncio.Transport", transport)
        transport.set_write_buffer_limits(high=65_536)
        self.pool.connections.add(self)

    def is_usable(self, now_ns: int) -> bool:
        """Whether an exchange may begin here: open, not too old, and nothing came unasked."""
        age = now_ns - self.idle_since_ns
        if self.transport.is_closing() or age >= self.idle_ns:
            return False
        if age < FRESH_NS:
            return True
        # The loop tells of an end of file only at its next turn; the socket knows it now.
        if self._poll is None:
            self._poll = select.poll()
            descriptor = self.transport.get_extra_info("socket").fileno()
            self._poll.register(descriptor, select.POLLIN | select.POLLHUP)
        return not self._poll.poll(0)

    # What comes

    def data_received(self, data: bytes) -> None:
        """Bytes of an answer."""
        try:
            client = self.client
            if client is None:
                # Nobody asked: whatever it is, it is not the next answer.
                self.close()
                return
            now = monotonic_ns()
            if self._plan is not None:
                self._body(client, b"", data, 0, now)
                return
            if client.takes_whole and not self._buffer:
                pool = self.pool
                stem = pool.stem
                plan = stem.plans.get(data[stem.key]) if data[stem.head] == stem.before else None
                if plan is not None:
                    rest = data[stem.body]
                else:
                    head, blank, rest = data.partition(b"\r\n\r\n")
                    plan = self._plan_head(head) if blank else None
                if plan is not None:
                    if len(rest) == plan.length:
                        body: bytes | None = rest
                    else:
                        body = only_chunk(rest) if plan.is_chunked else None
                    if body is not None:
                        client.transport.write(plan.ended + rest)
                        self._finish(client, plan, body, now)
                        return
            self._head(client, self._buffer + data if self._buffer else data, now)
        except (BadHead, BadChunk):
            self._fail("garbage")
        except Exception:
            logger.exception("a mistake of ours while reading an answer")
            self._fail("internal")

    def _plan_head(self, head: bytes) -> AnswerPlan | None:
        """The plan of a head; None if it needs the long way."""
        plan = self.pool.known(head) or self._plan_changing(head)
        if plan is not None and plan.stem is not None:
            self.pool.stem = plan.stem
        return plan

    def _plan_changing(self, head: bytes) -> AnswerPlan | None:
        """The plan of a head that was never seen, but for lines that are new each time."""
        if len(head) > _MAX_HEAD:
            return None
        parts = split_answer(head + b"\r\n\r\n")
        if len(parts) == 1:
            return None
        plan = self.pool.plan_skeleton(parts)
        if plan is None:
            return None
        lines = parts[1::2]
        length = length_of(lines)
        if not (plan.is_open if length is not None else plan.is_chunked):
            return None
        plan = plan.exactly(lines, -1 if length is None else length)
        if may_come_again(lines):
            self.pool.remember(head, plan)
        return plan

    def _finish(self, client: "Client", plan: AnswerPlan, body: bytes, now: int) -> None:
        """The common answer is handed on, all of it, and both connections go on."""
        pool = self.pool
        asked = client.unwatched
        if asked is not None and plan.is_common and body:
            request: RequestPlan = client.plan  # type: ignore[assignment]  # there is an exchange
            completed = pool.completed
            completed.append(
                (
                    request.facts,
                    asked,
                    client.started_ns,
                    client.sent_ns,
                    plan.facts,
                    body,
                    now,
                    monotonic_ns(),
                )
            )
            client.unwatched = None
            count = len(completed)
            if count == 1 or count == BATCH:  # noqa: PLR1714 - cheaper than a tuple
                pool.hand_over()
        else:
            watch = cast("Watch", client.seen())
            client.watch = None
            pool.whole += 1
            watch.whole(plan.facts, body, now, monotonic_ns())
        client.upstream = None
        client.place = NOWHERE
        client.state = IDLE
        client.deadline_ns = now + client.listener.idle_ns
        self.client = None
        self.idle_since_ns = now
        self.idle_ns = plan.idle_ns
        pool.idle.append(self)
        pool.exchanges -= 1
        if pool.waiting:
            pool.next()
        if client.ahead or client.reading_paused:
            client.go_on()
        if self._paused:
            self.resume_reading()

    def _head(self, client: "Client", data: bytes, now: int) -> None:
        """The long way: heads that came in pieces, for the first time, or after interim ones."""
        pool = self.pool
        seen = len(self._buffer)
        self._buffer = b""
        while True:
            end = find_end(data, limit=pool.limits.head_bytes, seen=seen)
            if end < 0:
                self._buffer = data
                return
            head = pool.read_head(data[:end])
            if head.status >= 200:
                break
            if head.status == 101:
                raise BadHead("an upgrade that nobody asked for")
            if head.status != 100:
                client.interim(data[:end])
            data = data[end:]
            seen = 0
        plan = cast("AnswerPlan", head.plan)
        self.idle_ns = plan.idle_ns
        if client.takes_whole and len(data) - end == plan.length:
            body = data[end:]
            client.transport.write(plan.ended + body)
            self._finish(client, plan, body, now)
            return
        self._frame(head, client.method)
        if plan.is_bounded and self._left > pool.limits.answer_bytes:
            self._fail("over")
            return
        start = client.start_answer(head, plan, now, framed=self._left != _UNTIL_CLOSE)
        if start is None:
            return
        self._plan = plan
        if len(data) > end or not self._left:
            self._body(client, start, data, end, now)
        else:
            client.transport.write(start)

    def _frame(self, head: ResponseHead, method: bytes) -> None:
        """How the body will end: RFC 9112 section 6.3, responses."""
        self._reusable = head.keep_alive
        self._chunked = None
        if head.is_bodiless(method):
            self._left = 0
        elif head.chunked:
            self._left = _CHUNKED
            self._chunked = Chunked()
        elif head.content_length is not None:
            self._left = head.content_length
        else:
            self._left = _UNTIL_CLOSE
            self._reusable = False

    def _body(self, client: "Client", head: bytes, data: bytes, start: int, now: int) -> None:
        left = self._left
        chunked = self._chunked
        if chunked is not None:
            pieces, stop = chunked.feed(data, start)
            client.more_answer(head, data[start:stop], pieces, now)
            done = chunked.done
        elif left == _UNTIL_CLOSE:
            stop = len(data)
            piece = data[start:]
            client.more_answer(head, piece, (piece,), now)
            done = False
        else:
            stop = min(len(data), start + left)
            piece = data[start:stop]
            self._left = left - len(piece)
            client.more_answer(head, piece, (piece,) if piece else (), now)
            done = not self._left
        if self.client is not client:
            return  # It was over a limit, and is closed.
        if done:
            self._done(client, reusable=self._reusable and stop == len(data))

    def _done(self, client: "Client", *, reusable: bool) -> None:
        self._plan = None
        # An answer may come before the request was sent, or was taken, whole.
        if reusable and client.body is None and not self.transport.get_write_buffer_size():
            self.client = None
            if self._paused:
                self.resume_reading()
            self.idle_since_ns = monotonic_ns()
            self.pool.idle.append(self)
        else:
            self.close()
        # Afterwards: whoever waits for a place takes this connection.
        client.end_answer()

    def _fail(self, ending: Ending) -> None:
        client, self.client = self.client, None
        self.close()
        if client is not None:
            client.fail(ending)

    def eof_received(self) -> bool:
        """The upstream will send no more; `connection_lost` follows."""
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is gone, with or without an exchange on it."""
        self.pool.connections.discard(self)
        client, self.client = self.client, None
        if client is None:
            return
        if self._plan is not None and self._left == _UNTIL_CLOSE and exc is None:
            client.end_answer()
        else:
            client.fail("cut")

    @property
    def at_border(self) -> bool:
        """Whether the answer could end here, as far as its framing goes."""
        return self._left == _UNTIL_CLOSE or (self._chunked is not None and self._chunked.at_border)

    # Backpressure

    def pause_writing(self) -> None:
        """The upstream does not take the request body as fast as it comes."""
        client = self.client
        if client is not None:
            # An answer that comes now comes early, and is not the common one.
            client.takes_whole = False
            if client.body is not None:
                client.pause_request()

    def resume_writing(self) -> None:
        """The upstream takes more."""
        if self.client is not None:
            self.client.resume_request()

    def pause_reading(self) -> None:
        """The client is slow: let the upstream wait."""
        self._paused = True
        self.transport.pause_reading()

    def resume_reading(self) -> None:
        """The client takes more."""
        if self._paused:
            self._paused = False
            self.transport.resume_reading()

    def close(self) -> None:
        """End the connection at once; an exchange on it is no longer wanted."""
        self.client = None
        self.transport.abort()

    def __repr__(self) -> str:
        state = "idle" if self.client is None else "busy"
        return f"<Upstream {state}>"
