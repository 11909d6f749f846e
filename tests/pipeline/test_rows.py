"""What is written down of a message: bounded names, subjects that stay here, what is odd."""

import base64

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.pipeline.messages import batch, call_tool, modern, notification, request, result, text
from tests.pipeline.playbook import Playbook, detail_of
from tests.protocol.size import examples

from mcpr.events import RequestEvent
from mcpr.events.envelope import decode, encode
from mcpr.protocol.mcp import KNOWN_METHODS

NOTE = notification("notifications/progress")


def row_of(body: bytes, *lines: bytes) -> RequestEvent:
    play = Playbook()
    play.exchange(body, result(), *lines)
    return play.take_one()


@pytest.mark.parametrize("name", ["a", "get_weather", "ns/tool.v2", "$x-y", "x" * 128])
def test_a_tool_that_looks_like_one_is_named(name: str) -> None:
    row = row_of(call_tool(name))
    assert row.tool == name
    assert detail_of(row).subject is None


@pytest.mark.parametrize("name", ["", " ", "a b", "a\n", "погода", "x" * 129, "a;b", "\U0001f600"])
def test_a_tool_that_does_not_look_like_one_is_other_and_named_only_here(name: str) -> None:
    row = row_of(call_tool(name))
    assert row.tool == "_other"
    assert detail_of(row).subject == name[:512]


@pytest.mark.parametrize("params", [None, {}, {"name": None}, {"name": 5}, {"uri": "u"}])
def test_a_call_that_names_no_tool_has_none(params: dict[str, object] | None) -> None:
    row = row_of(request("tools/call", params))
    assert (row.method, row.tool, detail_of(row).subject) == ("tools/call", None, None)


SUBJECTS: dict[str, tuple[str, dict[str, object], str]] = {
    "prompt": ("prompts/get", {"name": "greet", "uri": "u"}, "greet"),
    "resource": (
        "resources/read",
        {"uri": "file:///a?token=x#y", "name": "n"},
        "file:///a?token=x#y",
    ),
    "subscribe": ("resources/subscribe", {"uri": "ui://w"}, "ui://w"),
    "unsubscribe": ("resources/unsubscribe", {"uri": "ui://w"}, "ui://w"),
    "a long one": ("resources/read", {"uri": "u" * 1000}, "u" * 512),
}


@pytest.mark.parametrize(("method", "params", "subject"), SUBJECTS.values(), ids=SUBJECTS)
def test_a_prompt_or_resource_is_named_only_here(
    method: str, params: dict[str, object], subject: str
) -> None:
    row = row_of(request(method, params))
    assert (row.method, row.tool, detail_of(row).subject) == (method, None, subject)


@pytest.mark.parametrize("method", sorted(KNOWN_METHODS))
def test_a_method_the_specification_knows_is_recorded_as_it_is(method: str) -> None:
    body = notification(method) if method.startswith("notifications/") else request(method)
    row = row_of(body)
    assert row.method == method
    assert detail_of(row).method is None


@pytest.mark.parametrize(
    "method", ["", "Tools/Call", "tools/call ", "x/y", "rpc.discover", "y" * 999]
)
def test_another_method_is_other_and_told_only_here(method: str) -> None:
    row = row_of(request(method, {"name": "a", "uri": "u"}))
    assert (row.method, row.tool) == ("_other", None)
    assert detail_of(row).method == method[:512]
    assert detail_of(row).subject is None


@pytest.mark.parametrize("method", sorted(KNOWN_METHODS - {"tools/call"}))
def test_only_a_tool_call_has_a_tool(method: str) -> None:
    assert row_of(request(method, {"name": "get_weather"})).tool is None


# What is odd

CALL = call_tool("add")
READ = request("resources/read", {"uri": "file:///a", "name": "n"})


def encoded(name: str) -> bytes:
    return b"Mcp-Name: =?base64?" + base64.b64encode(name.encode()) + b"?="


