"""What the data plane asks of whoever uses it: the proxy, one day the relay.

The data plane moves bytes and keeps deadlines. What a head means, where it goes and what is
remembered of an exchange is the handler's; a plan is made once per distinct head and kept with it.
"""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Literal, Protocol

from mcpr.protocol.http1 import RequestHead, ResponseHead, Stem

if TYPE_CHECKING:
    from mcpr.dataplane.pool import Pool

#: How an exchange ended. "complete": its answer was handed on whole. "cut", "garbage": the upstream
#: closed too early, or sent what is not HTTP. "timeout": no first byte in time. "unreachable": no
#: connection. "gone": the client left. "over": the answer is larger than allowed. "busy": no place.
#: "too_large": the request body is. "denied": the handler refused it. "malformed": the
#: client's HTTP is broken. "stopped": we ended before it did. "internal": our own mistake.
Ending = Literal[
    "complete",
    "cut",
    "garbage",
    "timeout",
    "unreachable",
    "gone",
    "over",
    "busy",
    "too_large",
    "denied",
    "malformed",
    "stopped",
    "internal",
]


class Refusal:
    """An answer of our own. `ending` is what the record says of it; "complete" is no refusal.

    lines: of its head, beside the usual ones.
    """

    __slots__ = ("ending", "lines", "reason", "status")

    def __init__(
        self, status: int, ending: Ending, reason: str, lines: Sequence[bytes] = ()
    ) -> None:
        self.status = status
        self.ending = ending
        self.reason = reason
        self.lines = lines

    def __repr__(self) -> str:
        return f"<Refusal {self.status} {self.ending}: {self.reason}>"


class RequestPlan:
    """What to do with requests of one head.

    facts: the handler's own. refusal: answered at once, nothing is sent on.
    forward: the head to send upstream, without the lines that name the peer and without its end.
    whole: the body is read to its end, and shown to the watch, before anything is sent upstream.
    first_byte_ns: how long the answer may take to begin.
    length: size of the body that a fast path may expect, -1 when there is more to think about.
    is_common: nobody needs to see the exchange before it is over, if it goes well.
    answer_lines: stand in the head of every answer, the upstream's and our own.
    marker: a body with these bytes in it has to be read before anything is sent on.
    facts_with: the facts of this head with these lines in it, where they say more; None: the same.
    head, method: what it is a plan of; the listener sets them.
    stem: where it is found again, if it is remembered.
    """

    __slots__ = (
        "answer_lines",
        "facts",
        "facts_with",
        "first_byte_ns",
        "forward",
        "head",
        "is_common",
        "length",
        "marker",
        "method",
        "pool",
        "refusal",
        "stem",
        "whole",
    )

    def __init__(  # noqa: PLR0913 - a plain record of what a head decides
        self,
        *,
        facts: object,
        pool: "Pool",
        forward: bytes,
        whole: bool,
        first_byte_ns: int,
        length: int,
        is_common: bool = False,
        refusal: Refusal | None = None,
        marker: bytes | None = None,
        answer_lines: Sequence[bytes] = (),
    ) -> None:
        self.facts = facts
        self.pool = pool
        self.forward = forward
        self.whole = whole
        self.first_byte_ns = first_byte_ns
        self.length = length
        self.is_common = is_common
        self.head: RequestHead | None = None
        self.method = b""
        self.refusal = refusal
        self.marker = marker
        self.answer_lines = answer_lines
        self.facts_with: Callable[[list[bytes]], object] | None = None
        self.stem: Stem[RequestPlan] | None = None

    def exactly(self, lines: bytes, length: int) -> "RequestPlan":
        """The plan of this head with these lines in it, and a body of this length."""
        # One by one: on the way of every request with a trace.
        plan = RequestPlan.__new__(RequestPlan)
        facts_with = self.facts_with
        plan.facts = self.facts if facts_with is None else facts_with(lines.split(b"\r\n")[:-1])
        plan.facts_with = facts_with
        plan.pool = self.pool
        plan.forward = self.forward + lines
        plan.whole = self.whole
        plan.first_byte_ns = self.first_byte_ns
        plan.length = length
        plan.is_common = self.is_common
        plan.head = self.head
        plan.method = self.method
        plan.refusal = self.refusal
        plan.marker = self.marker
        plan.answer_lines = self.answer_lines
        plan.stem = None
        return plan


