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
Completed = tuple[object, bytes, int, int, object, bytes, int, int]

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
    for call in calls:
        event = _common(recording, call)
        if event is None:
            _unusual(recording, call)
        else:
            recording.publish(event)


def _unusual(recording: Recording, call: Completed) -> None:
    facts, body, started_ns, sent_ns, answer, answer_body, first_ns, now_ns = call
    assert isinstance(facts, RequestFacts)
    exchange = Exchange(recording, facts, started_ns, facts.kind, sent_ns)
    exchange.read_request(body)
    exchange.whole(answer, answer_body, first_ns, now_ns)


def _common(recording: Recording, call: Completed) -> RequestEvent | None:
    """The row of a call that succeeded and is in order; None if it is anything else."""
    facts, body, started_ns, sent_ns, answer_facts, answer_body, first_ns, now_ns = call
    assert isinstance(facts, RequestFacts)
    assert isinstance(answer_facts, AnswerFacts)
    try:
        request = _request(body)
        answer = _answer(answer_body)
    except _UNREADABLE:
        return None
    method = request.method
    params = request.params or _NOTHING
    name, meta = params.name, params.meta
    if answer.id != request.id or answer.result.is_error or method not in COMMON:
        return None
    if facts.mirrored_method is not None or facts.mirrored_name is not None:
        mirrored = facts.mirrored_name
        if facts.mirrored_method != method or mirrored not in (None, name, params.uri):
            return None
    names = (name is not None) + (params.uri is not None)
    revision = facts.revision
    caller = recording.sessions.caller(facts.session)
    if meta is not None:
        if meta.revision is not None:
            revision = bounded_revision(meta.revision)
        if meta.client is not None:
            caller = recording.callers.of(meta.client, revision)
            names += meta.client.name is not None
    # A key that could be read in two ways stands here more often than what was read says, or its
    # letters are escaped. (A key in another case is an unknown one, and was refused above.)
    if (
        body.count(b'"id"') > 1
        or body.count(b'"method"') > 1
        or body.count(b'"name"') > names
        or b"\\u" in body
        or (params.uri is not None and body.count(b'"uri"') > 1)
    ):
        return None
    tool = None
    if method == "tools/call":
        if name is None:
            return None
        tool = recording.tools.get(name)
        if tool is None:
            tool = bounded_tool(name)
            if tool != name:
                return None
            if len(recording.tools) >= _MAX_TOOLS:
                recording.tools.clear()
            recording.tools[name] = tool
    elif method in SUBJECTS:
        return None
    return RequestEvent(
        recording.ids.mint((now_ns + recording.wall_ns) // 1_000_000),
        (started_ns + recording.wall_ns) // 1_000_000,
        recording.server,
        "rpc",
        method,
        tool,
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
        revision or caller.revision,
        Detail(None, None, None, caller.name, None, None, None, (first_ns - sent_ns) // 1000)
        if recording.keep_detail
        else None,
    )
