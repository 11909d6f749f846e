"""The question "who calls?": one row for each client and version."""

from collections import defaultdict
from dataclasses import dataclass, field, replace
from typing import cast

from mcpr.store.engine import Dimension, EventStore, Filter, Measure

_Key = tuple[str | None, str | None, str | None]


@dataclass(frozen=True, slots=True)
class ClientRow:
    """The JSON-RPC requests of one client and version. `error_rate` is 0-1, last_ms in epoch ms.

    client: its family, `other`, or None for requests that do not say who sent them; client_name is
    how it called itself. revisions: all that it spoke, separated by spaces. sessions: those that
    have a part in the window, inferred ones too.
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

    def add(self, measure: Measure, revision: str | None) -> None:
        self.calls += measure.calls
        self.errors += measure.errors
        self.last_ms = max(self.last_ms, measure.last_ms)
        if revision is not None:
            self.revisions.add(revision)


def clients(store: EventStore, where: Filter) -> list[ClientRow]:
    """The clients that called, the busiest first."""
    sums: dict[_Key, _Sums] = defaultdict(_Sums)
    by: tuple[Dimension, ...] = ("client", "client_version", "client_name", "revision")
    for measure in store.measures(replace(where, kind="rpc"), by):
        client, version, name, revision = (cast("str | None", word) for word in measure.key)
        sums[client, version, name].add(measure, revision)
    counted = {
        (count.client, count.client_version, count.client_name): count.sessions
        for count in store.session_counts(where)
    }
    rows = [_row(key, summed, counted.get(key, 0)) for key, summed in sums.items()]
    return sorted(rows, key=lambda row: (-row.calls, *(part or "" for part in _key(row))))


def _key(row: ClientRow) -> _Key:
    return row.client, row.client_version, row.client_name


def _row(key: _Key, sums: _Sums, sessions: int) -> ClientRow:
    return ClientRow(
        *key,
        sessions=sessions,
        calls=sums.calls,
        errors=sums.errors,
        error_rate=sums.errors / sums.calls,
        revisions=" ".join(sorted(sums.revisions)),
        last_ms=sums.last_ms,
    )
