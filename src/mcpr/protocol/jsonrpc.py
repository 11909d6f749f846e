"""JSON-RPC 2.0 messages of MCP, read and never written again.

Only what classifies a message is decoded; the rest is skipped, not built. A body that cannot be
read this way is not an error of ours: it travels on untouched, and the record says what it was.
"""

import json
from typing import Annotated, Any

import msgspec
from msgspec import UNSET, Raw, UnsetType

from mcpr.protocol.mcp import META_CLIENT, META_REVISION, META_SERVER
from mcpr.protocol.results import Implementation, Result, ResultMeta, Task


class Meta(msgspec.Struct, gc=False):
    """`params._meta`, as far as revision 2026-07-28 describes the request in it."""

    revision: str | None = msgspec.field(name=META_REVISION, default=None)
    client: Implementation | None = msgspec.field(name=META_CLIENT, default=None)


class Params(msgspec.Struct, gc=False):
    """`params` of a request or notification."""

    name: str | None = None
    uri: str | None = None
    meta: Meta | None = msgspec.field(name="_meta", default=None)
    arguments: Raw | UnsetType = UNSET
    # initialize
    revision: str | None = msgspec.field(name="protocolVersion", default=None)
    client: Implementation | None = msgspec.field(name="clientInfo", default=None)
    # notifications/cancelled
    cancelled_id: Raw | UnsetType = msgspec.field(name="requestId", default=UNSET)
    # What a client brings when it was asked for input (2026-07-28), and the task it speaks of.
    state: str | None = msgspec.field(name="requestState", default=None)
    responses: Raw | UnsetType = msgspec.field(name="inputResponses", default=UNSET)
    task_id: str | None = msgspec.field(name="taskId", default=None)


class Message(msgspec.Struct, gc=False):
    """A message a client sent: request, notification (no `id`), or answer (no `method`)."""

    method: str | UnsetType = UNSET
    id: Raw | UnsetType = UNSET
    params: Params | None = None
    result: Raw | UnsetType = UNSET
    error: Raw | UnsetType = UNSET

    @property
    def is_one(self) -> bool:
        """Whether it is any of the three."""
        return self.method is not UNSET or self.result is not UNSET or self.error is not UNSET


_MAX_CODE = 2**53 - 1


class Error(msgspec.Struct, gc=False):
    """A JSON-RPC error object. A code that no store can hold is none."""

    code: Annotated[int, msgspec.Meta(ge=-_MAX_CODE, le=_MAX_CODE)] | None = None
    message: str | None = None


class Answer(msgspec.Struct, gc=False):
    """A message a server sent: an answer, or (with `method`) a request or notification."""

    id: Raw | UnsetType = UNSET
    method: Raw | UnsetType = UNSET
    error: Error | UnsetType | None = UNSET
    result: Result | UnsetType | None = UNSET


class NotJsonRpc(ValueError):
    """The body is not JSON-RPC, whatever its content type says."""


_NO_MESSAGE = "neither a request nor an answer"


_message = msgspec.json.Decoder(Message).decode
_messages = msgspec.json.Decoder(list[Message]).decode
_answer = msgspec.json.Decoder(Answer).decode
_answers = msgspec.json.Decoder(list[Answer]).decode
_BOM = b"\xef\xbb\xbf"
_WHITESPACE = b" \t\r\n"


def read_messages(body: bytes) -> list[Message]:
    """What a client sent: one message, or a batch in order, never empty. Raises NotJsonRpc."""
    try:
        if body[:1] == b"{":
            message = _message(body)
            if message.method is UNSET and not message.is_one:
                raise NotJsonRpc(_NO_MESSAGE)
            return [message]
        messages: list[Message] = _several(body, _message, _messages)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        # Servers read what is not quite JSON, and so does whoever wants to know what they did.
        messages = [_lenient_message(item) for item in _items(body, _generous)]
    if not messages or not all(message.is_one for message in messages):
        raise NotJsonRpc(_NO_MESSAGE)
    return messages


def read_answers(body: bytes) -> list[Answer]:
    """What a server sent: one message, or a batch in order, never empty. Raises NotJsonRpc."""
    try:
        if body[:1] == b"{":
            return [_answer(body)]
        answers: list[Answer] = _several(body, _answer, _answers)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        answers = [_lenient_answer(item) for item in _items(body, _exact)]
    if not answers:
        raise NotJsonRpc(_NO_MESSAGE)
    return answers


