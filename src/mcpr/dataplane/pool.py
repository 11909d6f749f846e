"""The connections to one upstream: kept alive, counted, waited for.

Nothing is ever sent twice. A connection that closed while it waited is thrown away before a byte
of an exchange is written to it; after that, whatever happens is the exchange's own end.
"""

import asyncio
import logging
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from time import monotonic_ns
from typing import TYPE_CHECKING, cast

from mcpr.dataplane.answering import Answering
from mcpr.dataplane.handler import AnswerPlan, Completed, Handler
from mcpr.dataplane.state import EXCHANGE, SECOND
from mcpr.dataplane.upstream import BATCH, Upstream
from mcpr.protocol.http1 import Heads, ResponseHead, Stems
from mcpr.protocol.limits import Limits

if TYPE_CHECKING:
    from mcpr.dataplane.client import Client

logger = logging.getLogger(__name__)

_MAX_SKELETONS = 4096
_MAX_SKELETON = 4096

#: What comes in one piece is at most this; a smaller limit has to be looked at each time.
_MOST_READ = 256 * 1024
#: Common calls wait this long for others to be recorded with.
_BATCH_SECONDS = 0.02


@dataclass(frozen=True, slots=True)
class Address:
    """Where an upstream listens. `tls`: how to speak TLS with it, None for plain TCP."""

    host: str
    port: int
    tls: ssl.SSLContext | None = None


