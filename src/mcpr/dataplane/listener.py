"""Accepts client connections, keeps their deadlines, and drains them when the program ends."""

import asyncio
import contextlib
import errno
import os
import select
import socket
from collections.abc import Callable
from time import monotonic_ns

from mcpr.dataplane.client import MAX_AHEAD, Client
from mcpr.dataplane.handler import Handler, RequestPlan
from mcpr.dataplane.pool import Pool
from mcpr.dataplane.state import ANSWER, IDLE, SECOND
from mcpr.errors import McprError
from mcpr.protocol.http1 import BadHead, Form, Heads, RequestHead, Stems, has_credential
from mcpr.protocol.limits import Limits

_TICK_SECONDS = 0.5
_MAX_SKELETONS = 4096
_MAX_SKELETON = 4096
_MAX_CHANGING = 16
_MAX_FORMS = 1024
_DRAIN_TICK_SECONDS = 0.02
#: While draining, how long an idle connection may still send a request that was on its way.
_GRACE_NS = SECOND // 4


class Listener:
    """One listening address.

    clients: every open connection. known: the plan of a head seen before, by its bytes without
    the blank line.
    pools: the first is that of new exchanges; the others end with what is under way on them.
    stems: the same ones. open: the handler's, for the hot path. The `…_ns` are limits in
    nanoseconds.
    """

    def __init__(
        self, handler: Handler, pool: Pool, limits: Limits, loop: asyncio.AbstractEventLoop
    ) -> None:
        self.loop = loop
        self.pools = [pool]
        self._set(handler, limits)
        self.plans: dict[bytes, RequestPlan] = {}
        self.known: Callable[[bytes], RequestPlan | None] = self.plans.get
        self.stems: Stems[RequestPlan] = Stems()
        self._forms: dict[bytes, Form[RequestPlan]] = {}
        self._remembered = 0
        self._skeletons: dict[bytes, RequestPlan] = {}
        self.clients: set[Client] = set()
        self.draining = False
        self._server: asyncio.Server | None = None
        self._sockets: list[socket.socket] = []
        self._tick: asyncio.TimerHandle | None = None

    def _set(self, handler: Handler, limits: Limits) -> None:
        self.handler = handler
        self.open = handler.open
        self.limits = limits
        self.idle_ns = round(limits.idle_seconds * SECOND)
        self.head_ns = round(limits.head_seconds * SECOND)
        self.body_ns = round(limits.body_seconds * SECOND)
        self.stalled_ns = round(limits.stalled_seconds * SECOND)
        self._heads = Heads(max_line=limits.line_bytes, max_fields=limits.fields)

    def adopt(self, handler: Handler, pool: Pool, limits: Limits) -> None:
        """Have another handler and other limits from the next request's head on.

        pool: where its plans lead. What is under way goes on as it began.
        """
        self._set(handler, limits)
        self._forget()
        self._skeletons.clear()
        if pool is not self.pools[0]:
            self.pools.insert(0, pool)

    async def start(self, host: str, port: int) -> int:
        """Listen; returns the port. Raises McprError when the address cannot be had."""
        self.handler.tick(monotonic_ns())
        try:
            self._server = await self.loop.create_server(
                lambda: Client(self), host, port, backlog=1024, reuse_address=True
            )
        except OSError as exc:
            raise McprError(
                f"cannot listen on {host}:{port}",
                exc.strerror or str(exc),
                "stop what listens there, or choose another port with --port",
                "listen.taken" if exc.errno == errno.EADDRINUSE else "listen.failed",
            ) from exc
        # A second descriptor of each socket: what has connected but is not yet accepted when we
        # stop must still be served.
        self._sockets = [socket.socket(fileno=os.dup(s.fileno())) for s in self._server.sockets]
        self._tick = self.loop.call_later(_TICK_SECONDS, self._sweep)
        return int(self._server.sockets[0].getsockname()[1])

    def admit(self, client: Client) -> bool:
        """Whether there is room for one more connection."""
        self.clients.add(client)
        return len(self.clients) <= self.limits.connections

    def read_head(self, data: bytes) -> RequestHead:
        """Parse and plan a request's head. Raises BadHead."""
        head = self._heads.requests.get(data) or self._heads.request(data)
        if head.plan is None:
            head.plan = plan = self.handler.plan_request(head)
            plan.head = head
            plan.method = head.method
            if plan.whole and plan.length > self.limits.request_bytes:
                plan.length = -1
        return head

    def form_of(self, parts: list[bytes]) -> Form[RequestPlan] | None:
        """The form of a head taken apart by `split_request`; all that have it share it."""
        names = [line.partition(b":")[0] for line in parts[1::2]]
        key = b"\0".join(parts[::2] + names)
        form = self._forms.get(key)
        if form is None and len(key) <= _MAX_SKELETON:
            form = Form.of(parts)
            if form is not None:
                if len(self._forms) >= _MAX_FORMS:
                    self._forget()
                self._forms[key] = form
        return form

    def remember(self, plans: dict[bytes, RequestPlan], data: bytes, plan: RequestPlan) -> None:
        """The plan of a head that may come again, in our `plans` or in those of its form."""
        if len(data) <= _MAX_SKELETON and plan.length <= MAX_AHEAD:
            if self._remembered >= _MAX_SKELETONS:
                self._forget()
            self._remembered += 1
            plans[data] = plan
            if plans is self.plans:
                plan.stem = self.stems.add(data, plan)

    def _forget(self) -> None:
        """Forget every plan of a head."""
        self.plans.clear()
        self.stems.clear()
        for form in self._forms.values():
            form.plans.clear()
        self._forms.clear()
        self._remembered = 0
        for client in self.clients:
            client.form = None
            client.stem = self.stems.none

    def plan_skeleton(self, parts: list[bytes]) -> RequestPlan | None:
        """The plan of a head taken apart by `split_request`; None if it needs the long way."""
        lines = parts[1::2]
        credential = has_credential(lines)
        skeleton = b"".join(parts[::2])
        key = skeleton + b"+" if credential else skeleton
        plan = self._skeletons.get(key)
        if plan is None:
            if len(lines) > _MAX_CHANGING or len(skeleton) > _MAX_SKELETON:
                return None
            try:
                head = self._heads.request(skeleton)
            except BadHead:
                return None  # The long way says so, of the whole head.
            if head.dropped:
                return None  # `Connection` may name a line that was taken out.
            if skeleton not in self._heads.requests:
                return None  # A line is left that may not be kept in memory.
            plan = self.handler.plan_request(head, has_credential=credential)
            plan.head = head
            plan.method = head.method
            if plan.whole and self.limits.request_bytes < MAX_AHEAD:
                plan.length = -1
            if len(self._skeletons) >= _MAX_SKELETONS:
                self._skeletons.clear()
            self._skeletons[key] = plan
        return plan if plan.length == 0 and len(lines) <= _MAX_CHANGING else None

    def _sweep(self) -> None:
        now = monotonic_ns()
        for client in [c for c in self.clients if c.deadline_ns <= now]:
            client.expired()
        self.pools[0].sweep(now)
        if len(self.pools) > 1:
            self._let_go_of_pools()
        self.handler.tick(now)
        self._tick = self.loop.call_later(_TICK_SECONDS, self._sweep)

    def _let_go_of_pools(self) -> None:
        # Of some requests nothing has come to their pool yet.
        planned = {
            client.plan.pool
            for client in self.clients
            if client.plan is not None and client.state != IDLE
        }
        for old in self.pools[1:]:
            old.close_idle()
            if not old.is_used and old not in planned:
                self.pools.remove(old)
                self.pools[0].count_with(old)

    async def close_pools(self) -> None:
        """Close every connection to an upstream."""
        for pool in self.pools:
            await pool.close()

    async def drain(self, seconds: float, hurry: asyncio.Event) -> int:
        """Stop accepting, finish what was begun. Returns how many exchanges had to be cut.

        hurry: set when somebody does not want to wait any longer.
        """
        self.draining = True
        self.idle_ns = _GRACE_NS
        if self._server is not None:
            self._server.close()
        await self._accept_the_rest()
        now = monotonic_ns()
        for client in self.clients:
            client.announce_close()
            if client.state == IDLE:
                client.deadline_ns = now + _GRACE_NS
        until = now + round(seconds * SECOND)
        while self.clients and monotonic_ns() < until and not hurry.is_set():
            self._end_what_can()
            await asyncio.sleep(_DRAIN_TICK_SECONDS)
        cut = sum(client.seen() is not None for client in self.clients)
        for client in list(self.clients):
            client.fail("stopped")
            client.transport.abort()
        if self._tick is not None:
            self._tick.cancel()
        # The transports tell the end of their connections at the loop's next turn.
        await asyncio.sleep(0)
        return cut

    async def _accept_the_rest(self) -> None:
        for listening in self._sockets:
            listening.setblocking(False)  # noqa: FBT003 - the standard library's signature
            with contextlib.suppress(OSError):
                while True:
                    connection, _ = listening.accept()
                    connection.setblocking(False)  # noqa: FBT003 - the same
                    await self.loop.connect_accepted_socket(lambda: Client(self), connection)
            listening.close()
        self._sockets.clear()

    def _end_what_can(self) -> None:
        now = monotonic_ns()
        for client in list(self.clients):
            if client.state == ANSWER:
                client.end_stream()
            elif client.state == IDLE and client.deadline_ns <= now and not _has_news(client):
                client.close()

    def __repr__(self) -> str:
        return f"<Listener {len(self.clients)} clients{' draining' if self.draining else ''}>"


def _has_news(client: Client) -> bool:
    """Whether bytes have arrived that the loop has not told of yet."""
    poll = select.poll()
    try:
        poll.register(client.transport.get_extra_info("socket").fileno(), select.POLLIN)
    except (OSError, ValueError):
        return False
    return bool(poll.poll(0))
