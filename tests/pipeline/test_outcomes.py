"""Codes, statuses and probes: what the tables make of an error."""

from typing import get_args

import pytest
from tests.pipeline.messages import call_tool, error, event, modern, result
from tests.pipeline.playbook import EVENTS, JSON, Playbook, ended_as

from mcpr.dataplane import handler as data_plane
from mcpr.pipeline import outcomes
from mcpr.pipeline.outcomes import MAX_ERROR_TEXT, of_error
from mcpr.protocol.jsonrpc import Error

HTML = b"Content-Type: text/html"

CODES = {
    -32700: "client",
    -32600: "client",
    -32601: "client",
    -32602: "client",
    -32603: "server",
    -32604: "server",
    -32599: "server",
    -32000: "server",
    -32001: "server",
    -32002: "server",
    -32019: "server",
    -32020: "client",
    -32021: "client",
    -32022: "client",
    -32029: "client",
    -32030: "server",
    -32042: "server",
    -1: "server",
    0: "server",
    1: "server",
    404: "server",
    2**53 - 1: "server",
}


@pytest.mark.parametrize(("code", "origin"), CODES.items())
def test_a_code_tells_whose_doing_an_error_is(code: int, origin: str) -> None:
    play = Playbook()
    play.exchange(call_tool(), error(code))
    assert ended_as(play.take_one()) == f"rpc_error/{origin}/{code}"


@pytest.mark.parametrize("code", [b"2e400", b"9007199254740992", b'"-32601"', b"1.5", b"true"])
def test_a_code_that_is_no_number_of_a_store_is_absent(code: bytes) -> None:
    play = Playbook()
    play.exchange(call_tool(), b'{"id":1,"error":{"code":' + code + b',"message":"x"}}')
    assert ended_as(play.take_one()) == "rpc_error/server"


@pytest.mark.parametrize("status", [200, 401, 403, 500])
def test_the_text_of_an_error_is_kept_here_up_to_512_characters(status: int) -> None:
    play = Playbook()
    play.exchange(call_tool(), error(-32603, "no! " * 1000), status=status)
    row = play.take_one()
    assert row.detail is not None
    assert row.detail.error_text == ("no! " * 1000)[:512]


def test_an_error_without_words_has_none() -> None:
    assert of_error(Error(-32603), 200, has_credential=False).error_text is None
    assert MAX_ERROR_TEXT == 512


DISCOVER = modern("server/discover", id="d")
#: Status, answer → what a refused `server/discover` is.
PROBES = {
    "400 in HTML": (400, [HTML], b"", "probe"),
    "404 in HTML": (404, [HTML], b"", "probe"),
    "405": (405, [], b"", "probe"),
    "404 with method not found": (404, [JSON], error(-32601, id="d"), "probe/-32601"),
    "200 with method not found": (200, [JSON], error(-32601, id="d"), "probe/-32601"),
    "200 with invalid params": (200, [JSON], error(-32602, id="d"), "probe/-32602"),
    "200 in events": (200, [EVENTS], event(error(-32601, id="d")), "probe/-32601"),
    "400 without a session": (400, [JSON], error(-32000, id=None), "probe/-32000"),
    "400 for another revision": (400, [JSON], error(-32022, id="d"), "probe/-32022"),
    "500": (500, [HTML], b"", "http_error/server"),
    "503": (503, [], b"", "http_error/server"),
    "429": (429, [], b"", "http_error/client"),
    "500 with method not found": (500, [JSON], error(-32601, id="d"), "probe/-32601"),
    "200 with an internal error": (200, [JSON], error(-32603, id="d"), "rpc_error/server/-32603"),
    "401": (401, [], b"", "challenge/auth"),
    "403": (403, [], b"", "http_error/auth"),
    "403 in JSON": (403, [JSON], error(-32601, id="d"), "rpc_error/auth/-32601"),
    "200": (200, [JSON], result("d", supportedVersions=[]), "ok"),
    "garbage": (200, [JSON], b"?", "broken/protocol"),
}


@pytest.mark.parametrize(("status", "lines", "body", "wanted"), PROBES.values(), ids=PROBES)
def test_a_discover_that_an_older_server_refuses_is_a_probe_and_no_error(
    status: int, lines: list[bytes], body: bytes, wanted: str
) -> None:
    play = Playbook()
    play.post(DISCOVER).answers(status, *lines).says(body).ends()
    row = play.take_one()
    assert ended_as(row) == wanted
    assert row.method == "server/discover"
    assert row.http_status == status


def test_another_method_that_is_not_found_is_no_probe() -> None:
    play = Playbook()
    play.exchange(modern("tools/list"), error(-32601), status=404)
    assert ended_as(play.take_one()) == "rpc_error/client/-32601"


@pytest.mark.parametrize(("status", "wanted"), [(405, "probe"), (404, "http_error/client")])
def test_a_get_answered_with_405_asked_for_a_stream_and_there_is_none(
    status: int, wanted: str
) -> None:
    play = Playbook()
    play.get().answers(status, JSON).says(error(-32000, id=None)).ends()
    assert ended_as(play.take_one()) == wanted


def test_data_plane_and_pipeline_name_the_same_endings() -> None:
    """Two rooms that do not know each other; only the proxy does."""
    assert get_args(data_plane.Ending) == get_args(outcomes.Ending)
    assert outcomes.ENDINGS.keys() == {*get_args(outcomes.Ending)} - {"complete"}
