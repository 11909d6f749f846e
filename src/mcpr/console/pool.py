"""Threads that ask questions: few, with a bounded queue and a deadline, away from the recording.

The process that shows the pages also records. So a page never asks on the event loop, no more
questions wait than can be answered soon, and one that takes too long is broken off.
"""

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from mcpr.store import EventStore

T = TypeVar("T")

#: Opens a store, for one question.
Opener = Callable[[], EventStore]


class Busy(Exception):
    """The answer has to wait for a better time. seconds: when to ask again."""

    def __init__(self, why: str, seconds: int) -> None:
        super().__init__(why)
        self.why = why
        self.seconds = seconds


class Pool:
    """Asks stores in threads. waiting: may wait. seconds: for each, with its wait."""

    def __init__(
        self, stores: Opener, threads: int = 2, waiting: int = 16, seconds: float = 10.0
    ) -> None:
        self._stores = stores
        self._seconds = seconds
        self._most = threads + waiting
        self._under_way = 0
        self._threads = ThreadPoolExecutor(threads, "mcpr-question")

    async def ask(self, question: Callable[[EventStore], T]) -> T:
        """The answer. Raises Busy, and what the question raises."""
        if self._under_way >= self._most:
            raise Busy("too many questions are being answered", 2)
        self._under_way += 1
        turn = _Turn()
        answer = asyncio.get_running_loop().run_in_executor(
            self._threads, turn.take, self._stores, question
        )
        answer.add_done_callback(self._settle)
        try:
            # Shielded: a thread cannot be cancelled, and its place is free when it is done.
            return await asyncio.wait_for(asyncio.shield(answer), self._seconds)
        except TimeoutError:
            turn.give_up()
            raise Busy(f"there was no answer within {self._seconds:g} s", 10) from None
        except asyncio.CancelledError:
            turn.give_up()
            raise

    def _settle(self, answer: "asyncio.Future[T]") -> None:
        self._under_way -= 1
        # Nobody may be left who would hear of it.
        answer.exception()

    def close(self) -> None:
        """Begin no more questions."""
        self._threads.shutdown(wait=False, cancel_futures=True)


class _Turn:
    """One question's time with a store, which another thread may end."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._store: EventStore | None = None
        self._is_over = False

    def take(self, stores: Opener, question: Callable[[EventStore], T]) -> T:
        if self._is_over:
            raise Busy("nobody waits for it any more", 2)
        with stores() as store:
            with self._lock:
                self._store = store
            try:
                return question(store)
            finally:
                # Before it is closed: what is closed must not be interrupted.
                with self._lock:
                    self._store = None

    def give_up(self) -> None:
        self._is_over = True
        with self._lock:
            if self._store is not None:
                self._store.interrupt()
