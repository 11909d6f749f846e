"""How bad a change of a JSON Schema is, keyword by keyword.

Two directions: what goes in (`inputSchema`: a caller with the old schema must still be accepted)
and what comes out (`outputSchema`: a reader with the old schema must still find what it expects).
What narrows one widens the other. Nothing is fetched and nothing is executed: a `$ref` to another
place is compared as text, a pattern is never run. docs/reference/schema-verdicts.md is the prose.
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any, Final, Literal, NamedTuple

from mcpr.events.schema.lists import Verdict

Direction = Literal["in", "out"]
#: How the set of values that a schema allows has changed.
Move = Literal["narrower", "wider", "other", "words", "looks"]

#: Deeper schemas are compared as text.
MAX_DEPTH: Final = 32
#: Differences of one definition; the rest is one line that counts them.
MAX_DIFFERENCES: Final = 200
_MAX_SHOWN: Final = 80

_VERDICTS: Final[dict[Direction, dict[Move, Verdict]]] = {
    "in": {
        "narrower": "breaking",
        "wider": "cosmetic",
        "other": "risky",
        "words": "risky",
        "looks": "cosmetic",
    },
    "out": {
        "narrower": "cosmetic",
        "wider": "breaking",
        "other": "risky",
        "words": "risky",
        "looks": "cosmetic",
    },
}
#: Keywords whose larger value allows less.
_LOWER_BOUNDS = ("minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties")
_UPPER_BOUNDS = ("maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties")
#: Texts that a model reads.
_WORDS = ("description", "default", "deprecated", "format", "readOnly", "writeOnly")
#: Texts that nobody decides by.
_LOOKS = ("title", "examples", "$comment", "$schema", "$id", "example")
_HANDLED = frozenset(
    (
        *_LOWER_BOUNDS,
        *_UPPER_BOUNDS,
        *_WORDS,
        *_LOOKS,
        *("type", "enum", "const", "properties", "required", "additionalProperties", "items"),
        *("pattern", "multipleOf", "uniqueItems", "anyOf", "oneOf", "allOf", "$ref"),
        *("$defs", "definitions", "nullable", "x-mcp-header"),
    )
)
_MISSING: Final = object()


class Difference(NamedTuple):
    """One difference of a definition. path: where, dotted. what: in words, bounded."""

    path: str
    what: str
    verdict: Verdict


@dataclass(frozen=True)
class _Pair:
    """Two schemas at one place. roots: what local references are resolved in."""

    old: dict[str, Any]
    new: dict[str, Any]
    roots: tuple[Any, Any]
    path: str
    direction: Direction
    has_same_definitions: bool = True
    depth: int = 0
    resolved: frozenset[tuple[str, str]] = frozenset()

    def says(self, what: str, move: Move, at: str = "") -> Difference:
        path = f"{self.path}.{at}" if at else self.path
        return Difference(path, what, _VERDICTS[self.direction][move])


def compare_shapes(old: Any, new: Any, path: str, direction: Direction) -> Iterator[Difference]:
    """Every difference of two schemas."""
    is_same = _definitions(old) == _definitions(new)
    pair = _pair(old, new, _Pair({}, {}, (old, new), path, direction, is_same))
    if isinstance(pair, Difference):
        yield pair
    elif pair is not None:
        yield from _compare(pair)


def shown(value: Any) -> str:
    """A value in a line of text, bounded."""
    try:
        text = json.dumps(value, ensure_ascii=False, sort_keys=True)
    except (ValueError, RecursionError):
        text = "…"
    return text if len(text) <= _MAX_SHOWN else f"{text[: _MAX_SHOWN - 1]}…"


def _pair(old: Any, new: Any, where: _Pair) -> "_Pair | Difference | None":
    """The two as objects; None when they say the same; a difference when one is no schema."""
    # The same words may mean something else where they refer to a definition that changed.
    if old == new and (where.has_same_definitions or '"$ref"' not in json.dumps(old)):
        return None
    first, second = _as_object(old), _as_object(new)
    if first is None or second is None:
        return where.says(f"{shown(old)} became {shown(new)}", "other")
    return replace(where, old=first, new=second, depth=where.depth + 1)


def _definitions(schema: Any) -> list[Any]:
    found = schema if isinstance(schema, dict) else {}
    return [found.get("$defs"), found.get("definitions")]


def _as_object(value: Any) -> dict[str, Any] | None:
    if value is True:
        return {}
    if value is False:
        return {"not": {}}
    return value if isinstance(value, dict) else None


def _compare(pair: _Pair) -> Iterator[Difference]:
    if pair.depth > MAX_DEPTH:
        if pair.old != pair.new:
            yield pair.says("changed, too deep to judge", "other")
        return
    found = _resolve(pair)
    if found is None:
        return
    pair = found
    for compare in _COMPARISONS:
        yield from compare(pair)


def _resolve(pair: _Pair) -> _Pair | None:
    """Follow local references, each pair of them once; None where there is no more to compare."""
    first, second = pair.old.get("$ref"), pair.new.get("$ref")
    if not isinstance(first, str) and not isinstance(second, str):
        return pair
    names = (str(first), str(second))
    if names in pair.resolved:
        return None
    old = _target(pair.old, pair.roots[0])
    new = _target(pair.new, pair.roots[1])
    return replace(pair, old=old, new=new, resolved=pair.resolved | {names})


def _target(schema: dict[str, Any], root: Any) -> dict[str, Any]:
    """What a schema with a local reference means; others stay as they are."""
    ref = schema.get("$ref")
    if not isinstance(ref, str) or not ref.startswith("#"):
        return schema
    value = root
    for part in ref[1:].split("/")[1:]:
        key = part.replace("~1", "/").replace("~0", "~")
        value = value.get(key) if isinstance(value, dict) else None
    if not isinstance(value, dict):
        return schema
    beside = {key: inner for key, inner in schema.items() if key != "$ref"}
    return {**value, **beside}


def _reference(pair: _Pair) -> Iterator[Difference]:
    first, second = pair.old.get("$ref"), pair.new.get("$ref")
    if first != second:
        yield pair.says(f"{shown(first)} became {shown(second)}", "other", "$ref")


def _types(schema: dict[str, Any]) -> frozenset[str] | None:
    said = schema.get("type")
    names = [said] if isinstance(said, str) else said
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        return None
    found = set(names)
    if "number" in found:
        found.add("integer")  # Every integer is a number.
    if schema.get("nullable") is True:
        found.add("null")
    return frozenset(found)


def _type(pair: _Pair) -> Iterator[Difference]:
    first, second = _types(pair.old), _types(pair.new)
    if first == second:
        return
    what = f"type {shown(pair.old.get('type'))} became {shown(pair.new.get('type'))}"
    if second is None or (first is not None and first < second):
        yield pair.says(what, "wider")
    elif first is None or second < first:
        yield pair.says(what, "narrower")
    else:
        # What was right is not any more, and what never came may come now.
        yield Difference(pair.path, what, "breaking")


def _sets(pair: _Pair) -> Iterator[Difference]:
    for word in ("enum", "const"):
        first, second = pair.old.get(word, _MISSING), pair.new.get(word, _MISSING)
        if first is second or first == second:
            continue
        before, after = _values(word, first), _values(word, second)
        for value in sorted((before or frozenset()) - (after or frozenset())):
            if after is not None:
                yield pair.says(f"{word} lost {value}", "narrower")
        for value in sorted((after or frozenset()) - (before or frozenset())):
            if before is not None:
                yield pair.says(f"{word} gained {value}", "wider")
        if before is None:
            yield pair.says(f"{word} {shown(second)} was imposed", "narrower")
        elif after is None:
            yield pair.says(f"{word} {shown(first)} was lifted", "wider")


def _values(word: str, said: Any) -> frozenset[str] | None:
    if said is _MISSING:
        return None
    values = said if word == "enum" and isinstance(said, list) else [said]
    return frozenset(shown(value) for value in values)


def _bounds(pair: _Pair) -> Iterator[Difference]:
    for words, sign in ((_LOWER_BOUNDS, 1), (_UPPER_BOUNDS, -1)):
        for word in words:
            first, second = pair.old.get(word), pair.new.get(word)
            if first == second:
                continue
            what = f"{word} {shown(first)} became {shown(second)}"
            if first is not None and second is None:
                yield pair.says(what, "wider")
            elif first is None:
                yield pair.says(what, "narrower")
            elif isinstance(first, int | float) and isinstance(second, int | float):
                yield pair.says(what, "narrower" if sign * (second - first) > 0 else "wider")
            else:
                yield pair.says(what, "other")


def _patterns(pair: _Pair) -> Iterator[Difference]:
    for word in ("pattern", "multipleOf", "uniqueItems"):
        first, second = pair.old.get(word), pair.new.get(word)
        if first == second or (not first and not second):
            continue
        if not second:
            yield pair.says(f"{word} {shown(first)} was lifted", "wider")
        elif not first:
            yield pair.says(f"{word} {shown(second)} was imposed", "narrower")
        else:
            # Whether the new one allows all that the old one did cannot be told by looking.
            verdict: Verdict = "breaking"
            what = f"{word} {shown(first)} became {shown(second)}"
            yield Difference(pair.path, what, verdict)


def _properties(pair: _Pair) -> Iterator[Difference]:
    first, second = _members(pair.old), _members(pair.new)
    was, is_now = _required(pair.old), _required(pair.new)
    for name in sorted(first.keys() - second.keys()):
        if pair.direction == "in":
            closed = pair.new.get("additionalProperties") is False
            verdict: Verdict = "breaking" if closed or name in was else "risky"
        else:
            verdict = "breaking"
        yield Difference(f"{pair.path}.{name}", "was removed", verdict)
    for name in sorted(second.keys() - first.keys()):
        if name in is_now:
            yield Difference(
                f"{pair.path}.{name}",
                "was added, and is required",
                "breaking" if pair.direction == "in" else "cosmetic",
            )
        else:
            verdict = "risky" if pair.direction == "in" else "cosmetic"
            yield Difference(f"{pair.path}.{name}", "was added", verdict)
        yield from _header(pair, name, {}, second[name])
    for name in sorted(first.keys() & second.keys()):
        yield from _header(pair, name, first[name], second[name])
        inner = _pair(first[name], second[name], replace(pair, path=f"{pair.path}.{name}"))
        if isinstance(inner, Difference):
            yield inner
        elif inner is not None:
            yield from _compare(inner)
    for name in sorted((is_now - was) & (first.keys() | (is_now - second.keys()))):
        yield pair.says("became required", "narrower", name)
    for name in sorted((was - is_now) & (second.keys() | (was - first.keys()))):
        yield pair.says("is not required any more", "wider", name)


def _header(pair: _Pair, name: str, old: Any, new: Any) -> Iterator[Difference]:
    """MCP 2026-07-28: an argument that must also be sent as a header."""
    first = old.get("x-mcp-header") if isinstance(old, dict) else None
    second = new.get("x-mcp-header") if isinstance(new, dict) else None
    if first != second:
        path = f"{pair.path}.{name}.x-mcp-header"
        yield Difference(path, f"{shown(first)} became {shown(second)}", "breaking")


def _members(schema: dict[str, Any]) -> dict[str, Any]:
    members = schema.get("properties")
    return members if isinstance(members, dict) else {}


def _required(schema: dict[str, Any]) -> frozenset[str]:
    said = schema.get("required")
    names = said if isinstance(said, list) else []
    return frozenset(name for name in names if isinstance(name, str))


def _inner(pair: _Pair) -> Iterator[Difference]:
    for word in ("additionalProperties", "items"):
        first, second = pair.old.get(word, _MISSING), pair.new.get(word, _MISSING)
        allows_all, allows_still = first in (_MISSING, True, {}), second in (_MISSING, True, {})
        if first is second or first == second or (allows_all and allows_still):
            continue
        if second is False:
            yield pair.says(f"{word} are not allowed any more", "narrower")
        elif allows_still:
            yield pair.says(f"{word} may be anything now", "wider")
        elif allows_all:
            yield pair.says(f"{word} are restricted now", "narrower")
        elif first is False:
            yield pair.says(f"{word} are allowed now", "wider")
        else:
            inner = _pair(first, second, replace(pair, path=f"{pair.path}[{word}]"))
            if isinstance(inner, Difference):
                yield inner
            elif inner is not None:
                yield from _compare(inner)


def _branches(pair: _Pair) -> Iterator[Difference]:
    """Of `anyOf` and `oneOf` every branch allows more; of `allOf` every branch allows less."""
    for word in ("anyOf", "oneOf", "allOf"):
        first, second = _texts(pair.old.get(word)), _texts(pair.new.get(word))
        fewer: Move = "narrower"
        more: Move = "wider"
        if word == "allOf":
            fewer, more = more, fewer
        if word != "allOf" and second and not first:
            yield pair.says(f"{word} was imposed", "narrower")
        elif word != "allOf" and first and not second:
            yield pair.says(f"{word} was lifted", "wider")
        else:
            if first - second:
                yield pair.says(f"{word} lost a branch", fewer)
            if second - first:
                yield pair.says(f"{word} gained a branch", more)


def _texts(branches: Any) -> set[str]:
    if not isinstance(branches, list):
        return set()
    return {json.dumps(branch, sort_keys=True) for branch in branches}


def _words(pair: _Pair) -> Iterator[Difference]:
    for words, move in ((_WORDS, "words"), (_LOOKS, "looks")):
        for word in words:
            first, second = pair.old.get(word), pair.new.get(word)
            if first != second:
                what = f"{word} {shown(first)} became {shown(second)}"
                yield pair.says(what, "words" if move == "words" else "looks")


def _rest(pair: _Pair) -> Iterator[Difference]:
    for word in sorted((pair.old.keys() | pair.new.keys()) - _HANDLED):
        first, second = pair.old.get(word), pair.new.get(word)
        if first != second:
            yield pair.says(f"{word} changed", "other")


_COMPARISONS: tuple[Callable[[_Pair], Iterator[Difference]], ...] = (
    _reference,
    _type,
    _sets,
    _bounds,
    _patterns,
    _properties,
    _inner,
    _branches,
    _words,
    _rest,
)
