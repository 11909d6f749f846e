"""One form for each meaning: what is the same stays the same, what differs differs."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.protocol.size import examples

from mcpr.events.schema import canonical, items_of, list_hash
from mcpr.events.schema.canonical import MAX_NAME

values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=10,
)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ('{"a":1,"b":2}', '{"b" : 2,\n"a": 1}'),
        ('{"a":1.0}', '{"a":1}'),
        ('{"a":1e2}', '{"a":100}'),
        ('{"a":"\\u00e9"}', '{"a":"é"}'),
        ('{"a":"\\/"}', '{"a":"/"}'),
        ('{"a":0.10}', '{"a":0.1}'),
    ],
    ids=["order and blanks", "whole", "exponent", "escape", "slash", "zeros"],
)
def test_what_means_the_same_has_one_form(one: str, other: str) -> None:
    assert canonical(one.encode()) == canonical(other.encode())


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ('{"a":1}', '{"a":"1"}'),
        ('{"a":true}', '{"a":1}'),
        ('{"a":null}', "{}"),
        ('{"a":[1,2]}', '{"a":[2,1]}'),
        ('{"a":9007199254740993}', '{"a":9007199254740992}'),
        ('{"a":1,"a":2}', '{"a":2}'),
        ('{"a":"e\\u0301"}', '{"a":"\\u00e9"}'),
    ],
    ids=["text", "true", "null", "array", "large", "doubled key", "composed"],
)
def test_what_differs_has_two_forms(one: str, other: str) -> None:
    assert canonical(one.encode()) != canonical(other.encode())


@given(values)
@examples(100)
def test_the_form_means_the_same_and_is_its_own_form(value: object) -> None:
    form = canonical(json.dumps(value).encode())
    assert form.isascii()
    assert json.loads(form) == value
    assert canonical(form) == form


@given(st.permutations([b'{"name":"a"}', b'{"name":"b"}', b'{"name":"c","x":1}']))
@examples(10)
def test_the_order_of_items_means_nothing(texts: list[bytes]) -> None:
    items = items_of("tools", texts)
    assert [item.name for item in items] == ["a", "b", "c"]
    assert list_hash(items) == list_hash(items_of("tools", sorted(texts)))


def test_everything_in_an_item_counts() -> None:
    one = items_of("tools", [b'{"name":"a","description":"x","_meta":{"v":1}}'])
    for other in (
        b'{"name":"a","description":"y","_meta":{"v":1}}',
        b'{"name":"a","description":"x","_meta":{"v":2}}',
        b'{"name":"a","description":"x","_meta":{"v":1},"annotations":{}}',
    ):
        assert list_hash(items_of("tools", [other])) != list_hash(one)


def test_a_name_that_stands_twice_is_two_items() -> None:
    items = items_of("tools", [b'{"name":"a"}', b'{"name":"a","x":1}'])
    assert [item.name for item in items] == ["a", "a\x002"]


@pytest.mark.parametrize(
    "text",
    [b"", b"{", b"\xff", b"[" * 100_000, b'{"name":5}', b'{"name":"\\ud800"}', b"null", b"NaN"],
    ids=["nothing", "torn", "bytes", "deep", "number", "half a pair", "null", "NaN"],
)
def test_what_is_no_definition_is_an_item_all_the_same(text: bytes) -> None:
    (item,) = items_of("tools", [text])
    assert item.size == len(text)
    item.name.encode()
    assert len(item.hash) == 16


def test_a_long_name_is_cut_and_stays_its_own() -> None:
    texts = [json.dumps({"name": "x" * 1000 + end}).encode() for end in "ab"]
    one, other = items_of("tools", texts)
    assert one.name != other.name
    assert len(one.name) < MAX_NAME + 30


def test_every_list_has_its_own_key() -> None:
    text = b'{"name":"n","uri":"u","uriTemplate":"t","part":"p"}'
    found = {
        which: items_of(which, [text])[0].name
        for which in ("tools", "prompts", "resources", "templates", "server")
    }
    assert found == {
        "tools": "n",
        "prompts": "n",
        "resources": "u",
        "templates": "t",
        "server": "p",
    }
