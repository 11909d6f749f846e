"""Common calls, read in batches, make the rows that `Exchange` makes of each of them."""

from collections.abc import Sequence

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.pipeline.messages import call_tool, error, event, initialize, modern, request, result
from tests.pipeline.playbook import (
    EVENTS,
    JSON,
    LEGACY,
    MODERN,
    MS,
    WALL_MS,
    Playbook,
    answer_facts_of,
    facts_of,
    said,
    session,
    session_hash,
)
from tests.protocol.size import examples

from mcpr.events import Detail, RequestEvent
from mcpr.pipeline import calls as room
from mcpr.pipeline.calls import Completed, record
from mcpr.pipeline.exchange import Exchange
from mcpr.pipeline.identity import Caller
from mcpr.protocol.mcp import META_CLIENT, META_REVISION

ZED = Caller("zed", "1.2", "Zed!", "2025-06-18")


def a_call(
    body: bytes, answer: bytes, *lines: bytes, head: tuple[bytes, ...] = (JSON,), status: int = 200
) -> Completed:
    facts = facts_of(b"POST", b"/mcp", JSON, *lines)
    times = (10 * MS, 12 * MS, 30 * MS, 31 * MS)
    answer_facts = answer_facts_of(status, *head)
    return facts, body, times[0], times[1], answer_facts, answer, times[2], times[3]


def playbook() -> Playbook:
    play = Playbook()
    play.recording.sessions.opened(session_hash("s"), ZED)
    return play


def together(calls: Sequence[Completed]) -> list[RequestEvent]:
    play = playbook()
    record(play.recording, list(calls))
    return play.take()


def one_by_one(calls: Sequence[Completed]) -> list[RequestEvent]:
    play = playbook()
    for facts, body, started_ns, sent_ns, answer, answer_body, first_ns, now_ns in calls:
        exchange = Exchange(play.recording, facts, started_ns, facts.kind, sent_ns)
        exchange.read_request(body)
        exchange.whole(answer, answer_body, first_ns, now_ns)
    return play.take()


def comparable(rows: list[RequestEvent]) -> list[RequestEvent]:
    """The rows without their ids, and without a time that common calls do not keep.

    They come in one piece: the first byte of the answer comes with its last.
    """
    found = []
    for row in rows:
        detail = msgspec.structs.replace(row.detail or Detail(), upstream_first_us=None)
        found.append(msgspec.structs.replace(row, id=b"", detail=detail))
    return found


def assert_same(calls: Sequence[Completed]) -> None:
    assert comparable(together(calls)) == comparable(one_by_one(calls))


# One oddity at a time