class AnswerPlan:
    """What to do with answers of one head.

    lines: the head to hand on, without its end. ended: the same with its end.
    is_stream: an event stream: it leaves the count of exchanges, and no clock limits it.
    is_bounded: a JSON body, which has a largest size.
    is_common: as above.
    idle_ns: how long the connection may wait in the pool afterwards; the pool sets it.
    length: size of the body that a fast path may expect, -1 otherwise; the pool sets it.
    is_open: the length is a changing line's; is_chunked: the body is; the pool sets both.
    stem: as above.
    """

    __slots__ = (
        "ended",
        "facts",
        "idle_ns",
        "is_bounded",
        "is_chunked",
        "is_common",
        "is_open",
        "is_stream",
        "length",
        "lines",
        "stem",
    )

    def __init__(
        self,
        *,
        facts: object,
        lines: bytes,
        is_stream: bool,
        is_bounded: bool,
        is_common: bool = False,
    ) -> None:
        self.facts = facts
        self.is_common = is_common
        self.lines = lines
        #: The hot path writes this and the body.
        self.ended = lines + b"\r\n"
        self.is_stream = is_stream
        self.is_bounded = is_bounded
        self.idle_ns = 0
        self.length = -1
        self.is_open = False
        self.is_chunked = False
        self.stem: Stem[AnswerPlan] | None = None

    def exactly(self, lines: Sequence[bytes], length: int) -> "AnswerPlan":
        """The plan of this head with these lines in it, and a body of this length (-1: chunked)."""
        plan = AnswerPlan(
            facts=self.facts,
            lines=b"%b%b\r\n" % (self.lines, b"\r\n".join(lines)),
            is_stream=self.is_stream,
            is_bounded=self.is_bounded,
            is_common=self.is_common,
        )
        plan.idle_ns = self.idle_ns
        plan.length = length
        plan.is_chunked = self.is_chunked
        return plan

    def without_chunking(self) -> bytes:
        """The lines for a client of HTTP/1.0, which does not know the chunked coding."""
        lines = self.lines.split(b"\r\n")
        return b"\r\n".join(x for x in lines if x[:18].lower() != b"transfer-encoding:")


class Editor(Protocol):
    """Changes the body of one answer on its way.

    is_stream: what `feed` returns is handed on at once; otherwise all of it is held until the end.
    raw: what was held, as it came.
    """

    @property
    def is_stream(self) -> bool:
        """See above."""

    @property
    def raw(self) -> bytes:
        """See above."""

    def feed(self, piece: bytes) -> bytes:
        """More of the body. Raises ValueError when it cannot be read, and so not be handed on."""

    def finish(self) -> bytes | None:
        """What is left to hand on: the rest of a stream, a whole new body, or None: `raw` is it."""


class Watch(Protocol):
    """Sees one exchange go by. Times are nanoseconds of the monotonic clock.

    edits: the answer may have to be changed on its way; known once the request was read.
    objection: why the request must not be sent on; known then, too.
    """

    sent_ns: int
    status: int | None
    edits: bool
    objection: str | None

    def read_request(self, body: bytes) -> None:
        """The whole request body."""

    def request_size(self, size: int) -> None:
        """More of a request body that is not shown."""

    def read_head(self, facts: object, now_ns: int, /) -> None:
        """The answer's head, by its plan's facts."""

    def read_data(self, piece: bytes, now_ns: int) -> None:
        """More of the answer's body."""

    def whole(self, facts: object, body: bytes, first_ns: int, now_ns: int, /) -> None:
        """The answer's head and body at once; the exchange is over, complete."""

    def end(self, ending: Ending, now_ns: int) -> None:
        """The exchange is over. Exactly one of `whole` and `end` is called, once."""

    @property
    def editor(self) -> Editor | None:
        """Who changes the answer; known once its head was read."""

    @property
    def is_endless(self) -> bool:
        """Whether the answer is a stream that ends only when somebody leaves."""

    @property
    def at_border(self) -> bool:
        """Whether the answer could end here without cutting a message in two."""


#: A common call that went well: the request plan's facts, its body, when it arrived and was sent
#: on, the answer plan's facts, its body, when its first byte came and its last was handed on.
Completed = tuple[object, bytes, int, int, object, bytes, int, int]


class Handler(Protocol):
    """The user of a data plane."""

    def plan_request(self, head: RequestHead, *, has_credential: bool = False) -> RequestPlan:
        """Decide about every request with this head.

        has_credential: there is an `Authorization`, although it is not in the head.
        """

    def plan_answer(self, head: ResponseHead) -> AnswerPlan:
        """Decide about every answer with this head."""

    def begin(self, plan: RequestPlan, now_ns: int) -> Watch:
        """A request with this plan arrived; its body, if it is to be read, comes later."""

    def open(self, plan: RequestPlan, body: bytes, now_ns: int) -> Watch:
        """A request with this plan arrived, with its whole body."""

    def completed(self, calls: list[Completed]) -> None:
        """Common calls, in the order of their ends; the list is the handler's from now on."""

    def refuse(self, refusal: Refusal, now_ns: int) -> Watch:
        """Something arrived that is not a request that could be planned."""

    def words(self, watch: Watch, refusal: Refusal) -> tuple[bytes, bytes]:
        """Content type and body of an answer of our own."""

    def tick(self, now_ns: int) -> None:
        """Called about twice a second."""