METHOD = b"Mcp-Method: tools/call"
MIRRORED: dict[str, tuple[bytes, list[bytes], bool]] = {
    "both agree": (CALL, [METHOD, b"Mcp-Name: add"], False),
    "the method alone": (CALL, [METHOD], False),
    "the name alone": (CALL, [b"Mcp-Name: add"], False),
    "in base64": (call_tool("погода"), [METHOD, encoded("погода")], False),
    "the resource": (READ, [b"Mcp-Method: resources/read", b"Mcp-Name: file:///a"], False),
    "a task": (
        request("tasks/get", {"taskId": "t"}),
        [b"Mcp-Method: tasks/get", b"Mcp-Name: t"],
        False,
    ),
    "a client's answer": (result(), [METHOD, b"Mcp-Name: add"], False),
    "another method": (CALL, [b"Mcp-Method: tools/list"], True),
    "the method in another case": (CALL, [b"Mcp-Method: Tools/Call"], True),
    "another name": (CALL, [METHOD, b"Mcp-Name: sub"], True),
    "the name in another case": (CALL, [METHOD, b"Mcp-Name: Add"], True),
    "the resource's name": (READ, [b"Mcp-Name: n"], True),
    "a name where the body has none": (request("tools/call", {}), [b"Mcp-Name: add"], True),
    "a name and no params": (request("tools/call"), [b"Mcp-Name: add"], True),
    "two names": (CALL, [b"Mcp-Name: add", b"Mcp-Name: sub"], True),
    "broken base64": (CALL, [b"Mcp-Name: =?base64?!?="], True),
    "an empty name": (CALL, [b"Mcp-Name:"], True),
    "a notification": (notification("notifications/initialized"), [METHOD], True),
}


@pytest.mark.parametrize(("body", "lines", "differs"), MIRRORED.values(), ids=MIRRORED)
def test_mirrored_headers_that_differ_from_the_body_are_noted(
    body: bytes, lines: list[bytes], differs: bool
) -> None:
    assert detail_of(row_of(body, *lines)).note == ("mismatch" if differs else None)


def test_each_message_of_a_batch_is_compared_with_the_headers() -> None:
    play = Playbook()
    play.exchange(batch(call_tool("add", id=1), call_tool("sub", id=2)), b"[]", b"Mcp-Name: add")
    assert [detail_of(row).note for row in play.take()] == [None, "mismatch"]


AMBIGUOUS = {
    "two names": b'{"id":1,"method":"tools/call","params":{"name":"a","name":"b"}}',
    "a name in another case": b'{"id":1,"method":"tools/call","params":{"name":"a","Name":"b"}}',
    "two methods": b'{"id":1,"method":"ping","method":"tools/call","params":{"name":"b"}}',
    "two ids": b'{"id":1,"id":1,"method":"tools/call","params":{"name":"b"}}',
    "two params": b'{"id":1,"method":"tools/call","params":{},"params":{"name":"b"}}',
}


@pytest.mark.parametrize("body", AMBIGUOUS.values(), ids=AMBIGUOUS)
def test_a_body_that_can_be_read_in_two_ways_is_noted(body: bytes) -> None:
    assert detail_of(row_of(body)).note == "ambiguous"
    assert detail_of(row_of(body, b"Mcp-Method: x")).note == "ambiguous mismatch"


def test_what_is_in_order_has_no_note() -> None:
    assert detail_of(row_of(call_tool("add", method="x", uri="u"))).note is None
    assert detail_of(row_of(modern("tools/call", {"name": "add"}))).note is None


def test_without_detail_nothing_stays_here() -> None:
    play = Playbook(keep_detail=False)
    play.exchange(request("prompts/get", {"name": "greet"}), result())
    play.sends(b"DELETE").answers(200).ends()
    assert [row.detail for row in play.take()] == [None, None]


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=8,
)
_keys = st.sampled_from(["name", "uri", "_meta", "arguments", "protocolVersion", "clientInfo", "x"])


@given(
    st.sampled_from(["tools/call", "initialize", "prompts/get", "ping", "y"]) | _json,
    st.dictionaries(_keys, _json | st.sampled_from(["a", "2025-11-25"]), max_size=4) | _json,
    _json,
)
@examples(200)
def test_whatever_a_client_sends_its_row_has_a_public_form(
    method: object, params: object, request_id: object
) -> None:
    row = row_of(text({"jsonrpc": "2.0", "id": request_id, "method": method, "params": params}))
    # The envelope trusts its event: whoever makes one bounds what is in it.
    assert decode(encode(row)) == msgspec.structs.replace(row, detail=None)
    assert row.method in {*KNOWN_METHODS, "_other", None}


def test_the_rows_of_a_batch_say_that_they_are_one_exchange() -> None:
    play = Playbook()
    play.exchange(
        batch(call_tool("a", id=1), notification("notifications/progress"), call_tool("b", id=2)),
        batch(result(1), result(2)),
    )
    play.post(batch(call_tool("a", id=1), call_tool("b", id=2)), at=11).ends("cut")
    rows = play.take()
    asides = [row.aside for row in rows]
    assert [aside is not None and aside.rows for aside in asides] == [2, 2, 2, 2]
    assert [aside and aside.exchange for aside in asides] == [10**7, 10**7, 11 * 10**6, 11 * 10**6]


@pytest.mark.parametrize("body", [call_tool("a"), batch(call_tool("a")), batch(*[NOTE] * 3)])
def test_a_row_that_is_alone_has_nothing_aside(body: bytes) -> None:
    assert row_of(body).aside is None
