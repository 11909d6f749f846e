"""The common call, recorded in batches: a small JSON request and its small answer, all of it.

Most exchanges are that, and all that must be known of them before they are over is that they are.
So they are read together, a little later, and what can be asked of all at once is. What is in
any way unusual (a batch, a key too many, an error) is read by `Exchange`, which knows every case;
a property test holds the two to the same rows.
"""

from collections.abc import Iterable
from typing import Final, Literal, TypeVar

import msgspec
from msgspec import UNSET, Raw, UnsetType

from mcpr.pipeline.common import Row, Words
from mcpr.pipeline.exchange import Exchange, Recording
from mcpr.pipeline.facts import AnswerFacts, RequestFacts
from mcpr.pipeline.identity import Caller
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
from mcpr.protocol.results import Implementation

#: facts, request body, started, sent, answer facts, answer body, first byte, ended (monotonic ns).
Completed = tuple[RequestFacts, bytes, int, int, AnswerFacts, bytes, int, int]

#: What these do beyond being answered takes an `Exchange`.
_SPECIAL = STREAMS | LISTINGS
_NAMELESS = REQUESTS - _SPECIAL - SUBJECTS.keys()
_METHODS = ("tools/call", *sorted(_NAMELESS))
_MAX_TOOLS = 4096
_OPENS, _CLOSES = b"{}"


class _Meta(msgspec.Struct, gc=False, omit_defaults=True):
    revision: str | None = msgspec.field(name=META_REVISION, default=None)
    client: Implementation | None = msgspec.field(name=META_CLIENT, default=None)


class _Params(msgspec.Struct, gc=False, forbid_unknown_fields=True, omit_defaults=True):
    name: str | None = None
    uri: str | None = None
    arguments: Raw | UnsetType = UNSET
    meta: _Meta | None = msgspec.field(name="_meta", default=None)
    cursor: Raw | UnsetType = UNSET


class _Request(msgspec.Struct, gc=False, forbid_unknown_fields=True, omit_defaults=True):
    # A known word is read without making a string of it.
    method: Literal[_METHODS]  # type: ignore[valid-type]  # mypy wants them one by one
    id: int | str
    jsonrpc: Literal["", "2.0"] = ""
    params: _Params | None = None


class _Result(msgspec.Struct, gc=False):
    is_error: bool = msgspec.field(name="isError", default=False)
    # Anything else is one leg of an operation, and not of the common form.
    kind: Literal["complete"] | None = msgspec.field(name="resultType", default=None)


class _Answer(msgspec.Struct, gc=False, forbid_unknown_fields=True):
    id: int | str
    result: _Result
    jsonrpc: Literal["", "2.0"] = ""


_requests = msgspec.json.Decoder(_Request)
_answers = msgspec.json.Decoder(_Answer)
_encode = msgspec.json.Encoder().encode
_Pair = tuple[_Request, _Answer]
#: Stands for what is not in the common form: an answer to something else is not common, either.
_UNREAD: Final[_Pair] = (_Request("ping", ""), _Answer("-", _Result()))
#: How the only event of a stream is written around its data, the way of the SDKs first.
_EVENTS = tuple(
    (name + b"data: ", len(name) + len(b"data: "), end + end, -2 * len(end))
    for end in (b"\n", b"\r\n")
    for name in (b"event: message" + end, b"")
)
_USUAL_START, _USUAL_SIZE, _USUAL_END, _ = _EVENTS[0]
_UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
_T = TypeVar("_T")


def record(recording: Recording, calls: list[Completed]) -> None:
    """Publish the row of each call, in order."""
    if not calls:
        return
    read, are_plain = _read(calls)
    if calls[0][0].trace is not None:
        read = _without_traced(calls, read)
    wall_ns = recording.wall_ns
    now_ms = (calls[-1][7] + wall_ns) // 1_000_000
    retries = recording.sessions.retries
    if retries:
        retries.forget(calls[-1][7])
    are_quick = are_plain and not retries
    words: Words | None = None
    session = 0
    facts_before = answer_before = None
    rows: list[Row] = []
    for call, (request, answer) in zip(calls, read, strict=True):
        facts, body, started_ns, sent_ns, answer_facts, answer_body, _, now_ns = call
        if facts is not facts_before or answer_facts is not answer_before:
            facts_before, answer_before = facts, answer_facts
            session = recording.common.sessions[facts.session]
            words = _words(recording, facts, answer_facts)
        # The commonest call of all is told here; the function knows what else is common.
        if (
            words is None
            or not are_quick
            or answer.id != request.id
            or answer.result.is_error
            or request.method != "tools/call"
            or (params := request.params) is None
            or params.meta is not None
            or params.uri is not None
            or (number := words.get(params.name)) is None
        ):
            number = _number(recording, call, request, answer, are_plain=are_plain)
            if number < 0:
                recording.publish_rows(rows, now_ms)
                rows = []
                _unusual(recording, call)
                # It may have said who calls, and a full memory may have begun anew.
                facts_before = None
                are_quick = are_plain and not retries
                continue
        rows.append(
            (
                (started_ns + wall_ns) // 1_000_000,
                number,
                (now_ns - started_ns) // 1000,
                (now_ns - sent_ns) // 1000,
                len(body),
                len(answer_body),
                session,
            )
        )
    recording.publish_rows(rows, now_ms)


def _words(recording: Recording, facts: RequestFacts, answer: AnswerFacts) -> Words | None:
    """Numbers of what calls with these heads say, by their tool; None where more is to be read."""
    if facts.is_mirrored:
        return None
    caller = recording.sessions.caller(facts.session)
    return recording.common.words(answer.status, caller, facts.revision or caller.revision)


