"""The common call, recorded in batches: a small JSON request and its small answer, all of it.

Most exchanges are that, and all that must be known of them before they are over is that they are.
So they are read together, a little later, and what can be asked of all at once is. What is in
any way unusual (a batch, a key too many, an error) is read by `Exchange`, which knows every case;
a property test holds the two to the same rows.
"""

import re

import msgspec
from msgspec import UNSET, Raw, UnsetType

from mcpr.pipeline.common import Row
from mcpr.pipeline.exchange import Exchange, Recording
from mcpr.pipeline.facts import AnswerFacts, RequestFacts
from mcpr.pipeline.identity import NOBODY, Caller
from mcpr.protocol.jsonrpc import Implementation
from mcpr.protocol.mcp import (
    LISTINGS,
    META_CLIENT,
    META_REVISION,
    REQUESTS,
    STREAMS,
    SUBJECTS,
    bounded_revision,
    bounded_tool,
)

#: facts, request body, started, sent, answer facts, answer body, first byte, ended (monotonic ns).
Completed = tuple[RequestFacts, bytes, int, int, AnswerFacts, bytes, int, int]

#: What these do beyond being answered takes an `Exchange`.
_SPECIAL = STREAMS | LISTINGS
_NAMELESS = REQUESTS - _SPECIAL - SUBJECTS.keys()
_MAX_TOOLS = 4096


class _Meta(msgspec.Struct, gc=False):
    revision: str | None = msgspec.field(name=META_REVISION, default=None)
    client: Implementation | None = msgspec.field(name=META_CLIENT, default=None)


class _Params(msgspec.Struct, gc=False, forbid_unknown_fields=True):
    name: str | None = None
    uri: str | None = None
    arguments: Raw | UnsetType = UNSET
    meta: _Meta | None = msgspec.field(name="_meta", default=None)
    cursor: Raw | UnsetType = UNSET


class _Request(msgspec.Struct, gc=False, forbid_unknown_fields=True):
    method: str
    id: int | str
    jsonrpc: str = ""
    params: _Params | None = None


class _Result(msgspec.Struct, gc=False):
    is_error: bool = msgspec.field(name="isError", default=False)


class _Answer(msgspec.Struct, gc=False, forbid_unknown_fields=True):
    id: int | str
    result: _Result
    jsonrpc: str = ""


_request = msgspec.json.Decoder(_Request).decode
_answer = msgspec.json.Decoder(_Answer).decode
_Pair = tuple[_Request, _Answer]
_EVENT = re.compile(rb"(?:event: message\r?\n)?data: ([^\r\n]*)(?:\r\n\r\n|\n\n)")
_UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


def record(recording: Recording, calls: list[Completed]) -> None:
    """Publish the row of each call, in order."""
    if not calls:
        return
    read, are_plain = _read(calls)
    wall_ns = recording.wall_ns
    numbers, sessions = recording.common.numbers, recording.common.sessions
    caller_of, tools = recording.sessions.callers.get, recording.tools
    rows: list[Row] = []
    now_ms = (calls[-1][7] + wall_ns) // 1_000_000
    for call, pair in zip(calls, read, strict=True):
        facts, body, started_ns, sent_ns, answer_facts, answer_body, _, now_ns = call
        if pair is None or not (
            (
                # The commonest call of all is told here; the function knows what else is common.
                (params := pair[0].params) is not None
                and params.name in tools
                and are_plain
                and pair[0].method == "tools/call"
                and pair[1].id == pair[0].id
                and not (pair[1].result.is_error or facts.is_mirrored or params.uri)
            )
            or _is_common(recording, call, pair, are_plain=are_plain)
        ):
            recording.publish_rows(rows, now_ms)
            rows = []
            _unusual(recording, call)
            continue
        if params is None or params.meta is None:
            caller = caller_of(facts.session, NOBODY)  # type: ignore[arg-type]  # None is no key
            revision = facts.revision or caller.revision
        else:
            caller, revision = _caller(recording, facts, params.meta)
        said = (
            pair[0].method,
            None if params is None else params.name,
            answer_facts.status,
            caller,
            revision,
        )
        rows.append(
            (
                (started_ns + wall_ns) // 1_000_000,
                numbers[said],
                (now_ns - started_ns) // 1000,
                (now_ns - sent_ns) // 1000,
                len(body),
                len(answer_body),
                sessions[facts.session],
            )
        )
    recording.publish_rows(rows, now_ms)


