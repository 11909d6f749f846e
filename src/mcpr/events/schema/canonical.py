"""One form for each meaning: so that a hash changes when a definition does, and only then.

After RFC 8785 (JSON Canonicalization Scheme), with three differences: everything beyond ASCII is
escaped, so that no character hides in what is stored; whole numbers stay exact whatever their size,
because rounding could hide a change; and a key that stands twice is kept twice, because two readers
could see two definitions.
"""

import hashlib
import json
from collections.abc import Iterable, Sequence
from typing import Any, Final, NamedTuple

from mcpr.events.schema.lists import KEYS, ListName

#: 16 bytes of SHA-256: enough that nobody makes two definitions with one hash by trying.
HASH_BYTES: Final = 16
#: The longest name of an item that is kept; longer ones go on with their hash.
MAX_NAME: Final = 512
#: The member that holds the pairs of an object in which a key stood twice.
DOUBLED: Final = "\x00doubled"


class Item(NamedTuple):
    """One definition. name: what it is told apart by. body: canonical JSON, ASCII.

    size: bytes as the server sent it.
    """

    name: str
    body: bytes
    size: int

    @property
    def hash(self) -> bytes:
        """Of the whole definition."""
        return hashlib.sha256(self.body).digest()[:HASH_BYTES]


def _number(digits: str) -> int | float:
    value = float(digits)
    return int(value) if value.is_integer() and abs(value) < 1e21 else value


def _whole(digits: str) -> int | float:
    # Python reads no integer of more than 4300 digits; nobody else keeps so many either.
    return int(digits) if len(digits) < 300 else float(digits)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        value[DOUBLED] = [list(pair) for pair in pairs]
    return value


_decode = json.JSONDecoder(
    parse_float=_number, parse_int=_whole, object_pairs_hook=_object, strict=False
).decode
_encode = json.JSONEncoder(sort_keys=True, separators=(",", ":"), check_circular=False).encode


def value_of(body: bytes) -> Any:
    """What a canonical body says; for the comparison. None when it is no JSON."""
    try:
        return _decode(body.decode())
    except (ValueError, RecursionError):
        return None


def canonical(text: bytes) -> bytes:
    """The canonical form of one JSON value. What cannot be read stays as it is."""
    try:
        return _encode(_decode(text.decode())).encode("ascii")
    except (ValueError, RecursionError):
        return text


def items_of(which: ListName, texts: Iterable[bytes]) -> tuple[Item, ...]:
    """The items of a list, by name. A name that stands twice gets a number."""
    items: list[Item] = []
    seen: dict[str, int] = {}
    for text in texts:
        body = canonical(text)
        name = _name(which, body)
        count = seen[name] = seen.get(name, 0) + 1
        # A NUL cannot be typed and sorts first: no name of a server's is taken.
        items.append(Item(name if count == 1 else f"{name}\x00{count}", body, len(text)))
    return tuple(sorted(items))


def _name(which: ListName, body: bytes) -> str:
    value = value_of(body)
    name = value.get(KEYS[which]) if isinstance(value, dict) else None
    if not isinstance(name, str):
        return ""
    # Half a surrogate pair is no text; and no other name may become the same.
    name = name.encode("utf-8", "backslashreplace").decode()
    if len(name) <= MAX_NAME:
        return name
    return f"{name[:MAX_NAME]}\x00{hashlib.sha256(name.encode()).hexdigest()[:16]}"


def list_hash(items: Sequence[Item]) -> bytes:
    """Of all definitions of a list; their order means nothing."""
    whole = hashlib.sha256()
    for item_hash in sorted(item.hash for item in items):
        whole.update(item_hash)
    return whole.digest()[:HASH_BYTES]
