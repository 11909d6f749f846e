"""Edits an answer as it passes: finds the widgets in it and writes their policies.

A JSON body is held until it is whole, of an event stream the data of one event. What needs no
change goes on exactly as it came, and so does what cannot be read: the reader of an answer decides
what is wrong with it, not we.
"""

import re
from typing import Final

from mcpr.pipeline import codings
from mcpr.pipeline.csp.rules import CspRules
from mcpr.pipeline.csp.widgets import Widget, edit_item
from mcpr.pipeline.facts import AnswerFacts
from mcpr.protocol.members import Splice, Tangled, Walk, spliced

#: Where resources stand in an answer to `resources/list`, `resources/templates/list` and
#: `resources/read`.
_ITEMS: Final = (
    frozenset({"result"}),
    frozenset({"resources", "resourceTemplates", "contents"}),
    None,
)
#: What is larger goes on untouched.
HELD_BYTES: Final = 10 * 1024 * 1024
_MAX_WIDGETS: Final = 1000
#: Without one of these nothing stands at those places. An escape may hide any of them.
_MAY_MATTER: Final = re.compile(rb'"contents"|"resources"|"resourceTemplates"|\\u00')

_LINE: Final = re.compile(rb"[^\r\n]*+(?>\r\n|\n|\r)")
_EVENT_END: Final = re.compile(rb"(?>\r\n|\n|\r)(?>\r\n|\n|\r)")
_BOM: Final = b"\xef\xbb\xbf"


class JsonEditor:
    """For a JSON body. Feed it, then `finish`.

    widgets: those that were found. untouched: why the answer goes on unread, if it does.
    """

    is_stream = False

    __slots__ = ("_inflater", "_raw", "_rules", "_walk", "untouched", "widgets")

    def __init__(self, rules: CspRules, coding: str | None) -> None:
        self._rules = rules
        self._walk = Walk(_ITEMS)
        # Kept beside what was read only where the two differ.
        self._raw: list[bytes] = []
        self._inflater = None if coding is None else codings.Inflater(coding)
        self.widgets: list[Widget] = []
        self.untouched: str | None = None

    def feed(self, piece: bytes) -> bytes:
        """More of the body; nothing can be handed on yet."""
        if self._inflater is not None:
            self._raw.append(piece)
            if self.untouched is None:
                self._inflate(self._inflater, piece)
        elif self.untouched is None:
            self._read(piece)
        else:
            self._walk.data += piece
        return b""

    def _inflate(self, inflater: codings.Inflater, piece: bytes) -> None:
        try:
            inflated = inflater.feed(piece, HELD_BYTES - len(self._walk.data))
        except codings.Unreadable:
            self.untouched = "unreadable"
            return
        if inflated is None:
            self.untouched = "large"
        else:
            self._read(inflated)

    def _read(self, piece: bytes) -> None:
        if len(self._walk.data) + len(piece) > HELD_BYTES:
            self.untouched = "large"
            self._walk.data += piece
            return
        try:
            self._walk.feed(piece)
        except Tangled:
            self.untouched = "unreadable"

    def finish(self) -> bytes | None:
        """The body in its new form, in no content coding; None when it goes on as it came."""
        if self.untouched is not None:
            return None
        try:
            self._walk.finish()
            edited, self.widgets = _edited(self._walk, self._rules)
        except Tangled:
            self.untouched = "unreadable"
            return None
        return edited

    @property
    def raw(self) -> bytes:
        """The body as it came."""
        return b"".join(self._raw) if self._inflater is not None else bytes(self._walk.data)


