"""W3C trace context: where a request says which trace it belongs to, and how that is read.

Only the identifiers are read, which have a fixed form. `tracestate` and `baggage` are free text and
pass through unread. Sources: W3C Trace Context level 1; MCP SEP-414 for `params._meta.traceparent`.
"""

import re

import msgspec

#: A context: 16 bytes name the trace, 8 the span that is the parent, 1 holds the flags.
CONTEXT_BYTES = 25
NO_CONTEXT = b""
SAMPLED = 0x01

_FORM = re.compile(
    r"(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})(-.*)?"
)
_LINE = re.compile(rb"[Tt][Rr][Aa][Cc][Ee][Pp][Aa][Rr][Ee][Nn][Tt]:[ \t]*([^ \t]+)[ \t]*")
_MAX_TEXT = 256


class _Meta(msgspec.Struct, gc=False):
    traceparent: str | None = None


class _Params(msgspec.Struct, gc=False):
    meta: _Meta | None = msgspec.field(name="_meta", default=None)


class _Message(msgspec.Struct, gc=False):
    params: _Params | None = None


_message = msgspec.json.Decoder(_Message).decode
_messages = msgspec.json.Decoder(list[_Message]).decode


def context_of(text: str) -> bytes:
    """The context that a `traceparent` says; `NO_CONTEXT` if it is not in order."""
    found = _FORM.fullmatch(text) if len(text) <= _MAX_TEXT else None
    if found is None or (found[4] is not None and text.startswith("00")):
        return NO_CONTEXT
    return bytes.fromhex(found[1] + found[2] + found[3])


def context_of_lines(lines: list[bytes]) -> bytes:
    """The context that header lines say, given without their ends; of two, neither."""
    values = [found[1] for line in lines if (found := _LINE.fullmatch(line))]
    return context_of(values[0].decode("latin-1")) if len(values) == 1 else NO_CONTEXT


def contexts_of_body(body: bytes, messages: int) -> list[bytes]:
    """The context of each of so many messages in a body, by their `_meta`."""
    nothing = [NO_CONTEXT] * messages
    if b'"traceparent"' not in body:
        return nothing
    try:
        # A batch begins with a bracket, wherever white space and a byte order mark let it.
        found = _messages(body) if messages > 1 or body[:1] == b"[" else [_message(body)]
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return nothing
    if len(found) != messages:
        return nothing
    return [
        NO_CONTEXT
        if message.params is None or message.params.meta is None
        else context_of(message.params.meta.traceparent or "")
        for message in found
    ]
