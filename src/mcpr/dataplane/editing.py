"""An answer that the handler changes on its way: what that does to its framing and its head.

The few requests whose answers may be changed ask for no content coding. A body that is held goes
out with its new length; a stream goes out in chunks of ours.
"""

import copy
import re
from typing import TYPE_CHECKING, Final

from mcpr.protocol.http1 import LAST_CHUNK, one_chunk

if TYPE_CHECKING:
    from collections.abc import Iterable

    from mcpr.dataplane.handler import AnswerPlan, Editor, RequestPlan

_ACCEPT_ENCODING: Final = re.compile(rb"(?i)\r\naccept-encoding:[^\r\n]*")
_FRAMING: Final = re.compile(rb"(?i)\r\n(?:content-length|transfer-encoding):[^\r\n]*")
#: What an answer's head says about exactly these bytes, and which is not true of others.
_OF_THE_BYTES: Final = re.compile(
    rb"(?i)\r\n(?:content-encoding|content-md5|digest|content-digest|repr-digest|etag"
    rb"|accept-ranges|last-modified):[^\r\n]*"
)


def in_no_coding(plan: "RequestPlan") -> "RequestPlan":
    """The same plan, but the answer shall come in no content coding."""
    plan = copy.copy(plan)
    plan.forward = _ACCEPT_ENCODING.sub(b"", plan.forward) + b"Accept-Encoding: identity\r\n"
    return plan


class EditedAnswer:
    """One answer under way.

    is_unframed: the client is of HTTP/1.0, and learns the end of a stream by the connection's.
    """

    __slots__ = ("_editor", "_http10", "_lines")

    def __init__(self, editor: "Editor", plan: "AnswerPlan", *, http10: bool) -> None:
        self._editor = editor
        self._http10 = http10
        self._lines = _FRAMING.sub(b"", plan.lines)

    @property
    def is_unframed(self) -> bool:
        """See above."""
        return self._http10 and self._editor.is_stream

    def head(self, *, keep: bool) -> bytes:
        """A stream's head."""
        lines = _OF_THE_BYTES.sub(b"", self._lines)
        framing = b"" if self._http10 else b"Transfer-Encoding: chunked\r\n"
        return b"%b%b%b\r\n" % (lines, framing, self._connection(keep=keep))

    def more(self, pieces: "Iterable[bytes]") -> bytes:
        """More of the body: what of it goes out now. Raises ValueError."""
        data = b"".join([self._editor.feed(piece) for piece in pieces])
        return data if self.is_unframed else one_chunk(data)

    def end(self, *, keep: bool) -> bytes:
        """The body is over: what goes out last."""
        rest = self._editor.finish()
        if self._editor.is_stream:
            rest = rest or b""
            if self.is_unframed:
                return rest
            return one_chunk(rest) + LAST_CHUNK
        lines = self._lines
        if rest is None:
            rest = self._editor.raw
        else:
            lines = _OF_THE_BYTES.sub(b"", lines)
        connection = self._connection(keep=keep)
        return b"%bContent-Length: %d\r\n%b\r\n%b" % (lines, len(rest), connection, rest)

    def _connection(self, *, keep: bool) -> bytes:
        if not keep:
            return b"Connection: close\r\n"
        return b"Connection: keep-alive\r\n" if self._http10 else b""
