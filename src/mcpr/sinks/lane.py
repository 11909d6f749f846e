"""One sink's bounded queue and its worker thread.

Rules of this file: whoever offers events never waits; every event is settled exactly once, under
the lock; after `abandon` the books are closed and a late answer of the sink changes nothing.
"""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future

from mcpr.errors import McprError
from mcpr.events import Batch, RequestEvent
from mcpr.sinks.counts import Reason, Tally
from mcpr.sinks.sink import Reopening, Sink

_FIRST_DELAY_SECONDS = 0.05
_LONGEST_DELAY_SECONDS = 1.0

_log = logging.getLogger(__name__)


class Lane:
    """Hands events to `sink`, in order, from a thread of its own.

    limit_events: the most events that may wait; newer ones are dropped as `lane_full`.
    settled: called, in any thread, whenever the tally has grown; must not block.
    """

    def __init__(self, sink: Sink, limit_events: int, settled: Callable[[], None]) -> None:
        self.name = sink.name
        self.opened: Future[None] = Future()
        self._sink = sink
        self._limit_events = limit_events
        self._settled = settled
        self._changed = threading.Condition()
        self._queue: deque[Batch] = deque()
        self._queued = 0
        self._published = 0
        self._taken = 0
        self._tally = Tally()
        self._trouble: McprError | None = None
        self._is_asleep = False
        self._is_closing = False
        self._is_reopening = False
        self._is_abandoned = False
        self._was_reported = False
        self._ended = threading.Event()
        # A daemon: a sink that hangs must not keep the process alive after the deadline.
        self._thread = threading.Thread(target=self._run, name=f"sink {sink.name}", daemon=True)

    def __repr__(self) -> str:
        return f"<Lane {self.name} {self._tally.counts(self._published)} queued={self._queued}>"

    def start(self) -> None:
        """Open the sink in the lane's thread; `opened` tells how that went."""
        self._thread.start()

    def offer(self, batch: Sequence[RequestEvent]) -> None:
        """Queue the batch, or as much of it as there is room for."""
        batch = Batch.of(batch)
        if not batch:
            return
        with self._changed:
            self._published += len(batch)
            if self._is_closing:
                self._tally.drop(len(batch), "deadline")
                self._settled()
                return
            room = self._limit_events - self._queued
            if len(batch) > room:
                self._tally.drop(len(batch) - room, "lane_full")
                self._settled()
                batch = batch[:room]
            if batch:
                self._queue.append(batch)
                self._queued += len(batch)
            # A worker that waits for a fuller batch is left alone until there is one.
            if self._is_asleep or self._queued >= self._sink.batch_events:
                self._changed.notify()

    def refuse(self, events: int, reason: Reason) -> None:
        """Count events that exist but can never be offered."""
        with self._changed:
            self._published += events
            self._tally.drop(events, reason)
            self._settled()

    def books(self) -> tuple[int, Tally]:
        """How many events came in, and what became of them so far."""
        with self._changed:
            return self._published, self._tally.copy()

    def reopen(self) -> None:
        """Have the sink open its file anew, if it has one, before it writes anything more."""
        with self._changed:
            self._is_reopening = True
            self._changed.notify()

    @property
    def trouble(self) -> McprError | None:
        """Why the sink takes nothing at present; None when it does."""
        return self._trouble

    def close(self) -> None:
        """Let the worker finish what is queued and end."""
        with self._changed:
            self._is_closing = True
            self._changed.notify()

    def join(self, seconds: float) -> bool:
        """Wait for the worker's end; False when it did not come in time."""
        return self._ended.wait(seconds)

    def abandon(self) -> None:
        """Close the books: whatever is not settled is dropped."""
        with self._changed:
            self._tally.drop(self._queued + self._taken, "deadline")
            self._queue.clear()
            self._queued = 0
            self._taken = 0
            self._is_closing = True
            self._is_abandoned = True
            self._changed.notify()

    def _run(self) -> None:
        # From here on nobody who waits for it can cancel it.
        self.opened.set_running_or_notify_cancel()
        try:
            self._sink.open()
        except BaseException as error:  # noqa: BLE001 - handed to whoever waits for `opened`
            self.abandon()
            self._ended.set()
            self.opened.set_exception(error)
            return
        self.opened.set_result(None)
        while True:
            batch = self._take()
            if batch:
                self._write(batch)
            elif self._is_reopening:
                self._reopen()
            else:
                break
        try:
            self._sink.close()
        except Exception as error:  # noqa: BLE001 - everything is settled; only say it
            self._report_bug(error)
        self._ended.set()

    def _take(self) -> Batch:
        """The next batch; empty when the lane is to end, or the sink's file to be opened anew."""
        most = self._sink.batch_events
        with self._changed:
            while not self._queue and not self._is_closing and not self._is_reopening:
                self._is_asleep = True
                self._changed.wait()
            self._is_asleep = False
            fill_until = time.monotonic() + self._sink.linger_seconds
            while 0 < self._queued < most and not self._is_closing and not self._is_reopening:
                remaining = fill_until - time.monotonic()
                if remaining <= 0 or not self._changed.wait(remaining):
                    break
            parts = self._first(most)
        return Batch.joined(parts)

    def _first(self, most: int) -> list[Batch]:
        """Take the first `most` events, or all there are, out of the queue."""
        queue = self._queue
        parts: list[Batch] = []
        room = most
        while queue and room:
            part = queue.popleft()
            if len(part) > room:
                queue.appendleft(part[room:])
                part = part[:room]
            parts.append(part)
            room -= len(part)
        self._taken = most - room
        self._queued -= self._taken
        return parts

    def _write(self, batch: Batch) -> None:
        give_up_at = time.monotonic() + self._sink.retry_seconds
        delay = _FIRST_DELAY_SECONDS
        while True:
            if self._is_reopening:
                self._reopen()
            try:
                written = self._sink.write(batch)
            except McprError as error:
                # On the way out a sink that failed before is not given its patience again.
                is_over = (self._is_closing and self._trouble is not None) or (
                    time.monotonic() + delay > give_up_at
                )
                self._trouble = error
                if is_over:
                    self._report_loss(error, len(batch))
                    self._settle(Tally(dropped={"sink_failed": len(batch)}))
                    return
            except Exception as error:  # noqa: BLE001 - one bad batch must not end the lane
                self._report_bug(error)
                self._settle(Tally(dropped={"internal": len(batch)}))
                return
            else:
                self._report_recovery()
                self._settle(Tally(written, len(batch) - written))
                return
            if not self._pause(delay):
                return
            delay = min(delay * 2, _LONGEST_DELAY_SECONDS)

    def _pause(self, seconds: float) -> bool:
        """Wait; False when the lane was abandoned."""
        until = time.monotonic() + seconds
        with self._changed:
            while not self._is_abandoned:
                remaining = until - time.monotonic()
                if remaining <= 0:
                    return True
                was_closing = self._is_closing
                self._changed.wait(remaining)
                if self._is_reopening or (self._is_closing and not was_closing):
                    # There is somewhere else to write to; or the drain's time runs: try at once.
                    return True
            return False

    def _reopen(self) -> None:
        with self._changed:
            self._is_reopening = False
        if not isinstance(self._sink, Reopening):
            return
        try:
            self._sink.reopen()
        except McprError as error:
            _log.error("%s (it goes on where it was)", error)

    def _settle(self, tally: Tally) -> None:
        with self._changed:
            if self._is_abandoned:
                return
            self._taken = 0
            self._tally.add(tally)
            # Under the lock, so that nothing is called back after `abandon` returned.
            self._settled()

    def _report_loss(self, error: McprError, events: int) -> None:
        if self._was_reported:
            return
        self._was_reported = True
        _log.error(
            "%s (%d events were dropped; more may follow, the counts tell how many)", error, events
        )

    def _report_recovery(self) -> None:
        self._trouble = None
        if self._was_reported:
            self._was_reported = False
            dropped = self._tally.dropped.get("sink_failed", 0)
            _log.warning("the sink %s takes events again; %d were dropped", self.name, dropped)

    def _report_bug(self, error: Exception) -> None:
        # The place, not the text: the text of a foreign exception may repeat a recorded value.
        trace = error.__traceback__
        while trace is not None and trace.tb_next is not None:
            trace = trace.tb_next
        place = f"{trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}" if trace else "nowhere"
        _log.error(
            "the sink %s failed: %s at %s, a mistake in mcpr. Please report this line.",
            self.name,
            type(error).__name__,
            place,
        )
