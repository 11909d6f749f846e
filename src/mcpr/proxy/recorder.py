"""The data-plane process's side of recording: events in, frames out, nothing ever waits.

Rules of this file: `publish` is one append; everything that costs is done once per batch. What the
companion cannot take is dropped and counted, never held beyond a bound. The companion is a process
that may die at any moment; the books stay right (`ledger.py`).
"""

import asyncio
import contextlib
import logging
from typing import Any, Final

import msgspec

from mcpr.errors import McprError
from mcpr.events import Batch, RequestEvent
from mcpr.proxy import frames
from mcpr.proxy.frames import Ack, Assignment, Config, Failed, Fin, Kind, Ready
from mcpr.proxy.ledger import Ledger
from mcpr.proxy.link import CompanionProcess, Link, spawn
from mcpr.proxy.pending import Pending, ToBatch
from mcpr.proxy.recorder_settings import RecorderSettings, Started
from mcpr.serving.address import Address
from mcpr.sinks.counts import Counts, Reason

_FIRST_DELAY_SECONDS: Final = 0.1
_LONGEST_DELAY_SECONDS: Final = 10.0
# A companion that lived this long was well; its end is not the same trouble as the one before.
_WELL_SECONDS: Final = 10.0
# How long it may take to see the end of a companion that was killed.
_KILLED_SECONDS: Final = 3.0
# What the companion gets of a drain's time: the rest is for its last words to arrive.
_DRAIN_SHARE: Final = 0.9

_log = logging.getLogger(__name__)

__all__ = ["Recorder", "RecorderSettings", "Started"]


