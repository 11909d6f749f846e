"""How bad a change of a JSON Schema is: docs/reference/schema-verdicts.md, case by case."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.protocol.size import examples

from mcpr.events.schema import worst
from mcpr.events.schema.shapes import MAX_DEPTH, Direction, compare_shapes


def said(old: Any, new: Any, direction: Direction = "in") -> list[str]:
    return [
        f"{difference.verdict}: {difference.path} {difference.what}"
        for difference in compare_shapes(old, new, "in", direction)
    ]


def properties(**inner: Any) -> dict[str, Any]:
    return {"type": "object", "properties": inner}


A = {"type": "string"}
REF = {"properties": {"a": {"$ref": "#/$defs/d"}}}
RECURSIVE: dict[str, Any] = {
    "$defs": {"n": {"properties": {"next": {"$ref": "#/$defs/n"}}}},
    "$ref": "#/$defs/n",
}

#: what changed: old, new, verdict of what goes in, verdict of what comes out.
CASES: dict[str, tuple[Any, Any, str, str]] = {
    "type narrowed": ({"type": ["string", "null"]}, A, "breaking", "cosmetic"),
    "type widened": (A, {"type": ["string", "null"]}, "cosmetic", "breaking"),
    "type replaced": (A, {"type": "integer"}, "breaking", "breaking"),
    "type imposed": ({}, A, "breaking", "cosmetic"),
    "type lifted": (A, {}, "cosmetic", "breaking"),
    "integer to number": ({"type": "integer"}, {"type": "number"}, "cosmetic", "breaking"),
    "number to integer": ({"type": "number"}, {"type": "integer"}, "breaking", "cosmetic"),
    "nullable": (A, {**A, "nullable": True}, "cosmetic", "breaking"),
    "enum value lost": ({"enum": ["a", "b"]}, {"enum": ["a"]}, "breaking", "cosmetic"),
    "enum value gained": ({"enum": ["a"]}, {"enum": ["a", "b"]}, "cosmetic", "breaking"),
    "enum reordered": ({"enum": ["a", "b"]}, {"enum": ["b", "a"]}, "", ""),
    "enum imposed": (A, {**A, "enum": ["a"]}, "breaking", "cosmetic"),
    "enum lifted": ({**A, "enum": ["a"]}, A, "cosmetic", "breaking"),
    "const changed": ({"const": 1}, {"const": 2}, "breaking", "breaking"),
    "minimum raised": ({"minimum": 1}, {"minimum": 2}, "breaking", "cosmetic"),
    "minimum lowered": ({"minimum": 2}, {"minimum": 1}, "cosmetic", "breaking"),
    "maximum lowered": ({"maximum": 2}, {"maximum": 1}, "breaking", "cosmetic"),
    "maximum raised": ({"maximum": 1}, {"maximum": 2}, "cosmetic", "breaking"),
    "maxLength imposed": (A, {**A, "maxLength": 9}, "breaking", "cosmetic"),
    "minItems lifted": ({"minItems": 1}, {}, "cosmetic", "breaking"),
    "a bound that is none": ({"minimum": 1}, {"minimum": "x"}, "risky", "risky"),
    "pattern imposed": (A, {**A, "pattern": "^a"}, "breaking", "cosmetic"),
    "pattern changed": ({"pattern": "^a"}, {"pattern": "^b"}, "breaking", "breaking"),
    "pattern lifted": ({"pattern": "^a"}, {}, "cosmetic", "breaking"),
    "uniqueItems imposed": ({}, {"uniqueItems": True}, "breaking", "cosmetic"),
    "uniqueItems said to be off": ({}, {"uniqueItems": False}, "", ""),
    "property removed": (properties(a=A), properties(), "risky", "breaking"),
    "property removed where no other is allowed": (
        {**properties(a=A), "additionalProperties": False},
        {**properties(), "additionalProperties": False},
        "breaking",
        "breaking",
    ),
    "required property removed": (
        {**properties(a=A), "required": ["a"]},
        properties(),
        "breaking",
        "breaking",
    ),
    "optional property added": (properties(), properties(a=A), "risky", "cosmetic"),
    "required property added": (
        properties(),
        {**properties(a=A), "required": ["a"]},
        "breaking",
        "cosmetic",
    ),
    "became required": (
        properties(a=A),
        {**properties(a=A), "required": ["a"]},
        "breaking",
        "cosmetic",
    ),
    "not required any more": (
        {**properties(a=A), "required": ["a"]},
        properties(a=A),
        "cosmetic",
        "breaking",
    ),
    "required without a property": ({}, {"required": ["a"]}, "breaking", "cosmetic"),
    "within a property": (
        properties(a={"type": "object", "properties": {"b": {"enum": [1, 2]}}}),
        properties(a={"type": "object", "properties": {"b": {"enum": [1]}}}),
        "breaking",
        "cosmetic",
    ),
    "more properties forbidden": ({}, {"additionalProperties": False}, "breaking", "cosmetic"),
    "more properties allowed": (
        {"additionalProperties": False},
        {"additionalProperties": True},
        "cosmetic",
        "breaking",
    ),
    "more properties restricted": ({}, {"additionalProperties": A}, "breaking", "cosmetic"),
    "items narrowed": (
        {"items": {"type": ["string", "null"]}},
        {"items": A},
        "breaking",
        "cosmetic",
    ),
    "anyOf lost a branch": ({"anyOf": [A, {}]}, {"anyOf": [A]}, "breaking", "cosmetic"),
    "oneOf gained a branch": ({"oneOf": [A]}, {"oneOf": [A, {}]}, "cosmetic", "breaking"),
    "anyOf imposed": ({}, {"anyOf": [A]}, "breaking", "cosmetic"),
    "allOf gained a branch": ({"allOf": [{}]}, {"allOf": [{}, A]}, "breaking", "cosmetic"),
    "allOf lost a branch": ({"allOf": [{}, A]}, {"allOf": [{}]}, "cosmetic", "breaking"),
    "description": ({"description": "a"}, {"description": "b"}, "risky", "risky"),
    "default": ({"default": 1}, {"default": 2}, "risky", "risky"),
    "format": (A, {**A, "format": "uri"}, "risky", "risky"),
    "title": ({"title": "a"}, {"title": "b"}, "cosmetic", "cosmetic"),
    "examples": ({}, {"examples": [1]}, "cosmetic", "cosmetic"),
    "a keyword without a rule": ({}, {"not": A}, "risky", "risky"),
    "a keyword nobody knows": ({}, {"x-y": 1}, "risky", "risky"),
    "a header is demanded": (
        properties(a=A),
        properties(a={**A, "x-mcp-header": "A"}),
        "breaking",
        "breaking",
    ),
    "a definition that is referred to": (
        {"$defs": {"d": {"enum": [1, 2]}}, **REF},
        {"$defs": {"d": {"enum": [1]}}, **REF},
        "breaking",
        "cosmetic",
    ),
    "a definition that nobody refers to": ({"$defs": {"d": A}}, {"$defs": {"d": {}}}, "", ""),
    "a reference written out": (
        {"$defs": {"d": A}, "properties": {"a": {"$ref": "#/$defs/d"}}},
        {"properties": {"a": A}},
        "",
        "",
    ),
    "a reference to another place": (
        {"$ref": "https://a.example/1"},
        {"$ref": "https://a.example/2"},
        "risky",
        "risky",
    ),
    "a definition that refers to itself": (
        RECURSIVE,
        {**RECURSIVE, "$defs": {"n": {**RECURSIVE["$defs"]["n"], "required": ["next"]}}},
        "breaking",
        "cosmetic",
    ),
    "no schema": (A, 5, "risky", "risky"),
    "nothing is allowed": (True, False, "risky", "risky"),
    "anything, said in two ways": (True, {}, "", ""),
}


@pytest.mark.parametrize(("old", "new", "of_input", "of_output"), CASES.values(), ids=CASES)
def test_a_change_has_the_verdict_of_the_table(
    old: Any, new: Any, of_input: str, of_output: str
) -> None:
    both: tuple[tuple[Direction, str], ...] = (("in", of_input), ("out", of_output))
    for direction, wanted in both:
        found = list(compare_shapes(old, new, "s", direction))
        verdict = worst(difference.verdict for difference in found) if found else ""
        assert verdict == wanted, found


def test_a_difference_says_where_and_what() -> None:
    old = properties(a=A, city={"enum": ["Bern", "Rome"]})
    new = {**properties(city={"enum": ["Bern"]}, b=A), "required": ["b"]}
    assert said(old, new) == [
        "risky: in.a was removed",
        "breaking: in.b was added, and is required",
        'breaking: in.city enum lost "Rome"',
    ]


def test_a_long_value_is_cut() -> None:
    (difference,) = compare_shapes({"default": "x" * 5000}, {}, "in", "in")
    assert len(difference.what) < 200


def nested(depth: int, inner: Any) -> Any:
    for _ in range(depth):
        inner = {"properties": {"a": inner}}
    return inner


def test_what_lies_too_deep_is_risky_and_takes_no_more_than_its_share() -> None:
    depth = 4 * MAX_DEPTH
    (difference,) = compare_shapes(nested(depth, A), nested(depth, {}), "in", "in")
    assert difference.verdict == "risky"
    assert "too deep" in difference.what


def test_references_in_a_circle_come_to_an_end() -> None:
    def circle(word: str) -> dict[str, Any]:
        return {
            "$defs": {"a": {"$ref": "#/$defs/b"}, "b": {"$ref": "#/$defs/a", "title": word}},
            "$ref": "#/$defs/a",
        }

    assert len(list(compare_shapes(circle("x"), circle("y"), "in", "in"))) < 10


schemas = st.recursive(
    st.fixed_dictionaries(
        {},
        optional={
            "type": st.sampled_from(["string", "integer", ["string", "null"], 5]),
            "enum": st.lists(st.integers(0, 3), max_size=3),
            "minimum": st.integers(0, 3),
            "pattern": st.sampled_from(["a", "b"]),
            "required": st.lists(st.sampled_from("ab"), max_size=2),
            "description": st.sampled_from(["x", "y"]),
            "$ref": st.sampled_from(["#", "#/properties/a", "#/nowhere", "x:y"]),
            "additionalProperties": st.booleans(),
        },
    ),
    lambda inner: st.fixed_dictionaries(
        {},
        optional={
            "properties": st.dictionaries(st.sampled_from("ab"), inner, max_size=2),
            "items": inner,
            "anyOf": st.lists(inner, max_size=2),
        },
    ),
    max_leaves=5,
)


@given(schemas)
@examples(100)
def test_a_schema_does_not_differ_from_itself(schema: Any) -> None:
    assert said(schema, json.loads(json.dumps(schema))) == []


@given(schemas, schemas)
@examples(200)
def test_any_two_schemas_are_compared(old: Any, new: Any) -> None:
    """What narrows the one way widens the other: never cosmetic in both, where values changed."""
    there, back = said(old, new), said(new, old)
    assert bool(there) == bool(back)
