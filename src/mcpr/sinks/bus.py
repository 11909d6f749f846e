"""All lanes together: one publish, one drain, one set of books per sink."""

import time
from collections.abc import Callable, Sequence

from mcpr.events import Batch, RequestEvent
from mcpr.sinks.counts import Counts, Reason
from mcpr.sinks.lane import Lane
from mcpr.sinks.sink import Sink

# About 16 MB of events in one lane: a full second of a loaded proxy, minutes of a quiet one.
LANE_EVENTS = 20_000


class Bus:
    """Gives every event to every sink, each through its own lane.

    settled: called, in any thread, whenever a tally has grown; must not block.
    """

    def __init__(
        self,
        sinks: Sequence[Sink],
        settled: Callable[[], None],
        lane_events: int = LANE_EVENTS,
    ) -> None:
        self.lanes = tuple(Lane(sink, lane_events, settled) for sink in sinks)

    def start(self) -> None:
        """Start all lanes; each lane's `opened` tells whether its sink could be opened."""
        for lane in self.lanes:
            lane.start()

    def publish(self, batch: Sequence[RequestEvent]) -> None:
        """Offer the batch to every lane. Never blocks on a sink."""
        batch = Batch.of(batch)
        for lane in self.lanes:
            lane.offer(batch)

    def refuse(self, events: int, reason: Reason) -> None:
        """Count events that exist but cannot be had, for every sink."""
        for lane in self.lanes:
            lane.refuse(events, reason)

    def reopen(self) -> None:
        """Have every sink open anew what it writes, soon, each in its own thread."""
        for lane in self.lanes:
            lane.reopen()

    def drain(self, seconds: float) -> None:
        """Let every lane finish, at most `seconds` in all; what is left then is dropped.

        Blocks. Afterwards the books of every lane are closed. All lanes drain side by side.
        """
        deadline = time.monotonic() + seconds
        for lane in self.lanes:
            lane.close()
        for lane in self.lanes:
            if not lane.join(max(0.0, deadline - time.monotonic())):
                lane.abandon()

    def counts(self) -> dict[str, Counts]:
        """The books of every sink."""
        return {lane.name: _counts(lane) for lane in self.lanes}


def _counts(lane: Lane) -> Counts:
    published, tally = lane.books()
    return tally.counts(published)