ARGUMENTS = b'{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"add","arguments":%b}}'
PARAMS = b'{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{%b}}'
META = f'"_meta":{{"{META_REVISION}":%s,"{META_CLIENT}":%s}}'
REQUESTS: dict[str, bytes] = {
    "plain": call_tool("add", a=1, b=2),
    "blanks": b' {"id" : 1 , "method" : "tools/call", "params": {"name": "add"}}\n',
    "another order": b'{"params":{"arguments":{},"name":"add"},"method":"tools/call","id":1}',
    "no jsonrpc": b'{"id":1,"method":"tools/call","params":{"name":"add"}}',
    "another jsonrpc": b'{"jsonrpc":"1.0","id":1,"method":"tools/call","params":{"name":"add"}}',
    "jsonrpc is a number": b'{"jsonrpc":2,"id":1,"method":"tools/call","params":{"name":"add"}}',
    "byte order mark": b"\xef\xbb\xbf" + call_tool("add"),
    "no name": PARAMS % b"",
    "no params": request("tools/call"),
    "params null": b'{"id":1,"method":"tools/call","params":null}',
    "params a list": b'{"id":1,"method":"tools/call","params":[1]}',
    "name null": PARAMS % b'"name":null',
    "name a number": PARAMS % b'"name":5',
    "name empty": PARAMS % b'"name":""',
    "name unbounded": PARAMS % b'"name":"add two"',
    "name and uri": PARAMS % b'"name":"add","uri":"u"',
    "name and empty uri": PARAMS % b'"name":"add","uri":""',
    "name and uri null": PARAMS % b'"name":"add","uri":null',
    "name twice": PARAMS % b'"name":"sub","name":"add"',
    "name in another case": PARAMS % b'"name":"add","Name":"sub"',
    "name with an escape": PARAMS % rb'"n\u0061me":"add"',
    "name twice, once with an escape": PARAMS % rb'"name":"sub","n\u0061me":"add"',
    "name as a value": PARAMS % b'"name":"name"',
    "id as a name": PARAMS % b'"name":"id"',
    "an unknown key": PARAMS % b'"name":"add","x":1',
    "a cursor": PARAMS % b'"name":"add","cursor":"id"',
    "keys in the arguments": ARGUMENTS % b'{"id":1,"name":"x","method":"y","params":{}}',
    "escapes in the arguments": ARGUMENTS % rb'{"a":"\u00fc\n\\"}',
    "arguments of another type": ARGUMENTS % b'["id"]',
    "arguments null": ARGUMENTS % b"null",
    "arguments twice": PARAMS % b'"arguments":{},"name":"add","arguments":{"x":1}',
    "other letters in the arguments": ARGUMENTS % '{"город":"Москва"}'.encode(),
    "no UTF-8 in the arguments": ARGUMENTS % b'{"a":"\xff"}',
    "a quotation mark half hidden": ARGUMENTS % b'{"a":"\xe2"}',
    "params twice": b'{"id":1,"method":"tools/call","params":{},"params":{"name":"add"}}',
    "params twice, once null": b'{"id":1,"method":"ping","params":null,"params":{}}',
    "params in another case": b'{"id":1,"method":"tools/call","params":{"name":"add"},"Params":{}}',
    "id twice": b'{"id":2,"id":1,"method":"tools/call","params":{"name":"add"}}',
    "id in another case": b'{"id":1,"ID":2,"method":"tools/call","params":{"name":"add"}}',
    "method twice": b'{"id":1,"method":"ping","method":"tools/call","params":{"name":"add"}}',
    "method with an escape": rb'{"id":1,"method":"tools\/call","params":{"name":"add"}}',
    "an unknown key at the top": b'{"id":1,"method":"tools/call","params":{"name":"add"},"x":1}',
    "a batch of one": b"[" + call_tool("add") + b"]",
    "a batch": b"[" + call_tool("add") + b"," + call_tool("sub", id=2) + b"]",
    "a notification": b'{"method":"tools/call","params":{"name":"add"}}',
    "a client's answer": result(1),
    "no JSON": b"{",
    "nothing": b"",
    "list": request("tools/list"),
    "list with params": request("tools/list", {}),
    "list with a cursor": request("tools/list", {"cursor": "name"}),
    "list with a name": request("tools/list", {"name": "secret"}),
    "ping": request("ping"),
    "log level": request("logging/setLevel", {"level": "info"}),
    "completion": request("completion/complete", {"ref": {"name": "p"}, "argument": {"name": "x"}}),
    "task": request("tasks/get", {"taskId": "t"}),
    "prompt": request("prompts/get", {"name": "greet"}),
    "resource": request("resources/read", {"uri": "file:///a"}),
    "initialize": initialize(),
    "discover": modern("server/discover"),
    "listen": modern("subscriptions/listen"),
    "an unknown method": request("what/ever"),
    "modern": modern("tools/call", {"name": "add"}),
    "modern list": modern("tools/list"),
    "a progress token": PARAMS % b'"name":"add","_meta":{"progressToken":"name"}',
    "meta null": PARAMS % b'"name":"add","_meta":null',
    "meta a number": PARAMS % b'"name":"add","_meta":5',
}
for _name, _revision, _client in (
    ("revision alone", '"2026-07-28"', "null"),
    ("revision that is none", '"latest"', "null"),
    ("revision that is none, and a client", '"latest"', '{"name":"goose","version":"1"}'),
    ("revision null", "null", '{"name":"goose"}'),
    ("revision a number", "5", "null"),
    ("client without a name", '"2026-07-28"', '{"version":"1"}'),
    ("client name null", '"2026-07-28"', '{"name":null}'),
    ("client empty", '"2026-07-28"', "{}"),
    ("client unknown", '"2026-07-28"', '{"name":"who?","version":"1 2"}'),
    ("client name twice", '"2026-07-28"', '{"name":"zed","name":"goose"}'),
    ("client with an id", '"2026-07-28"', '{"name":"zed","id":1}'),
    ("client a text", '"2026-07-28"', '"zed"'),
):
    _meta = (META % (_revision, _client)).encode()
    REQUESTS[_name] = PARAMS % (b'"name":"add",' + _meta)

ANSWERS: dict[str, bytes] = {
    "result": result(1, content=[]),
    "another order": b'{"result":{"isError":false},"id":1}',
    "blanks": b' { "id" : 1 , "result" : { } } ',
    "isError": result(1, isError=True),
    "isError null": b'{"id":1,"result":{"isError":null}}',
    "isError as text": b'{"id":1,"result":{"isError":"true"}}',
    "isError twice": b'{"id":1,"result":{"isError":true,"isError":false}}',
    "isError with an escape": rb'{"id":1,"result":{"isErr\u006fr":true}}',
    "error": error(-32601),
    "error null": b'{"id":1,"result":{},"error":null}',
    "result null": b'{"id":1,"result":null}',
    "result a text": b'{"id":1,"result":"x"}',
    "no result": b'{"id":1}',
    "another id": result(2),
    "the id as text": result("1"),
    "the id as a float": b'{"id":1.0,"result":{}}',
    "id twice": b'{"id":2,"id":1,"result":{}}',
    "id null": error(-32603, id=None),
    "a key more": b'{"id":1,"result":{},"x":1}',
    "a method": b'{"id":1,"method":"x","result":{}}',
    "jsonrpc is a number": b'{"jsonrpc":2,"id":1,"result":{}}',
    "a batch": b"[" + result(1) + b"]",
    "garbage": b"<html>",
    "nothing": b"",
    "byte order mark": b"\xef\xbb\xbf" + result(1),
    "no UTF-8": b'{"id":1,"result":{"x":"\xff"}}',
}

