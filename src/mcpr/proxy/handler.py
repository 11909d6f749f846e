"""The proxy on its data plane: what heads mean here, and an exchange to watch each request.

The only place where the data plane's bytes and the pipeline's meaning meet.
"""

import json
from functools import partial
from time import time_ns
from typing import TYPE_CHECKING, cast

import msgspec

from mcpr.dataplane import AnswerPlan, Completed, Refusal, RequestPlan, Watch
from mcpr.pipeline.calls import Completed as Call
from mcpr.pipeline.calls import record
from mcpr.pipeline.cors import is_of_cors
from mcpr.pipeline.exchange import Exchange, Recording
from mcpr.pipeline.facts import RequestFacts, answer_facts, media_type, request_facts
from mcpr.pipeline.guard import Guard
from mcpr.pipeline.identity import SessionNames
from mcpr.pipeline.pinning import NO_JSON
from mcpr.protocol.http1 import RequestHead, ResponseHead, Role
from mcpr.protocol.trace import context_of_lines

if TYPE_CHECKING:
    from mcpr.dataplane import Pool

#: A request that never became one: nothing is known of it.
_UNKNOWN = RequestFacts(
    http_method="",
    path="",
    kind="http",
    is_json=False,
    opens_stream=False,
    has_credential=False,
    revision=None,
    session=None,
    mirrored_method=None,
    mirrored_name=None,
    is_mirrored=False,
)
_FOREVER_NS = 1 << 61
#: Bodies that no MCP server takes for a message: those of sign-in pages and uploads.
_FORMS = frozenset((b"application/x-www-form-urlencoded", b"multipart/form-data"))
#: Larger bodies are read one by one.
_COMMON_BYTES = 65_536
#: In the body of every request whose answer may hold widgets. Without the slash: some write it \\/.
_RESOURCES = b'"resources'
_NO_BUFFERING = b"X-Accel-Buffering: no\r\n"


def _unreadable(head: RequestHead, facts: RequestFacts) -> str | None:
    """Why a body that is not read here must not be sent on while tools are pinned."""
    is_form = media_type(head.value(b"content-type")) in _FORMS
    if head.method != b"POST" or facts.is_json or is_form or not head.has_body:
        return None
    return NO_JSON


def _exchange(recording: Recording, facts: object, now_ns: int) -> Exchange:
    assert isinstance(facts, RequestFacts)
    return Exchange(recording, facts, now_ns, facts.kind)


def _preflight(lines: list[bytes] | None) -> Refusal | None:
    """Our own answer to a browser that asks before it calls; None if it does not."""
    if lines is None:
        return None
    if lines:
        return Refusal(204, "complete", "a browser asked before it calls", lines)
    return Refusal(403, "denied", "the Origin header names a site that is not in [cors] origins")


def _traced(facts: RequestFacts, lines: list[bytes]) -> RequestFacts:
    """The facts, and the trace context that these lines of the head name."""
    return msgspec.structs.replace(facts, trace=context_of_lines(lines))


