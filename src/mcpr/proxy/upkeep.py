"""Looks after the store while the proxy runs: sums up what is closed, deletes what is too old.

A thread of the companion with a connection of its own, so that no event waits for it: what it does
takes the lock for a few milliseconds at a time.
"""

import contextlib
import logging
import sqlite3
import threading
import time
from collections.abc import Callable
from pathlib import Path

from mcpr.errors import StoreError
from mcpr.proxy.frames import Assignment
from mcpr.store.sqlite.database import explained, open_for_writing
from mcpr.store.sqlite.retention import Kept, retain
from mcpr.store.sqlite.rollups import roll

#: How often it looks whether there is something to do.
EVERY_SECONDS = 60.0
#: In every so many of these rounds it deletes what is not to be kept, the first one included.
RETAIN_ROUNDS = 60
# How long its last step may take when the proxy ends.
_END_SECONDS = 1.0

_log = logging.getLogger(__name__)


def begin(assignment: Assignment) -> "Upkeep | None":
    """Look after the store among the sinks from now on; None where there is none."""
    kept = None if assignment.keep is None else Kept(*assignment.keep)
    for name, target in assignment.sinks:
        if name == "sqlite":
            upkeep = Upkeep(Path(target), lambda: time.time_ns() // 1_000_000, kept)
            upkeep.start()
            return upkeep
    return None


class _EndedError(Exception):
    """The proxy ends; what is left undone is done by the next one."""


class Upkeep:
    """The upkeep of the store at `path`: `start`, and `stop`. now_ms: the clock.

    kept: what stays; None: all of it.
    rounds: how often it has looked, done or not.
    """

    def __init__(
        self,
        path: Path,
        now_ms: Callable[[], int],
        kept: Kept | None = None,
        every_seconds: float = EVERY_SECONDS,
    ) -> None:
        self.rounds = 0
        self._path = path
        self._now_ms = now_ms
        self._kept = kept
        self._every_seconds = every_seconds
        self._is_ending = threading.Event()
        self._connection: sqlite3.Connection | None = None
        self._complaint = ""
        # A daemon: a disk that hangs must not keep the process alive.
        self._thread = threading.Thread(target=self._run, name="upkeep", daemon=True)

    def start(self) -> None:
        """Begin, in its thread."""
        self._thread.start()

    def stop(self) -> None:
        """End soon. What is done until then stays done."""
        self._is_ending.set()
        connection = self._connection
        if connection is not None:
            with contextlib.suppress(sqlite3.ProgrammingError):
                connection.interrupt()
        self._thread.join(_END_SECONDS)

    def _run(self) -> None:
        while not self._is_ending.wait(self._every_seconds):
            self.look()

    def look(self) -> None:
        """Do what there is to do now."""
        try:
            # Opened each time: the file may have been moved, and must not be made again by this.
            if self._path.exists():
                if self._kept is not None and self.rounds % RETAIN_ROUNDS == 0:
                    retain(self._path, self._kept, self._now_ms(), self._pause)
                self._work()
            self._complaint = ""
        except _EndedError:
            pass
        except StoreError as error:
            if not self._is_ending.is_set() and str(error) != self._complaint:
                self._complaint = str(error)
                _log.error("%s (the store is looked after again in a minute)", error)
        finally:
            self.rounds += 1

    def _work(self) -> None:
        what = f"cannot look after the store {self._path}"
        with (
            explained(what, self._path),
            contextlib.closing(open_for_writing(self._path)) as opened,
        ):
            self._connection = opened
            try:
                roll(opened, self._now_ms(), self._pause)
            finally:
                self._connection = None

    def _pause(self, seconds: float) -> None:
        if self._is_ending.wait(seconds):
            raise _EndedError
