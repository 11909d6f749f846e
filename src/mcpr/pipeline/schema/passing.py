"""One exchange that carried lists: which page of which list, and what the server said of itself.

Reads the same bodies as everybody else, once more and deeper: the items themselves are kept as the
bytes they came in. What cannot be read is no page, and says nothing about the list.
"""

import json
from collections.abc import Iterator
from typing import Any, Final, NamedTuple

import msgspec
from msgspec import UNSET, Raw, UnsetType

from mcpr.events.schema import Item, ListName, items_of
from mcpr.pipeline import codings
from mcpr.pipeline.answers import KEEP_LIMIT
from mcpr.protocol import sse
from mcpr.protocol.jsonrpc import same_id

#: Method → the list that its result holds.
WATCHED: Final[dict[str, ListName]] = {
    "tools/list": "tools",
    "prompts/list": "prompts",
    "resources/list": "resources",
    "resources/templates/list": "templates",
    "initialize": "server",
    "server/discover": "server",
}
#: The word in `notifications/…/list_changed` → the lists that may have changed.
CHANGED: Final[dict[str, tuple[ListName, ...]]] = {
    "tools": ("tools",),
    "prompts": ("prompts",),
    "resources": ("resources", "templates"),
}
#: A page with more items is not read: it is no list that a client could use.
MAX_ITEMS: Final = 20_000
_META_SERVER: Final = "io.modelcontextprotocol/serverInfo"
_MEMBERS: Final[dict[ListName, str]] = {
    "tools": "tools",
    "prompts": "prompts",
    "resources": "resources",
    "templates": "resourceTemplates",
}


class Page(NamedTuple):
    """A page of a list. cursor: what it was asked with; next_cursor: what asks for the next.

    texts: the items, each as JSON. Of the list `server` the parts are made here.
    """

    which: ListName
    cursor: str | None
    next_cursor: str | None
    texts: tuple[bytes, ...]


class Reading(NamedTuple):
    """What one exchange showed. info: what the server calls itself in a result's `_meta`.

    unread: answers that were there and could not be read.
    """

    pages: tuple[Page, ...]
    info: bytes | None
    unread: int


class _Params(msgspec.Struct, gc=False):
    cursor: str | None = None


class _Request(msgspec.Struct, gc=False):
    method: str = ""
    id: Raw | UnsetType = UNSET
    params: _Params | None = None


class _Meta(msgspec.Struct, gc=False):
    server: Raw | UnsetType = msgspec.field(name=_META_SERVER, default=UNSET)


class _Result(msgspec.Struct, gc=False):
    tools: list[Raw] | UnsetType = UNSET
    prompts: list[Raw] | UnsetType = UNSET
    resources: list[Raw] | UnsetType = UNSET
    templates: list[Raw] | UnsetType = msgspec.field(name="resourceTemplates", default=UNSET)
    next_cursor: str | None = msgspec.field(name="nextCursor", default=None)
    server: Raw | UnsetType = msgspec.field(name="serverInfo", default=UNSET)
    capabilities: Raw | UnsetType = UNSET
    instructions: Raw | UnsetType = UNSET
    meta: _Meta | None = msgspec.field(name="_meta", default=None)


class _Answer(msgspec.Struct, gc=False):
    id: Raw | UnsetType = UNSET
    result: _Result | UnsetType = UNSET


_requests = msgspec.json.Decoder(list[_Request] | _Request).decode
_answers = msgspec.json.Decoder(list[_Answer] | _Answer).decode
_UNREADABLE: Final = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


def read_passing(request: bytes, answer: bytes, *, is_events: bool, coding: str | None) -> Reading:
    """What an exchange with these bodies showed. coding: of a JSON answer's body."""
    asked = [one for one in _several(_requests, request) or () if one.method in WATCHED]
    pages: list[Page] = []
    info: bytes | None = None
    unread = 0
    for body in _bodies(answer, is_events=is_events, coding=coding):
        found = None if body is None else _several(_answers, body)
        if found is None:
            unread += 1
            continue
        for one in found:
            result = one.result
            if isinstance(result, UnsetType) or isinstance(one.id, UnsetType):
                continue
            question = _asked(asked, one.id)
            if question is None:
                continue
            page = _page(question, result)
            if page is None:
                unread += 1
            else:
                pages.append(page)
            if result.meta is not None and not isinstance(result.meta.server, UnsetType):
                info = bytes(result.meta.server)
    return Reading(tuple(pages), info, unread)


def read_changed(data: bytes) -> tuple[ListName, ...]:
    """The lists that a message says have changed; none where it says something else."""
    found = _several(_requests, data) or []
    for message in found:
        if message.method.startswith("notifications/") and isinstance(message.id, UnsetType):
            word = message.method.removeprefix("notifications/").removesuffix("/list_changed")
            return CHANGED.get(word, ())
    return ()


def _several(decode: Any, body: bytes) -> list[Any] | None:
    """The messages of a body; None when there are none that can be read."""
    try:
        found = decode(body.removeprefix(b"\xef\xbb\xbf").strip())
    except _UNREADABLE:
        return None
    return found if isinstance(found, list) else [found]


def _bodies(answer: bytes, *, is_events: bool, coding: str | None) -> Iterator[bytes | None]:
    """The JSON texts of an answer; None for one that cannot be had."""
    if is_events:
        for event in sse.Reader(KEEP_LIMIT).feed(answer):
            if event.data is None:
                yield None
            elif event.data:
                yield event.data
    elif coding is None:
        yield answer
    elif codings.is_known(coding):
        try:
            yield codings.inflate(answer, coding, KEEP_LIMIT)
        except codings.Unreadable:
            yield None
    else:
        yield None


def _asked(asked: list[_Request], answered: Raw) -> _Request | None:
    for one in asked:
        if not isinstance(one.id, UnsetType) and same_id(one.id, answered):
            return one
    return None


def _page(question: _Request, result: _Result) -> Page | None:
    which = WATCHED[question.method]
    if which == "server":
        return Page("server", None, None, _parts(result))
    items = {
        "tools": result.tools,
        "prompts": result.prompts,
        "resources": result.resources,
        "templates": result.templates,
    }[which]
    if isinstance(items, UnsetType) or len(items) > MAX_ITEMS:
        return None
    cursor = None if question.params is None else question.params.cursor
    return Page(which, cursor, result.next_cursor, tuple(bytes(item) for item in items))


def _parts(result: _Result) -> tuple[bytes, ...]:
    """What a server says of itself, as items: the revision is the client's choice and not in it."""
    info = result.server
    if isinstance(info, UnsetType) and result.meta is not None:
        info = result.meta.server
    parts = []
    if not isinstance(info, UnsetType):
        parts.append(info_part(bytes(info)))
    for name, said in (
        ("capabilities", result.capabilities),
        ("instructions", result.instructions),
    ):
        if not isinstance(said, UnsetType):
            parts.append(b'{"part":"%b","%b":%b}' % (name.encode(), name.encode(), bytes(said)))
    return tuple(parts)


def merge_info(items: tuple[Item, ...], info: bytes) -> tuple[Item, ...]:
    """What a server says of itself, with another `serverInfo` in it."""
    (part,) = items_of("server", (info_part(info),))
    if part.body in {item.body for item in items}:
        return items
    return tuple(sorted((*(item for item in items if item.name != part.name), part)))


def info_part(info: bytes) -> bytes:
    """The item of a server's `serverInfo`."""
    try:
        value = json.loads(info)
    except (ValueError, RecursionError):
        value = None
    said = value if isinstance(value, dict) else {}
    return json.dumps({**said, "part": "info"}).encode()
