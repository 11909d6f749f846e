"""From what was seen of an exchange to its outcome and origin: tables, and one function (ADR 0005).

The function is pure and total: every combination has an answer, and a test walks them all.
"""

from typing import Literal, NamedTuple

from msgspec import UNSET

from mcpr.events import Origin, Outcome
from mcpr.protocol.jsonrpc import Answer, Error
from mcpr.protocol.mcp import origin_of_code

Ending = Literal[
    "complete",
    "cut",
    "garbage",
    "timeout",
    "unreachable",
    "gone",
    "over",
    "busy",
    "too_large",
    "denied",
    "malformed",
    "stopped",
    "internal",
]


class Verdict(NamedTuple):
    """How one request ended. `error_text` stays on this machine."""

    outcome: Outcome
    origin: Origin | None = None
    rpc_code: int | None = None
    error_text: str | None = None


OK = Verdict("ok")

#: How an exchange ended that never came to a whole answer.
ENDINGS: dict[Ending, Verdict] = {
    "cut": Verdict("broken", "transport"),
    "garbage": Verdict("broken", "protocol"),
    "timeout": Verdict("timeout", "transport"),
    "unreachable": Verdict("unreachable", "connect"),
    "gone": Verdict("client_gone", "client"),
    "over": Verdict("limited", "limit"),
    "busy": Verdict("limited", "limit"),
    "too_large": Verdict("limited", "limit"),
    "denied": Verdict("denied", "policy"),
    "malformed": Verdict("http_error", "client"),
    "stopped": Verdict("broken", "proxy"),
    "internal": Verdict("internal", "proxy"),
}
CANCELLED = Verdict("cancelled", "client")
UNREAD = Verdict("unread")
GARBAGE = ENDINGS["garbage"]
LOST = Verdict("broken", "transport")
PROBE = Verdict("probe")

MAX_ERROR_TEXT = 512
#: With these a server of another era says that it is one.
_PROBE_STATUSES = frozenset((400, 404, 405))


def of_status(status: int, *, has_credential: bool) -> Verdict:
    """An answer without a JSON-RPC answer in it: its HTTP status is all there is."""
    if status < 400:
        return OK
    if status == 401 and not has_credential:
        return Verdict("challenge", "auth")
    if status in (401, 403):
        return Verdict("http_error", "auth")
    return Verdict("http_error", "server" if status >= 500 else "client")


def of_error(error: Error, status: int, *, has_credential: bool) -> Verdict:
    """A JSON-RPC error."""
    text = None if error.message is None else error.message[:MAX_ERROR_TEXT]
    if status == 401 and not has_credential:
        return Verdict("challenge", "auth", error.code, text)
    if status in (401, 403):
        return Verdict("rpc_error", "auth", error.code, text)
    origin: Origin = "server" if error.code is None else origin_of_code(error.code)
    return Verdict("rpc_error", origin, error.code, text)


def of_answer(answer: Answer, status: int, *, has_credential: bool) -> Verdict:
    """A JSON-RPC answer: `isError: true` is an error of the tool, whatever the status says."""
    error = answer.error
    if error:
        return of_error(error, status, has_credential=has_credential)
    result = answer.result
    if result is UNSET:
        # Neither a result nor an error: `{"jsonrpc": "2.0", "id": 1}` answers nothing.
        return GARBAGE
    if result is not None and result.is_error:
        return Verdict("tool_error", "tool")
    # Whoever gets a status of 400 and more does not look for a result.
    return of_status(status, has_credential=has_credential)


def is_probe_refused(verdict: Verdict, status: int | None) -> bool:
    """Whether the failure of a `server/discover` says no more than that the server is older.

    It does not know the method, or it misses a session. A server that broke down failed.
    """
    if verdict.outcome not in {"rpc_error", "http_error"} or verdict.origin == "auth":
        return False
    by_code = verdict.outcome == "rpc_error" and verdict.origin == "client"
    return by_code or status in _PROBE_STATUSES
