"""Requests whose stream ended before their answer came.

In revision 2025-11-25 a server may close a call's stream and deliver the answer on a later GET
(SSE polling). Such a request waits here, for a while, for a stream of its session to answer it.
Bounded in number and in time: whoever leaves without an answer is recorded as broken, `unlinked`.
"""

from collections import deque
from typing import TYPE_CHECKING

from msgspec import UNSET

from mcpr.pipeline import outcomes
from mcpr.protocol.jsonrpc import Answer, Message, same_id

if TYPE_CHECKING:
    from mcpr.pipeline.exchange import Exchange

MAX_WAITING = 1_000
WAIT_NS = 120 * 1_000_000_000


class Unanswered:
    """The requests that wait, oldest first."""

    __slots__ = ("_waiting",)

    def __init__(self) -> None:
        self._waiting: deque[tuple[int, Exchange, Message]] = deque()

    def wait(self, exchange: "Exchange", message: Message, now_ns: int) -> None:
        """The exchange ended, its answer did not come."""
        self._waiting.append((now_ns, exchange, message))
        if len(self._waiting) > MAX_WAITING:
            self._give_up(now_ns)

    def claim(self, session: str, answer: Answer, now_ns: int) -> None:
        """A stream of that session carries an answer."""
        for entry in self._waiting:
            _, exchange, message = entry
            if (
                exchange.facts.session == session
                and message.id is not UNSET
                and answer.id is not UNSET
                and same_id(message.id, answer.id)
            ):
                self._waiting.remove(entry)
                verdict = outcomes.of_answer(answer, 200, has_credential=False)
                exchange.settle(message, verdict, now_ns)
                return

    def sweep(self, now_ns: int) -> None:
        """Give up on those that have waited too long."""
        while self._waiting and now_ns - self._waiting[0][0] > WAIT_NS:
            self._give_up(now_ns)

    def drain(self, now_ns: int) -> None:
        """Give up on all: the program ends."""
        while self._waiting:
            self._give_up(now_ns)

    def _give_up(self, now_ns: int) -> None:
        _, exchange, message = self._waiting.popleft()
        exchange.note = "unlinked" if exchange.note is None else f"{exchange.note} unlinked"
        exchange.settle(message, outcomes.LOST, now_ns)

    def __len__(self) -> int:
        return len(self._waiting)
