"""Events that wait to be sent, in order, however they came: one by one, as rows, by column."""

from collections.abc import Callable
from typing import Any

from mcpr.events import Batch, RequestEvent

#: Makes a batch of rows; see `pipeline/common`.
ToBatch = Callable[[list[Any]], Batch]


class Pending:
    """A queue of events that is taken as a whole.

    single: the newest ones, where they came as events. Whoever appends to it while `rows` is empty
        saves a call.
    rows: the newest ones, where they came as rows. One of the two lists is always empty.
    """

    __slots__ = ("_batched", "_batches", "_to_batch", "rows", "single")

    def __init__(self) -> None:
        self.single: list[RequestEvent] = []
        self.rows: list[Any] = []
        self._to_batch: ToBatch | None = None
        self._batches: list[Batch] = []
        self._batched = 0

    def __len__(self) -> int:
        return self._batched + len(self.single) + len(self.rows)

    def __repr__(self) -> str:
        return f"<Pending {len(self)}>"

    def add(self, events: list[RequestEvent]) -> None:
        """Add events."""
        if self.rows:
            self._close()
        self.single += events

    def add_rows(self, rows: list[Any], to_batch: ToBatch) -> None:
        """Add rows, of which `to_batch` makes a batch when they are taken."""
        if self.single or to_batch is not self._to_batch:
            self._close()
            self._to_batch = to_batch
        self.rows += rows

    def take(self) -> Batch:
        """All of them; the queue is empty afterwards."""
        self._close()
        batch = Batch.joined(self._batches)
        self._batches = []
        self._batched = 0
        return batch

    def drop_newest(self, excess: int) -> None:
        """Forget that many; not more than there are."""
        # First: what a batch is made of must be whole.
        self._close()
        self._batched -= excess
        while excess:
            batch = self._batches.pop()
            if len(batch) > excess:
                self._batches.append(batch[: len(batch) - excess])
            excess -= min(excess, len(batch))

    def _close(self) -> None:
        """Make a batch of the newest ones."""
        if self.single:
            self._keep(Batch.of(self.single))
            self.single = []
        if self.rows and self._to_batch is not None:
            self._keep(self._to_batch(self.rows))
            self.rows = []

    def _keep(self, batch: Batch) -> None:
        self._batches.append(batch)
        self._batched += len(batch)
