"""The load says what it sends: sizes, ids and heads as the report describes them."""

import json
import re
from pathlib import Path

from benches import calls

URL = "http://127.0.0.1:9000/mcp"


def split(request: bytes) -> tuple[bytes, bytes]:
    head, _, body = request.partition(b"\r\n\r\n")
    return head, body


def test_every_content_length_is_the_length_of_its_body() -> None:
    for call in calls.prepare_calls(URL):
        head, body = split(call.encode(calls.FIRST_ID))
        stated = re.search(rb"content-length: (\d+)", head)
        assert stated is not None
        assert int(stated[1]) == len(body)


def test_bodies_are_1000_different_tool_calls_of_200_to_578_bytes() -> None:
    bodies = [split(call.encode(calls.FIRST_ID))[1] for call in calls.prepare_calls(URL)]
    assert len(set(bodies)) == 1000
    assert {len(body) for body in bodies} == set(range(200, 579, 6))
    assert all(json.loads(body)["method"] == "tools/call" for body in bodies)


def test_heads_repeat_in_64_forms_of_11_headers() -> None:
    heads = {split(call.encode(calls.FIRST_ID))[0] for call in calls.prepare_calls(URL)}
    assert len(heads) == 64
    assert {head.count(b"\r\n") for head in heads} == {11}


def test_ids_keep_their_width_until_wrk_must_have_stopped() -> None:
    last = calls.FIRST_ID + 10_000_000
    call = calls.prepare_calls(URL)[0]
    assert len(call.encode(last)) == len(call.encode(calls.FIRST_ID))


def test_the_lua_table_holds_the_same_bytes(tmp_path: Path) -> None:
    prepared = calls.prepare_calls(URL)
    calls.write_lua(prepared, tmp_path / "table.lua")
    # Lua's escapes for these bytes are JSON's.
    rows = re.findall(r'\{(".*"),(".*")\}', (tmp_path / "table.lua").read_text())
    pairs = [calls.Call(json.loads(before), json.loads(after)) for before, after in rows]
    assert pairs == prepared
