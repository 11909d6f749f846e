"""Work on a store beside its writers: in steps that hold the lock for a few milliseconds each."""

import contextlib
import sqlite3
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

#: What a step should hold the write lock for, and what it waits before the next one.
_HOLD_SECONDS = 0.01
_PAUSE_SECONDS = 0.005
_FEWEST, _FIRST, _MOST = 5, 20, 5_000
#: After how many steps what they wrote is put into the file.
_STEPS_IN_WAL = 25


@dataclass(slots=True)
class Steps:
    """Small transactions, as large as fits into the time that they may take.

    pause: waits that many seconds; it may raise to end the work, which can be begun again.
    longest_us: how long a step held the lock at most.
    """

    connection: sqlite3.Connection
    pause: Callable[[float], object] = time.sleep
    longest_us: int = 0
    size: int = _FIRST
    done: int = 0

    @contextlib.contextmanager
    def step(self) -> Iterator[None]:
        """One transaction; afterwards the others get their turn."""
        self.connection.execute("BEGIN IMMEDIATE")
        began = time.monotonic()
        try:
            yield
            self.connection.execute("COMMIT")
        except BaseException:
            if self.connection.in_transaction:
                self.connection.execute("ROLLBACK")
            raise
        self._learn(time.monotonic() - began)

    def repeat(self, statement: str, *parameters: object) -> None:
        """Run a statement that ends with a LIMIT until it finds less than that."""
        self.size = _FIRST
        while True:
            with self.step():
                limit = self.size
                done = self.connection.execute(statement, (*parameters, limit)).rowcount
            if done < limit:
                return

    def return_pages(self) -> None:
        """Cut the free pages off the file."""
        self.size = _FIRST
        while self.connection.execute("PRAGMA freelist_count").fetchone()[0]:
            # Its own transaction, and it works while its rows are fetched.
            began = time.monotonic()
            self.connection.execute(f"PRAGMA incremental_vacuum({self.size})").fetchall()
            self._learn(time.monotonic() - began)

    def _learn(self, seconds: float) -> None:
        self.longest_us = max(self.longest_us, round(seconds * 1_000_000))
        if seconds > _HOLD_SECONDS:
            self.size = max(_FEWEST, self.size // 2)
        elif seconds < _HOLD_SECONDS / 2:
            self.size = min(_MOST, self.size + self.size // 4 + 1)
        self.done += 1
        if self.done % _STEPS_IN_WAL == 0:
            # Nobody waits for a passive one.
            self.connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
        self.pause(max(_PAUSE_SECONDS, seconds))
