"""One exchange, from its request's head to its last byte: what it was, and how it ended.

No sockets, no clock. Whoever carries the bytes calls in as things happen, with the time, and every
exchange that began publishes its rows exactly once, at `end`. Nothing here changes a byte, and
nothing here may fail a call: what cannot be read is recorded as unread.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

import msgspec
from msgspec import UNSET, Raw

from mcpr.events import Batch, Ids, Kind, RequestEvent
from mcpr.pipeline import listing, outcomes, verdicts
from mcpr.pipeline.answers import KEEP_LIMIT, AnswerReader
from mcpr.pipeline.common import Common, Row
from mcpr.pipeline.csp import CspRules, EventsEditor, JsonEditor, Widget, editor_for
from mcpr.pipeline.facts import AnswerFacts, RequestFacts
from mcpr.pipeline.identity import Caller, Callers, SessionNames, Sessions
from mcpr.pipeline.outcomes import Ending, Verdict
from mcpr.pipeline.pinning import Pin
from mcpr.pipeline.rows import caller_of, parents, revision_of, row
from mcpr.pipeline.unanswered import Unanswered, cancel
from mcpr.protocol.jsonrpc import (
    Answer,
    Message,
    NotJsonRpc,
    is_ambiguous,
    read_messages,
    same_id,
)
from mcpr.protocol.mcp import STREAMS, WITH_RESOURCES, bounded_revision

#: What is larger is not decoded where calls travel, but by the companion (ADR 0002).
DECODE_LIMIT = 256 * 1024
#: Whoever keeps more than this is counted in `Recording.held`.
COUNTED = 16 * 1024


@dataclass(slots=True)
class Recording:
    """What the exchanges of one server share.

    publish: takes each event once; all of a list at once goes to `sink`, if there is one.
    digest: takes an exchange whose bodies are too large to decode here, or says no; None where
    large bodies are decoded after all (in the companion).
    look: takes an exchange that showed what the server offers (see `listing`); None: nobody asks.
    active: the exchanges under way; asked for only when a message speaks of another exchange.
    keep_detail: whether the local part is recorded.
    wall_ns: what the monotonic clock lacks to the epoch; whoever has clocks keeps it right.
    tools: tool names seen that are recorded as they are; bounded by whoever adds to it.
    pin: which tools may be called; None: all.
    csp: what becomes of the policies of widgets; None where answers are handed on as they are.
    on_widgets: told of the widgets in each answer that was read for them.
    held: bytes of large bodies kept at this moment; bounded by `max_held`.
    """

    server: str
    publish: Callable[[RequestEvent], None]
    ids: Ids
    sink: Callable[[list[Row], Callable[[list[Row]], Batch]], None] | None = None
    digest: "Callable[[Exchange, Ending, int], bool] | None" = None
    look: "Callable[[Exchange, bytes, int], None] | None" = None
    active: "Callable[[], Iterable[Exchange]]" = tuple
    keep_detail: bool = True
    wall_ns: int = 0
    callers: Callers = field(default_factory=Callers)
    sessions: Sessions = field(default_factory=Sessions)
    names: SessionNames = field(default_factory=lambda: SessionNames(b""))
    unanswered: Unanswered = field(default_factory=Unanswered)
    tools: set[str] = field(default_factory=set)
    csp: CspRules | None = None
    pin: Pin | None = None
    on_widgets: "Callable[[Exchange, list[Widget], int], None] | None" = None
    held: int = 0
    max_held: int = 64 * 1024 * 1024
    common: Common = field(init=False)
    to_batch: Callable[[list[Row]], Batch] = field(init=False)

    def __post_init__(self) -> None:
        self.common = Common(self.server, keep_detail=self.keep_detail)
        self.to_batch = self.common.batch

    def publish_rows(self, rows: list[Row], now_ms: int) -> None:
        """Publish common calls."""
        if not rows:
            return
        self.common.ids.append(self.ids.mint_run(now_ms, len(rows)))
        if self.sink is not None:
            self.sink(rows, self.to_batch)
            return
        for event in self.to_batch(rows):
            self.publish(event)


class Exchange(msgspec.Struct, gc=False, eq=False):
    """Watches one exchange. `started_ns`, `sent_ns`, `first_ns`: monotonic clock, 0 = not yet.

    message: the first (mostly the only) JSON-RPC message; others: a batch's rest; parents: traces.
    opened: keyed hash of the session that this exchange opened.
    deferred: a body is too large to decode here. cancelled: the client said it wants no answer.
    objection: why the request must not be sent on.
    edits: the answer may hold widgets, whose policies are to be written. editor: who does that.
    A struct rather than a class with `__init__`: one is made for every call.
    """

    recording: Recording
    facts: RequestFacts
    started_ns: int
    kind: Kind
    sent_ns: int = 0
    first_ns: int = 0
    status: int | None = None
    bytes_in: int = 0
    bytes_out: int = 0
    message: Message | None = None
    others: tuple[Message, ...] = ()
    parents: tuple[bytes, ...] = ()
    body: bytes = b""
    answer: AnswerFacts | None = None
    reader: AnswerReader | None = None
    note: str | None = None
    opened: str | None = None
    held: int = 0
    deferred: bool = False
    cancelled: bool = False
    edits: bool = False
    objection: str | None = None
    editor: JsonEditor | EventsEditor | None = None

    def read_request(self, body: bytes) -> None:
        """The request's whole body. Decides what the exchange is; call once, before the end."""
        self.bytes_in = len(body)
        if not self.facts.is_json:
            # A stream may bring what an earlier one was cut off before.
            self.edits = self.facts.opens_stream and self.recording.csp is not None
            return
        self.body = body
        self.deferred = len(body) > DECODE_LIMIT and self.recording.digest is not None
        if self.deferred:
            self.kind = "rpc"
        else:
            self._read_messages(body)
        if self.recording.pin is not None:
            self.objection = self.recording.pin.objection(self)
        if len(body) > COUNTED:
            self._let_go_of_raw()
            self._hold()

    def _read_messages(self, body: bytes) -> None:
        try:
            messages = read_messages(body)
        except NotJsonRpc:
            return
        message = messages[0]
        if len(messages) > 1:
            requests = [m for m in messages if m.method is not UNSET and m.id is not UNSET]
            if requests:
                message = requests[0]
                self.others = tuple(requests[1:])
        self.message = message
        method = message.method
        if method is UNSET or message.id is UNSET:
            self.kind = "notification"
        else:
            self.kind = "stream" if method in STREAMS else "rpc"
        if self.kind == "notification" or len(messages) > 1:
            cancel(self, messages)
        if self.recording.csp is not None:
            self.edits = any(m.method in WITH_RESOURCES for m in (message, *self.others))
        if is_ambiguous(body, message):
            self.note = "ambiguous"
        self.parents = parents(self, body, messages)

    def request_size(self, size: int) -> None:
        """More of a request body that is not read here was sent on."""
        self.bytes_in += size

    def whole(self, answer: object, body: bytes, first_ns: int, now_ns: int) -> None:
        """The answer's head and body at once; the exchange is over."""
        self.read_head(answer, first_ns)
        if body:
            self.read_data(body, now_ns)
        self.end("complete", now_ns)

    def read_head(self, answer: object, now_ns: int) -> None:
        """The answer's head (not an interim one), by its AnswerFacts."""
        assert isinstance(answer, AnswerFacts)
        self.first_ns = now_ns
        self.answer = answer
        self.status = answer.status
        if self.edits and self.recording.csp is not None:
            self.editor = editor_for(answer, self.recording.csp)
        is_events = answer.is_events
        if is_events and self.kind == "http" and self.facts.http_method == "GET":
            self.kind = "stream"  # Asked for as `*/*`, as curl does.
        if self.kind not in {"rpc", "stream"}:
            return
        is_get = self.message is None and self.kind == "stream"
        if is_events or (answer.is_json and not is_get):
            # In the companion nothing else waits: there a large answer is decoded at once. With a
            # request that is not decoded here its answer is not, either: they belong together.
            decoded = DECODE_LIMIT if self.recording.digest is not None else KEEP_LIMIT
            self.reader = AnswerReader(answer, 0 if self.deferred else decoded)
            self.reader.keeps = listing.is_watched(self)

    def read_data(self, piece: bytes, now_ns: int) -> None:
        """More of the answer's body, framing taken off."""
        self.bytes_out += len(piece)
        reader = self.reader
        if reader is None:
            return
        answers = reader.feed(piece)
        if reader.changes:
            listing.tell_changes(self, reader, now_ns)
        if self.kind == "stream" and self.message is None:
            self._claim(reader, answers, now_ns)
        if self.held or reader.held > COUNTED:
            self._hold()

    def _hold(self) -> None:
        """Count what is kept of large bodies: all of them together have a bound, too."""
        recording = self.recording
        reader = self.reader
        self._count(len(self.body) + (0 if reader is None else reader.held))
        if recording.held > recording.max_held and reader is not None and reader.held:
            reader.let_go()
            self._count(len(self.body))
        if recording.held > recording.max_held:
            self.body = b""
            self.deferred = False
            self._count(0)

    def _count(self, size: int) -> None:
        self.recording.held += size - self.held
        self.held = size

    def _let_go_of_raw(self) -> None:
        """What is raw in a message keeps all of its body alive; `body` alone shall."""
        for message in (self.message, *self.others) if self.message is not None else ():
            if message.id is not UNSET:
                message.id = message.id.copy()
            message.result = message.error = UNSET
            if message.params is not None:
                message.params.arguments = message.params.cancelled_id = UNSET
                message.params.responses = message.params.responses and Raw(b"{}")

    @property
    def request_id(self) -> Raw | None:
        """The id that an answer of our own must carry, if it answers one request."""
        message = self.message
        if message is None or self.others or message.id is UNSET:
            return None
        return message.id

    @property
    def is_endless(self) -> bool:
        """Whether the answer is a stream that ends only when somebody leaves."""
        return self.kind == "stream"

    @property
    def at_border(self) -> bool:
        """Whether the answer could end here without cutting a message in two."""
        return self.reader is None or self.reader.at_border

    def asks(self, request_id: Raw) -> bool:
        """Whether a request with this id is among the messages."""
        message = self.message
        return message is not None and any(
            asked.id is not UNSET and asked.method is not UNSET and same_id(asked.id, request_id)
            for asked in (message, *self.others)
        )

    def end(self, ending: Ending, now_ns: int) -> None:
        """The exchange is over. Publishes one event per JSON-RPC request, else one.

        A request whose answer may still come on another stream is published when it came.
        """
        recording = self.recording
        self._finish()
        self._let_editor_go(now_ns)
        if ending == "gone" and self.status is not None and self.status >= 400:
            ending = "complete"  # Nobody needs to read to its end what a status says.
        if self.deferred and recording.digest is not None:
            self._hand_on(recording.digest, ending, now_ns)
            return
        listing.tell(self, now_ns)
        if self.message is None:
            recording.publish(row(self, None, verdicts.of_exchange(self, ending), now_ns))
            return
        waiting = []
        for message in (self.message, *self.others):
            verdict = verdicts.of_message(self, message, ending)
            if verdict is None:
                waiting.append(message)
                continue
            if message.method == "initialize":
                self._open_session(message, verdict)
            recording.publish(row(self, message, verdict, now_ns))
        if waiting:
            self._let_go_of_raw()
            self.body, self.reader = b"", None
            for message in waiting:
                recording.unanswered.wait(self, message, now_ns)

    def _hand_on(
        self, digest: "Callable[[Exchange, Ending, int], bool]", ending: Ending, now_ns: int
    ) -> None:
        """Let the companion read the large bodies; if it cannot, record what is known without."""
        if self.message is not None:
            self._open_session(self.message, outcomes.UNREAD)
        if digest(self, ending, now_ns):
            return
        verdict = outcomes.UNREAD if ending == "complete" else verdicts.of_exchange(self, ending)
        for message in (self.message, *self.others):
            self.recording.publish(row(self, message, verdict, now_ns))

    def _finish(self) -> None:
        """No more is read, and nothing more is kept but for the digest."""
        if self.status == 404 or self.facts.http_method == "DELETE":
            self.recording.sessions.ended(self.facts.session)
        reader = self.reader
        if reader is not None:
            reader.finish()
            if reader.too_large:
                if self.message is None or not self._is_answered(reader):
                    self.deferred = True
                if not self.body:
                    # The request was let go of: alone its answer means nothing.
                    reader.let_go()
                    self.deferred = False
        if self.held:
            self._count(0)

    def _let_editor_go(self, now_ns: int) -> None:
        editor, self.editor = self.editor, None
        if editor is None:
            return
        if editor.untouched is not None:
            self.remark("csp_unread")
        if editor.widgets and self.recording.on_widgets is not None:
            self.recording.on_widgets(self, editor.widgets, now_ns)

    def _is_answered(self, reader: AnswerReader) -> bool:
        """Whether the small answers are all that were asked for."""
        assert self.message is not None
        return all(reader.answer_to(message) for message in (self.message, *self.others))

    def settle(self, message: Message, verdict: Verdict, now_ns: int) -> None:
        """A request's answer was seen elsewhere, or never will be: publish its row after all."""
        self.recording.publish(row(self, message, verdict, now_ns))

    def remark(self, word: str) -> None:
        """Note what is odd about the exchange."""
        if self.note is None:
            self.note = word
        elif word not in self.note:
            self.note = f"{self.note} {word}"

    def _claim(self, reader: AnswerReader, answers: list[Answer], now_ns: int) -> None:
        """A stream that a GET opened may hold the answer to an earlier request."""
        session = self.facts.session
        unanswered = self.recording.unanswered
        if reader.too_large:
            reader.let_go()
        if session is not None and len(unanswered):
            for answer in answers:
                unanswered.claim(session, answer, now_ns)
            if reader.unread:
                unanswered.unread(session, now_ns)
        reader.unread = False
        reader.answers.clear()

    def negotiated(self, message: Message) -> str | None:
        """The revision that the answer to this `initialize` settles on."""
        if self.reader is None:
            return None
        answer = self.reader.answer_to(message)
        if answer is None or not answer.result:
            return None
        return bounded_revision(answer.result.revision)

    def _open_session(self, message: Message, verdict: Verdict) -> None:
        """A session begins with a 2xx answer to `initialize`, and only with that."""
        answer = self.answer
        if answer is None or answer.session is None or answer.status >= 300:
            return
        if message.method != "initialize" or verdict.outcome not in {"ok", "unread"}:
            return
        self.opened = answer.session
        caller = caller_of(self, message)
        revision = self.negotiated(message) or revision_of(self, message, caller)
        self.recording.sessions.opened(
            answer.session, Caller(caller.client, caller.version, caller.name, revision)
        )

    def __repr__(self) -> str:
        method = self.facts.http_method if self.message is None else self.message.method
        return f"<Exchange {self.kind} {method} {self.status}>"
