"""Which tools may be called while the list of tools is pinned: decided before a call is sent on.

Only where `[schema] pin = "block"`. A call passes when the definition of its tool is approved; one
that cannot be read for certain does not. Everything that is no call of a tool passes.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from mcpr.protocol.jsonrpc import Message

if TYPE_CHECKING:
    from mcpr.pipeline.exchange import Exchange

NOT_APPROVED = (
    "the definition of this tool is new or has changed, and nobody has approved it; the operator"
    " of this proxy can look with `mcpr schema` and approve with `mcpr schema approve`"
)
UNREADABLE = "the list of tools is pinned, and this request cannot be read for certain"
TOO_LARGE = "the list of tools is pinned, and a request of this size is not read here"
NO_JSON = "the list of tools is pinned, and only plain JSON can be read here"


class Pin:
    """What is approved. allowed: names of tools; None while nothing was ever listed or approved."""

    __slots__ = ("allowed",)

    def __init__(self, allowed: frozenset[str] | None = frozenset()) -> None:
        # Empty until somebody has looked: nothing passes.
        self.allowed = allowed

    def allow(self, allowed: Iterable[str] | None) -> None:
        """From now on these tools may be called; None: all, nothing is pinned yet."""
        self.allowed = None if allowed is None else frozenset(allowed)

    def objection(self, exchange: "Exchange") -> str | None:
        """Why the request must not be sent on; None where it may. Its body has been read."""
        if self.allowed is None:
            return None
        if exchange.deferred:
            return TOO_LARGE
        if exchange.message is None or "ambiguous" in (exchange.note or ""):
            return UNREADABLE
        for message in (exchange.message, *exchange.others):
            if message.method == "tools/call" and not self._allows(message):
                return NOT_APPROVED
        return None

    def _allows(self, message: Message) -> bool:
        name = None if message.params is None else message.params.name
        return name is not None and self.allowed is not None and name in self.allowed

    def __repr__(self) -> str:
        return "<Pin open>" if self.allowed is None else f"<Pin {len(self.allowed)} tools>"