class EventsEditor:
    """For an event stream. What `feed` returns may be handed on; `finish` gives the rest.

    Only the data of an event that may hold a widget waits, and only for the event's own end.
    """

    is_stream = True

    __slots__ = (
        "_held",
        "_inflater",
        "_passes",
        "_rules",
        "_seen",
        "_started",
        "untouched",
        "widgets",
    )

    def __init__(self, rules: CspRules, coding: str | None) -> None:
        self._rules = rules
        self._held = bytearray()
        self._seen = 0  # so much of what is held has no end of an event in it
        self._started = False
        self._passes = False  # the rest of an event that is too large
        self._inflater = None if coding is None else codings.Inflater(coding)
        self.widgets: list[Widget] = []
        self.untouched: str | None = None

    def feed(self, piece: bytes) -> bytes:
        """More of the stream. Raises `codings.Unreadable`: then nobody can go on."""
        if self._inflater is not None:
            inflated = self._inflater.feed(piece, HELD_BYTES)
            if inflated is None:
                raise codings.Unreadable("one piece grows beyond all bounds")
            piece = inflated
        held = self._held
        held += piece
        out: list[bytes] = []
        if not self._started:
            if len(held) < len(_BOM) and _BOM.startswith(held):
                return b""
            self._started = True
            if held.startswith(_BOM):
                out.append(self._take(len(_BOM)))
        while (end := _EVENT_END.search(held, self._seen)) is not None:
            out.append(self._event(self._take(end.end())))
        # The next piece may begin with the second half of an end.
        self._seen = max(0, len(held) - 3)
        out.append(self._early())
        return b"".join(out)

    def finish(self) -> bytes:
        """The stream is over; what stands half said goes on as it is."""
        return self._take(len(self._held))

    @property
    def raw(self) -> bytes:
        """What waits for the end of its event."""
        return bytes(self._held)

    def _take(self, size: int) -> bytes:
        taken = bytes(self._held[:size])
        del self._held[:size]
        self._seen = 0
        return taken

    def _early(self) -> bytes:
        """What of an unfinished event need not wait: lines before its data, and too much of it."""
        held = self._held
        if self._passes or len(held) > HELD_BYTES:
            if not self._passes:
                self._passes = True
                self.untouched = "large"
            # The last bytes may begin the event's end.
            return self._take(max(0, len(held) - 3))
        at = 0
        while (line := _LINE.match(held, at)) is not None and not held.startswith(b"data", at):
            at = line.end()
        return self._take(at) if at else b""

    def _event(self, raw: bytes) -> bytes:
        """One event, edited if it has to be."""
        if self._passes:
            self._passes = False
            return raw
        if _MAY_MATTER.search(raw) is None:
            return raw
        lines = _LINE.findall(raw)
        values = [_value(line) for line in lines]
        walk = Walk(_ITEMS)
        try:
            walk.feed(b"\n".join(value for value in values if value is not None))
            walk.finish()
            edited, widgets = _edited(walk, self._rules)
        except Tangled:
            self.untouched = "unreadable"
            return raw
        self.widgets += widgets[: _MAX_WIDGETS - len(self.widgets)]
        return raw if edited is None else _with_data(lines, values, edited)


def editor_for(answer: AnswerFacts, rules: CspRules) -> "JsonEditor | EventsEditor | None":
    """Who edits an answer with this head; None when it cannot hold what we edit."""
    coding = answer.coding
    if answer.status >= 300 or (coding is not None and not codings.is_known(coding)):
        return None
    if answer.is_events:
        return EventsEditor(rules, coding)
    return JsonEditor(rules, coding) if answer.is_json else None


def _edited(walk: Walk, rules: CspRules) -> tuple[bytes | None, list[Widget]]:
    """The text with every widget's policy in it (None: as it is), and the widgets."""
    splices: list[Splice] = []
    widgets: list[Widget] = []
    for item in walk.found:
        edit = edit_item(walk.data, item, rules)
        if edit is not None:
            splices += edit.splices
            if len(widgets) < _MAX_WIDGETS:
                widgets.append(edit.widget)
    return (spliced(walk.data, splices) if splices else None), widgets


def _value(line: bytes) -> bytes | None:
    """What a line adds to an event's data; None when it is no data line."""
    text = line.rstrip(b"\r\n")
    if text == b"data":
        return b""
    if not text.startswith(b"data:"):
        return None
    return text[6:] if text[5:6] == b" " else text[5:]


def _with_data(lines: list[bytes], values: list[bytes | None], data: bytes) -> bytes:
    """The event with other data, in place of its first data line."""
    first = next(index for index, value in enumerate(values) if value is not None)
    end = lines[first][len(lines[first].rstrip(b"\r\n")) :]
    parts = []
    for index, line in enumerate(lines):
        if index == first:
            parts += [b"data: " + text + end for text in data.split(b"\n")]
        elif values[index] is None:
            parts.append(line)
    return b"".join(parts)
