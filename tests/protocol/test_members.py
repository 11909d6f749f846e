"""A member of a JSON text is changed, and every byte beside it stays."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.protocol.size import examples

from mcpr.protocol.members import (
    MAX_DEPTH,
    Object,
    Tangled,
    Walk,
    changes,
    members_of,
    spliced,
)

ITEMS = (frozenset({"result"}), frozenset({"contents", "resources"}), None)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)
OBJECTS = st.dictionaries(st.text(max_size=6), VALUES, max_size=6)


def write(value: object, *, spaced: bool, escaped: bool) -> bytes:
    """A JSON text: close together or not, with its letters escaped or not."""
    text = json.dumps(value, indent=1 if spaced else None, ensure_ascii=escaped)
    return text.encode("utf-8", "surrogatepass")


def walked(text: bytes, size: int | None = None, path: Any = ITEMS) -> Walk:
    walk = Walk(path)
    step = size or len(text) or 1
    for start in range(0, len(text), step):
        walk.feed(text[start : start + step])
    walk.finish()
    return walk


def values(walk: Walk, item: Object) -> dict[str, object]:
    return {m.key: json.loads(walk.data[m.start : m.end]) for m in item.members}


@examples(300)
@given(
    items=st.lists(OBJECTS | VALUES, max_size=4),
    beside=OBJECTS,
    batch=st.booleans(),
    spaced=st.booleans(),
    escaped=st.booleans(),
    size=st.integers(1, 40),
)
def test_the_objects_at_the_path_are_found_however_the_text_is_cut(
    *,
    items: list[object],
    beside: dict[str, object],
    batch: bool,
    spaced: bool,
    escaped: bool,
    size: int,
) -> None:
    message = {**beside, "result": {**beside, "contents": items, "nextCursor": "x"}}
    text = write([message] if batch else message, spaced=spaced, escaped=escaped)
    expected = [item for item in items if isinstance(item, dict)]
    whole, pieces = walked(text), walked(text, size)
    assert [values(whole, item) for item in whole.found] == expected
    assert [(o.start, o.end, o.members) for o in whole.found] == [
        (o.start, o.end, o.members) for o in pieces.found
    ]


@examples(500)
@given(
    old=OBJECTS,
    wanted=st.dictionaries(st.text(max_size=6), st.none() | VALUES, max_size=4),
    picks=st.lists(st.none() | VALUES, max_size=3),
    spaced=st.booleans(),
)
def test_changed_members_have_their_new_values_and_the_others_their_old_bytes(
    old: dict[str, object], wanted: dict[str, object], picks: list[object], *, spaced: bool
) -> None:
    wanted = {**wanted, **dict(zip(old, picks, strict=False))}
    text = write(old, spaced=spaced, escaped=True)
    texts = {key: None if v is None else json.dumps(v).encode() for key, v in wanted.items()}
    found = members_of(text)
    new = spliced(text, changes(found, texts))
    expected = {key: v for key, v in {**old, **wanted}.items() if wanted.get(key, 0) is not None}
    assert json.loads(new) == expected
    before = {m.key: text[m.key_start : m.end] for m in found.members}
    after = {m.key: new[m.key_start : m.end] for m in members_of(new).members}
    assert all(after[key] == before[key] for key in before if key not in wanted)


EDITS: dict[str, tuple[bytes, dict[str, bytes | None], bytes]] = {
    "replaced": (b'{"a":1, "b" : 2 }', {"a": b"9"}, b'{"a":9, "b" : 2 }'),
    "added": (b'{"a":1 }', {"b": b"2"}, b'{"a":1,"b":2 }'),
    "added to nothing": (b"{ }", {"b": b"2"}, b'{"b":2 }'),
    "taken out, the first": (b'{"a":1, "b":2}', {"a": None}, b'{"b":2}'),
    "taken out, the last": (b'{"a":1, "b":2 }', {"b": None}, b'{"a":1 }'),
    "taken out, in between": (b'{"a":1,"b":2,"c":3}', {"b": None}, b'{"a":1,"c":3}'),
    "taken out, all": (b'{ "a":1,"b":2 }', {"a": None, "b": None}, b"{  }"),
    "taken out, and one added": (b'{"a":1,"b":2}', {"b": None, "c": b"3"}, b'{"a":1,"c":3}'),
    "doubled, the last one stays": (b'{"a":1,"b":2,"a":3}', {"a": b"9"}, b'{"b":2,"a":9}'),
    "doubled, none stays": (b'{"a":1,"b":2,"a":3}', {"a": None}, b'{"b":2}'),
    "an escaped key is its key": (rb'{"\u0061":1,"b":2}', {"a": b"9"}, rb'{"\u0061":9,"b":2}'),
    "a big number beside it": (b'{"a":1,"n":1.50e400}', {"a": b"2"}, b'{"a":2,"n":1.50e400}'),
    "missing, and to be taken out": (b'{"a":1}', {"b": None}, b'{"a":1}'),
}


@pytest.mark.parametrize("case", EDITS)
def test_an_edit_touches_what_it_names(case: str) -> None:
    text, wanted, expected = EDITS[case]
    assert spliced(text, changes(members_of(text), wanted)) == expected


TANGLED = {
    "nothing": b"",
    "no object": b"7",
    "a list": b"[{}]",
    "no end": b'{"a":1',
    "no end of a string": b'{"a":"x',
    "a bracket too many": b'{"a":1}}',
    "brackets that do not match": b'{"a":[1}}',
    "a key without a value": b'{"a":,"b":1}',
    "a bad escape in a key": rb'{"\x":1}',
    "too deep": b'{"a":' + b"[" * MAX_DEPTH + b"]" * MAX_DEPTH + b"}",
}


@pytest.mark.parametrize("case", TANGLED)
def test_what_is_no_object_is_refused(case: str) -> None:
    with pytest.raises(Tangled):
        members_of(TANGLED[case])


@examples(500)
@given(st.binary(max_size=60) | st.text(alphabet='{}[]",:\\ a1', max_size=60).map(str.encode))
def test_no_text_makes_the_walk_fail_in_another_way(text: bytes) -> None:
    walk = Walk(ITEMS)
    try:
        walk.feed(text)
        walk.finish()
    except Tangled:
        return
    for item in walk.found:
        assert walk.data[item.start] == ord("{")
        assert walk.data[item.end - 1] == ord("}")


OTHER_PLACES = {
    "in the arguments": b'{"params":{"result":{"contents":[{"uri":"u"}]}}}',
    "deeper": b'{"result":{"x":{"contents":[{"uri":"u"}]}}}',
    "in a list of lists": b'{"result":{"contents":[[{"uri":"u"}]]}}',
    "no list": b'{"result":{"contents":{"uri":"u"}}}',
    "a list of results": b'{"result":[{"contents":[{"uri":"u"}]}]}',
    "as a text": b'{"result":{"contents":"[{\\"uri\\":1}]"}}',
}


@pytest.mark.parametrize("case", OTHER_PLACES)
def test_what_stands_elsewhere_is_not_found(case: str) -> None:
    assert walked(OTHER_PLACES[case]).found == []
