"""A whole data plane in this process: listener, pool, and either the proxy's handler or our own."""

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field

from tests.dataplane.plain_handler import PlainHandler

from mcpr.dataplane import Address, Listener, Pool
from mcpr.events import Ids, RequestEvent
from mcpr.pipeline.cors import Cors
from mcpr.pipeline.csp import CspRules
from mcpr.pipeline.exchange import Exchange, Recording
from mcpr.pipeline.guard import Guard
from mcpr.pipeline.identity import SessionNames
from mcpr.protocol.limits import Limits
from mcpr.proxy.handler import ProxyHandler


@dataclass
class Plane:
    """port: where it listens. events: the rows of the proxy's handler, as `rows` finds them."""

    listener: Listener
    pool: Pool
    handler: ProxyHandler | PlainHandler
    port: int = 0
    events: list[RequestEvent] = field(default_factory=list)

    def rows(self) -> list[RequestEvent]:
        """What was recorded so far, and nothing twice."""
        self.pool.flush()
        rows, self.events[:] = self.events[:], []
        return rows

    def row(self) -> RequestEvent:
        """The only row since the last one asked for."""
        rows = self.rows()
        assert len(rows) == 1, rows
        return rows[0]

    @property
    def waiting_bytes(self) -> int:
        """What waits in the proxy's memory for somebody to take it."""
        clients = sum(
            client.transport.get_write_buffer_size() + len(client.ahead) + client.held_size
            for client in self.listener.clients
        )
        return clients + sum(u.transport.get_write_buffer_size() for u in self.pool.connections)

    def is_at_rest(self) -> bool:
        """Whether no exchange holds anything."""
        pool = self.pool
        return not (pool.exchanges or pool.streams or pool.waiting)


@contextlib.asynccontextmanager
async def proxying(
    upstream_port: int,
    limits: Limits | None = None,
    allowed_hosts: frozenset[str] = frozenset(),
    csp: CspRules | None = None,
    cors: Cors | None = None,
    *,
    traces: bool = False,
) -> AsyncIterator[Plane]:
    """The data plane with the proxy's own handler; at its end every exchange has ended."""
    events: list[RequestEvent] = []
    recording = Recording("weather", events.append, Ids(random.Random(7).getrandbits), csp=csp)
    handler = ProxyHandler(
        recording,
        Guard(allowed_hosts, loopback=True, cors=cors),
        SessionNames(b"k" * 32),
        f"127.0.0.1:{upstream_port}",
        (limits or Limits()).first_byte_seconds,
        traces=traces,
    )
    async with _open(handler, upstream_port, limits or Limits()) as plane:
        plane.events = events
        recording.active = lambda: [
            watch for c in plane.listener.clients if isinstance(watch := c.seen(), Exchange)
        ]
        yield plane


@contextlib.asynccontextmanager
async def relaying(
    upstream_port: int,
    limits: Limits | None = None,
    configure: Callable[[PlainHandler], None] = lambda _: None,
) -> AsyncIterator[Plane]:
    """The data plane with the tests' own handler, which passes everything on and remembers it."""
    handler = PlainHandler()
    configure(handler)
    async with _open(handler, upstream_port, limits or Limits()) as plane:
        yield plane


@contextlib.asynccontextmanager
async def _open(
    handler: ProxyHandler | PlainHandler, upstream_port: int, limits: Limits
) -> AsyncIterator[Plane]:
    loop = asyncio.get_running_loop()
    pool = Pool(Address("127.0.0.1", upstream_port), limits, handler, loop)
    handler.pool = pool
    plane = Plane(Listener(handler, pool, limits, loop), pool, handler)
    plane.port = await plane.listener.start("127.0.0.1", 0)
    hurry = asyncio.Event()
    try:
        yield plane
    finally:
        hurry.set()
        await plane.listener.drain(0.0, hurry)
        await pool.close()
        assert plane.is_at_rest(), pool