def _number(
    recording: Recording, call: Completed, request: _Request, answer: _Answer, *, are_plain: bool
) -> int:
    """The number of what the call says, -1 for an unusual one."""
    facts, params = call[0], request.params
    # Whether a lost session's call is made again here, only the long way finds out.
    if recording.sessions.retries and facts.session is not None:
        return -1
    if not _is_common(recording, call, (request, answer), are_plain=are_plain):
        return -1
    if params is None or params.meta is None:
        caller = recording.sessions.caller(facts.session)
        revision = facts.revision or caller.revision
    else:
        caller, revision = _caller(recording, facts, params.meta)
    name = None if params is None else params.name
    status = call[4].status
    common = recording.common
    number = common.numbers[(request.method, name, status, caller, revision)]
    if request.method == "tools/call":
        common.words(status, caller, revision)[name] = number
    return number


def _read(calls: list[Completed]) -> tuple[Iterable[_Pair], bool]:
    """What each call says (or `_UNREAD`), and whether all are plain.

    Plain means that no key in these bodies can be read in two ways (see `_are_shortest` and
    `_hold_no_key_twice`; a key in another case is an unknown one: such a body was not read).
    """
    bodies = [call[1] for call in calls]
    said = [call[5] for call in calls]
    are_events = [call[4].is_events for call in calls]
    if True in are_events:
        said = _said(said, are_events)
    requests = _read_lines(_requests, bodies)
    answers = _read_lines(_answers, said)
    pairs: Iterable[_Pair]
    if requests is not None and answers is not None:
        pairs = zip(requests, answers, strict=True)
    else:
        pairs = [_pair(body, answer) for body, answer in zip(bodies, said, strict=True)]
        requests = [pair[0] for pair in pairs if pair is not _UNREAD]
        bodies = [body for body, pair in zip(bodies, pairs, strict=True) if pair is not _UNREAD]
    text = b" ".join(bodies)
    return pairs, (
        (_are_shortest(requests, text) or _hold_no_key_twice(requests, text))
        and (text.isascii() or _is_utf8(text))
    )


def _read_lines(decoder: "msgspec.json.Decoder[_T]", texts: list[bytes]) -> list[_T] | None:
    """What each text says; None unless each is one JSON object of the common form.

    They are read as the lines of one text. A text that begins with a brace and ends with one ends
    where its line does: no value goes on after `}`, line feed, `{`, and no string holds a line
    feed. So each text holds one object at least, and as many as there are texts are one in each.
    """
    for text in texts:
        if not text or text[0] != _OPENS or text[-1] != _CLOSES:
            return None
    try:
        found = decoder.decode_lines(b"\n".join(texts))
    except _UNREADABLE:
        return None
    return found if len(found) == len(texts) else None


def _pair(body: bytes, answer: bytes) -> _Pair:
    try:
        return _requests.decode(body), _answers.decode(answer)
    except _UNREADABLE:
        return _UNREAD


def _are_shortest(requests: list[_Request], text: bytes) -> bool:
    """Whether the text says these requests, and nothing twice: it has no byte to spare for it.

    What is encoded is the shortest form of each; a second key, a space or an escaped letter that
    need not be would be longer.
    """
    # As many commas as spaces, and two brackets.
    return len(_encode(requests)) == len(text) + 2


def _hold_no_key_twice(requests: list[_Request], text: bytes) -> bool:
    """Whether no body hides a second key of one that counts.

    Each was read to have one method, one id and so many names; if all together hold these keys no
    more often, and no escaped letter, then no body hides a second one, and none need be looked at
    by itself.
    """
    names = with_params = 0
    for request in requests:
        params = request.params
        if params is not None:
            with_params += 1
            if params.name is not None:
                names += 1
            meta = params.meta
            if meta is not None and meta.client is not None and meta.client.name is not None:
                names += 1
    most = len(requests)
    return (
        text.count(b'"id"') <= most
        and text.count(b'"method"') <= most
        and text.count(b'"params"') <= with_params
        and text.count(b'"name"') <= names
        and (text.find(b"\\") < 0 or text.find(b"\\u") < 0)
    )


def _without_traced(calls: list[Completed], pairs: Iterable[_Pair]) -> Iterable[_Pair]:
    """Where traces are wanted, a call that names one takes the long way, which reads it."""
    return [
        _UNREAD if call[0].trace or b'"traceparent"' in call[1] else pair
        for call, pair in zip(calls, pairs, strict=True)
    ]


def _is_utf8(text: bytes) -> bool:
    try:
        text.decode()
    except UnicodeDecodeError:
        return False
    return True


def _said(bodies: list[bytes], are_events: list[bool]) -> list[bytes]:
    """The bodies, and of streams the data of their only event."""
    if False not in are_events:
        said = [
            body[_USUAL_SIZE:-2]
            for body in bodies
            if body[:_USUAL_SIZE] == _USUAL_START and body[-2:] == _USUAL_END
        ]
        if len(said) == len(bodies) and _are_lines(b"".join(said)):
            return said
    return [
        _event(body) if is_event else body
        for body, is_event in zip(bodies, are_events, strict=True)
    ]


def _event(body: bytes) -> bytes:
    """The data of the only event of a stream; nothing readable if there is more to it."""
    for start, size, end, stop in _EVENTS:
        if body[:size] == start and body[stop:] == end:
            data = body[size:stop]
            return data if _are_lines(data) else b""
    return b""


def _are_lines(text: bytes) -> bool:
    """Whether it holds no line's end. A pattern that says so reads letter by letter."""
    return b"\n" not in text and b"\r" not in text


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