STREAMS: dict[str, bytes] = {
    "one event": event(result(1)),
    "data alone": b"data: " + result(1) + b"\n\n",
    "data without a blank": b"data:" + result(1) + b"\n\n",
    "CRLF": event(result(1)).replace(b"\n", b"\r\n"),
    "CR": event(result(1)).replace(b"\n", b"\r"),
    "mixed": b"event: message\r\ndata: " + result(1) + b"\n\n",
    "half a blank line": b"data: " + result(1) + b"\n",
    "with an id": event(result(1), b"id: 1"),
    "an id alone": b"id: 1\ndata: \n\n",
    "a comment first": b": hello\n\n" + event(result(1)),
    "two events": event(result(2)) + event(result(1)),
    "an error": event(error(-32601)),
    "isError": event(result(1, isError=True)),
    "another id": event(result(2)),
    "two lines": b'data: {"id":1,\ndata: "result":{}}\n\n',
    "a line's end in the data": event(b'{"id":1,\n"result":{}}'),
    "half of one in it": event(b'{"id":1,\r"result":{}}'),
    "another end": event(result(1))[:-2] + b"\r\n\r\n",
    "a blank too many": b"data:  " + result(1) + b"\n\n",
    "byte order mark": b"\xef\xbb\xbf" + event(result(1)),
    "nothing": b"",
    "garbage": b"<html>",
}

HEADERS: dict[str, list[bytes]] = {
    "none": [],
    "a session": [session("s")],
    "a session and a revision": [session("s"), LEGACY],
    "an unknown session": [session("t")],
    "modern": [MODERN],
    "mirrored": [b"Mcp-Method: tools/call", b"Mcp-Name: add"],
    "mirrored method alone": [b"Mcp-Method: tools/call"],
    "mirrored name alone": [b"Mcp-Name: add"],
    "another method": [b"Mcp-Method: tools/list", b"Mcp-Name: add"],
    "another name": [b"Mcp-Method: tools/call", b"Mcp-Name: sub"],
    "broken base64": [b"Mcp-Method: tools/call", b"Mcp-Name: =?base64?!?="],
    "a token": [b"Authorization: Bearer t"],
}


@pytest.mark.parametrize("lines", HEADERS.values(), ids=HEADERS)
@pytest.mark.parametrize("body", REQUESTS.values(), ids=REQUESTS)
def test_a_request_of_any_form_makes_the_same_row(body: bytes, lines: list[bytes]) -> None:
    assert_same([a_call(body, result(1), *lines)])


@pytest.mark.parametrize("answer", ANSWERS.values(), ids=ANSWERS)
@pytest.mark.parametrize("status", [200, 202])
def test_an_answer_of_any_form_makes_the_same_row(answer: bytes, status: int) -> None:
    assert_same([a_call(call_tool("add"), answer, session("s"), status=status)])


@pytest.mark.parametrize("stream", STREAMS.values(), ids=STREAMS)
@pytest.mark.parametrize("name", ["s", "t"])
def test_a_stream_of_any_form_makes_the_same_row(stream: bytes, name: str) -> None:
    assert_same([a_call(call_tool("add"), stream, session(name), head=(EVENTS,))])


def test_streams_and_other_answers_are_read_together() -> None:
    usual = a_call(call_tool("add"), event(result(1)), session("s"), head=(EVENTS,))
    every = [a_call(call_tool("add"), x, session("s"), head=(EVENTS,)) for x in STREAMS.values()]
    assert_same([usual, *every])
    assert_same([a_call(call_tool("add"), result(1), session("s")), *every])


IDS = ["1", "-0", "1.0", "1e0", '"a"', r'"\u0061"', "12345678901234567890", "null", "true", '""']


@pytest.mark.parametrize("told", IDS)
@pytest.mark.parametrize("asked", IDS)
def test_ids_of_every_form_make_the_same_row(asked: str, told: str) -> None:
    body = b'{"id":%b,"method":"ping"}' % asked.encode()
    assert_same([a_call(body, b'{"id":%b,"result":{}}' % told.encode())])


# Whatever comes together

