"""What is read out of a client's JSON-RPC body, and what is no such body."""

import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import UNSET, Raw
from tests.protocol.jsonrpc_bodies import BOM, NEITHER, answer, read_one, text_of
from tests.protocol.size import examples

from mcpr.protocol.jsonrpc import NotJsonRpc, read_answers, read_messages, same_id
from mcpr.protocol.mcp import META_CLIENT, META_REVISION

# What a client sent


def test_a_request_is_read_as_far_as_it_says_what_it_is() -> None:
    message = read_one(
        b'{"method":"tools/call","params":{"name":"get_weather","arguments":{"city":"Berlin"},'
        b'"_meta":{"progressToken":7}},"jsonrpc":"2.0","id":7}'
    )
    assert message.params is not None
    assert (message.method, text_of(message.id)) == ("tools/call", "7")
    assert (message.params.name, message.params.uri) == ("get_weather", None)
    assert text_of(message.params.arguments) == '{"city":"Berlin"}'
    assert (message.result, message.error) == (UNSET, UNSET)


def test_a_notification_has_no_id_and_an_answer_no_method() -> None:
    notification = read_one(b'{"method":"notifications/cancelled","params":{"requestId":"a"}}')
    assert notification.id is UNSET
    assert notification.params is not None
    assert text_of(notification.params.cancelled_id) == '"a"'
    for body in (b'{"id":1,"result":{}}', b'{"error":{"code":1,"message":""}}'):
        assert read_one(body).method is UNSET


def test_a_client_names_itself_in_the_handshake_or_in_every_request() -> None:
    legacy = read_one(
        b'{"id":0,"method":"initialize","params":{"protocolVersion":"2025-11-25",'
        b'"capabilities":{},"clientInfo":{"name":"a","version":"1","title":"A"}}}'
    ).params
    assert legacy is not None
    assert legacy.client is not None
    assert (legacy.revision, legacy.client.name, legacy.client.version) == ("2025-11-25", "a", "1")
    modern = read_one(
        b'{"id":0,"method":"tools/list","params":{"_meta":{"%b":"2026-07-28","%b":{"name":"a"}}}}'
        % (META_REVISION.encode(), META_CLIENT.encode())
    ).params
    assert modern is not None
    assert modern.meta is not None
    assert modern.meta.client is not None
    assert (modern.meta.revision, modern.meta.client.name) == ("2026-07-28", "a")


CALL = b'{"id":1,"method":"tools/call","params":{"name":"t"%b}}'
REQUEST = CALL % b""
SAME_REQUEST = {
    "whitespace around": b" \t\r\n" + REQUEST + b"\n\r\t ",
    "byte order mark": BOM + REQUEST,
    "byte order mark and whitespace": BOM + b"\n" + REQUEST,
    "whitespace within": b'{ "id" :\n1 , "method":\t"tools/call","params": {"name" : "t" } }',
    "escaped letters": rb'{"\u0069d":1,"m\u0065thod":"tools\/call","params":{"name":"\u0074"}}',
    "batch of one": b"[" + REQUEST + b"]",
    "batch after whitespace": b"\n [" + REQUEST + b"]",
    "last of two counts": b'{"id":9,"method":"x",' + REQUEST[1:],
    "half a surrogate in the arguments": CALL % rb',"arguments":{"text":"\ud83d"}',
    "NaN in the arguments": CALL % b',"arguments":{"x":NaN,"y":-Infinity}',
    "control character in a string": CALL % b',"x":"a\nb"',
    "number out of range": CALL % b',"x":1e999',
    "number of 5000 digits": CALL % b',"uri":%b' % (b"9" * 5000),
    "uri that is no text": CALL % b',"uri":5',
    "meta that is no object": CALL % b',"_meta":5',
    "clientInfo that is a text": CALL % b',"clientInfo":"c"',
    "invalid UTF-8 where nobody looks": CALL % b',"x":"\xff"',
}


@pytest.mark.parametrize("body", SAME_REQUEST.values(), ids=SAME_REQUEST)
def test_a_request_is_read_as_generous_servers_read_it(body: bytes) -> None:
    message = read_one(body)
    assert message.params is not None
    assert (message.method, text_of(message.id)) == ("tools/call", "1")
    assert message.params.name == "t"
    assert message.params.uri is None


