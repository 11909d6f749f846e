"""The companion process: reads frames, feeds the sinks, says what became of every event.

It lives as long as its end of the socket: it ends after FIN, or when the data-plane process is
gone, and writes what it has in either case. Signals that end the proxy are not meant for it.
"""

import asyncio
import logging
import secrets
import signal
import socket
import sys
import time
from collections.abc import Callable
from typing import cast

import msgspec

from mcpr import sinks
from mcpr.errors import McprError
from mcpr.events import Ids, RequestEvent
from mcpr.proxy import frames, upkeep
from mcpr.proxy.digests import Complete, Digested, Digests
from mcpr.proxy.frames import (
    Ack,
    AdminBind,
    Assignment,
    Config,
    Failed,
    Fin,
    FrameError,
    FrameReader,
    Kind,
    Losses,
    Pinned,
    PlaneState,
    Ready,
)
from mcpr.proxy.schema_watch import SchemaWatch
from mcpr.proxy.status import Heard, Status, status_of
from mcpr.serving import Address, HttpServer, bind, bound
from mcpr.sinks.prometheus import PrometheusSink
from mcpr.sinks.stderr import StderrSink

# How long the rest may take when nobody is left who could say it.
ORPHAN_SECONDS = 10.0
# How soon an approval takes effect.
_REFRESH_SECONDS = 1.0
# How long the data plane may take to read FINAL.
_LAST_WORDS_SECONDS = 2.0
# Above this the data plane does not read; the next ACK says all that this one would.
_ACK_WAITING_BYTES = 65_536

_log = logging.getLogger(__name__)


