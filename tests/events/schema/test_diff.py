"""Two versions of a list: what came, went, was renamed and changed, and how bad that is."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.protocol.size import examples

from mcpr.events.schema import Change, ListName, compare, items_of
from mcpr.events.schema.shapes import MAX_DIFFERENCES

GET = {
    "name": "get",
    "description": "Gets.",
    "inputSchema": {"type": "object", "properties": {"a": {"type": "string"}}},
}


def diff(which: ListName, old: list[Any], new: list[Any]) -> tuple[Change, ...]:
    both = [items_of(which, [json.dumps(item).encode() for item in items]) for items in (old, new)]
    return compare(which, *both).changes


def said(which: ListName, old: list[Any], new: list[Any]) -> list[str]:
    return [
        f"{change.verdict}: {change.kind} {change.name}"
        + (f" (was {change.was})" if change.was else "")
        for change in diff(which, old, new)
    ]


def test_what_is_the_same_does_not_differ() -> None:
    assert said("tools", [GET, {"name": "put"}], [{"name": "put"}, GET]) == []


def test_tools_come_and_go() -> None:
    assert said("tools", [GET], [{"name": "put", "description": "Puts."}]) == [
        "breaking: removed get",
        "risky: added put",
    ]


def test_a_tool_with_another_name_and_the_same_definition_was_renamed() -> None:
    assert said("tools", [GET], [{**GET, "name": "fetch"}]) == ["breaking: renamed fetch (was get)"]


def test_each_tool_is_renamed_once() -> None:
    found = said("tools", [GET], [{**GET, "name": "a"}, {**GET, "name": "b"}])
    assert found == ["breaking: renamed a (was get)", "risky: added b"]


def test_tools_that_say_nothing_but_their_names_were_not_renamed() -> None:
    found = said("tools", [{"name": "a"}], [{"name": "b"}])
    assert found == ["breaking: removed a", "risky: added b"]


#: what changed in a tool: the changed members, the verdict.
TOOL: dict[str, tuple[dict[str, Any], str]] = {
    "description": ({"description": "Gets it."}, "risky"),
    "title": ({"title": "Get"}, "cosmetic"),
    "icons": ({"icons": [{"src": "data:,"}]}, "cosmetic"),
    "input narrowed": (
        {"inputSchema": {**GET["inputSchema"], "required": ["a"]}},  # type: ignore[dict-item]
        "breaking",
    ),
    "input gone": ({"inputSchema": None}, "risky"),
    "output added": ({"outputSchema": {"type": "object"}}, "cosmetic"),
    "a hint": ({"annotations": {"destructiveHint": True}}, "risky"),
    "title in the annotations": ({"annotations": {"title": "Get"}}, "cosmetic"),
    "a task is demanded": ({"execution": {"taskSupport": "required"}}, "breaking"),
    "a task is possible": ({"execution": {"taskSupport": "optional"}}, "risky"),
    "what hosts act on": ({"_meta": {"ui": {"resourceUri": "ui://a"}}}, "risky"),
    "what ChatGPT acts on": ({"_meta": {"openai/outputTemplate": "ui://a"}}, "risky"),
    "other _meta": ({"_meta": {"build": 5}}, "cosmetic"),
    "how to sign in": ({"securitySchemes": [{"type": "oauth2"}]}, "risky"),
    "what nobody knows": ({"x": 1}, "risky"),
}


@pytest.mark.parametrize(("members", "verdict"), TOOL.values(), ids=TOOL)
def test_a_changed_tool_has_the_verdict_of_the_table(members: dict[str, Any], verdict: str) -> None:
    assert said("tools", [GET], [{**GET, **members}]) == [f"{verdict}: modified get"]


def test_output_that_goes_is_breaking() -> None:
    old = {**GET, "outputSchema": {"type": "object"}}
    assert said("tools", [old], [GET]) == ["breaking: modified get"]


P = {"name": "p", "arguments": [{"name": "a", "required": True}, {"name": "b"}]}
OTHERS: dict[str, tuple[ListName, Any, Any, str]] = {
    "prompt removed": ("prompts", P, None, "breaking: removed p"),
    "prompt added": ("prompts", None, P, "cosmetic: added p"),
    "argument removed": ("prompts", P, {**P, "arguments": P["arguments"][:1]}, "breaking"),
    "argument demanded": (
        "prompts",
        P,
        {**P, "arguments": [*P["arguments"], {"name": "c", "required": True}]},
        "breaking",
    ),
    "argument offered": (
        "prompts",
        P,
        {**P, "arguments": [*P["arguments"], {"name": "c"}]},
        "cosmetic",
    ),
    "argument became required": (
        "prompts",
        P,
        {**P, "arguments": [{"name": "a", "required": True}, {"name": "b", "required": True}]},
        "breaking",
    ),
    "argument in other words": (
        "prompts",
        P,
        {**P, "arguments": [{"name": "a", "required": True, "description": "A"}, {"name": "b"}]},
        "risky",
    ),
    "resource removed": ("resources", {"uri": "u"}, None, "breaking: removed u"),
    "resource added": ("resources", None, {"uri": "u"}, "cosmetic: added u"),
    "its size": ("resources", {"uri": "u", "size": 1}, {"uri": "u", "size": 2}, "cosmetic"),
    "its name": ("resources", {"uri": "u", "name": "a"}, {"uri": "u", "name": "b"}, "cosmetic"),
    "its type": (
        "resources",
        {"uri": "u", "mimeType": "a"},
        {"uri": "u", "mimeType": "b"},
        "risky",
    ),
    "template removed": ("templates", {"uriTemplate": "u"}, None, "breaking: removed u"),
    "server's version": (
        "server",
        {"part": "info", "name": "s", "version": "1"},
        {"part": "info", "name": "s", "version": "2"},
        "cosmetic",
    ),
    "server's name": (
        "server",
        {"part": "info", "name": "s"},
        {"part": "info", "name": "t"},
        "risky",
    ),
    "instructions": (
        "server",
        {"part": "instructions", "instructions": "a"},
        {"part": "instructions", "instructions": "b"},
        "risky",
    ),
    "capability gone": (
        "server",
        {"part": "capabilities", "capabilities": {"tools": {}, "prompts": {}}},
        {"part": "capabilities", "capabilities": {"tools": {}}},
        "breaking",
    ),
    "capability come": (
        "server",
        {"part": "capabilities", "capabilities": {}},
        {"part": "capabilities", "capabilities": {"tools": {}}},
        "cosmetic",
    ),
}


@pytest.mark.parametrize(("which", "old", "new", "wanted"), OTHERS.values(), ids=OTHERS)
def test_other_lists_have_the_verdicts_of_the_table(
    which: ListName, old: Any, new: Any, wanted: str
) -> None:
    (found,) = said(which, [old] if old else [], [new] if new else [])
    assert found.startswith(wanted)


def test_a_definition_that_is_none_is_compared_all_the_same() -> None:
    both = [items_of("tools", [text]) for text in (b'{"name":', b'{"name"')]
    (change,) = compare("tools", *both).changes
    assert (change.kind, change.verdict) == ("modified", "risky")


def test_a_key_that_came_to_stand_twice_is_a_change() -> None:
    both = [
        items_of("tools", [text])
        for text in (
            b'{"name":"a","description":"x"}',
            b'{"name":"a","description":"y","description":"x"}',
        )
    ]
    (change,) = compare("tools", *both).changes
    assert change.verdict == "risky"


def test_there_is_a_bounded_number_of_differences() -> None:
    old, new = (
        {"name": "a", "inputSchema": {"properties": {f"p{n}": {"title": word} for n in range(500)}}}
        for word in ("x", "y")
    )
    (change,) = diff("tools", [old], [new])
    assert len(change.differences) == MAX_DIFFERENCES + 1
    assert change.differences[-1].what == "300 more"


names = st.sampled_from(["a", "b", "c"])
tools = st.lists(
    st.fixed_dictionaries({"name": names}, optional={"description": names, "title": names}),
    max_size=4,
)


@given(tools, tools)
@examples(100)
def test_a_difference_leads_from_the_one_list_to_the_other(old: list[Any], new: list[Any]) -> None:
    """Take away what went, add what came: the names of the new list."""
    changes = diff("tools", old, new)
    before, after = (
        {item.name for item in items_of("tools", [json.dumps(tool).encode() for tool in both])}
        for both in (old, new)
    )
    gone = {
        change.was or change.name for change in changes if change.kind in {"removed", "renamed"}
    }
    come = {change.name for change in changes if change.kind in {"added", "renamed"}}
    assert (before - gone) | come == after
    assert all(change.name in before & after for change in changes if change.kind == "modified")
