"""Requests that are one operation, put together by what they prove; a pure function of the rows.

So neither order nor doubling, restarts nor several proxies matter: what was recorded decides. A
link is proven by a keyed hash: of a `requestState` that was handed out and given back for the same
thing by the same caller, of a task's id. Where it proves nothing, or too much, the request stays an
operation of its own and says why. Nobody's request is given to somebody else.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Literal

from mcpr.events import Link, RequestEvent, read_link
from mcpr.store.engine import Recorded

#: The status of a call whose session was lost.
_LOST = 404
#: Of so many operations that a hash could mean, none is meant any more.
_MOST_KNOWN = 8

Kind = Literal["input", "task", "retry"]
Unlinked = Literal["no_state", "unseen", "ambiguous"]


@dataclass(frozen=True, slots=True)
class Leg:
    """One request of an operation. start_us, end_us: epoch µs."""

    event: RequestEvent
    link: Link
    start_us: int
    end_us: int

    @property
    def kinds(self) -> list[Kind]:
        """Of what it may be a leg."""
        found: list[Kind] = []
        if self.link.asks is not None or self.link.answers is not None:
            found.append("input")
        if self.link.task is not None:
            found.append("task")
        if self.link.retry is not None:
            found.append("retry")
        return found

    @property
    def begins_task(self) -> bool:
        """Whether its answer was a task."""
        return self.link.task is not None and not (self.event.method or "").startswith("tasks/")


@dataclass(slots=True)
class Operation:
    """What belongs together, in the order of arrival; and what is not proven of it."""

    legs: list[Leg] = field(default_factory=list)
    unlinked: Unlinked | None = None


def legs_of(found: Iterable[Recorded]) -> list[Leg]:
    """The requests that may be legs, in the order of arrival; each once."""
    legs: dict[bytes, Leg] = {}
    for recorded in found:
        event = recorded.event
        link = read_link(None if event.detail is None else event.detail.link)
        start_us = event.ts_ms * 1000
        leg = Leg(event, link, start_us, start_us + event.latency_us)
        if leg.kinds:
            legs[event.id] = leg
    return sorted(legs.values(), key=lambda leg: (leg.start_us, leg.end_us, leg.event.id))


def operations_of(legs: Sequence[Leg]) -> list[Operation]:
    """The operations of these legs, which are in the order of arrival."""
    groups = _Groups(len(legs))
    reasons: dict[int, Unlinked] = {}
    known: dict[tuple[object, ...], _Known] = defaultdict(lambda: _Known(groups))
    for at, leg in enumerate(legs):
        event, link = leg.event, leg.link
        call, caller = (event.server, event.method, event.tool, _subject(event)), _caller(event)
        if "" in (link.asks, link.answers):
            reasons[at] = "no_state"
        if link.answers:
            known["state", link.answers, call, caller].join(at, reasons)
        if link.asks:
            known["state", link.asks, call, caller].add(at)
        if link.task is not None:
            mine = known["task", link.task, event.server, caller, event.session]
            anywhere = known["task", link.task, event.server, caller]
            if not leg.begins_task:
                # Ids may clash: where the session knows the task, it is that one.
                (mine if mine.is_any and event.session is not None else anywhere).join(at, reasons)
            mine.add(at)
            anywhere.add(at)
        if link.retry is not None:
            lost = known["retry", link.retry, call, caller]
            if event.http_status == _LOST:
                lost.add(at)
            else:
                lost.join(at, reasons)
    found: dict[int, Operation] = defaultdict(Operation)
    for at, leg in enumerate(legs):
        operation = found[groups.root(at)]
        operation.legs.append(leg)
        operation.unlinked = operation.unlinked or reasons.get(at)
    return list(found.values())


def _subject(event: RequestEvent) -> str | None:
    return event.detail.subject if event.detail else None


def _caller(event: RequestEvent) -> tuple[str | None, ...]:
    return event.client, event.client_version, event.detail.client_name if event.detail else None


class _Known:
    """The operations that a request may be part of, as far as one hash tells; a few at most."""

    def __init__(self, groups: "_Groups") -> None:
        self._groups = groups
        self._places: list[int] = []
        self._are_too_many = False

    @property
    def is_any(self) -> bool:
        """Whether there is one."""
        return bool(self._places)

    def _roots(self) -> set[int]:
        roots = {self._groups.root(at) for at in self._places}
        self._places = sorted(roots)
        return roots

    def add(self, at: int) -> None:
        """One more request that later ones may belong to."""
        if self._groups.root(at) in self._roots():
            return
        if len(self._places) < _MOST_KNOWN:
            self._places.append(at)
        else:
            self._are_too_many = True

    def join(self, at: int, reasons: dict[int, Unlinked]) -> None:
        """Make a request part of the one operation that it can belong to, or say why not."""
        roots = self._roots()
        if not roots:
            reasons.setdefault(at, "unseen")
        elif len(roots) > 1 or self._are_too_many:
            reasons.setdefault(at, "ambiguous")
        else:
            self._groups.join(roots.pop(), at)


class _Groups:
    """Places that belong together; each group is called by its first place."""

    def __init__(self, size: int) -> None:
        self._parents = list(range(size))

    def root(self, at: int) -> int:
        while self._parents[at] != at:
            self._parents[at] = self._parents[self._parents[at]]
            at = self._parents[at]
        return at

    def join(self, one: int, other: int) -> None:
        first, second = sorted((self.root(one), self.root(other)))
        self._parents[second] = first