class Companion(asyncio.Protocol):
    """One companion's life, on the running loop.

    complete: makes the events of a digest frame. watch: keeps what servers offer, if anybody does.
    ended: done when everything is written and said.
    """

    def __init__(self, complete: Complete, watch: SchemaWatch | None = None) -> None:
        self._loop = asyncio.get_running_loop()
        self.ended: asyncio.Future[None] = self._loop.create_future()
        self._reader = FrameReader()
        self._transport: asyncio.Transport | None = None
        self._assignment: Assignment | None = None
        self._losses = Losses({})
        self._heard = Heard()
        self._config = ""
        self._totals: PrometheusSink | None = None
        self._lines: StderrSink | None = None
        self._bus = sinks.Bus([], self._on_settled)
        self._watch = watch
        self._digests = Digests(complete, self._on_digested)
        self._digests_taken = 0
        self._digests_done = 0
        self._digested = 0
        self._is_ack_due = False
        self._is_ending = False
        # None until READY; FINAL only when it was asked for: without, another one has to follow.
        self._last_words: Kind | None = None
        self._gone: asyncio.Future[None] = self._loop.create_future()
        self._pages: HttpServer | None = None
        self._refresher: asyncio.Task[None] | None = None
        self._upkeep: upkeep.Upkeep | None = None
        # The work that was begun by a frame: opening, then ending.
        self._work: asyncio.Task[None] | None = None

    # -- the socket ---------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Obey frames."""
        if self._is_ending:
            return
        try:
            for kind, body in self._reader.feed(data):
                self._on_frame(kind, body)
        except FrameError as error:
            _log.error(
                "cannot read the events of the proxy: %s, a mistake in mcpr. "
                "Please report this line.",
                error,
            )
            self._end(_LAST_WORDS_SECONDS)

    def connection_lost(self, error: Exception | None) -> None:
        """The data-plane process is gone, or has heard FINAL."""
        self._transport = None
        self._gone.set_result(None)
        self._end(ORPHAN_SECONDS)

    def _on_frame(self, kind: int, body: bytes) -> None:
        if kind == Kind.EVENTS:
            self._bus.publish(frames.unpack_events(body))
        elif kind == Kind.DIGEST:
            self._on_digest(body)
        elif kind == Kind.LOSSES:
            self._losses = frames.unpack(body, Losses)
        elif kind == Kind.STATE:
            self._hear(frames.unpack(body, PlaneState))
        elif kind == Kind.REOPEN:
            self._bus.reopen()
        elif kind == Kind.CONFIG:
            self._config = frames.unpack(body, Config).text
        elif kind == Kind.START and self._work is None:
            self._work = self._loop.create_task(self._open(frames.unpack(body, Assignment)))
        elif kind == Kind.FIN:
            self._last_words = Kind.FINAL
            self._end(frames.unpack(body, Fin).seconds)
        else:
            raise FrameError(f"kind {kind}")

    def _hear(self, state: PlaneState) -> None:
        self._heard = Heard(state, time.monotonic())
        if self._lines is not None and state.log is not None:
            self._lines.show_as(state.log)

    def _say(self, kind: Kind, message: Ready | Failed | Ack | Pinned) -> None:
        if self._transport is not None:
            self._transport.write(frames.pack(kind, message))

    # -- beginning ----------------------------------------------------------------------------

    async def _open(self, assignment: Assignment) -> None:
        """Open the sinks, take the admin port, say READY or FAILED."""
        self._assignment = assignment
        self._config = assignment.config
        self._losses = assignment.losses
        try:
            made = [sinks.make(name, target) for name, target in assignment.sinks]
            self._lines = next((sink for sink in made if isinstance(sink, StderrSink)), None)
            self._totals = next((sink for sink in made if isinstance(sink, PrometheusSink)), None)
            if self._totals is not None and self._watch is not None:
                self._totals.names = self._watch.names
            self._bus = sinks.Bus(made, self._on_settled)
            self._bus.start()
            for lane in self._bus.lanes:
                await asyncio.wrap_future(lane.opened)
            if self._watch is not None:
                self._watch.pinned = self._on_pinned
                await asyncio.to_thread(self._watch.open, assignment)
            listener = None if assignment.admin is None else _bind(assignment.admin)
        except McprError as error:
            self._say(Kind.FAILED, Failed.of(error))
            self._end(0.0)
            return
        except Exception as error:  # noqa: BLE001 - the rescue: else nobody would ever hear of it
            _log.exception("the companion process cannot begin")
            self._say(
                Kind.FAILED,
                Failed(
                    "cannot begin to record",
                    f"{type(error).__name__}, a mistake in mcpr",
                    "report what stands above this line",
                ),
            )
            self._end(0.0)
            return
        self._last_words = Kind.ACK
        if self._watch is not None and assignment.pin is not None:
            self._refresher = self._loop.create_task(self._refresh(self._watch))
        self._upkeep = upkeep.begin(assignment)
        address = None if listener is None else bound(listener)
        self._say(Kind.READY, Ready(None if address is None else (address.host, address.port)))
        if listener is not None:
            # After READY: the port is taken and visitors wait in its queue while the framework
            # is imported, and the proxy does not. From the loop, so that it says what goes wrong
            # and recording goes on.
            self._loop.call_soon(self._show_pages, listener)

    def _show_pages(self, listener: socket.socket) -> None:
        from mcpr.proxy import admin  # noqa: PLC0415
        from mcpr.proxy.admin_console import LazyConsole  # noqa: PLC0415
        from mcpr.proxy.admin_guard import Access  # noqa: PLC0415

        totals = None if self._totals is None else self._totals.snapshot
        bind = None if self._assignment is None else self._assignment.admin
        assert bind is not None, "there is a listener"
        is_open = not Address(bind.host, bind.port).is_loopback
        access = Access(bind.token_hash, bind.names, is_open=is_open)
        console = None
        store = None if self._assignment is None else dict(self._assignment.sinks).get("sqlite")
        if store is not None:
            console = LazyConsole(store, self.status, lambda: self._config)
        pages = admin.pages(self.status, totals, lambda: self._config, access, console)
        self._pages = HttpServer(pages, listener)
        self._pages.start()

    def _on_pinned(self, allowed: list[str] | None) -> None:
        # In any thread.
        self._loop.call_soon_threadsafe(self._say, Kind.PINNED, Pinned(allowed))

    async def _refresh(self, watch: SchemaWatch) -> None:
        """Approvals are made by other processes."""
        while not self._is_ending:
            await asyncio.sleep(_REFRESH_SECONDS)
            await asyncio.to_thread(watch.refresh)

    # -- events -------------------------------------------------------------------------------

    def _on_digest(self, body: bytes) -> None:
        self._digests_taken += 1
        if not self._digests.offer(body):
            self._count_digest(1)
            self._bus.refuse(1, "digest_full")

    def _on_digested(self, result: Digested) -> None:
        # In the digest thread; the books are kept on the loop.
        self._loop.call_soon_threadsafe(self._publish_digested, result)

    def _publish_digested(self, result: Digested) -> None:
        if self._digests_done == self._digests_taken:
            # The drain's time is over, and this one is in the books as dropped.
            return
        if result.events is None:
            _log.error(
                "cannot digest a large body: %s, a mistake in mcpr. Please report this line.",
                result.problem,
            )
            self._count_digest(1)
            self._bus.refuse(1, "digest_failed")
        else:
            # Before publishing: an ACK must never settle more than it says there is.
            self._count_digest(len(result.events))
            self._bus.publish(result.events)

    def _count_digest(self, events: int) -> None:
        self._digests_done += 1
        self._digested += events

    def _on_settled(self) -> None:
        # In any thread.
        self._loop.call_soon_threadsafe(self._ack_soon)

    def _ack_soon(self) -> None:
        if not self._is_ack_due:
            self._is_ack_due = True
            self._loop.call_soon(self._ack)

    def _ack(self) -> None:
        self._is_ack_due = False
        transport = self._transport
        if transport is None or transport.is_closing():
            return
        if transport.get_write_buffer_size() > _ACK_WAITING_BYTES:
            self._is_ack_due = True
            self._loop.call_later(0.1, self._ack)
            return
        self._say(Kind.ACK, self._settled())

    def _settled(self) -> Ack:
        tallies = [lane.books()[1] for lane in self._bus.lanes]
        return Ack(self._digests_done, self._digested, tallies)

    def status(self) -> Status:
        """How it stands, for the admin pages."""
        assert self._assignment is not None, "the pages come after START"
        status = status_of(
            self._assignment,
            self._losses,
            self._bus.lanes,
            self._heard,
            is_ending=self._is_ending,
        )
        if self._watch is None:
            return status
        return msgspec.structs.replace(status, schema=self._watch.state())

    # -- ending -------------------------------------------------------------------------------

    def _end(self, seconds: float) -> None:
        if self._is_ending:
            return
        self._is_ending = True
        opening = self._work
        self._work = self._loop.create_task(self._finish(opening, seconds))

    async def _finish(self, opening: asyncio.Task[None] | None, seconds: float) -> None:
        """Write what there is, say FINAL, and let go."""
        deadline = time.monotonic() + seconds
        try:
            if opening is not None and not opening.done():
                opening.cancel()
            if self._refresher is not None:
                self._refresher.cancel()
            if self._upkeep is not None:
                await asyncio.to_thread(self._upkeep.stop)
            # Half of the time at most: what is in the lanes has to be written too.
            await asyncio.to_thread(self._digests.drain, seconds / 2)
            if self._watch is not None:
                self._watch.close()
            # What is not digested now never will be.
            late = self._digests_taken - self._digests_done
            self._digests_done += late
            self._digested += late
            self._bus.refuse(late, "deadline")
            await asyncio.to_thread(self._bus.drain, max(0.0, deadline - time.monotonic()))
            if self._last_words is not None:
                self._say(self._last_words, self._settled())
            if self._transport is not None:
                self._transport.close()
                # Closing waits until the last words are out.
                await asyncio.wait({self._gone}, timeout=_LAST_WORDS_SECONDS)
        finally:
            self.ended.set_result(None)


