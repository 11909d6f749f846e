"""What servers offer, followed: from answers that carried lists to versions in the store.

Lives in the companion, in the digest thread. What goes wrong here loses a sighting, and says so,
and never a row: a list is asked for again, a call is not.
"""

import hashlib
import json
import logging
import threading
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from mcpr.errors import StoreError
from mcpr.events import Ids
from mcpr.events.known_names import KnownNames
from mcpr.events.schema import Item, ListName
from mcpr.proxy.frames import Assignment
from mcpr.proxy.status import SchemaState
from mcpr.store.sqlite.schema_book import SchemaBook, Seen, Taken

if TYPE_CHECKING:
    from mcpr.pipeline.digest import Passing
    from mcpr.pipeline.schema import Passes, Snapshot

_log = logging.getLogger(__name__)


class SchemaWatch:
    """Follows the lists of every server of one proxy: `open`, then `look` and `refresh`.

    pinned: told of the tools that may be called whenever that has changed, in any thread; set it
    before `open`.
    names: the tools that servers have, for whoever counts by tool.
    unread: answers that could not be read. lost: sightings that the store did not take.
    """

    def __init__(self, ids: Ids) -> None:
        self.ids = ids
        self.names = KnownNames()
        self.unread = 0
        self.lost = 0
        # What reads lists is imported with the first one: a companion begins without the pipeline.
        self._passes: Passes | None = None
        self._path: Path | None = None
        self._book: SchemaBook | None = None
        self.pinned: Callable[[list[str] | None], None] = lambda _allowed: None
        self._pin: tuple[str, bool] | None = None
        self._told: tuple[list[str] | None] | None = None
        self._generation = -1
        self._is_failing = False
        # Of a list that could not be written down.
        self._approved: frozenset[bytes] = frozenset()
        self._unrecorded: frozenset[str] = frozenset()
        self._changes: Counter[tuple[str, str, str]] = Counter()
        # The digest thread looks, another one refreshes.
        self._lock = threading.Lock()

    def open(self, assignment: Assignment) -> None:
        """Remember the store that the assignment names, and the tools that stand in it.

        With a pin, tell what is allowed. Raises StoreError.
        """
        self._pin = assignment.pin
        for name, target in assignment.sinks:
            if name == "sqlite":
                self._path = Path(target)
        if self._path is not None:
            for server, names in self._opened().names().items():
                self.names.learn(server, names)
            self._tell_allowed()
            self.close()  # The file may be moved before the first list comes.

    def look(self, passing: "Passing") -> None:
        """An exchange showed something of a server."""
        if self._path is None:
            return
        with self._lock:
            try:
                if passing.widgets:
                    self._widgets(passing)
                elif passing.change:
                    self._change(passing)
                else:
                    self._read(passing)
                    self._tell_allowed()
            except StoreError as error:
                self.lost += 1
                self.close()
                if not self._is_failing:
                    self._is_failing = True
                    _log.error(
                        "%s (what a server offers was not written down; more may follow, the"
                        " metrics count them)",
                        error,
                    )
            else:
                self._is_failing = False

    def refresh(self) -> None:
        """Find out what other processes have written: approvals, and lists that they saw."""
        if self._pin is None or self._path is None:
            return
        with self._lock:
            try:
                if self._opened().generation() != self._generation:
                    self._tell_allowed()
            except StoreError:
                # What was allowed stays allowed, and what was not stays blocked; `look` complains.
                self.close()

    def close(self) -> None:
        """Let go of the store."""
        book, self._book = self._book, None
        if book is not None:
            try:
                book.close()
            except StoreError as error:
                _log.error("%s", error)

    def state(self) -> SchemaState:
        """What became of the lists so far. May be asked in any thread."""
        allowed = None if self._told is None else self._told[0]
        count = None if allowed is None else len(allowed)
        return SchemaState(dict(self._changes), self.lost, self.unread, self.given_up, count)

    @property
    def given_up(self) -> int:
        """Passes that never became a list, and pages that belonged to none."""
        passes = self._passes
        return 0 if passes is None else passes.given_up + passes.strays

    def _begun(self) -> "Passes":
        from mcpr.pipeline.schema import Passes  # noqa: PLC0415 - see above

        if self._passes is None:
            self._passes = Passes()
        return self._passes

    def _opened(self) -> SchemaBook:
        assert self._path is not None
        if self._book is None:
            self._book = SchemaBook(self._path, self.ids.mint)
        return self._book

    def _tell_allowed(self) -> None:
        if self._pin is None:
            return
        server, _ = self._pin
        book = self._opened()
        self._generation = book.generation()
        first = book.approve(server, None, time.time_ns() // 1_000_000, only_first=True)
        if first is not None:
            self._generation = book.generation()
            _log.warning("the tools of %s are pinned to version %d, the first seen", server, first)
        self._approved = book.approved(server)
        allowed = book.allowed(server)
        if allowed is not None:
            allowed = [name for name in allowed if name not in self._unrecorded]
        if self._told != (allowed,):
            self._told = (allowed,)
            self.pinned(allowed)

    def _block_unapproved(self, server: str, items: tuple[Item, ...]) -> None:
        """A list cannot be written down: what it changed is blocked until one can."""
        if self._pin is None or self._pin[0] != server or self._told is None:
            return
        (allowed,) = self._told
        if allowed is None:
            return
        unknown = {
            item.name.partition("\x00")[0] for item in items if item.hash not in self._approved
        }
        self._unrecorded |= unknown
        self._told = ([name for name in allowed if name not in unknown],)
        self.pinned(self._told[0])

    def _warn(self, server: str, taken: Taken) -> None:
        """Say that the tools have changed and nobody has approved it."""
        event = taken.event
        if self._pin is None or server != self._pin[0] or event is None or taken.diff is None:
            return
        if self._opened().is_approved(server, taken.version):
            return
        counts = event.counts
        _log.warning(
            "the tools of %s changed and nobody has approved it: version %d, %s, %d added,"
            " %d removed, %d modified%s. See `mcpr schema --changes`;"
            " accept with `mcpr schema approve %d`.",
            *(server, taken.version, event.verdict, counts.added, counts.removed, counts.modified),
            "; their calls are denied" if self._pin[1] else "",
            taken.version,
        )

    def _change(self, passing: "Passing") -> None:
        from mcpr.pipeline.schema import read_changed  # noqa: PLC0415 - see above

        lists = read_changed(passing.change)
        self._begun().changed(passing.server, lists)
        for which in lists if passing.is_kept else ():
            self._opened().stale(passing.server, which, passing.ts_ms)

    def _widgets(self, passing: "Passing") -> None:
        for packed in passing.widgets if passing.is_kept else ():
            uri, *policies = json.loads(packed)
            declared, emitted = (json.dumps(policy, sort_keys=True) for policy in policies)
            self._opened().widget(passing.server, (_text(uri), declared, emitted), passing.ts_ms)

    def _read(self, passing: "Passing") -> None:
        from mcpr.pipeline.schema import read_passing  # noqa: PLC0415 - see above

        reading = read_passing(
            passing.request, passing.answer, is_events=passing.is_events, coding=passing.coding
        )
        self.unread += reading.unread
        session = _hash(passing.session)
        for page in reading.pages:
            snapshot = self._begun().add(passing.server, session, page, passing.ts_ms)
            if snapshot is not None:
                self._take(snapshot, passing)
        if reading.info is None or not passing.is_kept:
            return
        if all(page.which != "server" for page in reading.pages):
            self._take_info(reading.info, passing)

    def _take(self, snapshot: "Snapshot", passing: "Passing") -> None:
        if snapshot.which == "tools":
            self.names.learn(passing.server, [item.name for item in snapshot.items])
        if passing.is_kept:
            self._write(passing, snapshot.which, snapshot.items, snapshot.size)

    def _take_info(self, info: bytes, passing: "Passing") -> None:
        """A result said who answers; the rest of what the server says of itself stays."""
        from mcpr.pipeline.schema import merge_info  # noqa: PLC0415 - see above

        before = self._opened().last_items(passing.server, "server", _hash(passing.caller))
        items = merge_info(before, info)
        if items != before:
            self._write(passing, "server", items, sum(item.size for item in items))

    def _write(
        self, passing: "Passing", which: ListName, items: tuple[Item, ...], size: int
    ) -> None:
        caller = _hash(passing.caller)
        seen = Seen(passing.server, which, caller, items, size, passing.ts_ms)
        try:
            taken = self._opened().take(seen)
        except StoreError:
            if which == "tools":
                self._block_unapproved(passing.server, items)
            raise
        if which == "tools":
            self._unrecorded = frozenset()
        if taken.event is not None:
            self._changes[passing.server, which, taken.event.verdict or "first"] += 1
        if which == "tools":
            self._warn(passing.server, taken)


def _text(uri: str) -> str:
    """What a file can hold of it."""
    return uri.encode("utf-8", "replace").decode()


def _hash(said: object) -> bytes:
    """Callers are told apart by what they said, and it is not kept."""
    return hashlib.sha256(repr(said).encode("utf-8", "backslashreplace")).digest()[:16]
