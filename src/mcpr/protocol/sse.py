"""Server-sent events (WHATWG HTML section 9.2), read on the side.

The reader watches a stream that is passed on as it came; nothing is ever written back. It keeps at
most `limit` bytes of one event; of a larger one it says only that it was there.
"""

from typing import NamedTuple

_BOM = b"\xef\xbb\xbf"
_DATA = b"data:"
_ID = b"id:"


class Event(NamedTuple):
    """One dispatched event, or an id alone: it dispatches nothing, but a client may resume there.

    data: the data lines joined by LF; None when the event was larger than the reader keeps.
    has_id: whether an id came with it that a stream can be resumed from.
    """

    data: bytes | None
    has_id: bool


class Reader:
    """Reads one event stream piece by piece; borders may fall anywhere, in UTF-8 too.

    held: how many bytes of an unfinished event are kept at the moment; hardly more than `limit`.
    """

    __slots__ = (
        "_after_cr",
        "_data",
        "_has_id",
        "_limit",
        "_lost",
        "_max_line",
        "_rest",
        "_size",
        "_skips_line",
        "_started",
        "held",
    )

    def __init__(self, limit: int) -> None:
        self._limit = limit
        # With `data: ` before it, even the longest value that is kept is no longer than this.
        self._max_line = limit + len(_DATA) + 1
        self._rest = bytearray()  # a line without its end
        self._skips_line = False  # the line is too long: the rest of it means nothing
        self._after_cr = False
        self._started = False
        self.held = 0
        self._reset()

    def _reset(self) -> None:
        self._data: bytes | bytearray | None = None
        self._size = 0
        self._has_id = False
        self._lost = False

    def feed(self, piece: bytes) -> list[Event]:
        """Return the events that this piece completed."""
        if not self._started:
            piece = self._without_bom(piece)
        if self._after_cr or b"\r" in piece:
            piece = self._with_lf(piece)
        lines = piece.split(b"\n")
        last = lines.pop()
        events: list[Event] = []
        if lines:
            if self._rest or self._skips_line:
                lines[0] = self._whole(lines[0])
            self._take(lines, events)
        if last:
            self._keep(last)
        self.held = len(self._rest) + self._size
        return events

    def _without_bom(self, piece: bytes) -> bytes:
        data = bytes(self._rest) + piece
        self._rest.clear()
        if len(data) < len(_BOM) and _BOM.startswith(data):
            self._rest += data
            return b""
        self._started = True
        return data.removeprefix(_BOM)

    def _with_lf(self, piece: bytes) -> bytes:
        """The piece with LF for every end of a line; a CRLF may have been cut in two."""
        if not piece:
            return piece
        if self._after_cr and piece.startswith(b"\n"):
            piece = piece[1:]
        self._after_cr = piece.endswith(b"\r")
        return piece.replace(b"\r\n", b"\n").replace(b"\r", b"\n")

    def _keep(self, last: bytes) -> None:
        if self._skips_line:
            return
        self._rest += last
        if self._size + len(self._rest) > self._max_line:
            self._overlong(self._rest)
            self._rest.clear()
            self._skips_line = True

    def _whole(self, end: bytes) -> bytes:
        """The line that `end` ends; a comment in place of one that was too long."""
        if self._skips_line:
            self._skips_line = False
            return b":"
        self._rest += end
        line = bytes(self._rest)
        self._rest.clear()
        return line

    def _take(self, lines: list[bytes], events: list[Event]) -> None:
        for line in lines:
            if line:
                self._field(line)
                continue
            data = self._data
            if data is not None:
                events.append(Event(bytes(data), self._has_id))
            elif self._lost:
                events.append(Event(None, self._has_id))
            elif self._has_id:
                events.append(Event(b"", has_id=True))
            else:
                continue
            self._reset()

    def _field(self, line: bytes) -> None:
        if self._size + len(line) > self._max_line:
            self._overlong(line)
        elif line.startswith(_DATA):
            self._append(line[6:] if line[5:6] == b" " else line[5:])
        elif line == b"data":
            self._append(b"")
        elif line.startswith(_ID):
            value = line[3:].removeprefix(b" ")
            # An empty id is as none, and one with NUL is ignored.
            if value and b"\0" not in value:
                self._has_id = True

    def _append(self, value: bytes) -> None:
        if self._lost:
            return
        data = self._data
        if data is None:
            self._data = value
            self._size = len(value)
        else:
            if isinstance(data, bytes):
                self._data = data = bytearray(data)
            data += b"\n"
            data += value
            self._size = len(data)
        if self._size > self._limit:
            self._lose()

    def _overlong(self, line: bytes | bytearray) -> None:
        if line.startswith(_DATA):
            self._lose()
        elif line.startswith(_ID):
            self._has_id = True

    def _lose(self) -> None:
        self._lost = True
        self._data = None
        self._size = 0
