"""Reads a server's answer as it passes: a JSON body, or an event stream, whole or in pieces."""

import zlib

from msgspec import UNSET

from mcpr.pipeline.facts import AnswerFacts
from mcpr.protocol import sse
from mcpr.protocol.jsonrpc import Answer, Message, NotJsonRpc, read_answers, same_id

_INFLATABLE = {"gzip": 31, "x-gzip": 31, "deflate": 15}
#: A large answer is kept whole for the companion up to here; beyond, it stays unread.
KEEP_LIMIT = 10 * 1024 * 1024


class AnswerReader:
    """Feed it pieces, then `finish`.

    answers: the JSON-RPC answers found so far (not the server's own requests).
    unread: something was there that we cannot read: a coding we lack, or too large an event.
    garbage: it said JSON and is not.
    has_ids: the event stream can be resumed.
    too_large: there is more than is decoded here; `kept` holds it whole.
    held: how many bytes are kept at the moment.
    """

    __slots__ = (
        "_events",
        "_inflate",
        "_limit",
        "_pieces",
        "answers",
        "garbage",
        "has_ids",
        "held",
        "too_large",
        "unread",
    )

    def __init__(self, facts: AnswerFacts, limit: int) -> None:
        self._limit = limit
        self._pieces: list[bytes] = []
        self.held = 0
        self._events = sse.Reader(KEEP_LIMIT) if facts.is_events else None
        self._inflate: zlib._Decompress | None = None
        self.answers: list[Answer] = []
        self.garbage = False
        self.has_ids = False
        self.too_large = False
        self.unread = False
        if facts.coding is not None:
            bits = _INFLATABLE.get(facts.coding)
            if bits is None:
                self.unread = True
            else:
                self._inflate = zlib.decompressobj(bits)

    def feed(self, piece: bytes) -> list[Answer]:
        """Return the answers that this piece completed: those of an event stream."""
        if self._inflate is not None:
            piece = self._inflated(piece)
        if self.unread:
            return []
        if self._events is not None:
            return self._feed_events(self._events, piece)
        self._pieces.append(piece)
        self.held += len(piece)
        if self.held > self._limit:
            self.too_large = True
            if self.held > KEEP_LIMIT:
                self.let_go()
        return []

    def let_go(self) -> None:
        """Keep nothing more of this answer: its outcome stays unread."""
        self._pieces.clear()
        self._events = None
        self.held = 0
        self.too_large = False
        self.unread = True

    def finish(self) -> None:
        """The answer is over, as far as it came."""
        if self._events is None and not self.too_large and self._pieces:
            pieces = self._pieces
            self._read(pieces[0] if len(pieces) == 1 else b"".join(pieces))
            self._pieces = []

    @property
    def kept(self) -> bytes:
        """What is too large to decode here: a whole JSON answer, or one event's data."""
        return b"".join(self._pieces)

    def answer_to(self, message: Message) -> Answer | None:
        """The answer with the request's id; of a single failure, the one that could name none."""
        answers = self.answers
        if not answers or message.id is UNSET:
            return None
        for answer in answers:
            if answer.id is not UNSET and same_id(answer.id, message.id):
                return answer
        # A server that could not read the request answers it with `"id": null`, or with none.
        last = answers[-1]
        if last.error and (last.id is UNSET or bytes(last.id) == b"null"):
            return last
        return None

    def _feed_events(self, events: sse.Reader, piece: bytes) -> list[Answer]:
        found = len(self.answers)
        for event in events.feed(piece):
            if event.has_id:
                self.has_ids = True
            if event.data is None:
                self.unread = True
            elif b'"result"' in event.data or b'"error"' in event.data:
                if len(event.data) > self._limit:
                    self._pieces = [event.data]
                    self.too_large = True
                else:
                    self._read(event.data)
        self.held = events.held + (len(self._pieces[0]) if self._pieces else 0)
        return self.answers[found:]

    def _read(self, body: bytes) -> None:
        try:
            answers = read_answers(body)
        except NotJsonRpc:
            self.garbage = True
            return
        for answer in answers:
            if answer.method is UNSET:
                self.answers.append(answer)

    def _inflated(self, piece: bytes) -> bytes:
        assert self._inflate is not None
        try:
            data = self._inflate.decompress(piece, self._limit + 1)
        except zlib.error:
            self.unread = True
            return b""
        if self._inflate.unconsumed_tail:
            # One piece grew beyond what is read here: a compressed answer is not worth more.
            self.unread = True
            return b""
        return data
