"""A handler that passes everything on and writes down what it was told.

It knows nothing of MCP: what the data plane promises its handler is tested without the proxy's.
"""

from dataclasses import dataclass, field
from time import monotonic_ns
from typing import TYPE_CHECKING

from mcpr.dataplane import AnswerPlan, Completed, Editor, Ending, Refusal, RequestPlan
from mcpr.protocol.http1 import RequestHead, ResponseHead

if TYPE_CHECKING:
    from mcpr.dataplane import Pool

PATIENCE_NS = 5_000_000_000
OURS = b"our words\n"


@dataclass
class Seen:
    """A watch that remembers. told: every call, in order, without the times."""

    target: bytes | None = None
    sent_ns: int = 0
    status: int | None = None
    body: bytes | None = None
    streamed: int = 0
    answer: bytes = b""
    ending: Ending | None = None
    started_ns: int = 0
    first_ns: int = 0
    ended_ns: int = 0
    told: list[str] = field(default_factory=list)

    is_endless: bool = False
    at_border: bool = True
    edits: bool = False
    objection: str | None = None
    editor: Editor | None = None

    def read_request(self, body: bytes) -> None:
        self.told.append("request")
        self.body = body

    def request_size(self, size: int) -> None:
        self.told.append("size")
        self.streamed += size

    def read_head(self, facts: object, now_ns: int, /) -> None:
        assert isinstance(facts, int)
        self.told.append("head")
        self.status = facts
        self.first_ns = now_ns

    def read_data(self, piece: bytes, now_ns: int) -> None:
        assert now_ns >= self.first_ns
        self.told.append("data")
        self.answer += piece

    def whole(self, facts: object, body: bytes, first_ns: int, now_ns: int, /) -> None:
        self.read_head(facts, first_ns)
        if body:
            self.read_data(body, now_ns)
        self.end("complete", now_ns)

    def end(self, ending: Ending, now_ns: int) -> None:
        assert self.ending is None, "an exchange ends once"
        self.told.append("end")
        self.ending = ending
        self.ended_ns = now_ns


class PlainHandler:
    """seen: every exchange, in the order they began; the common ones when they are told of.

    whole, is_common, opens_stream, fails: what a request's target makes of its plan.
    """

    pool: "Pool"

    def __init__(self) -> None:
        self.seen: list[Seen] = []
        self.ticks = 0
        self.refuses: frozenset[bytes] = frozenset()
        self.fails: frozenset[bytes] = frozenset()
        self.reads_whole = True
        self.is_common = False
        self.patience_ns = PATIENCE_NS

    def plan_request(self, head: RequestHead, *, has_credential: bool = False) -> RequestPlan:
        if head.target in self.fails:
            raise RuntimeError("a mistake that this handler was asked to make")
        lines = [b"%b %b HTTP/1.1\r\n" % (head.method, head.target), b"Host: upstream\r\n"]
        lines += head.end_to_end()
        if head.chunked:
            lines.append(b"Transfer-Encoding: chunked\r\n")
        elif head.content_length is not None:
            lines.append(b"Content-Length: %d\r\n" % head.content_length)
        fast = head.keep_alive and not (head.chunked or head.http10 or head.expects_continue)
        fast = fast and head.method != b"HEAD" and head.target not in self.refuses
        return RequestPlan(
            facts=head.target,
            pool=self.pool,
            forward=b"".join(lines),
            whole=self.reads_whole,
            first_byte_ns=self.patience_ns,
            length=(head.content_length or 0) if fast else -1,
            is_common=self.is_common,
            refusal=Refusal(403, "denied", "no") if head.target in self.refuses else None,
        )

    def plan_answer(self, head: ResponseHead) -> AnswerPlan:
        lines = [head.start, *head.end_to_end()]
        if head.chunked:
            lines.append(b"Transfer-Encoding: chunked\r\n")
        elif head.content_length is not None:
            lines.append(b"Content-Length: %d\r\n" % head.content_length)
        return AnswerPlan(
            facts=head.status,
            lines=b"".join(lines),
            is_stream=head.value(b"content-type") == b"text/event-stream",
            is_bounded=head.value(b"content-type") == b"application/json",
            is_common=True,
        )

    def begin(self, plan: RequestPlan, now_ns: int) -> Seen:
        return self._see(plan, now_ns)

    def open(self, plan: RequestPlan, body: bytes, now_ns: int) -> Seen:
        seen = self._see(plan, now_ns)
        seen.read_request(body)
        return seen

    def completed(self, calls: list[Completed]) -> None:
        for facts, body, started_ns, sent_ns, answer, answer_body, first_ns, now_ns in calls:
            assert isinstance(facts, bytes)
            seen = Seen(facts, sent_ns, started_ns=started_ns)
            seen.read_request(body)
            seen.whole(answer, answer_body, first_ns, now_ns)
            self.seen.append(seen)

    def refuse(self, refusal: Refusal, now_ns: int) -> Seen:
        seen = Seen(started_ns=now_ns)
        self.seen.append(seen)
        return seen

    def words(self, watch: object, refusal: Refusal) -> tuple[bytes, bytes]:
        assert isinstance(watch, Seen)
        return b"text/plain", OURS

    def tick(self, now_ns: int) -> None:
        assert now_ns <= monotonic_ns()
        self.ticks += 1

    def _see(self, plan: RequestPlan, now_ns: int) -> Seen:
        assert isinstance(plan.facts, bytes)
        seen = Seen(plan.facts, started_ns=now_ns, is_endless=plan.facts.startswith(b"/endless"))
        self.seen.append(seen)
        return seen
