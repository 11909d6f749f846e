"""The versions of servers' lists, written down: one transaction for each list that was seen.

All that is known stands in the file, and nothing here remembers anything: so versions survive a
restart, and several proxies on one store agree. What a list means is decided in the transaction.

A version is its definitions: the same ones have the same number whenever they come back. A *change*
is written down when a list becomes a version that was never seen, or when one kind of caller is
shown an earlier version again. Servers may show different callers different lists, and two callers
of one kind cannot be told apart; so of returns at most MAX_RETURNS a day are written down, and the
others are counted. Of new versions at most MAX_NEW a day are: a list that is never the same twice
has no versions worth having.
"""

import contextlib
import json
import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Final, NamedTuple

from mcpr.events.schema import Diff, Item, ListName, SchemaEvent, compare, list_hash, suspicions
from mcpr.events.schema.canonical import value_of
from mcpr.events.schema.event import Counts, public_names
from mcpr.store.sqlite import schema_pins, widget_book
from mcpr.store.sqlite.database import explained, open_for_writing
from mcpr.store.sqlite.schema_change import insert_change

DAY_MS: Final = 86_400_000
MAX_RETURNS: Final = 3
MAX_NEW: Final = 50
MAX_CALLERS: Final = 1_000
#: Of one list, with all definitions: the rest keep their number and hash.
MAX_WHOLE: Final = 100
MAX_WHOLE_BYTES: Final = 64 * 1024 * 1024
#: A token of a model is about so many bytes of a definition.
BYTES_PER_TOKEN: Final = 4


class Seen(NamedTuple):
    """A whole list as a caller was shown it. caller: what tells kinds of callers apart."""

    server: str
    which: ListName
    caller: bytes
    items: tuple[Item, ...]
    size: int
    ts_ms: int


class Taken(NamedTuple):
    """What a sighting meant. event: None when nothing changed. diff: None without an old one."""

    version: int
    event: SchemaEvent | None
    diff: Diff | None


class _Version(NamedTuple):
    id: int
    version: int
    last_ms: int


