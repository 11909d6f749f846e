"""Large bodies, digested one after another in a thread of their own, off the reader's loop."""

import threading
from collections import deque
from collections.abc import Callable

import msgspec

from mcpr.events import RequestEvent

Complete = Callable[[bytes], list[RequestEvent]]

# Four bodies of the largest kind; more wait only when they are small.
WAITING_BYTES = 64 * 1024 * 1024


class Digested(msgspec.Struct, frozen=True):
    """What became of one digest frame. events: None when it could not be digested."""

    events: list[RequestEvent] | None
    problem: str | None = None


class Digests:
    """Gives each frame to `complete` and its result to `done`, both in the digest thread.

    done: must not block.
    """

    def __init__(
        self,
        complete: Complete,
        done: Callable[[Digested], None],
        waiting_bytes: int = WAITING_BYTES,
    ) -> None:
        self._complete = complete
        self._done = done
        self._limit_bytes = waiting_bytes
        self._waiting_bytes = 0
        self._queue: deque[bytes] = deque()
        self._changed = threading.Condition()
        self._is_closing = False
        self._thread: threading.Thread | None = None

    def offer(self, frame: bytes) -> bool:
        """Queue a frame; False when there is no room for it."""
        with self._changed:
            if self._is_closing or self._waiting_bytes + len(frame) > self._limit_bytes:
                return False
            self._waiting_bytes += len(frame)
            self._queue.append(frame)
            self._changed.notify()
            if self._thread is None:
                # Most proxies never see a body that large.
                self._thread = threading.Thread(target=self._run, name="digests", daemon=True)
                self._thread.start()
        return True

    def drain(self, seconds: float) -> None:
        """Finish what is queued, for at most `seconds`. Blocks. Nothing is taken afterwards."""
        with self._changed:
            self._is_closing = True
            self._changed.notify()
        if self._thread is not None:
            self._thread.join(seconds)

    def _run(self) -> None:
        while True:
            with self._changed:
                while not self._queue:
                    if self._is_closing:
                        return
                    self._changed.wait()
                frame = self._queue.popleft()
            self._done(self._digest(frame))
            with self._changed:
                self._waiting_bytes -= len(frame)

    def _digest(self, frame: bytes) -> Digested:
        try:
            return Digested(self._complete(frame))
        except Exception as error:  # noqa: BLE001 - one bad frame must not end the thread
            # The kind only: the text of the exception may repeat what the body said.
            return Digested(None, type(error).__name__)
