"""The words of MCP, and how what callers choose is bounded before it is counted."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.protocol.size import examples

from mcpr.protocol.mcp import (
    FIRST_MODERN,
    KNOWN_METHODS,
    NOTIFICATIONS,
    OTHER,
    REQUESTS,
    REVISIONS,
    STREAMS,
    SUBJECTS,
    bounded_method,
    bounded_revision,
    bounded_tool,
    bounded_version,
    is_modern,
    origin_of_code,
)


@pytest.mark.parametrize("method", sorted(KNOWN_METHODS))
def test_a_method_of_the_specification_keeps_its_name(method: str) -> None:
    assert bounded_method(method) == method


@pytest.mark.parametrize(
    "method", ["", "Tools/call", "tools/call ", "tools/call\n", "tools", "rpc.discover", OTHER]
)
def test_any_other_method_is_other(method: str) -> None:
    assert bounded_method(method) == OTHER


def test_requests_and_notifications_are_told_apart() -> None:
    assert not REQUESTS & NOTIFICATIONS
    assert all(method.startswith("notifications/") for method in NOTIFICATIONS)
    assert STREAMS <= REQUESTS
    assert SUBJECTS.keys() <= REQUESTS


@pytest.mark.parametrize(
    ("name", "bounded"),
    [
        ("get_weather", "get_weather"),
        ("a", "a"),
        ("admin.tools-list/v2.$ref", "admin.tools-list/v2.$ref"),
        ("x" * 128, "x" * 128),
        ("x" * 129, OTHER),
        ("", OTHER),
        ("get weather", OTHER),
        ("get_weather\n", OTHER),
        ("get\0weather", OTHER),
        ("<script>", OTHER),
        ("w\u00e4sche", OTHER),
        ("\uff21", OTHER),
        ("\u0663", OTHER),
    ],
    ids=lambda value: ascii(value)[:30],
)
def test_a_tools_name_is_bounded(name: str, bounded: str) -> None:
    assert bounded_tool(name) == bounded


@pytest.mark.parametrize(
    ("version", "bounded"),
    [
        ("1.0.0", "1.0.0"),
        ("2.0.0-beta.1+build5", "2.0.0-beta.1+build5"),
        ("1" * 32, "1" * 32),
        ("1" * 33, None),
        ("", None),
        ("1.0 (Linux)", None),
        ("1.0\n", None),
        ("\u0661", None),
        (None, None),
    ],
    ids=ascii,
)
def test_a_clients_version_is_bounded(version: str | None, bounded: str | None) -> None:
    assert bounded_version(version) == bounded


@pytest.mark.parametrize(
    ("revision", "bounded"),
    [
        *((revision, revision) for revision in REVISIONS),
        ("2031-01-01", "2031-01-01"),
        ("DRAFT-2026-v1", None),
        ("2025-11-25 ", None),
        ("2025-11-25\n", None),
        ("2025-11-255", None),
        ("\u0662\u0660\u0662\u0665-\u0661\u0661-\u0662\u0665", None),
        ("", None),
        (None, None),
    ],
    ids=ascii,
)
def test_a_revision_is_bounded_to_a_date(revision: str | None, bounded: str | None) -> None:
    assert bounded_revision(revision) == bounded


@given(st.text(max_size=200))
@examples(300)
def test_nothing_unbounded_gets_through(text: str) -> None:
    assert bounded_method(text) in KNOWN_METHODS | {OTHER}
    for bounded in (bounded_tool(text), bounded_version(text), bounded_revision(text)):
        assert bounded is None or (bounded.isascii() and bounded.isprintable())
        assert bounded is None or (len(bounded) <= 128 and " " not in bounded)


@pytest.mark.parametrize("revision", REVISIONS)
def test_the_modern_era_begins_with_its_first_revision(revision: str) -> None:
    assert is_modern(revision) is (revision == FIRST_MODERN)


@pytest.mark.parametrize(("revision", "modern"), [(None, False), ("2027-01-01", True)])
def test_a_later_revision_is_modern_and_none_is_not(revision: str | None, modern: bool) -> None:
    assert is_modern(revision) is modern


@pytest.mark.parametrize(
    ("code", "origin"),
    [
        (-32700, "client"),
        (-32699, "server"),
        (-32701, "server"),
        (-32600, "client"),
        (-32601, "client"),
        (-32602, "client"),
        (-32603, "server"),
        (-32599, "server"),
        (-32020, "client"),
        (-32021, "client"),
        (-32022, "client"),
        (-32029, "client"),
        (-32030, "server"),
        (-32019, "server"),
        (-32000, "server"),
        (-32001, "server"),
        (-32002, "server"),
        (-32042, "server"),
        (-32800, "server"),
        (0, "server"),
        (1, "server"),
        (32600, "server"),
        (2**53, "server"),
    ],
)
def test_an_error_code_says_whose_doing_it_is(code: int, origin: str) -> None:
    assert origin_of_code(code) == origin
