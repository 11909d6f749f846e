"""What is written down of one request: its row, complete, public part and local part.

Everything a caller chose itself is bounded here, or stays in the local part.
"""

from typing import TYPE_CHECKING

from msgspec import UNSET

from mcpr.events import Aside, Detail, RequestEvent
from mcpr.pipeline.facts import RequestFacts
from mcpr.pipeline.identity import NOBODY, Caller
from mcpr.pipeline.links import link_of
from mcpr.pipeline.outcomes import Verdict
from mcpr.protocol.jsonrpc import Message
from mcpr.protocol.mcp import (
    KNOWN_METHODS,
    OTHER,
    SUBJECTS,
    bounded_revision,
    bounded_tool,
)
from mcpr.protocol.trace import NO_CONTEXT, contexts_of_body

if TYPE_CHECKING:
    from mcpr.pipeline.exchange import Exchange

_MAX_SUBJECT = 512
_NOTHING = Aside()


def row(
    exchange: "Exchange", message: Message | None, verdict: Verdict, now_ns: int
) -> RequestEvent:
    """The row of one message, else of the exchange. now_ns: when its answer was handed on."""
    facts = exchange.facts
    recording = exchange.recording
    caller = caller_of(exchange, message)
    method = tool = subject = raw_method = None
    if message is not None and message.method is not UNSET:
        method = message.method
        if method not in KNOWN_METHODS:
            raw_method = method[:_MAX_SUBJECT]
            method = OTHER
        elif method in SUBJECTS:
            tool, subject = _subject(method, message)
    revision = None
    if message is not None and method == "initialize":
        revision = exchange.negotiated(message)
    note = exchange.note
    if message is not None and facts.is_mirrored and _is_mismatch(facts, message):
        note = "mismatch" if note is None else f"{note} mismatch"
    link = link_of(exchange, message, caller)
    sent = exchange.sent_ns
    detail = None if link is None else Detail(link=link)
    if recording.keep_detail:
        detail = Detail(
            subject,
            raw_method,
            verdict.error_text,
            caller.name,
            None if message is not None else facts.http_method,
            None if message is not None else facts.path,
            note,
            (exchange.first_ns - sent) // 1000 if exchange.first_ns and sent else None,
            link,
        )
    bytes_in, bytes_out = _sizes(exchange, message)
    return RequestEvent(
        recording.ids.mint((now_ns + recording.wall_ns) // 1_000_000),
        (exchange.started_ns + recording.wall_ns) // 1_000_000,
        recording.server,
        exchange.kind,
        method,
        tool,
        verdict.outcome,
        verdict.origin,
        exchange.status,
        verdict.rpc_code,
        (now_ns - exchange.started_ns) // 1000,
        (now_ns - sent) // 1000 if sent else None,
        bytes_in,
        bytes_out,
        exchange.opened or facts.session,
        caller.client,
        caller.version,
        revision or revision_of(exchange, message, caller),
        detail,
        None if facts.trace is None and not exchange.others else _aside(exchange, message),
    )


def parents(exchange: "Exchange", body: bytes, messages: list[Message]) -> tuple[bytes, ...]:
    """The trace contexts that the requests of this body name, in the exchange's order."""
    if exchange.facts.trace is None:
        return ()
    found = contexts_of_body(body, len(messages))
    places = {id(message): at for at, message in enumerate(messages)}
    asked = (exchange.message, *exchange.others)
    return tuple(found[places[id(message)]] for message in asked)


def _aside(exchange: "Exchange", message: Message | None) -> Aside | None:
    parent = link = NO_CONTEXT
    if exchange.facts.trace is not None:
        asked = (exchange.message, *exchange.others)
        named = dict(zip(map(id, asked), exchange.parents, strict=False)).get(id(message))
        parent = named or exchange.facts.trace
        link = exchange.facts.trace if exchange.facts.trace != parent else NO_CONTEXT
    aside = Aside(
        exchange.started_ns if exchange.others else 0, 1 + len(exchange.others), parent, link
    )
    return None if aside == _NOTHING else aside


def _sizes(exchange: "Exchange", message: Message | None) -> tuple[int, int]:
    """The bytes of one row. A batch is one body: its rows share them, so that they add up."""
    sizes = exchange.bytes_in, exchange.bytes_out
    if not exchange.others:
        return sizes
    shares = 1 + len(exchange.others)
    rest = 1 if message is exchange.message else 0
    bytes_in, bytes_out = (size // shares + rest * (size % shares) for size in sizes)
    return bytes_in, bytes_out


def revision_of(exchange: "Exchange", message: Message | None, caller: Caller) -> str | None:
    """The protocol revision: as the request says it, its head, or whoever opened the session."""
    params = None if message is None else message.params
    if params is not None:
        said = params.revision
        if params.meta is not None and params.meta.revision is not None:
            said = params.meta.revision
        if said is not None:
            return bounded_revision(said) or caller.revision
    return exchange.facts.revision or caller.revision


def caller_of(exchange: "Exchange", message: Message | None) -> Caller:
    """Who calls: as the request says it itself, else whoever opened its session."""
    params = None if message is None else message.params
    recording = exchange.recording
    if params is not None:
        said = params.client if params.meta is None else params.meta.client or params.client
        if said is not None:
            return recording.callers.of(said, revision_of(exchange, message, NOBODY))
    return recording.sessions.caller(exchange.facts.session)


def _subject(method: str, message: Message) -> tuple[str | None, str | None]:
    """The tool (bounded), and the subject that stays here: prompt, URI, or an unbounded name."""
    name = _named(method, message)
    if name is None:
        return None, None
    if SUBJECTS[method][0] != "tool":
        return None, name[:_MAX_SUBJECT]
    tool = bounded_tool(name)
    return tool, None if tool == name else name[:_MAX_SUBJECT]


def _named(method: str, message: Message) -> str | None:
    params = message.params
    if params is None:
        return None
    return params.name if SUBJECTS[method][1] == "name" else params.uri


def _is_mismatch(facts: RequestFacts, message: Message) -> bool:
    """Whether a mirrored header says something else than the body."""
    method = message.method
    if method is UNSET:
        return False
    if facts.mirrored_method not in (None, method):
        return True
    if facts.mirrored_name is None or method not in SUBJECTS:
        return False
    return facts.mirrored_name != _named(method, message)
