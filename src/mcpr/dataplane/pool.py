"""The connections to one upstream: kept alive, counted, waited for.

Nothing is ever sent twice. A connection that closed while it waited is thrown away before a byte
of an exchange is written to it; after that, whatever happens is the exchange's own end.
"""

import asyncio
import logging
import ssl
from dataclasses import dataclass
from time import monotonic
from typing import TYPE_CHECKING

from mcpr.dataplane.handler import AnswerPlan, Handler
from mcpr.dataplane.place import Place
from mcpr.dataplane.upstream import Upstream
from mcpr.protocol.http1 import Heads, ResponseHead
from mcpr.protocol.limits import Limits

if TYPE_CHECKING:
    from mcpr.dataplane.client import Client

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Address:
    """Where an upstream listens. `tls`: how to speak TLS with it, None for plain TCP."""

    host: str
    port: int
    tls: ssl.SSLContext | None = None


class Pool:
    """Gives exchanges a connection each, as many at a time as the limits allow.

    exchanges: under way, streams not counted once their head is through. streams: those.
    """

    def __init__(
        self,
        address: Address,
        limits: Limits,
        handler: Handler,
        loop: asyncio.AbstractEventLoop,
    ) -> None:
        self.address = address
        self.limits = limits
        self.handler = handler
        self.heads = Heads(max_line=limits.line_bytes, max_fields=limits.fields)
        self.exchanges = 0
        self.streams = 0
        self.connections: set[Upstream] = set()
        self._loop = loop
        self._idle: list[Upstream] = []
        self._waiting: dict[Client, None] = {}
        self._connecting: set[asyncio.Task[None]] = set()

    def start(self, client: "Client") -> None:
        """Find a connection for the client's exchange: now, soon, or never (`client.fail`)."""
        if self.exchanges >= self.limits.exchanges:
            if len(self._waiting) >= self.limits.waiters:
                client.fail("busy")
            else:
                self._waiting[client] = None
                client.wait(self.limits.wait_seconds)
            return
        self._serve(client)

    def may_stream(self) -> bool:
        """Whether one more stream may be open."""
        return self.streams < self.limits.streams

    def forget(self, client: "Client") -> None:
        """The client no longer waits for a place."""
        self._waiting.pop(client, None)

    def leave(self) -> None:
        """An exchange is over, or became a stream: its place is free."""
        self.exchanges -= 1
        if self._waiting:
            client = next(iter(self._waiting))
            del self._waiting[client]
            self._serve(client)

    def plan_answer(self, head: ResponseHead) -> AnswerPlan:
        """The handler's plan, and how long the upstream says it keeps connections."""
        plan = self.handler.plan_answer(head)
        plan.idle_seconds = self.limits.pool_idle_seconds
        for part in (head.value(b"keep-alive") or b"").split(b","):
            name, _, value = part.partition(b"=")
            if name.strip().lower() == b"timeout" and value.strip().isdigit():
                # `Keep-Alive: timeout=5`: leave a second before the upstream does.
                plan.idle_seconds = min(plan.idle_seconds, max(0.0, int(value) - 1.0))
        return plan

    def give_back(self, upstream: Upstream) -> None:
        """The exchange on this connection is complete; it may carry another one."""
        upstream.rest()
        self._idle.append(upstream)

    def _serve(self, client: "Client") -> None:
        self.exchanges += 1
        client.place = Place.EXCHANGE
        idle = self._idle
        if idle:
            now = monotonic()
            while idle:
                upstream = idle.pop()
                if upstream.is_usable(now):
                    client.send_on(upstream)
                    return
                upstream.close()
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
            client.fail("unreachable")
        except Exception:
            logger.exception("a mistake of ours while connecting")
            client.fail("internal")
        else:
            client.send_on(upstream)

    def sweep(self, now: float) -> None:
        """Close what has waited too long for an exchange."""
        keep = [u for u in self._idle if now - u.idle_since < u.idle_seconds]
        if len(keep) < len(self._idle):
            for upstream in self._idle:
                if now - upstream.idle_since >= upstream.idle_seconds:
                    upstream.close()
            self._idle = keep

    async def close(self) -> None:
        """Close every connection."""
        for task in self._connecting:
            task.cancel()
        await asyncio.gather(*self._connecting, return_exceptions=True)
        for upstream in list(self.connections):
            upstream.close()
        self._idle.clear()

    def __repr__(self) -> str:
        return (
            f"<Pool {self.address.host}:{self.address.port} {self.exchanges} exchanges, "
            f"{self.streams} streams, {len(self._idle)} idle, {len(self._waiting)} waiting>"
        )
