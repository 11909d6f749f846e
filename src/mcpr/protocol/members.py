"""Where the members of a JSON text stand, so that one can be changed and the rest stays as it is.

Nothing here builds values: a text is walked by its brackets and strings. What is no JSON gives
`Tangled`, or spans that whoever decodes them will stumble over; it is never mended.
"""

import itertools
import json
import re
from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

#: Deeper texts are given up; decoders do the same, somewhat later or earlier.
MAX_DEPTH: Final = 256

_OPENING: Final = b"{["
_PAIRS: Final = {ord("}"): ord("{"), ord("]"): ord("[")}
_QUOTE: Final = ord('"')
_OBJECT: Final = ord("{")
_LIST: Final = ord("[")

#: All up to the next bracket or quote: commas, colons, blanks, numbers and words.
_PLAIN: Final = re.compile(rb'[^"{}\[\]]*+')
#: The same, and whole strings: where nobody asks for keys.
_DULL: Final = re.compile(rb'(?:[^"{}\[\]]++|"(?:[^"\\]++|\\.)*+")*+', re.DOTALL)
#: The rest of a string, up to its end, or to the end of what is there.
_IN_STRING: Final = re.compile(rb'(?:[^"\\]++|\\.)*+', re.DOTALL)
_BLANKS: Final = b" \t\r\n"


class Tangled(ValueError):
    """The text is no JSON, or too deep."""


class Member(NamedTuple):
    """One member of an object: its key, and where key and value stand. `end` is exclusive."""

    key: str
    key_start: int
    start: int
    end: int


class Object:
    """One object of a text: where it stands, and its members in their order, doubled ones too.

    end: exclusive; -1 as long as it is not over.
    """

    __slots__ = ("end", "members", "start")

    def __init__(self, start: int) -> None:
        self.start = start
        self.end = -1
        self.members: list[Member] = []

    def __repr__(self) -> str:
        return f"<Object {self.start}:{self.end} {[member.key for member in self.members]}>"


class Walk:
    """Walks one JSON text that comes in pieces, borders anywhere, and finds objects in it.

    path: where they are, as keys from the top; `*` stands for every element of a list, and a set of
    keys for each of them. A list around the whole (a batch) is seen through.
    data: the text so far. found: the objects at the path, in their order.
    """

    __slots__ = ("_at", "_frames", "_in_string", "_path", "_string_at", "data", "found")

    def __init__(self, path: "tuple[frozenset[str] | None, ...]") -> None:
        self.data = bytearray()
        self.found: list[Object] = []
        self._path = path
        self._at = 0
        self._string_at = 0
        self._in_string = False
        self._frames: list[_Frame] = []

    def feed(self, piece: bytes) -> None:
        """More of the text. Raises Tangled."""
        data = self.data
        data += piece
        size = len(data)
        at = self._at
        while at < size:
            if self._in_string:
                at = _IN_STRING.match(data, at).end()  # type: ignore[union-attr]  # it matches b""
                if at >= size or data[at] != _QUOTE:
                    break  # A backslash whose letter is still to come, or no end yet.
                at += 1
                self._in_string = False
                self._string(at)
                continue
            frame = self._frames[-1] if self._frames else None
            dull = frame is not None and not frame.is_watched
            at = (_DULL if dull else _PLAIN).match(data, at).end()  # type: ignore[union-attr]
            if at >= size:
                break
            byte = data[at]
            if byte == _QUOTE:
                self._string_at = at
                self._in_string = True
            elif byte in _OPENING:
                self._open(byte, at)
            else:
                self._close(byte, at)
            at += 1
        self._at = at

    def finish(self) -> None:
        """The text is over. Raises Tangled if something is still open."""
        if self._frames or self._in_string:
            raise Tangled("it ends too early")

    def _string(self, end: int) -> None:
        frame = self._frames[-1] if self._frames else None
        if frame is None or not frame.is_watched or frame.kind != _OBJECT:
            return
        data = self.data
        start = self._string_at
        if not self._is_key(frame, start):
            return
        self._end_member(frame, start)
        frame.key = _text(bytes(data[start:end]))
        frame.key_start = start
        frame.key_end = end

    def _is_key(self, frame: "_Frame", start: int) -> bool:
        """Whether the string that starts here is a key: what stands before it says so."""
        before = start - 1
        while self.data[before] in _BLANKS:
            before -= 1
        return before == frame.start or self.data[before] == ord(",")

    def _end_member(self, frame: "_Frame", before: int) -> None:
        """The member that came last ends before this place: a key, or the object's end."""
        if frame.key is None:
            return
        if frame.object is not None:
            data = self.data
            start = frame.key_end
            while start < before and data[start] in b": \t\r\n":
                start += 1
            end = before
            while end > start and data[end - 1] in b", \t\r\n":
                end -= 1
            if start == end:
                raise Tangled("a key without a value")
            frame.object.members.append(Member(frame.key, frame.key_start, start, end))
        frame.key = None

    def _open(self, kind: int, at: int) -> None:
        frames = self._frames
        if len(frames) >= MAX_DEPTH:
            raise Tangled("too deep")
        if not frames:
            # A batch is seen through: what is in its list stands at the top.
            frames.append(_Frame(kind, at, 0, is_watched=True))
            self._find(frames[-1])
            return
        parent = frames[-1]
        depth = -1
        if parent.is_watched and parent.depth < len(self._path):
            wanted = self._path[parent.depth]
            if parent.kind == _LIST and len(frames) == 1:
                depth = 0 if kind == _OBJECT else -1
            elif parent.kind == _LIST:
                depth = parent.depth + 1 if wanted is None else -1
            elif wanted is not None and parent.key in wanted:
                depth = parent.depth + 1
        frame = _Frame(kind, at, max(depth, 0), is_watched=depth >= 0)
        frames.append(frame)
        if depth >= 0:
            self._find(frame)

    def _find(self, frame: "_Frame") -> None:
        if frame.depth == len(self._path) and frame.kind == _OBJECT:
            frame.object = Object(frame.start)
            self.found.append(frame.object)

    def _close(self, byte: int, at: int) -> None:
        if not self._frames:
            raise Tangled("a bracket too many")
        frame = self._frames.pop()
        if _PAIRS[byte] != frame.kind:
            raise Tangled("brackets that do not match")
        self._end_member(frame, at)
        if frame.object is not None:
            frame.object.end = at + 1


