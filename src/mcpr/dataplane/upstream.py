"""One connection to an upstream: it carries one exchange at a time and reads its answer."""

import asyncio
import logging
import select
from time import monotonic, monotonic_ns
from typing import TYPE_CHECKING, cast

from mcpr.dataplane.handler import AnswerPlan, Ending
from mcpr.protocol.http1 import BadChunk, BadHead, Chunked, ResponseHead, find_end

if TYPE_CHECKING:
    from mcpr.dataplane.client import Client
    from mcpr.dataplane.pool import Pool

logger = logging.getLogger(__name__)

#: How an answer's body ends, as what is left of it: a number of bytes, or one of these.
_CHUNKED = -1
_UNTIL_CLOSE = -2
#: Below this age an idle connection is taken as it is; above, its socket is asked first.
_FRESH_SECONDS = 0.005


class Upstream(asyncio.Protocol):
    """An upstream connection. `idle_since`, `idle_seconds`: while it waits in the pool."""

    __slots__ = (
        "_buffer",
        "_chunked",
        "_left",
        "_paused",
        "_plan",
        "_poll",
        "_reusable",
        "client",
        "idle_seconds",
        "idle_since",
        "pool",
        "transport",
    )

    transport: asyncio.Transport

    def __init__(self, pool: "Pool") -> None:
        self.pool = pool
        self.client: Client | None = None
        self.idle_since = 0.0
        self.idle_seconds = pool.limits.pool_idle_seconds
        self._buffer = b""
        self._plan: AnswerPlan | None = None
        self._left = 0
        self._chunked: Chunked | None = None
        self._reusable = True
        self._paused = False
        self._poll: select.poll | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports are none of asyncio's classes, but all of their methods.
        self.transport = transport = cast("asyncio.Transport", transport)
        transport.set_write_buffer_limits(high=65_536)
        self.pool.connections.add(self)

    def send(self, client: "Client", data: bytes) -> None:
        """Begin an exchange: its head, and its body if that is already there."""
        self.client = client
        self._plan = None
        self.transport.write(data)

    def is_usable(self, now: float) -> bool:
        """Whether an exchange may begin here: open, not too old, and nothing came unasked."""
        age = now - self.idle_since
        if self.transport.is_closing() or age >= self.idle_seconds:
            return False
        if age < _FRESH_SECONDS:
            return True
        # The loop tells of an end of file only at its next turn; the socket knows it now.
        if self._poll is None:
            self._poll = select.poll()
            self._poll.register(
                self.transport.get_extra_info("socket").fileno(), select.POLLIN | select.POLLHUP
            )
        return not self._poll.poll(0)

    # What comes

    def data_received(self, data: bytes) -> None:
        try:
            self._received(data)
        except (BadHead, BadChunk):
            self._fail("garbage")
        except Exception:
            logger.exception("a mistake of ours while reading an answer")
            self._fail("internal")

    def _received(self, data: bytes) -> None:
        client = self.client
        if client is None:
            self.close()
            return
        now = monotonic_ns()
        if self._plan is not None:
            self._body(client, data, 0, now)
            return
        if self._buffer:
            data = self._buffer + data
            self._buffer = b""
        end = data.find(b"\r\n\r\n") + 4
        head = self.pool.heads.responses.get(data[:end])
        if head is None:
            head, data, end = self._slow_head(client, data)
            if head is None:
                return
        plan = head.plan
        if plan is None:
            plan = head.plan = self.pool.plan_answer(head)
        assert isinstance(plan, AnswerPlan)
        self.idle_seconds = plan.idle_seconds
        size = head.content_length
        if (
            size is not None
            and len(data) - end == size
            and head.keep_alive
            and client.takes_whole
            and not head.is_bodiless(client.method)
        ):
            self.client = None
            client.whole_answer(plan, data[end:], now)
            self.pool.give_back(self)
            return
        self._start(client, head, plan, now)
        if self.client is client and (len(data) > end or not self._left):
            self._body(client, data, end, now)

    def _slow_head(self, client: "Client", data: bytes) -> tuple[ResponseHead | None, bytes, int]:
        limits = self.pool.limits
        while True:
            end = find_end(data, limit=limits.head_bytes)
            if end < 0:
                self._buffer = data
                return None, data, end
            head = self.pool.heads.response(data[:end])
            if head.status >= 200:
                return head, data, end
            if head.status == 101:
                raise BadHead("an upgrade that nobody asked for")
            if head.status != 100:
                client.interim(data[:end])
            data = data[end:]
            if not data:
                return None, data, 0

    def _start(self, client: "Client", head: ResponseHead, plan: AnswerPlan, now: int) -> None:
        self._reusable = head.keep_alive
        self._chunked = None
        size = head.content_length
        if head.is_bodiless(client.method):
            self._left = 0
        elif head.chunked:
            self._left = _CHUNKED
            self._chunked = Chunked()
        elif size is not None:
            self._left = size
            if plan.is_bounded and size > self.pool.limits.answer_bytes:
                self._fail("over")
                return
        else:
            self._left = _UNTIL_CLOSE
            self._reusable = False
        self._plan = plan
        client.start_answer(head, plan, now, framed=self._left != _UNTIL_CLOSE)

    def _body(self, client: "Client", data: bytes, start: int, now: int) -> None:
        left = self._left
        chunked = self._chunked
        if chunked is not None:
            pieces, stop = chunked.feed(data, start)
            client.more_answer(data[start:stop], pieces, now)
            done = chunked.done
        elif left == _UNTIL_CLOSE:
            stop = len(data)
            piece = data[start:]
            client.more_answer(piece, (piece,), now)
            done = False
        else:
            stop = min(len(data), start + left)
            piece = data[start:stop]
            self._left = left - len(piece)
            if piece:
                client.more_answer(piece, (piece,), now)
            done = not self._left
        if self.client is not client:
            return  # It was over the limit, and is closed.
        if done:
            self._done(client, reusable=self._reusable and stop == len(data))

    def _done(self, client: "Client", *, reusable: bool) -> None:
        self.client = None
        self._plan = None
        sent_all = client.end_answer()
        if reusable and sent_all:
            self.pool.give_back(self)
        else:
            self.close()

    def _fail(self, ending: Ending) -> None:
        client, self.client = self.client, None
        self.close()
        if client is not None:
            client.fail(ending)

    def eof_received(self) -> bool:
        return False

    def connection_lost(self, exc: Exception | None) -> None:
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
        if self.client is not None:
            self.client.pause_request()

    def resume_writing(self) -> None:
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

    def rest(self) -> None:
        """Wait in the pool from now on."""
        if self._paused:
            self.resume_reading()
        self.client = None
        self._plan = None
        self.idle_since = monotonic()

    def __repr__(self) -> str:
        state = "idle" if self.client is None else "busy"
        return f"<Upstream {state}>"
