"""Requests whose stream ended before their answer came.

In revision 2025-11-25 a server may close a call's stream and deliver the answer on a later GET
(SSE polling). Such a request waits here, for a while, for a stream of its session to answer it.
Bounded in number and in time: whoever leaves without an answer is recorded as broken, `unlinked`.
"""

from collections import deque
from typing import TYPE_CHECKING

from msgspec import UNSET, Raw

from mcpr.pipeline import outcomes, verdicts
from mcpr.pipeline.outcomes import Verdict
from mcpr.protocol.jsonrpc import Answer, Message, same_id

if TYPE_CHECKING:
    from mcpr.pipeline.exchange import Exchange

MAX_WAITING = 1_000
WAIT_NS = 120 * 1_000_000_000
_MAX_CANCELLED = 100


class Unanswered:
    """The requests that wait, oldest first."""

    __slots__ = ("_waiting",)

    def __init__(self) -> None:
        self._waiting: deque[tuple[int, Exchange, Message]] = deque()

    def wait(self, exchange: "Exchange", message: Message, now_ns: int) -> None:
        """The exchange ended, its answer did not come."""
        self._waiting.append((now_ns, exchange, message))
        if len(self._waiting) > MAX_WAITING:
            self._give_up()

    def claim(self, session: str, answer: Answer, now_ns: int) -> None:
        """A stream of that session carries an answer."""
        entry = None if answer.id is UNSET else self._find(session, answer.id)
        if entry is not None:
            _, exchange, message = entry
            self._settle(entry, verdicts.of_answer(exchange, message, answer, 200), now_ns)

    def unread(self, session: str, now_ns: int) -> None:
        """A stream of that session carries what cannot be read: who else could be meant."""
        entries = [entry for entry in self._waiting if entry[1].facts.session == session]
        if len(entries) == 1:
            self._settle(entries[0], outcomes.UNREAD, now_ns)

    def cancel(self, session: str, request_id: Raw) -> None:
        """The client of that session no longer wants this answer."""
        entry = self._find(session, request_id)
        if entry is not None:
            self._settle(entry, outcomes.CANCELLED, entry[0])

    def sweep(self, now_ns: int) -> None:
        """Give up on those that have waited too long."""
        while self._waiting and now_ns - self._waiting[0][0] > WAIT_NS:
            self._give_up()

    def drain(self, now_ns: int) -> None:
        """Give up on all: the program ends at `now_ns`; what they waited for ended earlier."""
        while self._waiting:
            self._give_up()

    def _find(self, session: str, request_id: Raw) -> "tuple[int, Exchange, Message] | None":
        for entry in self._waiting:
            _, exchange, message = entry
            if (
                exchange.facts.session == session
                and message.id is not UNSET
                and same_id(message.id, request_id)
            ):
                return entry
        return None

    def _settle(
        self, entry: "tuple[int, Exchange, Message]", verdict: Verdict, now_ns: int
    ) -> None:
        self._waiting.remove(entry)
        entry[1].settle(entry[2], verdict, now_ns)

    def _give_up(self) -> None:
        # Its latency ends with its stream: nobody waited for us to give up.
        ended_ns, exchange, message = self._waiting.popleft()
        exchange.remark("unlinked")
        exchange.settle(message, outcomes.LOST, ended_ns)

    def __len__(self) -> int:
        return len(self._waiting)


def cancel(exchange: "Exchange", messages: list[Message]) -> None:
    """A legacy client no longer wants an answer: the request it names is in its session."""
    session = exchange.facts.session
    wanted = [
        message.params.cancelled_id
        for message in messages
        if message.method == "notifications/cancelled" and message.params is not None
    ]
    if session is None or not wanted:
        return
    recording = exchange.recording
    under_way = [x for x in recording.active() if x.facts.session == session]
    for request_id in wanted[:_MAX_CANCELLED]:
        if request_id is UNSET:
            continue
        for other in under_way:
            if other.asks(request_id):
                other.cancelled = True
        recording.unanswered.cancel(session, request_id)