class Recorder:
    """Takes events on the running loop and hands them to a companion process that it keeps alive.

    Made, and used, inside that loop. `start` once, then `publish` and `digest` at any time,
    `drain` once at the end.
    """

    def __init__(self, settings: RecorderSettings) -> None:
        self._settings = settings
        self._ledger = Ledger([name for name, _ in settings.sinks])
        self._loop = asyncio.get_running_loop()
        self._pipe_bytes = min(settings.pipe_bytes, frames.LARGEST_BODY)
        self._pending = Pending()
        self._is_armed = False
        self._flush_events = settings.flush_events
        self._flush_seconds = settings.flush_seconds
        self._away_events = settings.away_events
        # Set from READY to the companion's end; events are written only then.
        self._link: Link | None = None
        self._companion: CompanionProcess | None = None
        self._admin = settings.admin
        self._restarts = 0
        self._config = settings.config
        self._told_losses = 0
        self._is_final = False
        self._started: asyncio.Future[Started] = self._loop.create_future()
        self._draining = asyncio.Event()
        self._drain_until = 0.0
        self._first_words: asyncio.Future[Ready | Failed] = self._loop.create_future()
        self._keeper: asyncio.Task[None] | None = None

    def __repr__(self) -> str:
        where = "up" if self._link is not None else "away"
        return f"<Recorder companion={where} {self.counts()}>"

    @property
    def companion_pid(self) -> int | None:
        """Process id of the companion; None while there is none."""
        return None if self._companion is None else self._companion.pid

    async def start(self) -> Started:
        """Start the companion and wait until its sinks are open.

        Raises McprError when the store cannot be opened, the admin address is taken, or the
        companion does not get ready; nothing is left running then.
        """
        self._keeper = self._loop.create_task(self._keep())
        begun: set[asyncio.Future[Any]] = {self._started, self._keeper}
        await asyncio.wait(begun, return_when=asyncio.FIRST_COMPLETED)
        if not self._started.done():
            # Only a mistake of ours ends the keeper first; here it is raised.
            self._keeper.result()
        return self._started.result()

    def publish(self, event: RequestEvent) -> None:
        """Record an event. Never blocks, never raises."""
        pending = self._pending
        if pending.rows:
            self.publish_all([event])
            return
        pending.single.append(event)
        if not self._is_armed or len(pending.single) >= self._flush_events:
            self._flush_soon()

    def publish_all(self, events: list[RequestEvent]) -> None:
        """Record events, in order."""
        if events:
            self._pending.add(events)
            self._flush_soon()

    def publish_rows(self, rows: list[Any], to_batch: ToBatch) -> None:
        """Record rows of which `to_batch` makes a batch, later; the cheapest way.

        It is called once for all that has come by then, and must be the same object every time.
        """
        self._pending.add_rows(rows, to_batch)
        self._flush_soon()

    def digest(self, body: bytes) -> bool:
        """Hand on what is too large to decode in this process (see `pipeline/digest`).

        Counts as one published event, until the companion knows how many are in it. False when
        there is nobody to take it, or no room: then nothing is counted, and it is for the caller
        to publish what is known without it.
        """
        link = self._link
        if link is None or link.waiting_bytes + len(body) > self._pipe_bytes:
            return False
        self._ledger.send_digest()
        link.write(frames.frame(Kind.DIGEST, body))
        return True

    def tell(self, kind: Kind, message: msgspec.Struct) -> None:
        """Tell the companion something that is no event; lost where it cannot be told now."""
        link = self._link
        if link is not None and (kind == Kind.REOPEN or link.waiting_bytes < self._pipe_bytes):
            link.write(frames.pack(kind, message))

    def look(self, body: bytes) -> None:
        """Hand on what shows what a server offers; lost, it counts as one event, dropped."""
        if not self.digest(body):
            self._ledger.lose(1, self._absence if self._link is None else "pipe_full")

    def configure(self, config: str) -> None:
        """The settings have changed; config: as people may see them."""
        self._config = config
        self.tell(Kind.CONFIG, Config(config))

    def counts(self) -> Counts:
        """The books of the first sink as of now."""
        return self.counts_by_sink()[self._ledger.sinks[0]]

    def counts_by_sink(self) -> dict[str, Counts]:
        """The books of every sink as of now."""
        waiting = len(self._pending)
        return {
            name: Counts(
                counts.published + waiting, counts.written, counts.rejected, counts.dropped
            )
            for name, counts in self._ledger.counts().items()
        }

    async def drain(self, deadline_seconds: float) -> Counts:
        """Send what is left, let the companion finish, end it. Returns the final books.

        Takes at most `deadline_seconds`; then the companion is killed and what it did not
        acknowledge is dropped. Events published from now on are dropped.
        """
        assert self._keeper is not None, "start() comes first"
        self._drain_until = self._loop.time() + deadline_seconds
        self._draining.set()
        if self._link is not None:
            self._finish(self._link)
        await asyncio.wait({self._keeper}, timeout=deadline_seconds)
        if not self._keeper.done():
            if self._companion is not None:
                self._companion.kill()
            # Its end sets the keeper free.
            await asyncio.wait({self._keeper}, timeout=_KILLED_SECONDS)
            self._keeper.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._keeper
        self._ledger.end_companion()
        self._away_events = 0
        self._flush()
        return self.counts()

    @property
    def _absence(self) -> Reason:
        """Why there is nobody to send to."""
        return "closing" if self._draining.is_set() else "companion_away"

    def _flush_soon(self) -> None:
        if not self._is_armed:
            self._is_armed = True
            self._loop.call_later(self._flush_seconds, self._on_timer)
        if len(self._pending) >= self._flush_events:
            self._flush()

    def _on_timer(self) -> None:
        self._is_armed = False
        if self._pending:
            self._flush()

    def _flush(self) -> None:
        """Send everything pending, or drop what cannot be kept."""
        link = self._link
        if link is None:
            excess = len(self._pending) - self._away_events
            if excess > 0:
                self._pending.drop_newest(excess)
                self._ledger.lose(excess, self._absence)
            return
        pending = self._pending.take()
        try:
            data = frames.pack_events(pending)
        except (ValueError, OverflowError, TypeError):
            packable = frames.packable(pending)
            self._ledger.lose(len(pending) - len(packable), "internal")
            pending = Batch.of(packable)
            data = frames.pack_events(pending)
        if link.waiting_bytes + len(data) > self._pipe_bytes:
            self._ledger.lose(len(pending), "pipe_full")
            return
        self._tell_losses(link)
        self._ledger.send(len(pending))
        link.write(data)

    def _tell_losses(self, link: Link) -> None:
        losses = self._ledger.losses()
        total = sum(losses.dropped.values())
        if total != self._told_losses:
            self._told_losses = total
            link.write(frames.pack(Kind.LOSSES, losses))

    def _finish(self, link: Link) -> None:
        """Say that nothing follows."""
        if self._pending:
            self._flush()
        self._tell_losses(link)
        remaining = max(0.0, self._drain_until - self._loop.time())
        link.write(frames.pack(Kind.FIN, Fin(remaining * _DRAIN_SHARE)))
        # From here on events have nowhere to go.
        self._link = None
        self._away_events = 0

    async def _keep(self) -> None:
        """Keep a companion alive until the drain is over."""
        delay = _FIRST_DELAY_SECONDS
        while True:
            began = self._loop.time()
            ended = await self._one_life()
            lost = self._ledger.end_companion()
            if not self._started.done():
                self._started.set_exception(ended)
                return
            if self._is_final:
                return
            if self._draining.is_set():
                _log.error("%s (%d events were lost)", ended, lost)
                return
            if self._loop.time() - began > _WELL_SECONDS:
                delay = _FIRST_DELAY_SECONDS
            _log.error(
                "%s (%d events were lost; the next one starts in %.1f s)", ended, lost, delay
            )
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(delay):
                    await self._draining.wait()
            # A drain meanwhile has one more companion write what was kept for it.
            if self._draining.is_set() and not self._pending:
                return
            delay = min(delay * 2, _LONGEST_DELAY_SECONDS)
            self._restarts += 1

    async def _one_life(self) -> McprError:
        """Start a companion, serve it until its end; why it ended."""
        self._first_words = self._loop.create_future()
        try:
            companion = await spawn(
                self._settings.command, self._on_frame, keeps_stdout=self._settings.keeps_stdout
            )
        except OSError as error:
            return self._error(f"it could not be started: {error.strerror}")
        self._companion = companion
        try:
            problem = await self._serve(companion)
        except asyncio.CancelledError:
            companion.kill()
            raise
        finally:
            self._link = None
            how = await companion.end()
            self._companion = None
        return problem or self._error(how)

    async def _serve(self, companion: CompanionProcess) -> McprError | None:
        link = companion.link
        self._told_losses = sum(self._ledger.losses().dropped.values())
        link.write(frames.pack(Kind.START, self._assignment()))
        begun: set[asyncio.Future[Any]] = {self._first_words, link.closed}
        seconds = self._settings.start_seconds
        done, _ = await asyncio.wait(begun, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        if not done:
            companion.kill()
            return self._error(f"it was not ready in {seconds:.0f} s")
        if not self._first_words.done():
            return None
        words = self._first_words.result()
        if isinstance(words, Failed):
            return words.error()
        self._on_ready(link, words)
        await link.closed
        return None

    def _assignment(self) -> Assignment:
        return Assignment(
            list(self._settings.sinks),
            self._admin,
            self._ledger.carried(),
            self._ledger.losses(),
            self._restarts,
            self._settings.has_plane,
            self._config,
            self._settings.pin,
            self._settings.keep,
        )

    def _on_ready(self, link: Link, ready: Ready) -> None:
        url = None
        if ready.admin is not None and self._admin is not None:
            address = Address(*ready.admin)
            url = address.url
            if address.port != self._admin.port and self._started.done():
                _log.warning("the admin pages moved to %s", url)
            # The next companion takes the same port; its URL was told to people.
            self._admin = msgspec.structs.replace(
                self._admin, host=address.host, port=address.port, tries=100
            )
        self._link = link
        if self._pending:
            self._flush()
        if self._draining.is_set():
            self._finish(link)
        if not self._started.done():
            self._started.set_result(Started(url))

    def _on_frame(self, kind: int, body: bytes) -> None:
        if kind in (Kind.ACK, Kind.FINAL):
            self._ledger.acknowledge(frames.unpack(body, Ack))
            self._is_final = self._is_final or kind == Kind.FINAL
            if self._link is not None:
                self._tell_losses(self._link)
        elif kind == Kind.PINNED and self._settings.pinned is not None:
            self._settings.pinned(frames.unpack(body, frames.Pinned).allowed)
        elif self._first_words.done():
            raise frames.FrameError(f"kind {kind}")
        elif kind == Kind.READY:
            self._first_words.set_result(frames.unpack(body, Ready))
        elif kind == Kind.FAILED:
            self._first_words.set_result(frames.unpack(body, Failed))

    def _error(self, why: str) -> McprError:
        if not self._started.done():
            return McprError(
                "cannot start the process that writes the record",
                why,
                "see what it said above this line, and report it if it is a mistake of mcpr",
                "recorder.start",
            )
        return McprError(
            "the process that writes the record has ended",
            why,
            "calls go on without it; if this line comes back, please report it",
            "recorder.ended",
        )