class _Frame:
    """An open bracket. depth: how much of the path it has; is_watched: whether it has any."""

    __slots__ = ("depth", "is_watched", "key", "key_end", "key_start", "kind", "object", "start")

    def __init__(self, kind: int, start: int, depth: int, *, is_watched: bool) -> None:
        self.kind = kind
        self.start = start
        self.depth = depth
        self.is_watched = is_watched
        self.object: Object | None = None
        self.key: str | None = None
        self.key_start = 0
        self.key_end = 0


def _text(token: bytes) -> str:
    """A string's value. Raises Tangled."""
    try:
        value = json.loads(token)
    except ValueError as exc:
        raise Tangled("a string that is none") from exc
    assert isinstance(value, str)
    return value


class Splice(NamedTuple):
    """What shall stand in place of `[start, end)`."""

    start: int
    end: int
    text: bytes


def spliced(text: "bytes | bytearray", splices: Sequence[Splice]) -> bytes:
    """The text with these places changed. They are in order and do not overlap."""
    parts: list[bytes | bytearray] = []
    at = 0
    for splice in splices:
        parts += (text[at : splice.start], splice.text)
        at = splice.end
    parts.append(text[at:])
    return b"".join(parts)


def members_of(text: bytes) -> Object:
    """The members of the object that the text is. Raises Tangled."""
    walk = Walk(())
    walk.feed(text)
    walk.finish()
    if len(walk.found) != 1:
        raise Tangled("no object")
    return walk.found[0]


def changes(found: Object, wanted: Mapping[str, bytes | None]) -> list[Splice]:
    """How to give an object these members: `None` takes one out, anything else is its new value.

    A doubled member becomes a single one, for nobody knows which of the two a reader takes.
    """
    last = {member.key: member for member in found.members if wanted.get(member.key) is not None}
    kept = [m for m in found.members if m.key not in wanted or last.get(m.key) is m]
    splices = [Splice(m.start, m.end, wanted[m.key] or b"") for m in last.values()]
    splices += _cuts(found.members, kept)
    new = b",".join(
        b"%b:%b" % (json.dumps(key).encode(), value)
        for key, value in wanted.items()
        if value is not None and key not in last
    )
    if new:
        end = kept[-1].end if kept else found.start + 1
        splices.append(Splice(end, end, b"," + new if kept else new))
    return sorted(splices)


def _cuts(members: list[Member], kept: list[Member]) -> list[Splice]:
    """What goes with the members that are not kept: each of them, and one comma."""
    if not kept:
        return [Splice(members[0].key_start, members[-1].end, b"")] if members else []
    cuts = []
    staying = set(map(id, kept))
    for member, following in itertools.pairwise(members):
        if id(member) not in staying and member.end < kept[-1].start:
            cuts.append(Splice(member.key_start, following.key_start, b""))
    if members[-1].end > kept[-1].end:
        cuts.append(Splice(kept[-1].end, members[-1].end, b""))
    return cuts
