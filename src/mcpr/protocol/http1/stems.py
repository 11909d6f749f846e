"""Whole heads that were seen before, found again without looking for their end.

A peer's heads mostly differ in their Content-Length alone. So what stands before its value is
compared as it is, and only the rest is looked up: both cost less than to search a head for its
blank line and to hash all of it.
"""

import re
from typing import Generic, TypeVar

_P = TypeVar("_P")

_BLANK = b"\r\n\r\n"
_LENGTH = re.compile(rb"\r\n[Cc][Oo][Nn][Tt][Ee][Nn][Tt]-[Ll][Ee][Nn][Gg][Tt][Hh]:[ \t]*")


class Stem(Generic[_P]):
    """What heads of one size begin with, up to their Content-Length; without one, all of a head.

    head, key, body: where in a message `before`, the key of `plans`, and the body are. The key
    ends with the blank line, so that a message whose `before` and key are known has that head.
    """

    __slots__ = ("before", "body", "head", "key", "plans")

    def __init__(self, before: bytes, size: int) -> None:
        self.before = before
        # Made once: a slice written out is an object more each time.
        self.head = slice(0, len(before))
        self.key = slice(len(before), size)
        self.body = slice(size, None)
        self.plans: dict[bytes, _P] = {}

    def __repr__(self) -> str:
        return f"<Stem of {self.key.stop} bytes, {len(self.plans)} plans>"


class Stems(Generic[_P]):
    """The stems of heads that are remembered; whoever bounds those bounds these."""

    __slots__ = ("_stems", "none")

    def __init__(self) -> None:
        self._stems: dict[tuple[bytes, int], Stem[_P]] = {}
        #: Fits no head.
        self.none: Stem[_P] = Stem(b"\0", 1)

    def add(self, head: bytes, plan: _P) -> Stem[_P]:
        """Remember the plan of a head, which is without its blank line; the stem it is kept in."""
        match = _LENGTH.search(head)
        whole = head + _BLANK
        before = whole if match is None else whole[: match.end()]
        key = (before, len(whole))
        stem = self._stems.get(key)
        if stem is None:
            stem = self._stems[key] = Stem(*key)
        stem.plans[whole[stem.key]] = plan
        return stem

    def clear(self) -> None:
        """Forget them all, those that somebody still has, too."""
        for stem in self._stems.values():
            stem.plans.clear()
        self._stems.clear()
