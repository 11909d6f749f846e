"""Reads a server's answer as it passes: a JSON body, or an event stream, whole or in pieces."""

import msgspec
from msgspec import UNSET, Raw

from mcpr.pipeline import codings
from mcpr.pipeline.facts import AnswerFacts
from mcpr.protocol import sse
from mcpr.protocol.jsonrpc import Answer, Message, NotJsonRpc, read_answers, same_id

#: A large answer is kept for the companion up to here; beyond, it stays unread.
KEEP_LIMIT = 10 * 1024 * 1024
#: One piece of a compressed event stream may grow to this.
_MOST_INFLATED = 1024 * 1024
_MAX_ANSWERS = 100_000
_LIST_CHANGED = b"/list_changed"
_MAX_CHANGE = 4096
#: Up to so many answers it is cheaper to look at each than to sort them by id.
_FEW = 8


class AnswerReader:
    """Feed it pieces, then `finish`.

    answers: the JSON-RPC answers found so far (not the server's own requests).
    unread: something was there that we cannot read: a coding we lack, or too large an event.
    has_ids: the event stream can be resumed.
    too_large: there is more than is decoded here; `kept` holds it whole.
    held: how many bytes are kept at the moment.
    keeps: whether `kept` holds the answers that are read here, too; set it before the first piece.
    changes: messages that say that a list of the server has changed; for whoever reads to take.
    """

    __slots__ = (
        "_by_id",
        "_coding",
        "_events",
        "_inflater",
        "_is_blind",
        "_kept",
        "_kept_size",
        "_limit",
        "answers",
        "changes",
        "has_ids",
        "held",
        "keeps",
        "too_large",
        "unread",
    )

    def __init__(self, facts: AnswerFacts, limit: int) -> None:
        self._limit = limit
        # Of a JSON body its pieces as they came, of an event stream the data of large events.
        self._kept: list[bytes] = []
        self._kept_size = 0
        self.held = 0
        self.keeps = False
        self.changes: list[bytes] = []
        self._by_id: dict[object, Answer] | None = None
        self.answers: list[Answer] = []
        self.has_ids = False
        self.too_large = False
        self._coding = coding = facts.coding
        self._is_blind = self.unread = coding is not None and not codings.is_known(coding)
        self._events = sse.Reader(KEEP_LIMIT) if facts.is_events else None
        self._inflater: codings.Inflater | None = None
        if coding is not None and facts.is_events and not self._is_blind:
            self._inflater = codings.Inflater(coding)

    def feed(self, piece: bytes) -> list[Answer]:
        """Return the answers that this piece completed: those of an event stream."""
        if self._is_blind:
            return []
        if self._events is not None:
            return self._feed_events(self._events, piece)
        self._keep(piece)
        self.held = self._kept_size
        if self.held > self._limit:
            self.too_large = True
        return []

    def let_go(self) -> None:
        """Keep nothing of what was large: unless it comes small, the answer stays unread."""
        self._kept = []
        self._kept_size = self.held = 0
        self.too_large = False
        self.unread = True
        if self._events is None:
            self._is_blind = True
        else:
            # The rest of an event that was under way starts with no field's name: it means nothing.
            self._events = sse.Reader(KEEP_LIMIT)

    def finish(self) -> None:
        """The answer is over, as far as it came."""
        if self._events is not None or self.too_large or not self._kept:
            return
        body = self._kept[0] if len(self._kept) == 1 else b"".join(self._kept)
        if self._coding is not None:
            try:
                inflated = codings.inflate(body, self._coding, self._limit)
            except codings.Unreadable:
                self.let_go()
                return
            if inflated is None:
                self.too_large = True
                if self._limit >= KEEP_LIMIT:
                    self.let_go()
                return
            body = inflated
        if not self.keeps:
            self._kept = []
        self._read(body)

    @property
    def kept(self) -> bytes:
        """What is too large to decode here: a JSON body as it came, or an event stream.

        The stream is not the server's own: it has the large events, and what was said in the small
        ones as far as it matters. It is in no content coding.
        """
        if self._events is None:
            return b"".join(self._kept)
        # What is read here and kept as well is kept whole.
        found = [] if self.keeps else [msgspec.json.encode(answer) for answer in self.answers]
        events = [
            b"data:%b\n\n" % data.replace(b"\n", b"\ndata:") for data in (*found, *self._kept)
        ]
        return b"".join((b"id:1\n\n" if self.has_ids else b"", *events))

    @property
    def at_border(self) -> bool:
        """Whether nothing stands half read."""
        return not (self._kept if self._events is None else self._events.held)

    def answer_to(self, message: Message) -> Answer | None:
        """The answer with the request's id, the first of several.

        Of a single failure, also the one that could name no request.
        """
        answers = self.answers
        if not answers or message.id is UNSET:
            return None
        if len(answers) > _FEW:
            found = self._index().get(_key(message.id))
            if found is not None:
                return found
        else:
            for answer in answers:
                if answer.id is not UNSET and same_id(answer.id, message.id):
                    return answer
        # A server that could not read the request answers it with `"id": null`, or with none.
        last = answers[-1]
        if last.error and (last.id is UNSET or bytes(last.id) == b"null"):
            return last
        return None

    def _index(self) -> dict[object, Answer]:
        """The answers by id: a batch has thousands of requests, each of which looks for its own."""
        if self._by_id is None:
            index: dict[object, Answer] = {}
            for answer in self.answers:
                if answer.id is not UNSET:
                    index.setdefault(_key(answer.id), answer)
            self._by_id = index
        return self._by_id

    def _keep(self, data: bytes) -> None:
        self._kept.append(data)
        self._kept_size += len(data)
        if self._kept_size > KEEP_LIMIT:
            self.let_go()

    def _feed_events(self, events: sse.Reader, piece: bytes) -> list[Answer]:
        if self._inflater is not None:
            inflated = self._inflated(self._inflater, piece)
            if inflated is None:
                return []
            piece = inflated
        found = len(self.answers)
        for event in events.feed(piece):
            self.has_ids = self.has_ids or event.has_id
            data = event.data
            if data is None:
                self.unread = True
            elif not data or not _may_answer(data):
                if _LIST_CHANGED in data and len(data) <= _MAX_CHANGE:
                    self.changes.append(data)
            elif len(data) > self._limit:
                self.too_large = True
                self._keep(data)
            else:
                if self.keeps:
                    self._keep(data)
                self._read(data)
        self.held = self._kept_size + self._events.held if self._events is not None else 0
        return self.answers[found:]

    def _inflated(self, inflater: codings.Inflater, piece: bytes) -> bytes | None:
        try:
            data = inflater.feed(piece, _MOST_INFLATED)
        except codings.Unreadable:
            data = None
        if data is None:
            # From here on nobody knows where the stream is.
            self.let_go()
            self._is_blind = True
        return data

    def _read(self, body: bytes) -> None:
        try:
            answers = read_answers(body)
        except NotJsonRpc:
            return
        self._by_id = None
        for answer in answers:
            if answer.method is UNSET and len(self.answers) < _MAX_ANSWERS:
                if answer.id is not UNSET and self._events is not None:
                    # What is raw keeps the bytes alive that it came from, for as long as a stream.
                    answer.id = answer.id.copy()
                self.answers.append(answer)


def _may_answer(data: bytes) -> bool:
    """Whether there is a reason to decode an event: most are notifications, and say so."""
    return b'"method"' not in data or b'"result"' in data or b'"error"' in data


def _key(raw: Raw) -> object:
    """Equal for ids that `same_id` calls the same."""
    text = bytes(raw)
    try:
        value = msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return text
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return text if isinstance(value, list | dict) else (type(value), value)
