"""One exchange, from its request's head to its last byte: what it was, and how it ended.

No sockets, no clock. Whoever carries the bytes calls in as things happen, with the time, and every
exchange that began publishes its rows exactly once, at `end`. Nothing here changes a byte, and
nothing here may fail a call: what cannot be read is recorded as unread.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

import msgspec
from msgspec import UNSET, Raw

from mcpr.events import Detail, Ids, Kind, RequestEvent
from mcpr.pipeline import outcomes
from mcpr.pipeline.answers import KEEP_LIMIT, AnswerReader
from mcpr.pipeline.facts import AnswerFacts, RequestFacts
from mcpr.pipeline.identity import NOBODY, Caller, Callers, Sessions
from mcpr.pipeline.outcomes import Ending, Verdict
from mcpr.pipeline.unanswered import Unanswered
from mcpr.protocol.jsonrpc import (
    Answer,
    Message,
    NotJsonRpc,
    is_ambiguous,
    read_messages,
    same_id,
)
from mcpr.protocol.mcp import (
    KNOWN_METHODS,
    OTHER,
    STREAMS,
    SUBJECTS,
    bounded_revision,
    bounded_tool,
    is_modern,
)

#: What is larger is not decoded where calls travel, but by the companion (DESIGN.md D2).
DECODE_LIMIT = 256 * 1024
_MAX_SUBJECT = 512


@dataclass(slots=True)
class Recording:
    """What the exchanges of one server share.

    publish: takes each event once. digest: takes an exchange whose bodies are too large to decode
    here; None where large bodies are decoded after all (in the companion).
    active: the exchanges under way; asked for only when a message speaks of another exchange.
    keep_detail: whether the local part is recorded.
    wall_ns: what the monotonic clock lacks to the epoch; whoever has clocks keeps it right.
    tools: tool names seen that are recorded as they are; bounded by whoever adds to it.
    held: bytes of large answers kept for the companion at this moment; bounded by `max_held`.
    """

    server: str
    publish: Callable[[RequestEvent], None]
    ids: Ids
    digest: "Callable[[Exchange, Ending, int], None] | None" = None
    active: "Callable[[], Iterable[Exchange]]" = tuple
    keep_detail: bool = True
    wall_ns: int = 0
    callers: Callers = field(default_factory=Callers)
    sessions: Sessions = field(default_factory=Sessions)
    unanswered: Unanswered = field(default_factory=Unanswered)
    tools: set[str] = field(default_factory=set)
    held: int = 0
    max_held: int = 64 * 1024 * 1024


class Exchange(msgspec.Struct, gc=False, eq=False):
    """Watches one exchange. `started_ns`, `sent_ns`, `first_ns`: monotonic clock, 0 = not yet.

    message: the first (nearly always the only) JSON-RPC message; others: the rest of a batch.
    deferred: a body is too large to decode here. cancelled: the client said it wants no answer.
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
    body: bytes = b""
    answer: AnswerFacts | None = None
    reader: AnswerReader | None = None
    note: str | None = None
    held: int = 0
    deferred: bool = False
    cancelled: bool = False

    def read_request(self, body: bytes) -> None:
        """The request's whole body. Decides what the exchange is; call once, before the end."""
        self.bytes_in = len(body)
        if not self.facts.is_json:
            return
        self.body = body
        if len(body) > DECODE_LIMIT and self.recording.digest is not None:
            self.deferred = True
            self.kind = "rpc"
            return
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
            if method == "notifications/cancelled":
                self._cancel(message)
        elif method in STREAMS:
            self.kind = "stream"
        else:
            self.kind = "rpc"
        if is_ambiguous(body, message):
            self.note = "ambiguous"

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
        kind = self.kind
        if kind in {"rpc", "stream"} and (answer.is_json or answer.is_events):
            # In the companion nothing else waits: there a large answer is decoded at once. With a
            # request that is not decoded here its answer is not, either: they belong together.
            decoded = DECODE_LIMIT if self.recording.digest is not None else KEEP_LIMIT
            self.reader = AnswerReader(answer, 0 if self.deferred else decoded)

    def read_data(self, piece: bytes, now_ns: int) -> None:
        """More of the answer's body, framing taken off."""
        self.bytes_out += len(piece)
        reader = self.reader
        if reader is None:
            return
        answers = reader.feed(piece)
        if answers and self.facts.opens_stream:
            self._claim(answers, now_ns)
            reader.answers.clear()
        if reader.held > DECODE_LIMIT:
            self._hold(reader)

    def _hold(self, reader: AnswerReader) -> None:
        """Count what is kept of large answers: all of them together have a bound, too."""
        recording = self.recording
        recording.held += reader.held - self.held
        self.held = reader.held
        if recording.held > recording.max_held:
            reader.let_go()
            recording.held -= self.held
            self.held = 0

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
        return self.reader is None or not self.reader.held

    def _cancel(self, message: Message) -> None:
        """A legacy client no longer wants an answer: the request it names is in its session."""
        wanted = UNSET if message.params is None else message.params.cancelled_id
        if wanted is UNSET:
            return
        for other in self.recording.active():
            asked = other.message
            if (
                asked is not None
                and other.facts.session == self.facts.session
                and asked.id is not UNSET
                and same_id(asked.id, wanted)
            ):
                other.cancelled = True

    def end(self, ending: Ending, now_ns: int) -> None:
        """The exchange is over. Publishes one event per JSON-RPC request, else one."""
        recording = self.recording
        reader = self.reader
        if reader is not None:
            reader.finish()
            if reader.too_large:
                self.deferred = True
        if self.held:
            recording.held -= self.held
            self.held = 0
        if self.deferred and recording.digest is not None:
            recording.digest(self, ending, now_ns)
            return
        if self.message is None:
            recording.publish(self._row(None, self._plain(ending), now_ns))
            return
        for message in (self.message, *self.others):
            verdict = self._verdict(message, ending)
            if verdict is None:
                recording.unanswered.wait(self, message, now_ns)
            else:
                recording.publish(self._row(message, verdict, now_ns))

    def settle(self, message: Message, verdict: Verdict, now_ns: int) -> None:
        """A request's answer was seen elsewhere, or never will be: publish its row after all."""
        self.recording.publish(self._row(message, verdict, now_ns))

    # How one request ended

    def _plain(self, ending: Ending) -> Verdict:
        """Of an exchange without a JSON-RPC request in it."""
        if ending != "complete":
            if ending == "gone" and self.kind == "stream":
                return outcomes.OK  # A stream of a GET ends when its reader leaves.
            return outcomes.ENDINGS[ending]
        answer = self.answer
        if answer is None:
            return outcomes.OK
        if self.facts.opens_stream and answer.status == 405:
            return Verdict("probe")
        return outcomes.of_status(answer.status, has_credential=self.facts.has_credential)

    def _verdict(self, message: Message, ending: Ending) -> Verdict | None:
        """Of one message; None while its answer may still come on another stream."""
        if self.kind == "notification":
            return self._plain(ending)
        reader = self.reader
        answer = None if reader is None else reader.answer_to(message)
        if answer is not None:
            verdict = outcomes.of_answer(
                answer, self.status or 200, has_credential=self.facts.has_credential
            )
        elif ending == "gone":
            return self._left(message)
        elif ending != "complete":
            return outcomes.ENDINGS[ending]
        elif reader is None or self.status is None or self.status >= 400:
            verdict = self._plain(ending)
            if verdict.outcome == "ok":
                # A request is answered with JSON or an event stream; 202 and HTML are neither.
                verdict = outcomes.GARBAGE
        else:
            return self._without_answer(reader)
        if (
            message.method == "server/discover"
            and verdict.outcome in {"rpc_error", "http_error"}
            and verdict.origin != "auth"
        ):
            return verdict._replace(outcome="probe", origin=None)
        return verdict

    def _left(self, message: Message) -> Verdict:
        """The client went away: in the modern era that is how a request is cancelled."""
        if self.kind == "stream":
            return outcomes.OK
        modern = is_modern(self._revision(message, NOBODY))
        return outcomes.CANCELLED if modern else outcomes.ENDINGS["gone"]

    def _without_answer(self, reader: AnswerReader) -> Verdict | None:
        """The answer was complete, and no JSON-RPC answer to this request was in it."""
        if self.cancelled:
            return outcomes.CANCELLED
        if reader.unread:
            return outcomes.UNREAD
        if self.answer is not None and self.answer.is_events and reader.has_ids:
            return None if self.facts.session is not None else outcomes.GARBAGE
        return outcomes.GARBAGE

    def _claim(self, answers: list[Answer], now_ns: int) -> None:
        for answer in answers:
            if answer.id is not UNSET and self.facts.session is not None:
                self.recording.unanswered.claim(self.facts.session, answer, now_ns)

    # What is written down

    def _revision(self, message: Message | None, caller: Caller) -> str | None:
        params = None if message is None else message.params
        if params is not None:
            if params.meta is not None and params.meta.revision is not None:
                return bounded_revision(params.meta.revision)
            if params.revision is not None:
                return bounded_revision(params.revision)
        return self.facts.revision or caller.revision

    def _caller(self, message: Message | None) -> Caller:
        params = None if message is None else message.params
        if params is not None:
            said = params.client if params.meta is None else params.meta.client or params.client
            if said is not None:
                return self.recording.callers.of(said, self._revision(message, NOBODY))
        return self.recording.sessions.caller(self.facts.session)

    def _row(self, message: Message | None, verdict: Verdict, now_ns: int) -> RequestEvent:
        facts = self.facts
        recording = self.recording
        caller = self._caller(message)
        revision = self._revision(message, caller)
        session = facts.session
        method = tool = subject = raw_method = None
        if message is not None and message.method is not UNSET:
            method = message.method
            if method in KNOWN_METHODS:
                if method in SUBJECTS:
                    tool, subject = _subject(message)
                elif method == "initialize" and verdict is outcomes.OK:
                    session, revision = self._opened(message, caller, revision)
            else:
                raw_method = method[:_MAX_SUBJECT]
                method = OTHER
        first, sent = self.first_ns, self.sent_ns
        if recording.keep_detail:
            detail = Detail(
                subject,
                raw_method,
                verdict.error_text,
                caller.name,
                None if message is not None else facts.http_method,
                None if message is not None else facts.path,
                self._note(message),
                (first - sent) // 1000 if first and sent else None,
            )
        else:
            detail = None
        return RequestEvent(
            recording.ids.mint((now_ns + recording.wall_ns) // 1_000_000),
            (self.started_ns + recording.wall_ns) // 1_000_000,
            recording.server,
            self.kind,
            method,
            tool,
            verdict.outcome,
            verdict.origin,
            self.status,
            verdict.rpc_code,
            (now_ns - self.started_ns) // 1000,
            (now_ns - sent) // 1000 if sent else None,
            self.bytes_in,
            self.bytes_out,
            session,
            caller.client,
            caller.version,
            revision,
            detail,
        )

    def _opened(
        self, message: Message, caller: Caller, revision: str | None
    ) -> tuple[str | None, str | None]:
        """A session begins with a 2xx answer to `initialize`, and only with that."""
        assert self.answer is not None
        answer = None if self.reader is None else self.reader.answer_to(message)
        if answer is not None and answer.result:
            revision = bounded_revision(answer.result.revision) or revision
        session = self.answer.session
        if session is not None and self.answer.status < 300:
            opened = Caller(caller.client, caller.version, caller.name, revision)
            self.recording.sessions.opened(session, opened)
            return session, revision
        return self.facts.session, revision

    def _note(self, message: Message | None) -> str | None:
        facts = self.facts
        mirrored = facts.mirrored_method
        if message is None or (mirrored is None and facts.mirrored_name is None):
            return self.note
        params = message.params
        name = None
        if params is not None:
            name = params.uri if params.name is None else params.name
        differs = (
            mirrored is not None and message.method is not UNSET and mirrored != message.method
        ) or (facts.mirrored_name is not None and name is not None and name != facts.mirrored_name)
        if not differs:
            return self.note
        return "mismatch" if self.note is None else f"{self.note} mismatch"

    def __repr__(self) -> str:
        method = self.facts.http_method if self.message is None else self.message.method
        return f"<Exchange {self.kind} {method} {self.status}>"


def _subject(message: Message) -> tuple[str | None, str | None]:
    """The tool (bounded), and the subject that stays here: prompt, URI, or an unbounded name."""
    assert message.method is not UNSET
    kind, parameter = SUBJECTS[message.method]
    params = message.params
    name = None if params is None else params.name if parameter == "name" else params.uri
    if name is None:
        return None, None
    if kind != "tool":
        return None, name[:_MAX_SUBJECT]
    tool = bounded_tool(name)
    return tool, None if tool == name else name[:_MAX_SUBJECT]
