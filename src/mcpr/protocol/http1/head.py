"""Message heads of HTTP/1.1: bytes to values, strictly (RFC 9112).

A head that two parsers could read in two ways is refused, never repaired: that is what request
smuggling lives on. No sockets and no state: what a head means depends on its bytes alone, so it may
be remembered (`heads.py`).
"""

import re
from dataclasses import dataclass
from enum import IntEnum

# The possessive quantifiers keep a crafted line from being read in quadratic time.
_TOKEN = rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]++"
REQUEST_LINE = re.compile(rb"(" + _TOKEN + rb") ([!-~]+) HTTP/1\.([01])")
STATUS_LINE = re.compile(rb"HTTP/1\.([01]) ([1-9][0-9]{2})(?: ([\t -~\x80-\xff]*))?")
FIELD_LINE = re.compile(
    rb"(" + _TOKEN + rb"):[ \t]*+((?:[!-~\x80-\xff](?:[\t -~\x80-\xff]*[!-~\x80-\xff])?)?)[ \t]*"
)
_HOST = re.compile(rb"(?:[0-9A-Za-z.\-_~%!$&'()*+,;=]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{0,5})?")
_LENGTH = re.compile(rb"[0-9]{1,15}")
_ABSOLUTE = re.compile(rb"[Hh][Tt][Tt][Pp][Ss]?://([^/?#]++)([^#]*+)")


class BadHead(ValueError):
    """The peer's head cannot be accepted. `status` is what a server answers before it closes."""

    def __init__(self, reason: str, status: int = 400) -> None:
        super().__init__(reason)
        self.reason = reason
        self.status = status


class Role(IntEnum):
    """What a field means to a proxy. Everything that is not named here is end-to-end."""

    END_TO_END = 0
    HOP_BY_HOP = 1
    CONNECTION = 2
    CONTENT_LENGTH = 3
    TRANSFER_ENCODING = 4
    HOST = 5
    EXPECT = 6
    FORWARDED = 7
    KEEP_ALIVE = 8


_ROLES = {
    b"connection": Role.CONNECTION,
    b"content-length": Role.CONTENT_LENGTH,
    b"transfer-encoding": Role.TRANSFER_ENCODING,
    b"host": Role.HOST,
    b"expect": Role.EXPECT,
    b"keep-alive": Role.KEEP_ALIVE,
    b"proxy-connection": Role.HOP_BY_HOP,
    b"proxy-authenticate": Role.HOP_BY_HOP,
    b"proxy-authorization": Role.HOP_BY_HOP,
    b"te": Role.HOP_BY_HOP,
    b"upgrade": Role.HOP_BY_HOP,
    b"forwarded": Role.FORWARDED,
    b"x-forwarded-for": Role.FORWARDED,
    b"x-forwarded-host": Role.FORWARDED,
    b"x-forwarded-proto": Role.FORWARDED,
    b"x-forwarded-port": Role.FORWARDED,
    b"x-real-ip": Role.FORWARDED,
}


# Looking a member up on the enum costs a good part of reading a head whose lines are known.
_END_TO_END = Role.END_TO_END
_CONNECTION = Role.CONNECTION
_CONTENT_LENGTH = Role.CONTENT_LENGTH
_TRANSFER_ENCODING = Role.TRANSFER_ENCODING
_HOST_FIELD = Role.HOST
_EXPECT = Role.EXPECT


def role_of(name: bytes) -> Role:
    """What the field of that lower-case name means to a proxy."""
    return _ROLES.get(name, Role.END_TO_END)


# A `Connection` option that names one of these would take away what frames, routes or describes the
# message: the upstream would see another message than the one we judge and record.
_NOT_AN_OPTION = frozenset(
    (
        b"accept",
        b"authorization",
        b"content-encoding",
        b"content-length",
        b"content-type",
        b"cookie",
        b"expect",
        b"host",
        b"last-event-id",
        b"mcp-method",
        b"mcp-name",
        b"mcp-protocol-version",
        b"mcp-session-id",
        b"origin",
        b"transfer-encoding",
        b"www-authenticate",
    )
)


@dataclass(frozen=True, slots=True)
class Field:
    """One header line. `name` in lower case; `line` as it came, with its CRLF."""

    name: bytes
    value: bytes
    line: bytes
    role: Role


