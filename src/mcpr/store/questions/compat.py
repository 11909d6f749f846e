"""The question "which client gets on with which tool?": a row for each pair that met.

What only a record of many clients can tell: a tool that fails for one client and works for the
others, the revision each speaks, and requests whose headers say something else than their body.
"""

from collections import defaultdict
from dataclasses import dataclass, replace
from typing import cast

from mcpr.store.engine import Dimension, EventStore, Filter, Measure


@dataclass(frozen=True, slots=True)
class CompatRow:
    """The JSON-RPC requests of one client and revision to one tool, or of one method without.

    subject: the tool, or the method where there is none. error_rate, others_error_rate: 0-1; the
    latter of all other clients on the same subject, None where there are none.
    mislabelled: requests whose `Mcp-Method` or `Mcp-Name` differs from the body.
    ambiguous: requests that two parsers could read differently.
    """

    server: str
    subject: str
    client: str | None
    client_version: str | None
    revision: str | None
    calls: int
    errors: int
    error_rate: float
    others_error_rate: float | None
    mislabelled: int
    ambiguous: int


@dataclass(slots=True)
class _Sums:
    calls: int = 0
    errors: int = 0
    mislabelled: int = 0
    ambiguous: int = 0

    def add(self, measure: Measure, note: str | None) -> None:
        words = (note or "").split()
        self.calls += measure.calls
        self.errors += measure.errors
        self.mislabelled += measure.calls * ("mismatch" in words)
        self.ambiguous += measure.calls * ("ambiguous" in words)


_Subject = tuple[str, str]
_Caller = tuple[str | None, str | None, str | None]


def compat(store: EventStore, where: Filter) -> list[CompatRow]:
    """Who met what: the most failures first, then the most calls."""
    pairs: dict[tuple[_Subject, _Caller], _Sums] = defaultdict(_Sums)
    subjects: dict[_Subject, _Sums] = defaultdict(_Sums)
    clients: dict[tuple[_Subject, str | None], _Sums] = defaultdict(_Sums)
    by: tuple[Dimension, ...] = (
        *("server", "method", "tool", "client", "client_version", "revision", "note"),
    )
    for measure in store.measures(replace(where, kind="rpc"), by):
        words = (cast("str | None", word) for word in measure.key)
        server, method, tool, client, version, revision, note = words
        subject = (server or "", tool or method or "")
        pairs[subject, (client, version, revision)].add(measure, note)
        subjects[subject].add(measure, note)
        clients[subject, client].add(measure, note)
    rows = [
        _row(subject, caller, sums, _others(subjects[subject], clients[subject, caller[0]]))
        for (subject, caller), sums in pairs.items()
    ]
    return sorted(rows, key=_order)


def _others(everybody: _Sums, client: _Sums) -> float | None:
    calls = everybody.calls - client.calls
    return (everybody.errors - client.errors) / calls if calls else None


def _row(subject: _Subject, caller: _Caller, sums: _Sums, others: float | None) -> CompatRow:
    return CompatRow(
        *subject,
        *caller,
        calls=sums.calls,
        errors=sums.errors,
        error_rate=sums.errors / sums.calls,
        others_error_rate=others,
        mislabelled=sums.mislabelled,
        ambiguous=sums.ambiguous,
    )


def _order(row: CompatRow) -> tuple[object, ...]:
    words = (row.server, row.subject, row.client, row.client_version, row.revision)
    return -row.errors, -row.calls, *(word or "" for word in words)
