"""How a recorded exchange ended and whose doing it was: two closed lists (ADR 0005).

`outcome` says what happened, `origin` who caused it. Only the outcomes in `NOT_AN_ERROR` leave the
error rate alone; `mcpr tools` and every page say so.
"""

from typing import Literal, get_args

Kind = Literal["rpc", "notification", "stream", "oauth", "http"]
Outcome = Literal[
    "ok",
    "tool_error",
    "rpc_error",
    "http_error",
    "timeout",
    "unreachable",
    "broken",
    "denied",
    "limited",
    "challenge",
    "probe",
    "cancelled",
    "client_gone",
    "unread",
    "internal",
]
Origin = Literal[
    "client",
    "auth",
    "policy",
    "limit",
    "proxy",
    "connect",
    "transport",
    "protocol",
    "server",
    "tool",
]

KINDS: tuple[Kind, ...] = get_args(Kind)
OUTCOMES: tuple[Outcome, ...] = get_args(Outcome)
ORIGINS: tuple[Origin, ...] = get_args(Origin)
NOT_AN_ERROR: frozenset[Outcome] = frozenset(
    ("ok", "challenge", "probe", "cancelled", "client_gone", "unread")
)


def is_error(outcome: Outcome) -> bool:
    """Whether the outcome counts in error rates."""
    return outcome not in NOT_AN_ERROR