async def live(end: socket.socket, complete: Complete, watch: SchemaWatch | None = None) -> None:
    """Be a companion on one end of a socket pair, until it is over."""
    end.setblocking(False)  # noqa: FBT003 - the standard library's signature
    loop = asyncio.get_running_loop()
    _, companion = await loop.create_unix_connection(lambda: Companion(complete, watch), sock=end)
    await companion.ended


def complete_digest(watch: SchemaWatch) -> Complete:
    """What makes the events of a digest frame; imported when the first one comes."""
    ids = watch.ids

    def complete(frame: bytes) -> list[RequestEvent]:
        from mcpr.pipeline import digest  # noqa: PLC0415

        completed = digest.read(frame, ids)
        if completed.passing is not None:
            watch.look(completed.passing)
        return completed.rows

    return complete


def main(complete: Complete | None = None) -> None:
    """Run with the number of an inherited socket as the last argument."""
    # The terminal's Ctrl-C and a service manager's SIGTERM reach every process; this one has to
    # outlive the data plane by as long as it takes to write the last events.
    # SIGUSR1 comes by way of the data plane, too.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1):
        signal.signal(number, signal.SIG_IGN)
    logging.basicConfig(level=logging.WARNING, format="mcpr: %(message)s", stream=sys.stderr)
    end = socket.socket(fileno=int(sys.argv[-1]))
    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        if complete is None:
            watch = SchemaWatch(Ids(secrets.randbits))
            runner.run(live(end, complete_digest(watch), watch))
        else:
            runner.run(live(end, complete))


def _bind(wanted: AdminBind) -> socket.socket:
    try:
        return bind(Address(wanted.host, wanted.port), wanted.tries)
    except McprError as error:
        raise McprError(
            "cannot open the admin pages",
            f"{error.what}: {error.why}",
            "name another address with --admin, or use --admin off",
            error.code,
        ) from error


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop]:
    try:
        import uvloop  # noqa: PLC0415
    except ImportError:
        return asyncio.new_event_loop
    return uvloop.new_event_loop


if __name__ == "__main__":
    main()
