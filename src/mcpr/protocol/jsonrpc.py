"""JSON-RPC 2.0 messages of MCP, read and never written again.

Only what classifies a message is decoded; the rest is skipped, not built. A body that cannot be
read this way is not an error of ours: it travels on untouched, and the record says what it was.
"""

import re
from typing import Any

import msgspec
from msgspec import UNSET, Raw, UnsetType

from mcpr.protocol.mcp import META_CLIENT, META_REVISION


class Implementation(msgspec.Struct, gc=False):
    """`clientInfo` or `serverInfo`, as told by whoever sent it."""

    name: str | None = None
    version: str | None = None


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


class Message(msgspec.Struct, gc=False):
    """A message a client sent: request, notification (no `id`), or answer (no `method`)."""

    method: str | UnsetType = UNSET
    id: Raw | UnsetType = UNSET
    params: Params | None = None


class Error(msgspec.Struct, gc=False):
    """A JSON-RPC error object."""

    code: int | None = None
    message: str | None = None


class Result(msgspec.Struct, gc=False):
    """A result, as far as it says whether it is one."""

    is_error: bool | None = msgspec.field(name="isError", default=None)
    revision: str | None = msgspec.field(name="protocolVersion", default=None)


class Answer(msgspec.Struct, gc=False):
    """A message a server sent: an answer, or (with `method`) a request or notification."""

    id: Raw | UnsetType = UNSET
    method: Raw | UnsetType = UNSET
    error: Error | UnsetType | None = UNSET
    result: Result | UnsetType | None = UNSET


class NotJsonRpc(ValueError):
    """The body is not JSON-RPC, whatever its content type says."""


_message = msgspec.json.Decoder(Message).decode
_messages = msgspec.json.Decoder(list[Message]).decode
_answer = msgspec.json.Decoder(Answer).decode
_answers = msgspec.json.Decoder(list[Answer]).decode
_anything = msgspec.json.Decoder().decode


def read_messages(body: bytes) -> list[Message]:
    """What a client sent: one message, or a batch in order. Raises NotJsonRpc."""
    try:
        return [_message(body)] if body[:1] == b"{" else _several(body, _message, _messages)
    except msgspec.ValidationError:
        return [_lenient_message(item) for item in _items(body)]
    except (msgspec.DecodeError, RecursionError) as exc:
        raise NotJsonRpc(str(exc)) from exc


def read_answers(body: bytes) -> list[Answer]:
    """What a server sent: one message, or a batch in order. Raises NotJsonRpc."""
    try:
        return [_answer(body)] if body[:1] == b"{" else _several(body, _answer, _answers)
    except msgspec.ValidationError:
        return [_lenient_answer(item) for item in _items(body)]
    except (msgspec.DecodeError, RecursionError) as exc:
        raise NotJsonRpc(str(exc)) from exc


def _several(body: bytes, one: Any, many: Any) -> Any:  # the two decoders' types differ
    start = body.lstrip(b" \t\r\n")
    if start[:1] == b"[":
        return many(start)
    return [one(start)]


def _items(body: bytes) -> list[dict[str, Any]]:
    """Read a well-formed body whose fields have types of their own (`"name": 5`)."""
    try:
        value = _anything(body)
    except (msgspec.DecodeError, RecursionError) as exc:
        raise NotJsonRpc(str(exc)) from exc
    items = value if isinstance(value, list) else [value]
    if not items or not all(isinstance(item, dict) for item in items):
        raise NotJsonRpc("neither an object nor a list of objects")
    return items


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _raw(value: object) -> Raw:
    return Raw(msgspec.json.encode(value))


def _implementation(value: object) -> Implementation | None:
    if not isinstance(value, dict):
        return None
    return Implementation(_text(value.get("name")), _text(value.get("version")))


def _lenient_message(item: dict[str, Any]) -> Message:
    method = _text(item.get("method"))
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
            cancelled_id=_raw(params["requestId"]) if "requestId" in params else UNSET,
        )
    if method is None and not ("id" in item and ("result" in item or "error" in item)):
        raise NotJsonRpc("neither a request nor an answer")
    return Message(
        method=UNSET if method is None else method,
        id=_raw(item["id"]) if "id" in item else UNSET,
        params=read,
    )


