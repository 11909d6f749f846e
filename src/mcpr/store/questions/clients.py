"""The question "who calls?": one row for each client and version.

A family is one client, however it spells its name; what is of no family we know is told apart by
its name.
"""

from collections import defaultdict
from dataclasses import dataclass, field, replace
from typing import cast

from mcpr.store.engine import Dimension, EventStore, Filter, Measure

#: Family, version; the name where there is no family.
_Key = tuple[str | None, str | None, str | None]
_MOST_NAMES = 8
#: Who is of no family that we know.
_STRANGERS = frozenset((None, "other"))


@dataclass(frozen=True, slots=True)
class ClientRow:
    """The JSON-RPC requests of one client and version. `error_rate` is 0-1, last_ms in epoch ms.

    client: its family, `other`, or None for requests that do not say who sent them; client_name:
    how it called itself, several names separated by commas, at most 8. revisions: all that it
    spoke, separated by spaces. sessions: those that have a part in the window, inferred ones too.
    """

    client: str | None
    client_version: str | None
    client_name: str | None
    sessions: int
    calls: int
    errors: int
    error_rate: float
    revisions: str
    last_ms: int


@dataclass(slots=True)
class _Sums:
    calls: int = 0
    errors: int = 0
    last_ms: int = 0
    revisions: set[str] = field(default_factory=set)
    names: set[str] = field(default_factory=set)

    def add(self, measure: Measure, name: str | None, revision: str | None) -> None:
        self.calls += measure.calls
        self.errors += measure.errors
        self.last_ms = max(self.last_ms, measure.last_ms)
        if revision is not None:
            self.revisions.add(revision)
        if name is not None:
            self.names.add(name)


def clients(store: EventStore, where: Filter) -> list[ClientRow]:
    """The clients that called, the busiest first."""
    sums: dict[_Key, _Sums] = defaultdict(_Sums)
    by: tuple[Dimension, ...] = ("client", "client_version", "client_name", "revision")
    for measure in store.measures(replace(where, kind="rpc"), by):
        client, version, name, revision = (cast("str | None", word) for word in measure.key)
        sums[_key(client, version, name)].add(measure, name, revision)
    counted: dict[_Key, int] = defaultdict(int)
    for count in store.session_counts(where):
        counted[_key(count.client, count.client_version, count.client_name)] += count.sessions
    rows = [_row(key, summed, counted[key]) for key, summed in sums.items()]
    return sorted(rows, key=_order)


def _key(client: str | None, version: str | None, name: str | None) -> _Key:
    return client, version, name if client in _STRANGERS else None


def _order(row: ClientRow) -> tuple[int | str, ...]:
    who = (row.client, row.client_version, row.client_name)
    return (-row.calls, *(part or "" for part in who))


def _row(key: _Key, sums: _Sums, sessions: int) -> ClientRow:
    return ClientRow(
        client=key[0],
        client_version=key[1],
        client_name=", ".join(sorted(sums.names)[:_MOST_NAMES]) or None,
        sessions=sessions,
        calls=sums.calls,
        errors=sums.errors,
        error_rate=sums.errors / sums.calls,
        revisions=" ".join(sorted(sums.revisions)),
        last_ms=sums.last_ms,
    )
