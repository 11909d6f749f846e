"""The answers that are our own, and their bytes. Everything else a client sees is its upstream's.

They say so: `Mcpr-Error` names the ending. 400, 404 and 405 are never used for an upstream's
trouble, because clients take those for the upstream's own words and change their ways.
"""

from email.utils import formatdate
from http import HTTPStatus

from mcpr.dataplane.handler import Ending, Refusal

REFUSALS: dict[Ending, Refusal] = {
    "unreachable": Refusal(502, "unreachable", "the MCP server cannot be reached"),
    "cut": Refusal(502, "cut", "the MCP server closed the connection before it answered"),
    "garbage": Refusal(502, "garbage", "the MCP server's answer is not HTTP"),
    "over": Refusal(502, "over", "the MCP server's answer is larger than allowed"),
    "timeout": Refusal(504, "timeout", "the MCP server did not answer in time"),
    "busy": Refusal(503, "busy", "too many requests are under way"),
    "too_large": Refusal(413, "too_large", "the request body is larger than allowed"),
    "internal": Refusal(500, "internal", "mcpr made a mistake; its log has the details"),
}


def render(
    refusal: Refusal, content_type: bytes, body: bytes, *, keep: bool, head_only: bool
) -> bytes:
    """The whole answer; of a 204 its head, which has no words."""
    status = refusal.status
    lines = [
        b"HTTP/1.1 %d %b" % (status, HTTPStatus(status).phrase.encode()),
        b"Date: " + formatdate(usegmt=True).encode(),
        *refusal.lines,
    ]
    if status == 204:
        head_only = True
    else:
        lines += [
            b"Content-Type: " + content_type,
            b"Content-Length: %d" % len(body),
            b"Cache-Control: no-store",
            b"Mcpr-Error: " + refusal.ending.encode(),
        ]
    if status == 503:
        lines.append(b"Retry-After: 1")
    if not keep:
        lines.append(b"Connection: close")
    head = b"\r\n".join(lines) + b"\r\n\r\n"
    return head if head_only else head + body