def _several(body: bytes, one: Any, many: Any) -> Any:  # the two decoders' types differ
    start = body.removeprefix(_BOM).lstrip(_WHITESPACE)
    if start[:1] == b"[":
        return many(start)
    return [one(start)]


# A well-formed body may hold what the decoders above refuse: fields with types of their own
# (`"name": 5`), half a surrogate pair, as JSON.stringify writes it. Such bodies are rare, and are
# read by the standard library.


def _number(digits: str) -> int | float:
    # Python reads no integer of more than 4300 digits; nobody else keeps so many either.
    return int(digits) if len(digits) < 300 else float(digits)


def _no_number(word: str) -> float:
    raise ValueError(f"{word} is not JSON")


#: `NaN` and raw control characters too: several servers read them.
_generous = json.JSONDecoder(parse_int=_number, strict=False).decode
_exact = json.JSONDecoder(parse_int=_number, parse_constant=_no_number).decode


def _items(body: bytes, decode: Any) -> list[dict[str, Any]]:
    try:
        value = decode(body.removeprefix(_BOM).decode())
    except (ValueError, RecursionError) as exc:
        raise NotJsonRpc(str(exc)) from exc
    items = value if isinstance(value, list) else [value]
    if not items or not all(isinstance(item, dict) for item in items):
        raise NotJsonRpc("neither an object nor a list of objects")
    return items


def _text(value: object) -> str | None:
    """A string that can be written down: half a surrogate pair becomes U+FFFD."""
    if not isinstance(value, str):
        return None
    return value.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def _raw(value: object) -> Raw:
    try:
        return Raw(json.dumps(value).encode())
    except RecursionError:
        return Raw(b"[]")  # not an id, whatever is in it


def _member(item: dict[str, Any], name: str) -> Raw | UnsetType:
    return _raw(item[name]) if name in item else UNSET


def _implementation(value: object) -> Implementation | None:
    if not isinstance(value, dict):
        return None
    return Implementation(_text(value.get("name")), _text(value.get("version")))


def _lenient_message(item: dict[str, Any]) -> Message:
    params = item.get("params")
    read = None
    if isinstance(params, dict):
        meta = params.get("_meta")
        read = Params(
            name=_text(params.get("name")),
            uri=_text(params.get("uri")),
            meta=Meta(_text(meta.get(META_REVISION)), _implementation(meta.get(META_CLIENT)))
            if isinstance(meta, dict)
            else None,
            revision=_text(params.get("protocolVersion")),
            client=_implementation(params.get("clientInfo")),
            cancelled_id=_member(params, "requestId"),
            state=_text(params.get("requestState")),
            responses=_member(params, "inputResponses"),
            task_id=_text(params.get("taskId")),
        )
    method = _text(item.get("method"))
    return Message(
        method=UNSET if method is None else method,
        id=_member(item, "id"),
        params=read,
        # What is in them is nobody's business here; that they are there makes it an answer.
        result=Raw(b"{}") if "result" in item else UNSET,
        error=Raw(b"{}") if "error" in item else UNSET,
    )


def _code(value: object) -> int | None:
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or abs(value) > _MAX_CODE:
        return None
    return value


def _lenient_answer(item: dict[str, Any]) -> Answer:
    error, result = item.get("error", UNSET), item.get("result", UNSET)
    if isinstance(error, dict):
        error = Error(_code(error.get("code")), _text(error.get("message")))
    elif error is not UNSET and error is not None:
        error = Error()
    if isinstance(result, dict):
        result = _lenient_result(result)
    elif result is not UNSET and result is not None:
        result = Result()
    return Answer(
        id=_member(item, "id"), method=_member(item, "method"), error=error, result=result
    )


