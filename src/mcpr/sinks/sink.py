"""The contract of a sink."""

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

from mcpr.events import RequestEvent


class Sink(Protocol):
    """Takes batches of events. The lane owns buffering, order, retries and counting.

    Making one has no effect. `open`, `write` and `close` are all called in the lane's own thread,
    may block, and are never called at the same time.

    name: its key in `SINKS`; the label of its counts.
    batch_events: the most events `write` wants at once.
    linger_seconds: how long the lane waits for a batch to fill; 0 hands on what is there.
    retry_seconds: how long a batch is offered again after an error before it is dropped.
    """

    name: str
    batch_events: int
    linger_seconds: float
    retry_seconds: float

    def open(self) -> None:
        """Get ready. Raises McprError when that is not possible; nothing else is called then."""

    def write(self, batch: Sequence[RequestEvent]) -> int:
        """Keep the batch; return how many events were kept, the others count as rejected.

        Raises McprError when nothing of the batch was kept and it may be offered again.
        """

    def close(self) -> None:
        """Let go. Called once, after the last `write`, and only after a successful `open`."""


@runtime_checkable
class Reopening(Protocol):
    """What a sink has beyond that, if it writes a file that others rotate."""

    def reopen(self) -> None:
        """Open the file anew; in the lane's thread. Raises McprError, and goes on with the old."""
