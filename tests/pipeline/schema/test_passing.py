"""One exchange that carried lists: which pages, in JSON and in events, whole and torn."""

import gzip
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.pipeline.messages import event, request
from tests.protocol.size import examples

from mcpr.pipeline.schema import Reading, merge_info, read_changed, read_passing
from mcpr.pipeline.schema.passing import MAX_ITEMS

TOOL = {"name": "get", "description": "x"}


def answer(result: Any, number: Any = 1) -> bytes:
    return json.dumps({"jsonrpc": "2.0", "id": number, "result": result}).encode()


def read(
    method: str,
    result: Any,
    params: dict[str, Any] | None = None,
    *,
    is_events: bool = False,
    coding: str | None = None,
) -> Reading:
    body = answer(result)
    if is_events:
        body = event(body)
    if coding == "gzip":
        body = gzip.compress(body)
    return read_passing(request(method, params), body, is_events=is_events, coding=coding)


@pytest.mark.parametrize(
    ("method", "member", "which"),
    [
        ("tools/list", "tools", "tools"),
        ("prompts/list", "prompts", "prompts"),
        ("resources/list", "resources", "resources"),
        ("resources/templates/list", "resourceTemplates", "templates"),
    ],
)
@pytest.mark.parametrize("is_events", [False, True], ids=["JSON", "events"])
def test_every_list_is_read_with_its_cursors(
    method: str, member: str, which: str, is_events: bool
) -> None:
    result = {member: [TOOL, {"name": "put"}], "nextCursor": "n"}
    (page,) = read(method, result, {"cursor": "c"}, is_events=is_events).pages
    assert (page.which, page.cursor, page.next_cursor) == (which, "c", "n")
    assert [json.loads(text) for text in page.texts] == result[member]


def test_items_are_kept_as_they_came() -> None:
    body = b'{"id":1,"result":{"tools":[ {"name" : "a", "x":1.0} ]}}'
    (page,) = read_passing(request("tools/list"), body, is_events=False, coding=None).pages
    assert page.texts == (b'{"name" : "a", "x":1.0}',)


def test_a_coded_list_is_read_where_the_coding_is_known() -> None:
    assert read("tools/list", {"tools": [TOOL]}, coding="gzip").pages
    assert read("tools/list", {"tools": [TOOL]}, coding="br") == Reading((), None, 1)
    torn = read_passing(request("tools/list"), b"\x1f\x8bxx", is_events=False, coding="gzip")
    assert torn == Reading((), None, 1)


def test_what_initialize_says_of_the_server_is_a_list_of_parts() -> None:
    result = {
        "protocolVersion": "2025-11-25",
        "serverInfo": {"name": "s", "version": "1"},
        "capabilities": {"tools": {}},
        "instructions": "Be kind.",
    }
    (page,) = read("initialize", result).pages
    parts = {part["part"]: part for part in map(json.loads, page.texts)}
    assert parts == {
        "info": {"part": "info", "name": "s", "version": "1"},
        "capabilities": {"part": "capabilities", "capabilities": {"tools": {}}},
        "instructions": {"part": "instructions", "instructions": "Be kind."},
    }


def test_the_revision_that_a_client_chose_is_no_part_of_the_server() -> None:
    results = [
        {"protocolVersion": revision, "serverInfo": {"name": "s"}, "capabilities": {}}
        for revision in ("2025-06-18", "2025-11-25")
    ]
    one, other = (read("initialize", result).pages for result in results)
    assert one == other


def test_discover_and_lists_of_2026_07_28_name_the_server_in_meta() -> None:
    meta = {"_meta": {"io.modelcontextprotocol/serverInfo": {"name": "s", "version": "2"}}}
    (page,) = read("server/discover", {"capabilities": {}, **meta}).pages
    assert b'"version": "2"' in page.texts[0]
    assert read("tools/list", {"tools": [], **meta}).info == b'{"name": "s", "version": "2"}'


def test_a_name_in_meta_replaces_the_name_and_leaves_the_rest() -> None:
    before = merge_info((), b'{"name":"s","version":"1"}')
    assert [item.name for item in before] == ["info"]
    assert merge_info(before, b'{"version":"1","name":"s"}') == before
    assert merge_info(before, b'{"name":"s","version":"2"}') != before


@pytest.mark.parametrize(
    ("request_body", "body"),
    [
        (request("tools/list"), b""),
        (request("tools/list"), b"{"),
        (request("tools/list"), b"[" * 100_000),
        (request("tools/list"), answer({"tools": "none"})),
        (request("tools/list"), answer({"tools": [1] * (MAX_ITEMS + 1)})),
        (request("tools/list"), answer({"prompts": []})),
    ],
    ids=["nothing", "torn", "deep", "no list", "too many", "another list"],
)
def test_what_is_no_list_is_unread(request_body: bytes, body: bytes) -> None:
    assert read_passing(request_body, body, is_events=False, coding=None) == Reading((), None, 1)


@pytest.mark.parametrize(
    ("request_body", "body"),
    [
        (request("tools/list"), answer({"tools": []}, 2)),
        (request("tools/list"), b'{"id":1,"error":{"code":-1,"message":"no"}}'),
        (request("tools/call"), answer({"tools": []})),
        (b"{", answer({"tools": []})),
        (b"", b'{"result":{"tools":[]}}'),
    ],
    ids=["another's answer", "an error", "no list was asked for", "garbage", "no id"],
)
def test_what_answers_no_list_is_none(request_body: bytes, body: bytes) -> None:
    assert read_passing(request_body, body, is_events=False, coding=None) == Reading((), None, 0)


def test_a_batch_has_a_page_for_each_list_that_was_asked_for() -> None:
    asked = b"[%b,%b]" % (request("tools/list", id=1), request("prompts/list", id=2))
    body = b"[%b,%b]" % (answer({"prompts": []}, 2), answer({"tools": [TOOL]}, 1))
    found = read_passing(asked, body, is_events=False, coding=None).pages
    assert sorted(page.which for page in found) == ["prompts", "tools"]


@pytest.mark.parametrize(
    ("method", "lists"),
    [
        ("notifications/tools/list_changed", ("tools",)),
        ("notifications/prompts/list_changed", ("prompts",)),
        ("notifications/resources/list_changed", ("resources", "templates")),
        ("notifications/resources/updated", ()),
        ("notifications/other/list_changed", ()),
        ("tools/list_changed", ()),
    ],
)
def test_a_server_says_which_lists_changed(method: str, lists: tuple[str, ...]) -> None:
    assert read_changed(json.dumps({"jsonrpc": "2.0", "method": method}).encode()) == lists


@given(st.binary(max_size=60), st.binary(max_size=60), st.booleans())
@examples(200)
def test_no_bytes_are_too_bad_to_read(asked: bytes, body: bytes, is_events: bool) -> None:
    read_passing(asked, body, is_events=is_events, coding=None)
    read_changed(asked)
