"""Calls whose session was lost, until they are made again in another one.

Only a server's 404 brings anything in here, so a common call pays nothing for it; what is kept is a
keyed hash of what was asked for, and it is kept for a minute.
"""

from typing import TYPE_CHECKING, Final

from msgspec import UNSET

from mcpr.protocol.mcp import SUBJECTS

if TYPE_CHECKING:
    from mcpr.pipeline.facts import RequestFacts
    from mcpr.pipeline.identity import Caller, SessionNames
    from mcpr.protocol.jsonrpc import Message, Params

_LOST: Final = 404
_KEEP_NS: Final = 60 * 1_000_000_000
_MOST: Final = 1024

#: What was asked for, and who asked: client, version, name.
_Key = tuple[str, str | None, str | None, str | None]


class Retries:
    """What was asked for in lost sessions, the oldest first. Bounded: the oldest goes."""

    __slots__ = ("_lost",)

    def __init__(self) -> None:
        #: → the session that was lost, and when.
        self._lost: dict[_Key, tuple[str, int]] = {}

    def __bool__(self) -> bool:
        return bool(self._lost)

    def __len__(self) -> int:
        return len(self._lost)

    def forget(self, now_ns: int) -> None:
        """Let go of what is older than a minute."""
        lost = self._lost
        while lost:
            first = next(iter(lost))
            if now_ns - lost[first][1] <= _KEEP_NS:
                return
            del lost[first]

    def mark_of(
        self,
        facts: "RequestFacts",
        status: int | None,
        at_ns: int,
        said: "tuple[SessionNames, Message, Caller]",
    ) -> str | None:
        """The mark of a call whose session was lost, and of the one that makes it again.

        Both have the same, and nothing else has it. at_ns: arrival, on the monotonic clock.
        """
        names, message, caller = said
        lost = self._lost
        self.forget(at_ns)
        is_lost = status == _LOST
        if facts.session is None or not (is_lost or lost) or caller.client is None:
            return None
        mark = _asked(names, message)
        if mark is None:
            return None
        key = (mark, caller.client, caller.version, caller.name)
        known = lost.get(key)
        if is_lost:
            lost.pop(key, None)
            if len(lost) >= _MOST:
                del lost[next(iter(lost))]
            lost[key] = (facts.session, at_ns)
            return mark
        if known is None or known[0] == facts.session:
            return None
        del lost[key]
        return mark


def _asked(names: "SessionNames", message: "Message") -> str | None:
    """A keyed hash of method, subject and arguments; None where they are not all at hand."""
    method, params = message.method, message.params
    if method is UNSET or method not in SUBJECTS or params is None or _is_bare(params):
        return None
    arguments = b"" if params.arguments is UNSET else bytes(params.arguments)
    asked = [method, params.name or "", params.uri or "", arguments.decode("utf-8", "replace")]
    return names.mark(b"retry", "\0".join(asked))


def _is_bare(params: "Params") -> bool:
    """Whether a name alone would tell calls apart: too little to prove that they are one."""
    return params.arguments is UNSET and params.uri is None