def _lenient_result(item: dict[str, Any]) -> Result:
    task, meta = _object(item.get("task")), _object(item.get("_meta"))
    return Result(
        is_error=item.get("isError") is True,
        revision=_text(item.get("protocolVersion")),
        kind=_text(item.get("resultType")),
        state=_text(item.get("requestState")),
        task=Task(_text(task.get("taskId")), _text(task.get("status"))) if task else None,
        task_id=_text(item.get("taskId")),
        status=_text(item.get("status")),
        server=_implementation(item.get("serverInfo")),
        meta=ResultMeta(_implementation(meta.get(META_SERVER))) if meta else None,
    )


def _object(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def same_id(one: Raw | bytes, other: Raw | bytes) -> bool:
    """Whether two ids are the same value.

    `1` and `"1"` are not, `1` and `1.0` are; an escaped letter is its letter.
    """
    left, right = bytes(one), bytes(other)
    if left == right:
        return True
    try:
        a, b = _generous(left.decode()), _generous(right.decode())
    except (ValueError, RecursionError):
        return False
    return _kind(a) is _kind(b) and bool(a == b)


def _kind(value: object) -> type:
    return int if isinstance(value, float) else type(value)


# Keys that decide what a request is, by the object they stand in.
_TOP = frozenset(("method", "id", "params"))
_PARAMS = frozenset(("name", "uri"))
_BACKSLASH = ord("\\")


def is_ambiguous(body: bytes, message: Message) -> bool:
    """Whether another parser could read another method, id, name or uri out of the same body.

    True where one of these keys (or `params`) stands twice at its level, or in a case variant: some
    servers match keys without case, and some take the first of two. The answer is about the whole
    body: of a batch, pass any one message.

    The quick look is enough for nearly every body: outside the arguments no such key occurs more
    often than the message needs. Only otherwise all keys are read with their places.
    """
    text = body
    params = message.params
    names = 0
    if params is not None:
        arguments = params.arguments
        if arguments is not UNSET:
            within = bytes(arguments)
            # Arguments may hold such keys as they please. Only those of an object are cut out: a
            # string could equal bytes that begin in one token and end in the next. If the same
            # object stands elsewhere too, either may go: it is the count that counts.
            if within[:1] == b"{":
                before, _, after = body.partition(within)
                text = before + after
        names = (params.name is not None) + (params.uri is not None)
        meta = params.meta
        for client in (params.client, None if meta is None else meta.client):
            if client is not None and client.name is not None:
                names += 1
    text = text.lower()
    if (
        text.count(b'"method"') <= (message.method is not UNSET)
        and text.count(b'"id"') <= (message.id is not UNSET)
        and text.count(b'"params"') <= (params is not None)
        and text.count(b'"name"') + text.count(b'"uri"') <= names
        # An escape or a letter such as U+017F may write a key in a way that was not counted.
        and not (_BACKSLASH in text and b"\\u" in text)
        and (body.isascii() or (text.isascii() and _is_utf8(body)))
    ):
        return False
    return _reads_two_ways(body)


def _is_utf8(body: bytes) -> bool:
    # Bytes that are not could hide a quotation mark from one parser and not from another.
    try:
        body.decode()
    except UnicodeDecodeError:
        return False
    return True


class _Pairs(tuple[tuple[str, object], ...]):
    """An object's members, doubled ones too."""

    __slots__ = ()


_members = json.JSONDecoder(object_pairs_hook=_Pairs, parse_int=float, strict=False).decode


def _reads_two_ways(body: bytes) -> bool:
    try:
        value = _members(body.removeprefix(_BOM).decode())
    except (ValueError, RecursionError):
        return True
    for message in value if isinstance(value, list) else [value]:
        if isinstance(message, _Pairs):
            if _clash(message, _TOP):
                return True
            params = dict(message).get("params")
            if isinstance(params, _Pairs) and _clash(params, _PARAMS):
                return True
    return False


def _clash(members: _Pairs, watched: frozenset[str]) -> bool:
    """Whether a watched key stands twice among the members, or in a variant."""
    seen = set()
    for key, _ in members:
        folded = _folded(key)
        if folded in watched:
            if key != folded or key in seen:
                return True
            seen.add(key)
    return False


def _folded(key: str) -> str:
    """As a generous server may read it: without case (U+017F is an s), up to a NUL."""
    if key.isascii() and "\0" not in key:
        return key.lower()
    return key.partition("\0")[0].replace("\u0130", "i").replace("\u0131", "i").casefold()