class ProxyHandler:
    """Plans requests and answers for one upstream. `pool` is set before the first request.

    traces: whether trace contexts are read; whoever does not export them does not pay for them.
    """

    pool: "Pool"

    def __init__(
        self,
        recording: Recording,
        guard: Guard,
        names: SessionNames,
        authority: str,
        first_byte_seconds: float,
        *,
        traces: bool = False,
    ) -> None:
        self.recording = recording
        self._traces = traces
        self._guard = guard
        self._cors = guard.cors
        self._names = names
        self._host = b"Host: " + authority.encode("idna" if not authority.isascii() else "ascii")
        self._first_byte_ns = round(first_byte_seconds * 1e9)

    @property
    def _marker(self) -> bytes | None:
        """What a body holds that has to be read before it is sent on."""
        if self.recording.pin is not None:
            return b"{"
        return None if self.recording.csp is None else _RESOURCES

    def plan_request(self, head: RequestHead, *, has_credential: bool = False) -> RequestPlan:
        """Decide about every request with this head."""
        facts = request_facts(head, self._names)
        if has_credential:
            facts = msgspec.structs.replace(facts, has_credential=True)
        if self._traces:
            facts = _traced(facts, [field.line.strip() for field in head.fields])
        objection = self._guard.objection(head)
        if objection is None and self.recording.pin is not None:
            objection = _unreadable(head, facts)
        refusal = None if objection is None else Refusal(403, "denied", objection)
        answer_lines: list[bytes] = []
        if self._cors is not None and refusal is None:
            answer_lines = self._cors.answer_lines(head)
            refusal = _preflight(self._cors.preflight_lines(head))
        fast = (
            refusal is None
            and not answer_lines
            and head.keep_alive
            and not (head.chunked or head.http10 or head.expects_continue)
            and head.method != b"HEAD"
        )
        edits = self.recording.csp is not None
        if edits and facts.opens_stream:
            fast = False
        length = (head.content_length or 0) if fast else -1
        plan = RequestPlan(
            facts=facts,
            pool=self.pool,
            forward=self._forward(head),
            whole=facts.is_json,
            first_byte_ns=_FOREVER_NS if facts.opens_stream else self._first_byte_ns,
            length=length if length <= _COMMON_BYTES else -1,
            # Whoever has no session and says no revision may be about to get a session.
            is_common=facts.is_json and not (facts.session is None and facts.revision is None),
            refusal=refusal,
            marker=self._marker,
            answer_lines=answer_lines,
        )
        if self._traces:
            plan.facts_with = partial(_traced, facts)
        return plan

    def _forward(self, head: RequestHead) -> bytes:
        lines = [b"%b %b HTTP/1.1\r\n" % (head.method, head.target)]
        if not any(field.role is Role.HOST for field in head.fields):
            lines.append(self._host + b"\r\n")
        for field in head.fields:
            role = field.role
            if role is Role.HOST:
                lines.append(self._host + b"\r\n")
            elif self._cors is not None and field.name == b"origin":
                # It was judged here; a server that knows only its own name would refuse it.
                continue
            elif role in (Role.CONTENT_LENGTH, Role.TRANSFER_ENCODING) or (
                role is Role.END_TO_END and field.name not in head.dropped
            ):
                lines.append(field.line)
        lines.append(b"X-Forwarded-Proto: http\r\n")
        if head.authority:
            lines.append(b"X-Forwarded-Host: %b\r\n" % head.authority)
        return b"".join(lines)

    def plan_answer(self, head: ResponseHead) -> AnswerPlan:
        """Decide about every answer with this head."""
        facts = answer_facts(head, self._names)
        start = head.start if not head.http10 else b"HTTP/1.1" + head.start[8:]
        lines = [start]
        lines += [
            field.line
            for field in head.fields
            if field.role in (Role.CONTENT_LENGTH, Role.TRANSFER_ENCODING)
            or (field.role is Role.END_TO_END and field.name not in head.dropped)
            if self._cors is None or not is_of_cors(field.name)
        ]
        if facts.is_events and head.value(b"x-accel-buffering") is None:
            # A buffering proxy before us would hold events back.
            lines.append(_NO_BUFFERING)
        if self._cors is not None:
            lines.append(self._cors.vary(head))
        return AnswerPlan(
            facts=facts,
            lines=b"".join(lines),
            is_stream=facts.is_events,
            is_bounded=facts.is_json,
            is_common=(
                facts.is_plain or (facts.is_events and facts.coding is None and facts.status < 300)
            )
            # An empty answer is a notification's, and what that cancels cannot wait for its batch.
            and head.content_length != 0
            and (head.content_length or 0) <= _COMMON_BYTES,
        )

    def begin(self, plan: RequestPlan, now_ns: int) -> Exchange:
        """A request with this plan arrived."""
        return _exchange(self.recording, plan.facts, now_ns)

    def open(self, plan: RequestPlan, body: bytes, now_ns: int) -> Exchange:
        """A request with this plan arrived, with its whole body."""
        facts = cast("RequestFacts", plan.facts)
        exchange = Exchange(self.recording, facts, now_ns, facts.kind)
        exchange.read_request(body)
        return exchange

    def completed(self, calls: list[Completed]) -> None:
        """Common calls, in the order of their ends."""
        record(self.recording, cast("list[Call]", calls))

    def refuse(self, refusal: Refusal, now_ns: int) -> Exchange:
        """Something arrived that could not be read as a request."""
        return _exchange(self.recording, _UNKNOWN, now_ns)

    def words(self, watch: Watch, refusal: Refusal) -> tuple[bytes, bytes]:
        """JSON-RPC for whoever speaks it, with the request's own id; else plain text.

        The code is the plain internal error: a reserved one would pass for the server's word.
        """
        assert isinstance(watch, Exchange)
        if not watch.facts.is_json:
            return b"text/plain; charset=utf-8", b"mcpr: %b\n" % refusal.reason.encode()
        request_id = b"null" if watch.request_id is None else bytes(watch.request_id)
        message = json.dumps(f"mcpr: {refusal.reason}").encode()
        body = b'{"jsonrpc":"2.0","id":%b,"error":{"code":-32603,"message":%b}}'
        return b"application/json", body % (request_id, message)

    def tick(self, now_ns: int) -> None:
        """Let go of requests whose answer never came; follow the wall clock."""
        self.recording.wall_ns = time_ns() - now_ns
        self.recording.unanswered.sweep(now_ns)