class Pool:
    """Gives exchanges a connection each, as many at a time as the limits allow.

    exchanges: under way, streams not counted once their head is through. streams: those.
    idle: connections that wait, the one used last at the end. waiting: clients without a place.
    completed: common calls of which the handler has not been told yet.
    attempts, opened, failed: connections that were begun, came, and did not come.
    whole: answers that came whole and are in no batch.
    known: the plan of a head seen before, by its bytes without the blank line. stem: of the heads
    like the last one.
    """

    def __init__(
        self,
        address: Address,
        limits: Limits,
        handler: Handler,
        loop: asyncio.AbstractEventLoop,
    ) -> None:
        self.address = address
        self._set(limits)
        self.exchanges = 0
        self.streams = 0
        self.idle: list[Upstream] = []
        self.waiting: dict[Answering, None] = {}
        self.connections: set[Upstream] = set()
        self.completed: list[Completed] = []
        self._plans: dict[bytes, AnswerPlan] = {}
        self.known: Callable[[bytes], AnswerPlan | None] = self._plans.get
        self._stems: Stems[AnswerPlan] = Stems()
        self.stem = self._stems.none
        self._skeletons: dict[bytes, AnswerPlan] = {}
        self._handler = handler
        self._loop = loop
        self._connecting: set[asyncio.Task[None]] = set()
        self.attempts = 0
        self.opened = 0
        self.failed = 0
        self.whole = 0
        self._batched = 0
        self._left = 0
        self._earlier = 0

    def _set(self, limits: Limits) -> None:
        self.limits = limits
        self.max_exchanges = limits.exchanges
        self.idle_ns = round(limits.pool_idle_seconds * SECOND)
        self._wait_ns = round(limits.wait_seconds * SECOND)
        self._heads = Heads(max_line=limits.line_bytes, max_fields=limits.fields)

    def adopt(self, handler: Handler, limits: Limits) -> None:
        """Have another handler and other limits from the next answer's head on."""
        self._handler = handler
        self._set(limits)
        self._forget()
        self._skeletons.clear()
        while self.waiting and self.exchanges < self.max_exchanges:
            self.next()

    def close_idle(self) -> None:
        """Nothing new will come to this pool: keep only what is in use."""
        self.idle_ns = 0
        idle, self.idle = self.idle, []
        for upstream in idle:
            upstream.close()

    def count_with(self, other: "Pool") -> None:
        """Take over the counts of a pool that is no more, so that they only grow."""
        self._earlier += other.reused
        self.opened += other.opened
        self.failed += other.failed

    @property
    def is_used(self) -> bool:
        """Whether there is anything under way here."""
        return bool(
            self.exchanges or self.streams or self.waiting or self._connecting or self.completed
        )

    @property
    def reused(self) -> int:
        """How often an exchange began on a connection that was there.

        Not counted where it happens, where every call would pay for it: whoever had a place gave
        it back in one of three ways, or still has it, and got it with a connection, old or new.
        """
        ended = self._batched + len(self.completed) + self.whole + self._left
        return self._earlier + ended + self.exchanges - self.attempts

    def start(self, client: "Client") -> None:
        """Find a connection for the client's exchange: now, soon, or never (`client.fail`)."""
        if self.exchanges < self.max_exchanges:
            self._serve(client)
        elif len(self.waiting) < self.limits.waiters:
            self.waiting[client] = None
            client.wait(self._wait_ns)
        else:
            client.fail("busy")

    def forget(self, client: Answering) -> None:
        """The client no longer waits for a place."""
        self.waiting.pop(client, None)

    def leave(self) -> None:
        """An exchange is over, or became a stream: its place is free."""
        self.exchanges -= 1
        self._left += 1
        if self.waiting:
            self.next()

    def next(self) -> None:
        """Whoever has waited longest gets the free place, if there still is one."""
        if self.exchanges >= self.max_exchanges:
            return  # The limit was lowered.
        client = next(iter(self.waiting))
        del self.waiting[client]
        self._serve(cast("Client", client))

    def read_head(self, data: bytes) -> ResponseHead:
        """Parse and plan an answer's head. Raises BadHead."""
        head = self._heads.responses.get(data) or self._heads.response(data)
        if head.plan is None:
            plan = self._handler.plan_answer(head)
            plan.idle_ns = _heed(head, self.idle_ns)
            length = head.content_length
            if (
                length is not None
                and head.keep_alive
                and not head.is_bodiless(b"")
                and not (plan.is_bounded and length > self.limits.answer_bytes)
            ):
                plan.length = length
            plan.is_chunked = (
                head.chunked
                and head.keep_alive
                and not head.is_bodiless(b"")
                and not (plan.is_bounded and self.limits.answer_bytes < _MOST_READ)
            )
            head.plan = plan
        return head

    def remember(self, data: bytes, plan: AnswerPlan) -> None:
        """The plan of a head that may come again as it is; `known` gives it."""
        if len(data) <= _MAX_SKELETON:
            if len(self._plans) >= _MAX_SKELETONS:
                self._forget()
            self._plans[data] = plan
            plan.stem = self._stems.add(data, plan)

    def _forget(self) -> None:
        self._plans.clear()
        self._stems.clear()
        self.stem = self._stems.none

    def plan_skeleton(self, parts: list[bytes]) -> AnswerPlan | None:
        """The plan of a head taken apart by `split_answer`; None if it needs the long way."""
        skeleton = b"".join(parts[::2])
        plan = self._skeletons.get(skeleton)
        if plan is None:
            if len(skeleton) > _MAX_SKELETON:
                return None
            head = self.read_head(skeleton)
            if head.dropped:
                return None  # `Connection` may name a line that was taken out.
            if skeleton not in self._heads.responses:
                return None  # A line is left that may not be kept in memory.
            plan = cast("AnswerPlan", head.plan)
            plan.is_open = (
                head.keep_alive
                and not head.chunked
                and head.content_length is None
                and head.status >= 200
                and not head.is_bodiless(b"")
                and not (plan.is_bounded and self.limits.answer_bytes < _MOST_READ)
            )
            if len(self._skeletons) >= _MAX_SKELETONS:
                self._skeletons.clear()
            self._skeletons[skeleton] = plan
        return plan

    def hand_over(self) -> None:
        """A turning point of `completed`: its first call waits for others, the last for none."""
        if len(self.completed) < BATCH:
            self._loop.call_later(_BATCH_SECONDS, self.flush)
        else:
            self.flush()

    def flush(self) -> None:
        """Tell the handler of the common calls that are completed."""
        if self.completed:
            calls, self.completed = self.completed, []
            self._batched += len(calls)
            self._handler.completed(calls)

    def _serve(self, client: "Client") -> None:
        self.exchanges += 1
        client.place = EXCHANGE
        idle = self.idle
        if idle:
            now = monotonic_ns()
            while idle:
                upstream = idle.pop()
                if upstream.is_usable(now):
                    client.send_on(upstream)
                    return
                upstream.close()
        self.attempts += 1
        task = self._loop.create_task(self._connect(client))
        self._connecting.add(task)
        task.add_done_callback(self._connecting.discard)
        client.connecting(task)

    async def _connect(self, client: "Client") -> None:
        address = self.address
        try:
            async with asyncio.timeout(self.limits.connect_seconds):
                _, upstream = await self._loop.create_connection(
                    lambda: Upstream(self), address.host, address.port, ssl=address.tls
                )
        except (OSError, TimeoutError):
            self.failed += 1
            client.fail("unreachable")
        except Exception:
            logger.exception("a mistake of ours while connecting")
            self.failed += 1
            client.fail("internal")
        else:
            self.opened += 1
            if upstream.transport.is_closing():
                client.fail("cut")
            else:
                client.send_on(upstream)

    def sweep(self, now_ns: int) -> None:
        """Close what has waited too long for an exchange."""
        old = [u for u in self.idle if now_ns - u.idle_since_ns >= u.idle_ns]
        if old:
            self.idle[:] = [u for u in self.idle if now_ns - u.idle_since_ns < u.idle_ns]
            for upstream in old:
                upstream.close()

    async def close(self) -> None:
        """Close every connection."""
        for task in self._connecting:
            task.cancel()
        await asyncio.gather(*self._connecting, return_exceptions=True)
        for upstream in list(self.connections):
            upstream.close()
        self.idle.clear()
        self.flush()

    def __repr__(self) -> str:
        return (
            f"<Pool {self.address.host}:{self.address.port} {self.exchanges} exchanges, "
            f"{self.streams} streams, {len(self.idle)} idle, {len(self.waiting)} waiting>"
        )


def _heed(head: ResponseHead, idle_ns: int) -> int:
    """`Keep-Alive: timeout=5`: leave a second before the upstream does."""
    for part in (head.value(b"keep-alive") or b"").split(b","):
        name, _, value = part.partition(b"=")
        value = value.strip()
        if name.strip().lower() == b"timeout" and value.isdigit() and len(value) < 10:
            return min(idle_ns, max(0, int(value) - 1) * SECOND)
    return idle_ns
