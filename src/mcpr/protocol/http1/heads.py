"""Parses heads, and remembers what it has seen: most heads of a client differ in nothing.

A memory changes cost, never meaning: a head means the same wherever it arrives.
"""

from typing import Generic, TypeVar

from mcpr.protocol.http1.head import (
    FIELD_LINE,
    REQUEST_LINE,
    STATUS_LINE,
    BadHead,
    Field,
    Head,
    RequestHead,
    ResponseHead,
    role_of,
)

_H = TypeVar("_H", bound=Head)

#: Names whose values are secrets, or never come twice.
UNREMEMBERED = frozenset(
    (
        b"api-key",
        b"authorization",
        b"b3",
        b"baggage",
        b"cf-ray",
        b"cookie",
        b"dpop",
        b"dpop-nonce",
        b"idempotency-key",
        b"last-event-id",
        b"proxy-authorization",
        b"sentry-trace",
        b"set-cookie",
        b"traceparent",
        b"tracestate",
        b"x-amzn-trace-id",
        b"x-api-key",
        b"x-auth-token",
        b"x-b3-spanid",
        b"x-b3-traceid",
        b"x-cloud-trace-context",
        b"x-correlation-id",
        b"x-datadog-parent-id",
        b"x-datadog-trace-id",
        b"x-request-id",
    )
)
#: Names of a call's arguments, mirrored into the head (MCP 2026-07-28).
_ARGUMENT = b"mcp-param-"


def is_remembered(name: bytes) -> bool:
    """Whether lines of that lower-case name are kept in memory."""
    return name not in UNREMEMBERED and not name.startswith(_ARGUMENT)


class Memory(dict[bytes, _H], Generic[_H]):
    """Whole heads by their bytes. Bounded in number and in bytes; a full one starts anew."""

    __slots__ = ("_cost", "_max_heads")

    MAX_HEAD = 4096
    #: About so many bytes for all of them, plans included.
    MAX_COST = 32 * 1024 * 1024

    def __init__(self, max_heads: int) -> None:
        super().__init__()
        self._max_heads = max_heads
        self._cost = 0

    def remember(self, data: bytes, head: _H) -> None:
        """Keep what these bytes mean, unless they are too many."""
        if len(data) > self.MAX_HEAD:
            return
        # The bytes stand in the key, in the lines and in their values; the rest is the objects'
        # own, and a guess at the `plan` that will be kept with the head.
        cost = 1024 + 4 * len(data) + 256 * len(head.fields)
        if len(self) >= self._max_heads or self._cost + cost > self.MAX_COST:
            self.clear()
            self._cost = 0
        self[data] = head
        self._cost += cost


class Heads:
    """Parses heads and remembers what it has seen: whole heads, and single lines.

    Both memories are bounded. A line that carries a credential or that is new each time is not
    remembered, nor is a whole head with such a line.
    """

    __slots__ = ("_lines", "_max_fields", "_max_line", "requests", "responses")

    MAX_LINES = 8192
    MAX_REMEMBERED_LINE = 512

    def __init__(self, *, max_line: int, max_fields: int, max_heads: int = 4096) -> None:
        self._max_line = max_line
        self._max_fields = max_fields
        self._lines: dict[bytes, Field] = {}
        #: The hot path looks here first: head bytes, blank line included, to what they mean.
        self.requests: Memory[RequestHead] = Memory(max_heads)
        self.responses: Memory[ResponseHead] = Memory(max_heads)

    def request(self, data: bytes) -> RequestHead:
        """Parse one whole head, blank line included. Raises BadHead."""
        start, fields, lasting = self._split(data)
        match = REQUEST_LINE.fullmatch(start)
        if match is None:
            raise BadHead("the request line is not METHOD TARGET HTTP/1.1")
        if match[1] == b"CONNECT":
            raise BadHead("CONNECT is for forward proxies", 405)
        head = RequestHead((match[1], match[2], match[3] == b"0"), fields)
        if lasting:
            self.requests.remember(data, head)
        return head

    def response(self, data: bytes) -> ResponseHead:
        """Parse one whole head, blank line included. Raises BadHead."""
        start, fields, lasting = self._split(data)
        match = STATUS_LINE.fullmatch(start)
        if match is None:
            raise BadHead("the status line is not HTTP/1.1 STATUS")
        head = ResponseHead(int(match[2]), start + b"\r\n", fields, http10=match[1] == b"0")
        if lasting:
            self.responses.remember(data, head)
        return head

    def _split(self, data: bytes) -> tuple[bytes, tuple[Field, ...], bool]:
        """First line, fields, and whether the head may be remembered."""
        lines = data[:-4].split(b"\r\n")
        if len(lines) - 1 > self._max_fields:
            raise BadHead("too many header fields", 431)
        known = self._lines
        lasting = True
        fields = []
        start = lines[0]
        if len(start) > self._max_line:
            raise BadHead("the first line is too long", 431)
        del lines[0]
        for line in lines:
            field = known.get(line)
            if field is None:
                field = self._field(line)
                lasting = lasting and is_remembered(field.name)
            fields.append(field)
        return start, tuple(fields), lasting

    def _field(self, line: bytes) -> Field:
        if len(line) > self._max_line:
            raise BadHead("a header line is too long", 431)
        match = FIELD_LINE.fullmatch(line)
        if match is None:
            raise BadHead("a header line is not NAME: VALUE")
        name = match[1].lower()
        field = Field(name, match[2], line + b"\r\n", role_of(name))
        if len(line) <= self.MAX_REMEMBERED_LINE and is_remembered(name):
            if len(self._lines) >= self.MAX_LINES:
                self._lines.clear()
            self._lines[line] = field
        return field
