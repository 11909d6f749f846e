"""What the two heads of an exchange say that matters to its record.

Plain values, made once per distinct head and kept with it; they can travel to another process.
"""

import base64
import binascii
import re

import msgspec

from mcpr.events import Kind
from mcpr.pipeline.identity import SessionNames
from mcpr.protocol.http1 import Head, RequestHead, ResponseHead
from mcpr.protocol.mcp import bounded_revision
from mcpr.protocol.oauth import is_well_known

_MAX_PATH = 256
#: The longest registered method has 17 letters; a caller may send 16,000.
_MAX_METHOD = 32
#: `sessionId` and `session_id`, as the SDKs name it.
_SESSION_QUERY = re.compile(rb"(?:^|&)session_?id=", re.IGNORECASE)


class RequestFacts(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """Of a request's head.

    revision: `MCP-Protocol-Version`, bounded. session: keyed hash of `Mcp-Session-Id`.
    mirrored_method, mirrored_name: `Mcp-Method` and `Mcp-Name`, decoded; is_mirrored: either came.
    kind: of the exchange, if its body holds no JSON-RPC.
    has_credential: whether an `Authorization` field came. opens_stream: a GET for an event stream.
    is_json: whether a JSON body follows that can be read. path: without the query.
    trace: context of its `traceparent` (see `protocol/trace`), empty without one; None where nobody
    asked for traces.
    is_sse_post: a POST whose query names a session, as in the HTTP+SSE transport of 2024-11-05.
    """

    http_method: str
    path: str
    kind: Kind
    is_json: bool
    opens_stream: bool
    has_credential: bool
    revision: str | None
    session: str | None
    mirrored_method: str | None
    mirrored_name: str | None
    is_mirrored: bool
    is_sse_post: bool = False
    trace: bytes | None = None


class AnswerFacts(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """Of a response's head.

    coding: content coding in lower case, None for identity. session: keyed hash, as above.
    is_plain: a JSON body that can be read as it is.
    """

    status: int
    is_json: bool
    is_events: bool
    coding: str | None
    session: str | None
    is_plain: bool


def media_type(value: bytes | None) -> bytes:
    """The media type of a `Content-Type`, without parameters, in lower case."""
    return b"" if value is None else value.partition(b";")[0].strip().lower()


def is_json(value: bytes | None) -> bool:
    """Whether a `Content-Type` says JSON, `application/…+json` too."""
    kind = media_type(value)
    return kind == b"application/json" or (
        kind.startswith(b"application/") and kind.endswith(b"+json")
    )


def request_facts(head: RequestHead, names: SessionNames) -> RequestFacts:
    """Read a request's head."""
    path, _, query = head.target.partition(b"?")
    session = head.value(b"mcp-session-id")
    method = head.method.decode("latin-1")
    accept = _all(head, b"accept") or b""
    opens_stream = method == "GET" and b"text/event-stream" in accept.lower()
    mirrored_method = _all(head, b"mcp-method")
    mirrored_name = _all(head, b"mcp-name")
    return RequestFacts(
        http_method=method[:_MAX_METHOD],
        path=path[:_MAX_PATH].decode("latin-1"),
        kind="oauth" if is_well_known(path) else "stream" if opens_stream else "http",
        is_json=method == "POST"
        and is_json(head.value(b"content-type"))
        and _coding(_all(head, b"content-encoding")) is None,
        opens_stream=opens_stream,
        has_credential=head.value(b"authorization") is not None,
        revision=bounded_revision(_text(head.value(b"mcp-protocol-version"))),
        session=names.name(session) if session else None,
        mirrored_method=_mirrored(mirrored_method),
        mirrored_name=_mirrored(mirrored_name),
        is_mirrored=mirrored_method is not None or mirrored_name is not None,
        is_sse_post=method == "POST" and _SESSION_QUERY.search(query) is not None,
    )


def answer_facts(head: ResponseHead, names: SessionNames) -> AnswerFacts:
    """Read a response's head."""
    kind = head.value(b"content-type")
    session = head.value(b"mcp-session-id")
    coding = _coding(_all(head, b"content-encoding"))
    return AnswerFacts(
        status=head.status,
        is_json=is_json(kind),
        is_events=media_type(kind) == b"text/event-stream",
        coding=coding,
        session=names.name(session) if session else None,
        is_plain=is_json(kind) and coding is None and head.status < 300,
    )


def _all(head: Head, name: bytes) -> bytes | None:
    """The field's value; of a repeated one all, as one list (RFC 9110 section 5.3)."""
    values = head.values(name)
    return b", ".join(values) if values else None


def _text(value: bytes | None) -> str | None:
    return None if value is None else value.decode("latin-1")


def _coding(value: bytes | None) -> str | None:
    codings = [coding.strip() for coding in (_text(value) or "").lower().split(",")]
    return ",".join(coding for coding in codings if coding not in ("", "identity"))[:32] or None


def _mirrored(value: bytes | None) -> str | None:
    """Decode a mirrored header: plain, or `=?base64?…?=` (MCP 2026-07-28, Streamable HTTP).

    One that cannot be decoded stays as it is: it equals no name.
    """
    if value is None:
        return None
    if value.startswith(b"=?base64?") and value.endswith(b"?=") and len(value) >= 11:
        try:
            return base64.b64decode(value[9:-2], validate=True).decode("utf-8")
        except (binascii.Error, UnicodeDecodeError):
            pass
    return value.decode("latin-1")
