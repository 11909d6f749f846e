"""A request's body on its way: taken out of one framing, put into the next."""

from mcpr.protocol.http1 import LAST_CHUNK, Chunked, RequestHead, one_chunk


class RequestBody:
    """Reads the body that a head announces. `done`: nothing more belongs to it."""

    __slots__ = ("_chunked", "_left", "done")

    def __init__(self, head: RequestHead) -> None:
        self._left = head.content_length or 0
        self._chunked = Chunked() if head.chunked else None
        self.done = not head.has_body

    @property
    def announced(self) -> int:
        """How much is still to come, as far as the head said."""
        return self._left

    def take(self, data: bytes) -> tuple[list[bytes], bytes]:
        """Return the payload in `data`, and what comes after the body. Raises BadChunk."""
        if self._chunked is not None:
            pieces, stop = self._chunked.feed(data)
            self.done = self._chunked.done
            return pieces, data[stop:]
        piece = data[: self._left]
        self._left -= len(piece)
        self.done = not self._left
        return [piece] if piece else [], data[len(piece) :]

    def frame(self, pieces: list[bytes]) -> bytes:
        """The pieces as the upstream expects them; after the last one, the end of the body."""
        if self._chunked is None:
            return b"".join(pieces)
        data = b"".join(map(one_chunk, pieces))
        return data + LAST_CHUNK if self.done else data