LENIENT = {
    "name that is a number": (b'{"id":1,"method":"m","params":{"name":5}}', "m", None),
    "name that is null": (b'{"id":1,"method":"m","params":{"name":null}}', "m", None),
    "positional params": (b'{"id":1,"method":"m","params":["a"]}', "m", None),
    "params null": (b'{"id":1,"method":"m","params":null}', "m", None),
    "params a text": (b'{"id":1,"method":"m","params":"p"}', "m", None),
    "name with half a surrogate": (
        rb'{"id":1,"method":"m","params":{"name":"a\ud800b"}}',
        "m",
        "a\ufffdb",
    ),
    "name with a whole pair": (
        rb'{"id":1,"method":"m","params":{"name":"\ud83d\ude00","uri":1}}',
        "m",
        "\U0001f600",
    ),
    "method that is a number, but a result": (b'{"id":1,"method":1,"result":{}}', None, None),
}


@pytest.mark.parametrize(("body", "method", "name"), LENIENT.values(), ids=LENIENT)
def test_a_field_of_another_type_is_as_none(
    body: bytes, method: str | None, name: str | None
) -> None:
    message = read_one(body)
    assert message.method == (UNSET if method is None else method)
    assert (message.params.name if message.params is not None else None) == name


@pytest.mark.parametrize(
    "written",
    [
        *("1", "0", "-1", "1.0", "1e2", "1.5", "9007199254740993", "1" * 30, "1e999"),
        *('"1"', '""', r'"\u0041\n"', '"\u00e4"', "null", "true", "[]", '{"a": 1}'),
    ],
)
def test_an_id_is_kept_as_it_was_written(written: str) -> None:
    """What an id may be is the server's business; ours is to find its answer again."""
    body = f'{{"id":{written},"method":"m","result":{{}}}}'.encode()
    assert text_of(read_one(body).id) == written
    assert text_of(answer(body).id) == written


@pytest.mark.parametrize(
    "written",
    [
        *("1", "-1", "1.0", "1e2", "9007199254740993", "1" * 30, "1e999"),
        *('"1"', '""', r'"\u0041\n"', r'"\ud800"', '"\u00e4"', "null"),
    ],
)
def test_an_id_keeps_its_value_even_beside_fields_of_other_types(written: str) -> None:
    message = read_one(f'{{"id":{written},"method":"m","params":{{"name":5}}}}'.encode())
    assert isinstance(message.id, Raw)
    assert same_id(message.id, written.encode())
    found = answer(f'{{"id":{written},"error":"text"}}'.encode())
    assert isinstance(found.id, Raw)
    assert same_id(found.id, written.encode())


def test_a_batch_is_read_in_order() -> None:
    messages = read_messages(b'[{"id":1,"method":"a"},{"method":"b"},{"id":"2","result":{}}]')
    assert [message.method for message in messages] == ["a", "b", UNSET]
    mixed = read_messages(b'[{"id":1,"method":"a","params":[1]},{"id":2,"method":"b"}]')
    assert [message.method for message in mixed] == ["a", "b"]


NO_MESSAGE = {
    "invalid UTF-8 in the method": b'{"id":1,"method":"\xff"}',
    "overlong UTF-8 in the name": b'{"id":1,"method":"m","params":{"name":"\xc0\xaf"}}',
    "surrogates as UTF-8": b'{"id":1,"method":"m","params":{"name":"\xed\xa0\x80"}}',
    "empty object": b"{}",
    "batch with an empty object": b'[{"id":1,"method":"m"},{}]',
    "only an id": b'{"id":1}',
    "method null": b'{"id":1,"method":null}',
    "method a number": b'{"id":1,"method":5}',
    "an OAuth error": b'{"error_description":"x"}',
}


@pytest.mark.parametrize(
    "body", [*NEITHER.values(), *NO_MESSAGE.values()], ids=NEITHER | NO_MESSAGE
)
def test_what_is_no_message_is_said_to_be_none(body: bytes) -> None:
    with pytest.raises(NotJsonRpc):
        read_messages(body)


# For all bodies

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.floats() | st.sampled_from(["a", "\ud800"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["method", "id", "params", "name", "uri", "_meta", "result", "error"])
            | st.sampled_from(["code", "message", "isError", "clientInfo", META_CLIENT, "version"]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(JSON, st.binary(max_size=3), st.integers(0, 200))
@examples(500)
def test_no_body_whatever_raises_anything_else(value: object, splinter: bytes, at: int) -> None:
    body = json.dumps(value).encode()
    for data in (body, body[:at] + splinter + body[at:], body[: at % (len(body) + 1)]):
        for read in (read_messages, read_answers):
            try:
                found = read(data)
            except NotJsonRpc:
                continue
            assert found
            msgspec.json.encode(found)