class SchemaBook:
    """Writes what servers offer into one store. Every method raises StoreError.

    mint: a new event id at a time in epoch ms. One thread at a time.
    """

    def __init__(self, path: str | os.PathLike[str], mint: Callable[[int], bytes]) -> None:
        self._path = Path(path)
        self._mint = mint
        self._connection = open_for_writing(self._path)

    def take(self, seen: Seen) -> Taken:
        """A list was seen."""
        found = list_hash(seen.items)
        with self._transaction():
            known = self._known(seen, found)
            before = self._before(seen)
            if known is None:
                return self._add(seen, found, before)
            self._touch(seen, known)
            return self._return(seen, found, known, before)

    def stale(self, server: str, which: ListName, ts_ms: int) -> None:
        """The server says that the list has changed."""
        with self._transaction():
            self._mark(server, which, "stale_ms", "?", ts_ms)

    def widget(self, server: str, widget: tuple[str, str, str], ts_ms: int) -> None:
        """A widget was seen: its URI, what it declares and what its host was told, as JSON."""
        with self._transaction():
            widget_book.take(self._connection, server, widget, ts_ms)

    def last_items(self, server: str, which: ListName, caller: bytes) -> tuple[Item, ...]:
        """What this caller was shown last, or else anybody."""
        with explained(f"cannot read the store {self._path}", self._path):
            before = self._before(Seen(server, which, caller, (), 0, 0))
            return () if before is None else self._items(before.id)

    def approve(
        self, server: str, version: int | None, ts_ms: int, *, only_first: bool = False
    ) -> int | None:
        """Approve a version of the tools (None: the one that is shown now); its number.

        only_first: only where none was ever approved. None: nothing was done.
        """
        with self._transaction():
            found = schema_pins.approvable(self._connection, server, version, only_first=only_first)
            if found is not None:
                self._connection.execute(
                    "UPDATE schema_version SET approved_ms = coalesce(nullif(approved_ms, 0), ?)"
                    " WHERE server = ? AND list = 'tools' AND version = ?",
                    (ts_ms, server, found),
                )
            return found

    def revoke(self, server: str, version: int) -> bool:
        """Take an approval back; False where there was none."""
        with self._transaction():
            done = self._connection.execute(
                "UPDATE schema_version SET approved_ms = 0 WHERE server = ? AND list = 'tools'"
                " AND version = ? AND approved_ms > 0",
                (server, version),
            )
            return done.rowcount > 0

    def is_approved(self, server: str, version: int) -> bool:
        """Whether somebody has approved this version of the tools."""
        with explained(f"cannot read the store {self._path}", self._path):
            return schema_pins.is_approved(self._connection, server, version)

    def allowed(self, server: str) -> list[str] | None:
        """The tools whose every definition that is shown is approved; None: none ever was."""
        with explained(f"cannot read the store {self._path}", self._path):
            return schema_pins.allowed(self._connection, server)

    def approved(self, server: str) -> frozenset[bytes]:
        """The hashes of all approved definitions of tools."""
        with explained(f"cannot read the store {self._path}", self._path):
            return schema_pins.approved(self._connection, server)

    def generation(self) -> int:
        """Grows with every change of what this book says."""
        with explained(f"cannot read the store {self._path}", self._path):
            query = "SELECT value FROM meta WHERE key = 'schema_generation'"
            return int(self._connection.execute(query).fetchone()[0])

    def names(self) -> dict[str, list[str]]:
        """All tools that stand in lists of the store, by server."""
        found: dict[str, list[str]] = {}
        with explained(f"cannot read the store {self._path}", self._path):
            for server, name in self._connection.execute(
                "SELECT DISTINCT v.server, e.name FROM schema_version AS v"
                " JOIN schema_entry AS e ON e.version = v.id WHERE v.list = 'tools'"
            ):
                found.setdefault(server, []).append(name)
        return found

    def close(self) -> None:
        """Close the file."""
        with explained(f"cannot close the store {self._path}", self._path):
            self._connection.close()

    # -- what is known ------------------------------------------------------------------------

    def _known(self, seen: Seen, found: bytes) -> _Version | None:
        return self._version("hash = ?", seen, found)

    def _before(self, seen: Seen) -> _Version | None:
        """What this kind of caller saw last; of a new one, what anybody did."""
        row = self._connection.execute(
            "SELECT version FROM schema_caller WHERE server = ? AND list = ? AND caller = ?",
            (seen.server, seen.which, seen.caller),
        ).fetchone()
        if row is not None:
            found = self._version("version = ?", seen, row[0])
            if found is not None:
                return found
        return self._version("1 = ? ORDER BY last_ms DESC, version DESC", seen, 1)

    def _version(self, condition: str, seen: Seen, value: object) -> _Version | None:
        row = self._connection.execute(
            "SELECT id, version, last_ms FROM schema_version"  # noqa: S608 - our own words
            f" WHERE server = ? AND list = ? AND {condition} LIMIT 1",
            (seen.server, seen.which, value),
        ).fetchone()
        return None if row is None else _Version(*row)

    def _has_caller(self, seen: Seen) -> bool:
        row = self._connection.execute(
            "SELECT 1 FROM schema_caller WHERE server = ? AND list = ? AND caller = ?",
            (seen.server, seen.which, seen.caller),
        ).fetchone()
        return row is not None

    def _items(self, version_id: int) -> tuple[Item, ...]:
        return tuple(
            Item(name, bytes(body), size)
            for name, body, size in self._connection.execute(
                "SELECT e.name, i.body, e.bytes FROM schema_entry AS e"
                " JOIN schema_item AS i ON i.id = e.item WHERE e.version = ? ORDER BY e.name",
                (version_id,),
            )
        )

    # -- what is written ----------------------------------------------------------------------

    def _add(self, seen: Seen, found: bytes, before: _Version | None) -> Taken:
        """A version that was never seen."""
        (newest, today) = self._connection.execute(
            "SELECT coalesce((SELECT newest FROM schema_mark WHERE server = ?1 AND list = ?2), 0),"
            " count(*) FROM schema_version WHERE server = ?1 AND list = ?2 AND first_ms > ?3",
            (seen.server, seen.which, seen.ts_ms - DAY_MS),
        ).fetchone()
        if today >= MAX_NEW:
            self._mark(seen.server, seen.which, "unrecorded", "unrecorded + ?", 1)
            return Taken(newest, None, None)
        size = sum(len(item.body) for item in seen.items)
        version_id = self._connection.execute(
            "INSERT INTO schema_version (server, list, version, hash, first_ms, last_ms, sightings,"
            " items, bytes, tokens) VALUES (?, ?, ?, ?, ?, ?, 1, ?, ?, ?)",
            (
                *(seen.server, seen.which, newest + 1, found, seen.ts_ms, seen.ts_ms),
                *(len(seen.items), seen.size, -(-size // BYTES_PER_TOKEN)),
            ),
        ).lastrowid
        assert version_id is not None
        self._mark(seen.server, seen.which, "newest", "?", newest + 1)
        self._write_items(version_id, seen.items)
        taken = self._change(seen, found, newest + 1, before, is_return=False)
        self._note_caller(seen, newest + 1)
        self._prune(seen)
        return taken

    def _write_items(self, version_id: int, items: Sequence[Item]) -> None:
        for item in items:
            row = self._connection.execute(
                "SELECT id FROM schema_item WHERE hash = ?", (item.hash,)
            ).fetchone()
            if row is None:
                words = json.dumps(suspicions(value_of(item.body)))
                row = (
                    self._connection.execute(
                        "INSERT INTO schema_item (hash, body, suspicions) VALUES (?, ?, ?)",
                        (item.hash, item.body, words),
                    ).lastrowid,
                )
            self._connection.execute(
                "INSERT INTO schema_entry (version, name, item, bytes) VALUES (?, ?, ?, ?)",
                (version_id, item.name, row[0], item.size),
            )

    def _touch(self, seen: Seen, known: _Version) -> None:
        self._connection.execute(
            "UPDATE schema_version SET last_ms = max(last_ms, ?), sightings = sightings + 1"
            " WHERE id = ?",
            (seen.ts_ms, known.id),
        )
        self._connection.execute(
            "UPDATE schema_mark SET stale_ms = NULL WHERE server = ? AND list = ?"
            " AND stale_ms <= ?",
            (seen.server, seen.which, seen.ts_ms),
        )

    def _return(self, seen: Seen, found: bytes, known: _Version, before: _Version | None) -> Taken:
        """A version that was there before."""
        taken = Taken(known.version, None, None)
        is_other = before is not None and before.version != known.version
        if is_other and not self._has_caller(seen):
            # A new kind of caller may simply be shown something else, unless it had been gone.
            is_other = seen.ts_ms - known.last_ms > DAY_MS
        if is_other:
            (today,) = self._connection.execute(
                "SELECT count(*) FROM schema_change"
                " WHERE server = ? AND list = ? AND is_return AND ts_ms > ?",
                (seen.server, seen.which, seen.ts_ms - DAY_MS),
            ).fetchone()
            if today < MAX_RETURNS:
                taken = self._change(seen, found, known.version, before, is_return=True)
            else:
                self._mark(seen.server, seen.which, "switches", "switches + ?", 1)
        self._note_caller(seen, known.version)
        return taken

    def _change(
        self,
        seen: Seen,
        found: bytes,
        version: int,
        before: _Version | None,
        *,
        is_return: bool,
    ) -> Taken:
        old = () if before is None else self._items(before.id)
        # An old version whose definitions were let go of cannot be compared.
        diff = compare(seen.which, old, seen.items) if before is not None and old else None
        event = _event(self._mint(seen.ts_ms), seen, found, version, diff)
        insert_change(self._connection, event, before and before.version, is_return=is_return)
        self._connection.execute(
            "UPDATE schema_mark SET stale_ms = NULL WHERE server = ? AND list = ?"
            " AND stale_ms <= ?",
            (seen.server, seen.which, seen.ts_ms),
        )
        return Taken(version, event, diff)

    def _note_caller(self, seen: Seen, version: int) -> None:
        self._connection.execute(
            "INSERT INTO schema_caller (server, list, caller, version, last_ms)"
            " VALUES (?, ?, ?, ?, ?) ON CONFLICT (server, list, caller)"
            " DO UPDATE SET version = excluded.version, last_ms = excluded.last_ms",
            (seen.server, seen.which, seen.caller, version, seen.ts_ms),
        )
        self._connection.execute(
            "DELETE FROM schema_caller WHERE server = ?1 AND list = ?2 AND caller IN (SELECT caller"
            " FROM schema_caller WHERE server = ?1 AND list = ?2 ORDER BY last_ms DESC"
            " LIMIT -1 OFFSET ?3)",
            (seen.server, seen.which, MAX_CALLERS),
        )

    def _mark(self, server: str, which: ListName, column: str, value: str, said: int) -> None:
        self._connection.execute(
            "INSERT INTO schema_mark (server, list) VALUES (?, ?) ON CONFLICT DO NOTHING",
            (server, which),
        )
        self._connection.execute(
            f"UPDATE schema_mark SET {column} = {value} WHERE server = ? AND list = ?",  # noqa: S608 - our own words
            (said, server, which),
        )

    def _prune(self, seen: Seen) -> None:
        """Let go of the definitions of versions that were not seen for longest."""
        kept = size = 0
        for version_id, weight, approved_ms in self._connection.execute(
            "SELECT id, bytes, approved_ms FROM schema_version"
            " WHERE server = ? AND list = ? AND is_whole ORDER BY last_ms DESC, version DESC",
            (seen.server, seen.which),
        ).fetchall():
            kept += 1
            size += weight
            if kept == 1 or approved_ms:
                continue
            if kept > MAX_WHOLE or size > MAX_WHOLE_BYTES:
                self._connection.execute(
                    "DELETE FROM schema_entry WHERE version = ?", (version_id,)
                )
                self._connection.execute(
                    "UPDATE schema_version SET is_whole = 0 WHERE id = ?", (version_id,)
                )

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[None]:
        connection = self._connection
        with explained(f"cannot write to the store {self._path}", self._path):
            try:
                connection.execute("BEGIN IMMEDIATE")
                changes = connection.total_changes
                yield
                if connection.total_changes != changes:
                    connection.execute(
                        "UPDATE meta SET value = value + 1 WHERE key = 'schema_generation'"
                    )
                connection.execute("COMMIT")
            except BaseException:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise


def _event(
    event_id: bytes, seen: Seen, found: bytes, version: int, diff: Diff | None
) -> SchemaEvent:
    if diff is None:
        added, removed, modified = [item.name for item in seen.items], [], []
    else:
        renamed = [change.was for change in diff.changes if change.was is not None]
        added = diff.names("added", "renamed")
        removed = [*diff.names("removed"), *renamed]
        modified = diff.names("modified")
    if seen.which == "tools":
        names = public_names(added), public_names(removed), public_names(modified)
    else:
        names = (), (), ()
    return SchemaEvent(
        event_id,
        seen.ts_ms,
        seen.server,
        seen.which,
        version,
        found.hex(),
        *names,
        Counts(len(seen.items), len(added), len(removed), len(modified)),
        None if diff is None else diff.verdict,
    )
