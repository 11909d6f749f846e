"""The common call, recorded in batches: a small JSON request and its small JSON answer.

Most exchanges are that, and all that must be known of them before they are over is that they are.
So they are read together, a little later, in one loop without a function call too many. What is in
any way unusual (a batch, a key too many, an error) is read by `Exchange`, which knows every case;
a property test holds the two to the same rows.
"""

import msgspec
from msgspec import UNSET, Raw, UnsetType

from mcpr.events import Detail, RequestEvent
from mcpr.pipeline.exchange import Exchange, Recording
from mcpr.pipeline.facts import AnswerFacts, RequestFacts
from mcpr.pipeline.identity import Caller
from mcpr.protocol.jsonrpc import Implementation
from mcpr.protocol.mcp import (
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
_SPECIAL = STREAMS | {"initialize", "server/discover"}
COMMON = REQUESTS - _SPECIAL
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
_UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
_NOTHING = _Params()


def record(recording: Recording, calls: list[Completed]) -> None:
    """Publish the row of each call, in order."""
    publish, mint, wall_ns = recording.publish, recording.ids.mint, recording.wall_ns
    server, keep_detail = recording.server, recording.keep_detail
    for call in calls:
        facts, body, started_ns, sent_ns, answer_facts, answer_body, first_ns, now_ns = call
        try:
            request = _request(body)
            answer = _answer(answer_body)
        except _UNREADABLE:
            _unusual(recording, call)
            continue
        method = request.method
        params = request.params or _NOTHING
        if (
            answer.id != request.id
            or answer.result.is_error
            or method not in COMMON
            or (method != "tools/call" and method in SUBJECTS)
            or _is_odd(recording, facts, body, request)
        ):
            _unusual(recording, call)
            continue
        caller, revision = _caller(recording, facts, params)
        publish(
            RequestEvent(
                mint((now_ns + wall_ns) // 1_000_000),
                (started_ns + wall_ns) // 1_000_000,
                server,
                "rpc",
                method,
                params.name,
                "ok",
                None,
                answer_facts.status,
                None,
                (now_ns - started_ns) // 1000,
                (now_ns - sent_ns) // 1000,
                len(body),
                len(answer_body),
                facts.session,
                caller.client,
                caller.version,
                revision,
                _detail(caller.name, (first_ns - sent_ns) // 1000) if keep_detail else None,
            )
        )


def _unusual(recording: Recording, call: Completed) -> None:
    facts, body, started_ns, sent_ns, answer, answer_body, first_ns, now_ns = call
    exchange = Exchange(recording, facts, started_ns, facts.kind, sent_ns)
    exchange.read_request(body)
    exchange.whole(answer, answer_body, first_ns, now_ns)


def _is_odd(recording: Recording, facts: RequestFacts, body: bytes, request: _Request) -> bool:
    """Whether there is more to say of the request than that it was made.

    A key that could be read in two ways stands in the body more often than what was read tells, or
    its letters are escaped. (A key in another case is an unknown one, and was refused before.)
    """
    params = request.params
    names = 0
    if params is not None:
        name, meta = params.name, params.meta
        if name is not None:
            names = 1
            if recording.tools.get(name) is None and not _learn(recording.tools, name):
                return True
        elif request.method == "tools/call":
            return True
        if params.uri is not None:
            return True
        if meta is not None and meta.client is not None and meta.client.name is not None:
            names += 1
        if facts.is_mirrored and facts.mirrored_name not in (None, name):
            return True
    if facts.is_mirrored and facts.mirrored_method != request.method:
        return True
    count = body.count
    return (
        count(b'"id"') > 1
        or count(b'"method"') > 1
        or count(b'"name"') > names
        or body.find(b"\\u") >= 0
    )


def _learn(tools: dict[str, str], name: str) -> bool:
    """Remember a name that may be recorded as it is."""
    if bounded_tool(name) != name:
        return False
    if len(tools) >= _MAX_TOOLS:
        tools.clear()
    tools[name] = name
    return True


def _caller(
    recording: Recording, facts: RequestFacts, params: _Params
) -> tuple[Caller, str | None]:
    meta = params.meta
    caller = recording.sessions.caller(facts.session)
    if meta is None:
        return caller, facts.revision or caller.revision
    revision = facts.revision if meta.revision is None else bounded_revision(meta.revision)
    if meta.client is not None:
        caller = recording.callers.of(meta.client, revision)
    return caller, revision or caller.revision


def _detail(client_name: str | None, first_us: int) -> Detail:
    return Detail(None, None, None, client_name, None, None, None, first_us)
