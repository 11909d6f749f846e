"""Sinks for tests: real ones, in memory, that wait or fail when told to."""

import threading
from collections.abc import Callable, Sequence

from mcpr.errors import StoreError
from mcpr.events import RequestEvent

WAIT_SECONDS = 20.0


class Memory:
    """Keeps what it is given. `on_write` sees each batch first and may block, raise, or take less.

    written: the ids kept, in order; batches: how many came at once, each time.
    """

    def __init__(
        self,
        name: str = "memory",
        on_write: Callable[[Sequence[RequestEvent]], int | None] = lambda _batch: None,
        *,
        batch_events: int = 500,
        linger_seconds: float = 0.0,
        retry_seconds: float = 0.0,
    ) -> None:
        self.name = name
        self.batch_events = batch_events
        self.linger_seconds = linger_seconds
        self.retry_seconds = retry_seconds
        self.written: list[bytes] = []
        self.batches: list[int] = []
        self.is_open = False
        self._on_write = on_write

    def open(self) -> None:
        self.is_open = True

    def write(self, batch: Sequence[RequestEvent]) -> int:
        assert self.is_open
        self.batches.append(len(batch))
        kept = self._on_write(batch)
        if kept is None:
            kept = len(batch)
        self.written += [event.id for event in batch[:kept]]
        return kept

    def close(self) -> None:
        assert self.is_open
        self.is_open = False


class Gate:
    """Something to wait at: `entered` is set when somebody waits, `open` lets everybody through."""

    def __init__(self) -> None:
        self.entered = threading.Event()
        self.open = threading.Event()

    def __call__(self, batch: Sequence[RequestEvent]) -> None:
        self.entered.set()
        assert self.open.wait(WAIT_SECONDS)


class Progress:
    """Counts how often something was settled, and lets a test wait for it."""

    def __init__(self) -> None:
        self._changed = threading.Condition()

    def __call__(self) -> None:
        with self._changed:
            self._changed.notify_all()

    def until(self, condition: Callable[[], bool]) -> None:
        with self._changed:
            # Looked at again now and then: a sink's own state changes without a call.
            for _ in range(int(WAIT_SECONDS * 20)):
                if condition():
                    return
                self._changed.wait(0.05)
        raise AssertionError("it did not happen in time")


def fail(_batch: Sequence[RequestEvent]) -> None:
    """Refuse, as a store without a disk does."""
    raise StoreError("cannot write", "the disk is full", "free space")
