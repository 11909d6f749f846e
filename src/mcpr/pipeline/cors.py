"""Which pages of other sites may call, and what a browser wants to be told so that they can.

Off, mcpr has no part in it: questions of browsers go on to the server, its answers come back. On,
mcpr answers the questions itself, and what the server says about it is replaced, never doubled.

Source: WHATWG Fetch, section "CORS protocol"; MCP 2026-07-28, Streamable HTTP, for the names.
"""

import re
from dataclasses import dataclass

from mcpr.protocol.http1 import Head, RequestHead

METHODS = b"GET, POST, DELETE, OPTIONS"

#: What clients of MCP send and browsers ask about first. `*` would not cover `Authorization`.
REQUEST_FIELDS = frozenset(
    {
        *(b"accept", b"authorization", b"content-type", b"last-event-id"),
        *(b"mcp-session-id", b"mcp-protocol-version", b"mcp-method", b"mcp-name"),
    }
)
#: Arguments that a client repeats in the head (SEP-2243); their names are the server's.
_PARAMETERS = b"mcp-param-"

#: What pages could not read otherwise. `Mcpr-Error` and `Retry-After` come from mcpr itself, too.
ANSWER_FIELDS = (
    *("Mcp-Session-Id", "MCP-Protocol-Version", "WWW-Authenticate", "Last-Event-ID"),
    *("Mcpr-Error", "Retry-After"),
)

_NAME = re.compile(rb"[!#$%&'*+\-.^_`|~0-9a-z]{1,128}")
_MAX_ASKED = 64


@dataclass(frozen=True, slots=True)
class Cors:
    """The operator's answer to browsers.

    origins: as browsers write them, in lower case: `https://app.example.com`; `*` alone is any.
    credentials: pages may send cookies and client certificates; never together with `*`.
    request_fields, answer_fields: names beside the ones that MCP needs.
    """

    origins: frozenset[bytes]
    credentials: bool = False
    max_age_seconds: int = 7200
    request_fields: frozenset[bytes] = frozenset()
    answer_fields: tuple[str, ...] = ()

    @property
    def is_open(self) -> bool:
        """Whether pages of every site may call."""
        return b"*" in self.origins

    def knows(self, origin: bytes) -> bool:
        """Whether pages of this origin may call."""
        return self.is_open or origin.lower() in self.origins

    def answer_lines(self, head: RequestHead) -> list[bytes]:
        """What an answer to this request says to the browser; nothing to any other client."""
        origins = head.values(b"origin")
        if len(origins) != 1 or not self.knows(origins[0]):
            return []
        names = ", ".join((*ANSWER_FIELDS, *self.answer_fields)).encode("ascii")
        return [*self._allowing(origins[0]), b"Access-Control-Expose-Headers: " + names]

    def _allowing(self, origin: bytes) -> list[bytes]:
        lines = [b"Access-Control-Allow-Origin: " + (b"*" if self.is_open else origin)]
        if self.credentials:
            lines.append(b"Access-Control-Allow-Credentials: true")
        return lines

    def preflight_lines(self, head: RequestHead) -> list[bytes] | None:
        """The answer to a browser that asks before it calls; None if this is no such question.

        The list is empty for an origin that is not known.
        """
        asks = head.value(b"access-control-request-method") is not None
        origins = head.values(b"origin")
        if head.method != b"OPTIONS" or not asks or len(origins) != 1:
            return None
        if not self.knows(origins[0]):
            return []
        lines = self._allowing(origins[0])
        lines.append(b"Access-Control-Allow-Methods: " + METHODS)
        if names := self._welcome(head.values(b"access-control-request-headers")):
            lines.append(b"Access-Control-Allow-Headers: " + b", ".join(names))
        if head.value(b"access-control-request-private-network") == b"true":
            lines.append(b"Access-Control-Allow-Private-Network: true")
        lines.append(b"Access-Control-Max-Age: %d" % self.max_age_seconds)
        lines.append(b"Vary: Origin, Access-Control-Request-Method, Access-Control-Request-Headers")
        return lines

    def _welcome(self, asked: list[bytes]) -> list[bytes]:
        """Of the fields that a page wants to send those it may, once each, in their order."""
        names = [name.strip().lower() for name in b",".join(asked).split(b",")][:_MAX_ASKED]
        return [
            name
            for name in dict.fromkeys(names)
            if _NAME.fullmatch(name)
            and (
                name in REQUEST_FIELDS
                or name in self.request_fields
                or name.startswith(_PARAMETERS)
            )
        ]

    def vary(self, head: Head) -> bytes:
        """The line that keeps caches from showing one site's answer to another."""
        if self.is_open:
            return b""
        said = b",".join(head.values(b"vary")).lower().split(b",")
        return b"" if {b"*", b"origin"} & {name.strip() for name in said} else b"Vary: Origin\r\n"


def is_of_cors(name: bytes) -> bool:
    """Whether a field, by its lower-case name, is part of an answer to a browser's question."""
    return name.startswith(b"access-control-")