_calls = st.one_of(
    st.builds(
        lambda body, lines: a_call(body, result(1), *lines),
        st.sampled_from([*REQUESTS.values()]),
        st.sampled_from([*HEADERS.values()]),
    ),
    st.builds(
        lambda body, answer: a_call(body, answer, session("s")),
        st.sampled_from([call_tool("add"), modern("tools/call", {"name": "sub"})]),
        st.sampled_from([*ANSWERS.values()]),
    ),
    st.builds(
        lambda stream, lines: a_call(call_tool("add"), stream, *lines, head=(EVENTS,)),
        st.sampled_from([*STREAMS.values()]),
        st.sampled_from([*HEADERS.values()]),
    ),
    st.just(a_call(call_tool("add"), result(1), session("s"))),
)


@given(st.lists(_calls, min_size=1, max_size=8))
@examples(300)
def test_calls_that_are_read_together_make_the_rows_of_each(calls: list[Completed]) -> None:
    assert_same(calls)


_tokens = ["{", "}", "[", "]", ":", ",", "1", '"a"', "null", "true", " ", r'"\u0069d"', '"x"']
_words = [
    '"id"',
    '"method"',
    '"params"',
    '"name"',
    '"tools/call"',
    '"arguments"',
    '"_meta"',
    '"ID"',
]


@given(
    st.sampled_from([*REQUESTS.values()]),
    st.integers(0, 200),
    st.integers(0, 8),
    st.lists(st.sampled_from(_tokens + _words), max_size=6),
)
@examples(600)
def test_a_mangled_request_makes_the_same_row(
    body: bytes, at: int, dropped: int, tokens: list[str]
) -> None:
    mangled = body[:at] + "".join(tokens).encode() + body[at + dropped :]
    assert_same([a_call(mangled, result(1), session("s"))])


_members = st.lists(
    st.tuples(
        st.sampled_from(['"name"', '"uri"', '"arguments"', '"_meta"', '"cursor"', '"Name"', '"n"']),
        st.sampled_from(['"add"', '"sub"', "null", "{}", '{"name":1}', '{"id":"x"}', "5"]),
    ),
    max_size=4,
).map(lambda found: "{" + ",".join(":".join(pair) for pair in found) + "}")
_top = st.lists(
    st.one_of(
        st.tuples(st.sampled_from(['"id"', '"ID"', r'"\u0069d"']), st.sampled_from(["1", '"1"'])),
        st.tuples(st.sampled_from(['"method"']), st.sampled_from(['"tools/call"', '"ping"'])),
        st.tuples(st.sampled_from(['"params"', '"Params"']), _members),
        st.tuples(st.sampled_from(['"jsonrpc"', '"x"']), st.sampled_from(['"2.0"', "2"])),
    ),
    max_size=6,
).map(lambda found: "{" + ",".join(":".join(pair) for pair in found) + "}")


@given(st.lists(_top, min_size=1, max_size=3))
@examples(600)
def test_keys_in_any_order_and_number_make_the_same_rows(bodies: list[str]) -> None:
    assert_same([a_call(body.encode(), result(1), session("s")) for body in bodies])


# What else holds


def test_every_call_is_one_row_in_the_order_of_the_ends() -> None:
    names = ["a", "b c", "d", "e f", "g"]
    rows = together([a_call(call_tool(name), result(1)) for name in names])
    assert said(rows) == [
        f"rpc tools/call {'_other' if ' ' in name else name} ok" for name in names
    ]
    assert len({row.id for row in rows}) == len(names)
    assert {row.id[:6] for row in rows} == {(WALL_MS + 31).to_bytes(6, "big")}


def test_a_call_keeps_its_times_and_sizes() -> None:
    body, answer = call_tool("add"), result(1)
    (row,) = together([a_call(body, answer, session("s"))])
    assert (row.latency_us, row.upstream_us, row.ts_ms) == (21_000, 19_000, WALL_MS + 10)
    assert (row.bytes_in, row.bytes_out, row.http_status) == (len(body), len(answer), 200)
    assert (row.client, row.client_version, row.revision) == ("zed", "1.2", "2025-06-18")


def test_no_calls_are_no_rows() -> None:
    assert together([]) == []


def test_without_detail_a_common_call_has_none() -> None:
    play = Playbook(keep_detail=False)
    record(play.recording, [a_call(modern("tools/call", {"name": "add"}), result(1))])
    assert play.take_one().detail is None


def test_the_memory_of_tool_names_is_bounded() -> None:
    play = playbook()
    for number in range(room._MAX_TOOLS + 10):
        record(play.recording, [a_call(call_tool(f"tool-{number}"), result(1))])
    assert len(play.recording.tools) <= room._MAX_TOOLS
    assert len({row.tool for row in play.take()}) == room._MAX_TOOLS + 10
