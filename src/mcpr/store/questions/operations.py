"""The question "which calls took several requests?": one row for each operation, the newest first.

A call that must ask its client for input, a task with its polling: several JSON-RPC requests, one
operation. `linking` puts them together; here is what an operation took and how it stands.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from mcpr.events import NOT_AN_ERROR, Outcome, to_text
from mcpr.store.engine import EventStore, Filter
from mcpr.store.questions.linking import Leg, Operation, Unlinked, legs_of, operations_of
from mcpr.store.window import Window

State = Literal["done", "failed", "waiting", "working"]

#: So long before the window a request may be the first of an operation in it.
LEAD_MS = 3_600_000
#: The newest requests that are looked at; more of them make no more operations.
MOST_LEGS = 50_000


@dataclass(frozen=True, slots=True)
class OperationRow:
    """One operation. Times in epoch ms, durations in µs. server + client + proxy = total, exactly.

    id: of its first request. kinds: `input`, `task`, `retry`, separated by spaces. requests: how
    many it took. state: `waiting` for its client, `working` on a task, `done` or `failed`; outcome
    is that of its last request.
    server_us: at the server, or in its task. client_us: between an answer that asked for something
    and the client's next request. proxy_us: in mcpr.
    unlinked: why it may not be all there is: `no_state` (input was asked for or brought without
    anything to tell it by), `unseen` (nobody was seen to ask for what it brought), `ambiguous`
    (several could have). None when every link is proven.
    """

    id: str
    started_ms: int
    ended_ms: int
    server: str
    kinds: str
    method: str | None
    tool: str | None
    state: State
    outcome: Outcome
    requests: int
    total_us: int
    server_us: int
    client_us: int
    proxy_us: int
    unlinked: Unlinked | None
    session: str | None
    client: str | None
    client_version: str | None


@dataclass(slots=True)
class _Spent:
    server: int = 0
    client: int = 0
    proxy: int = 0


def operations(store: EventStore, where: Filter, limit: int) -> list[OperationRow]:
    """The newest `limit` operations that were under way in the window."""
    window, tool = where.window, where.tool
    # What asks about a task names no tool.
    where = replace(where, tool=None)
    if window is not None:
        lead = Window(max(0, window.since_ms - LEAD_MS), window.until_ms)
        where = replace(where, window=lead)
    found = [_row(one) for one in operations_of(legs_of(store.linked(where, MOST_LEGS)))]
    rows = [
        row
        for row in found
        if tool in {None, row.tool} and (window is None or row.ended_ms >= window.since_ms)
    ]
    return sorted(rows, key=lambda row: (row.started_ms, row.id), reverse=True)[:limit]


def _row(operation: Operation) -> OperationRow:
    legs = operation.legs
    first, last = legs[0], legs[-1]
    event = first.event
    spent = _spent(legs)
    return OperationRow(
        id=to_text(event.id),
        started_ms=event.ts_ms,
        ended_ms=max(leg.end_us for leg in legs) // 1000,
        server=event.server,
        kinds=" ".join(sorted({kind for leg in legs for kind in leg.kinds})),
        method=event.method,
        tool=event.tool,
        state=_state(legs),
        outcome=last.event.outcome,
        requests=len(legs),
        total_us=spent.server + spent.client + spent.proxy,
        server_us=spent.server,
        client_us=spent.client,
        proxy_us=spent.proxy,
        unlinked=operation.unlinked,
        session=event.session,
        client=event.client,
        client_version=event.client_version,
    )


def _state(legs: Sequence[Leg]) -> State:
    """How it stands after these requests."""
    status = _status(legs)
    if status in {"working", "failed"}:
        return "working" if status == "working" else "failed"
    last = legs[-1]
    if status == "input_required" or last.link.asks is not None:
        return "waiting"
    return "done" if last.event.outcome in NOT_AN_ERROR else "failed"


def _status(legs: Sequence[Leg]) -> str | None:
    """What was last said of the task."""
    said = [leg.link.status for leg in legs if leg.link.status is not None]
    return said[-1] if said else None


def _spent(legs: Sequence[Leg]) -> _Spent:
    """Who had the time from the first request to the last answer; what overlaps counts once."""
    spent = _Spent()
    until_us = legs[0].start_us
    for at, leg in enumerate(legs):
        pause = leg.start_us - until_us
        if pause > 0:
            # While a task works it is the server's time, whoever asks meanwhile or not.
            if _status(legs[:at]) == "working":
                spent.server += pause
            else:
                spent.client += pause
            until_us = leg.start_us
        part = leg.end_us - until_us
        if part > 0:
            upstream = min(part, leg.event.upstream_us or 0)
            spent.server += upstream
            spent.proxy += part - upstream
            until_us = leg.end_us
    return spent
