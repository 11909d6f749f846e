"""The lines of a head that change from one message to the next, taken out of it.

What is left, the skeleton, is a head of its own and nearly always the same for one client: so what
it means can be remembered, although the whole head never comes twice. A line is taken out only if
it is in order; anything else stays, and the strict parser will see it.
"""

import re

#: None of them is hop-by-hop, and none but Content-Length frames the message.
REQUEST_NAMES = (
    b"authorization",
    b"b3",
    b"baggage",
    b"content-length",
    b"cookie",
    b"dpop",
    b"last-event-id",
    b"sentry-trace",
    b"traceparent",
    b"tracestate",
    b"x-correlation-id",
    b"x-datadog-parent-id",
    b"x-datadog-trace-id",
    b"x-request-id",
)
ANSWER_NAMES = (
    b"content-length",
    b"date",
    b"dpop-nonce",
    b"etag",
    b"last-modified",
    b"set-cookie",
    b"x-request-id",
    b"x-response-time",
)


_LASTING = frozenset((b"content-length:",))
_VALUE = rb"[ \t]*[!-~\x80-\xff](?:[\t -~\x80-\xff]*[!-~\x80-\xff])?[ \t]*"


def _pattern(names: tuple[bytes, ...]) -> re.Pattern[bytes]:
    # One look at the first letter is enough for most lines.
    letters = b"".join({name[:1] + name[:1].upper() for name in names})
    parts = (letters, b"|".join(names), _VALUE)
    return re.compile(rb"\r\n(?=[%b])((?i:%b):%b)(?=\r\n)" % parts)


#: `split` gives the skeleton's pieces at even places, the lines (without CRLF) at odd ones.
split_request = _pattern(REQUEST_NAMES).split
split_answer = _pattern(ANSWER_NAMES).split

_LENGTH = re.compile(
    rb"[Cc][Oo][Nn][Tt][Ee][Nn][Tt]-[Ll][Ee][Nn][Gg][Tt][Hh]:[ \t]*([0-9]{1,15})[ \t]*"
)


def length_of(lines: list[bytes]) -> int | None:
    """The Content-Length among lines taken out: None if there is none, -1 if it is not in order."""
    length = None
    for line in lines:
        if line[:15].lower() == b"content-length:":
            match = _LENGTH.fullmatch(line)
            if match is None or length is not None:
                return -1
            length = int(match[1])
    return length


def may_come_again(lines: list[bytes]) -> bool:
    """Whether a head with these lines taken out may come again as it is, and holds no secret."""
    return all(line[:15].lower() in _LASTING or line[:5].lower() == b"date:" for line in lines)


def has_credential(lines: list[bytes]) -> bool:
    """Whether `Authorization` is among lines taken out."""
    return any(line[:14].lower() == b"authorization:" for line in lines)