class Head:
    """What request and response heads share.

    fields: every line, in order, repeated ones too.
    content_length: None where there is no such field.
    chunked: the body is in the chunked transfer coding.
    keep_alive: the peer is willing to use the connection again.
    dropped: lower-case names that end here: hop-by-hop fields and those `Connection` names.
    plan: free for whoever reads the head; kept with it for as long as the head is remembered.
    """

    __slots__ = (
        "_special",
        "chunked",
        "content_length",
        "dropped",
        "fields",
        "http10",
        "keep_alive",
        "plan",
    )

    def __init__(self, fields: tuple[Field, ...], *, http10: bool) -> None:
        self.fields = fields
        self.http10 = http10
        self.plan: object | None = None
        self.content_length: int | None = None
        self.chunked = False
        self.keep_alive = not http10
        self.dropped: frozenset[bytes] = frozenset()
        self._special = special = [field for field in fields if field.role is not _END_TO_END]
        connections = []
        for field in special:
            role = field.role
            if role is _CONTENT_LENGTH:
                self._set_length(field.value)
            elif role is _TRANSFER_ENCODING:
                self._set_coding(field)
            elif role is _CONNECTION:
                connections.append(field.value.lower())
        if self.chunked and self.content_length is not None:
            raise BadHead("Content-Length beside Transfer-Encoding")
        if connections == [b"keep-alive"]:
            self.keep_alive = True
        elif connections:
            self._set_options(connections)

    def _set_options(self, connections: list[bytes]) -> None:
        options = {option.strip() for value in connections for option in value.split(b",")}
        if options & _NOT_AN_OPTION:
            raise BadHead("Connection names a field that is meant for the server")
        if b"close" in options:
            self.keep_alive = False
        elif b"keep-alive" in options:
            self.keep_alive = True
        self.dropped = frozenset(options - {b"close", b"keep-alive", b""})

    def _set_length(self, value: bytes) -> None:
        if self.content_length is not None:
            raise BadHead("more than one Content-Length")
        if not _LENGTH.fullmatch(value):
            raise BadHead("Content-Length is not a number")
        self.content_length = int(value)

    def _set_coding(self, field: Field) -> None:
        if self.http10:
            raise BadHead("Transfer-Encoding in HTTP/1.0")
        # With a tab beside it, llhttp does not know `chunked` again.
        if self.chunked or field.value.lower() != b"chunked" or b"\t" in field.line:
            raise BadHead("Transfer-Encoding other than one chunked", 501)
        self.chunked = True

    def value(self, name: bytes) -> bytes | None:
        """The first field of that lower-case name, or None."""
        for field in self.fields:
            if field.name == name:
                return field.value
        return None

    def values(self, name: bytes) -> list[bytes]:
        """Every field of that lower-case name, in order."""
        return [field.value for field in self.fields if field.name == name]

    def end_to_end(self) -> list[bytes]:
        """The lines that go on to the other side, in order, as they came, with their CRLF.

        `Content-Length` and `Transfer-Encoding` are not among them: who frames the body anew
        writes them.
        """
        dropped = self.dropped
        return [
            field.line
            for field in self.fields
            if field.role is _END_TO_END and field.name not in dropped
        ]


class RequestHead(Head):
    """A request's head. `target` is in origin form (or `*`); `authority` is lower-case Host."""

    __slots__ = ("authority", "expects_continue", "method", "target")

    def __init__(self, line: tuple[bytes, bytes, bool], fields: tuple[Field, ...]) -> None:
        method, target, http10 = line
        super().__init__(fields, http10=http10)
        self.method = method
        hosts = [field.value for field in self._special if field.role is _HOST_FIELD]
        if len(hosts) > 1 or (not hosts and not http10):
            raise BadHead("a request has exactly one Host")
        host = hosts[0] if hosts else b""
        if host and not _HOST.fullmatch(host):
            raise BadHead("Host is not a host name")
        if target[:1] != b"/":
            target = _origin_form(method, target, host)
        elif b"#" in target:
            raise BadHead("a request target has no fragment")
        self.target = target
        self.authority = host.lower()
        expectations = {field.value.lower() for field in self._special if field.role is _EXPECT}
        if expectations - {b"100-continue"}:
            raise BadHead("an expectation that is not 100-continue", 417)
        self.expects_continue = bool(expectations) and not http10

    @property
    def has_body(self) -> bool:
        """Whether a body follows: RFC 9112 section 6.3, requests."""
        return self.chunked or bool(self.content_length)

    def __repr__(self) -> str:
        # Not the target: event loops print what they were working on, and it may hold a secret.
        return f"<RequestHead {self.method.decode()}>"


class ResponseHead(Head):
    """A response's head. `start` is the status line as it came, with its CRLF."""

    __slots__ = ("start", "status")

    def __init__(
        self, status: int, start: bytes, fields: tuple[Field, ...], *, http10: bool
    ) -> None:
        super().__init__(fields, http10=http10)
        if status < 200 and (self.chunked or self.content_length):
            # It goes on as it is, and some clients would wait for that body (RFC 9110 section 8.6).
            raise BadHead("an interim answer with a body")
        self.status = status
        self.start = start

    def is_bodiless(self, method: bytes) -> bool:
        """Whether no body follows, whatever the fields say: RFC 9112 section 6.3."""
        status = self.status
        return method == b"HEAD" or status in (204, 304) or status < 200

    def __repr__(self) -> str:
        return f"<ResponseHead {self.status}>"


def _origin_form(method: bytes, target: bytes, host: bytes) -> bytes:
    if target == b"*" and method == b"OPTIONS":
        return target
    if match := _ABSOLUTE.fullmatch(target):
        if match[1].lower() != host.lower():
            raise BadHead("the target names another host than Host does")
        path = match[2]
        if not path and method == b"OPTIONS":
            return b"*"  # RFC 9112 section 3.2.4
        return path if path[:1] == b"/" else b"/" + path
    raise BadHead("the request target is neither a path nor an http URL")


def find_end(data: bytes | bytearray, *, limit: int, seen: int = 0) -> int:
    """Index after the head's blank line, or -1 when more is needed.

    seen: how many bytes of `data` an earlier call, which returned -1, has looked at; they are not
    read again, so that a head that drips in costs no more than one that comes whole.

    Raises BadHead when the head can never become a good one: too large, or with a bare LF, which
    would otherwise keep the connection waiting for a CR that never comes.
    """
    end = data.find(b"\r\n\r\n", seen - 3 if seen > 3 else 0) + 4
    if end > 3:
        if end > limit:
            raise BadHead("the head is too large", 431)
        return end
    if len(data) > limit:
        raise BadHead("the head is too large", 431)
    if data.count(b"\n", seen) != data.count(b"\r\n", seen - 1 if seen else 0):
        raise BadHead("a line ends in LF without CR")
    return -1