def _read(calls: list[Completed]) -> tuple[list[_Pair | None], bool]:
    """What each call says (None: not in the common form), and whether all are plain.

    Plain means that no key in these bodies can be read in two ways. Each was read to have one
    method, one id and so many names; if all together hold these keys no more often, and no escaped
    letter, then no body hides a second one, and none need be looked at by itself. (A key in
    another case is an unknown one: such a body was not read.)
    """
    pairs: list[_Pair | None] = []
    bodies: list[bytes] = []
    names = with_params = 0
    for call in calls:
        body = call[1]
        try:
            request = _request(body)
            answer = _answer(_event(call[5]) if call[4].is_events else call[5])
        except _UNREADABLE:
            pairs.append(None)
            continue
        pairs.append((request, answer))
        bodies.append(body)
        params = request.params
        if params is not None:
            with_params += 1
            if params.name is not None:
                names += 1
            meta = params.meta
            if meta is not None and meta.client is not None and meta.client.name is not None:
                names += 1
    text = b" ".join(bodies)
    most = len(bodies)
    return pairs, (
        text.count(b'"id"') <= most
        and text.count(b'"method"') <= most
        and text.count(b'"params"') <= with_params
        and text.count(b'"name"') <= names
        and (text.find(b"\\") < 0 or text.find(b"\\u") < 0)
        and (text.isascii() or _is_utf8(text))
    )


def _is_utf8(text: bytes) -> bool:
    try:
        text.decode()
    except UnicodeDecodeError:
        return False
    return True


def _event(body: bytes) -> bytes:
    """The data of the only event of a stream; nothing readable if there is more to it."""
    match = _EVENT.fullmatch(body)
    return b"" if match is None else match[1]


def _is_common(recording: Recording, call: Completed, pair: _Pair, *, are_plain: bool) -> bool:
    """Whether there is no more to say of the call than that it was made and answered."""
    request, answer = pair
    method, params = request.method, request.params
    if answer.id != request.id or answer.result.is_error:
        return False
    if method == "tools/call":
        name = None if params is None else params.name
        if name is None or (name not in recording.tools and not _learn(recording.tools, name)):
            return False
    elif method not in _NAMELESS or (params is not None and params.name is not None):
        return False
    if params is not None and params.uri is not None:
        return False
    facts = call[0]
    if facts.is_mirrored and not _is_mirrored_well(facts, request):
        return False
    return are_plain or not _is_ambiguous(call[1], params)


def _is_mirrored_well(facts: RequestFacts, request: _Request) -> bool:
    name = None if request.params is None else request.params.name
    return facts.mirrored_method == request.method and facts.mirrored_name in (None, name)


def _is_ambiguous(body: bytes, params: _Params | None) -> bool:
    """Of one body what `_read` asks of all."""
    names = 0
    if params is not None:
        names += params.name is not None
        if params.meta is not None and params.meta.client is not None:
            names += params.meta.client.name is not None
    return (
        body.count(b'"id"') > 1
        or body.count(b'"method"') > 1
        or body.count(b'"params"') > (params is not None)
        or body.count(b'"name"') > names
        or body.find(b"\\u") >= 0
        or not (body.isascii() or _is_utf8(body))
    )


def _learn(tools: set[str], name: str) -> bool:
    """Remember a name that may be recorded as it is."""
    if bounded_tool(name) != name:
        return False
    if len(tools) >= _MAX_TOOLS:
        tools.clear()
    tools.add(name)
    return True


def _caller(recording: Recording, facts: RequestFacts, meta: _Meta) -> tuple[Caller, str | None]:
    """Who calls, by its own words in this request, or by those that opened its session."""
    revision = facts.revision if meta.revision is None else bounded_revision(meta.revision)
    if meta.client is not None:
        return recording.callers.of(meta.client, revision), revision
    caller = recording.sessions.caller(facts.session)
    return caller, revision or caller.revision


def _unusual(recording: Recording, call: Completed) -> None:
    """The long way, which knows every case."""
    facts, body, started_ns, sent_ns, answer, answer_body, first_ns, now_ns = call
    exchange = Exchange(recording, facts, started_ns, facts.kind, sent_ns)
    exchange.read_request(body)
    exchange.whole(answer, answer_body, first_ns, now_ns)
