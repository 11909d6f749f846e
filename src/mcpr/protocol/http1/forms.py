"""What the heads of one peer have in common, where no head comes twice.

A peer writes its heads in one way: the same lines in the same order, and in a few of them another
value each time. Whoever has taken one apart knows where these stand in the next one, and what is
between them is compared as it is. A form says nothing of its own: a head fits if `split_request`
would take the same lines out of it and leave the same bytes.
"""

import re
from typing import Generic, TypeVar

_P = TypeVar("_P")

_LENGTH = b"content-length"
_BLANK = b"\r\n\r\n"
#: Name, colon and at most one space of a line, and its value without blanks around it.
_LINE = re.compile(rb"([^:]+:[ ]?)([!-~\x80-\xff](?:[\t -~\x80-\xff]*[!-~\x80-\xff])?)")
_VALUE = re.compile(rb"[!-~\x80-\xff](?:[\t -~\x80-\xff]*[!-~\x80-\xff])?")


class Form(Generic[_P]):
    """The form of one head, taken apart by `split_request`, its blank line included.

    plans: what is known of heads of this form, by the value of Content-Length, b"" without one.
    """

    __slots__ = ("_after", "_before", "_fixed", "_length_at", "_others", "_stem", "plans")

    def __init__(self, names: list[bytes], pieces: list[bytes]) -> None:
        # What stands before the first value.
        self._stem = pieces[0] + b"\r\n" + names[0]
        # Made once: a slice written out is an object more each time.
        self._before = slice(0, len(self._stem))
        self._after = slice(len(self._stem), None)
        # What stands between one value and the next, from the next line on; at last the rest.
        between = [
            piece + b"\r\n" + name for piece, name in zip(pieces[1:], names[1:], strict=False)
        ]
        lines = [piece[2:] for piece in (*between, pieces[-1][: -len(_BLANK)])]
        self._fixed = [(piece, slice(0, len(piece)), slice(len(piece), None)) for piece in lines]
        lengths = [at for at, name in enumerate(names) if name.lower().startswith(_LENGTH)]
        self._length_at = lengths[0] if lengths else None
        self._others = [(name, at) for at, name in enumerate(names) if at != self._length_at]
        self.plans: dict[bytes, _P] = {}

    @classmethod
    def of(cls, parts: list[bytes]) -> "Form[_P] | None":
        """The form of a head; None where it has none that could be told again."""
        matches = [_LINE.fullmatch(line) for line in parts[1::2]]
        names = [match[1] for match in matches if match is not None]
        lengths = sum(name.lower().startswith(_LENGTH) for name in names)
        if not names or len(names) < len(matches) or lengths > 1:
            return None
        return cls(names, parts[::2])

    def values(self, head: bytes) -> list[bytes] | None:
        """The values that change in a head, which is without its blank line; None: it is no such.

        Slices and `partition`: a call of `find` or `startswith` costs as much as ten of them.
        """
        if head[self._before] != self._stem:
            return None
        rest = head[self._after]
        values = []
        for fixed, there, after in self._fixed:
            value, _, rest = rest.partition(b"\r\n")
            # The function knows what else is in order.
            if rest[there] != fixed or not (value.isalnum() or _is_value(value)):
                return None
            rest = rest[after]
            values.append(value)
        return None if rest else values

    def length(self, values: list[bytes]) -> bytes:
        """The value of Content-Length, b"" without one."""
        return b"" if self._length_at is None else values[self._length_at]

    def other_lines(self, values: list[bytes]) -> bytes:
        """The lines that change, without Content-Length, in their order."""
        if len(self._others) == 1:
            ((name, at),) = self._others
            return b"".join((name, values[at], b"\r\n"))
        lines: list[bytes] = []
        for name, at in self._others:
            lines += (name, values[at], b"\r\n")
        return b"".join(lines)

    def __repr__(self) -> str:
        # No bytes of a head: they may hold a secret.
        return f"<Form {len(self._fixed)} lines change, {len(self.plans)} plans>"


def _is_value(value: bytes) -> bool:
    """Whether it is in order: nearly all are letters, digits and dashes."""
    return value.replace(b"-", b"").isalnum() or _VALUE.fullmatch(value) is not None