def _lenient_answer(item: dict[str, Any]) -> Answer:
    error, result = item.get("error", UNSET), item.get("result", UNSET)
    if isinstance(error, dict):
        code = error.get("code")
        error = Error(code if isinstance(code, int) else None, _text(error.get("message")))
    elif error is not UNSET and error is not None:
        error = Error()
    if isinstance(result, dict):
        result = Result(result.get("isError") is True, _text(result.get("protocolVersion")))
    elif result is not UNSET:
        result = Result()
    return Answer(
        id=_raw(item["id"]) if "id" in item else UNSET,
        method=_raw(item["method"]) if "method" in item else UNSET,
        error=error,
        result=result,
    )


def same_id(one: Raw | bytes, other: Raw | bytes) -> bool:
    """Whether two ids are the same value: `1` and `"1"` are not; an escaped letter is its letter."""
    left, right = bytes(one), bytes(other)
    if left == right:
        return True
    try:
        a, b = _anything(left), _anything(right)
    except msgspec.DecodeError:
        return False
    return type(a) is type(b) and a == b


# Keys that decide what a request is, by the object they stand in.
_TOP = frozenset(("method", "id", "params"))
_PARAMS = frozenset(("name", "uri"))
_TOKEN = re.compile(rb'"(?:[^"\\]|\\.)*"|[{}\[\]:,]', re.DOTALL)


def is_ambiguous(body: bytes, message: Message) -> bool:
    """Whether another parser could read another method, id, name or uri out of the same body.

    True where one of these keys stands twice at its level, or in a case variant (some servers
    match keys without case). The quick look is enough for nearly every body; only where a key's
    letters occur more than once is the body walked token by token.
    """
    low = body.lower()
    if b"\\u" in low or (message.method is UNSET and b'"method"' in low):
        return _walk(body)
    params = message.params
    names = 0 if params is None else (params.name is not None) + (params.uri is not None)
    # How often a key may stand in a body that is in order: at its level, and in `clientInfo`.
    if params is not None and params.meta is not None and params.meta.client is not None:
        names += params.meta.client.name is not None
    if (
        low.count(b'"method"') <= 1
        and low.count(b'"id"') <= 1
        and low.count(b'"params"') <= 1
        and (not names or low.count(b'"name"') + low.count(b'"uri"') <= names)
    ):
        return False
    if params is not None and params.arguments is not UNSET:
        # Arguments may hold such keys as they please: what is left counts.
        within = bytes(params.arguments).lower()
        left = {k: low.count(k) - within.count(k) for k in (b'"method"', b'"id"', b'"params"')}
        named = sum(low.count(k) - within.count(k) for k in (b'"name"', b'"uri"'))
        if max(left.values()) <= 1 and named <= names:
            return False
    return _walk(body)


def _walk(body: bytes) -> bool:
    seen: list[set[str]] = []
    expect_key = False
    depth_is_object: list[bool] = []
    path: list[str] = []
    key = ""
    for match in _TOKEN.finditer(body):
        token = match[0]
        if token == b"{":
            depth_is_object.append(True)
            seen.append(set())
            path.append(key)
            expect_key = True
        elif token == b"[":
            depth_is_object.append(False)
            seen.append(set())
            path.append(key)
        elif token in (b"}", b"]"):
            if not seen:
                return True
            depth_is_object.pop()
            seen.pop()
            key = path.pop()
        elif token == b",":
            expect_key = bool(depth_is_object) and depth_is_object[-1]
        elif token != b":" and expect_key:
            expect_key = False
            key = _key(token)
            if _clashes(key, path, seen[-1]):
                return True
    return False


def _clashes(key: str, path: list[str], seen: set[str]) -> bool:
    folded = key.lower()
    in_batch = path[:1] == [""] and len(path) == 2 and path[1] == ""
    if len(path) == 1 or in_batch:
        watched = _TOP
    elif path[-1] == "params" and len(path) <= 3:
        watched = _PARAMS
    else:
        return False
    if folded not in watched:
        return False
    if folded in seen or key != folded:
        return True
    seen.add(folded)
    return False


def _key(token: bytes) -> str:
    try:
        return str(_anything(token))
    except msgspec.DecodeError:
        return token[1:-1].decode("utf-8", "replace")
