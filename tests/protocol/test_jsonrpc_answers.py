"""What is read out of a server's JSON-RPC body, and how its id finds the request."""

import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import UNSET, Raw, UnsetType
from tests.protocol.jsonrpc_bodies import BOM, NEITHER, answer, read_one, text_of
from tests.protocol.size import examples

from mcpr.protocol.jsonrpc import Error, NotJsonRpc, read_answers, same_id
from mcpr.protocol.results import Result

# What a server sent


@pytest.mark.parametrize(
    ("body", "result", "error"),
    [
        (b'{"id":1,"result":{}}', Result(), UNSET),
        (b'{"id":1,"result":{"content":[{"isError":true}]}}', Result(), UNSET),
        (b'{"id":1,"result":{"isError":true}}', Result(is_error=True), UNSET),
        (b'{"id":1,"result":{"isError":false}}', Result(is_error=False), UNSET),
        (b'{"id":1,"result":{"isError":null}}', Result(), UNSET),
        (b'{"id":1,"result":{"isError":"true"}}', Result(is_error=False), UNSET),
        (b'{"id":1,"result":{"protocolVersion":"2025-11-25"}}', Result(None, "2025-11-25"), UNSET),
        (b'{"id":1,"result":null}', None, UNSET),
        (b'{"id":1,"result":5}', Result(), UNSET),
        (b'{"id":1,"result":[]}', Result(), UNSET),
        (rb'{"id":1,"result":{"x":"\ud800","isError":true}}', Result(is_error=True), UNSET),
        (b'{"id":1,"error":{"code":-32602,"message":"m","data":[]}}', UNSET, Error(-32602, "m")),
        (b'{"id":1,"error":{}}', UNSET, Error()),
        (b'{"id":1,"error":null}', UNSET, None),
        (b'{"id":1,"error":"text"}', UNSET, Error()),
        (b'{"id":1,"error":{"code":"-32602","message":5}}', UNSET, Error()),
        (b'{"id":1,"error":{"code":-32602.0,"message":"m"}}', UNSET, Error(-32602, "m")),
        (b'{"id":1,"error":{"code":1.5}}', UNSET, Error()),
        (b'{"id":1,"error":{"code":true}}', UNSET, Error()),
        (b'{"id":1,"error":{"code":1e999}}', UNSET, Error()),
        (b'{"id":1,"error":{"code":9007199254740991}}', UNSET, Error(2**53 - 1)),
        (b'{"id":1,"error":{"code":9007199254740992}}', UNSET, Error()),
        (b'{"id":1,"error":{"code":-99999999999999999999}}', UNSET, Error()),
        (b'{"id":1,"error":{"code":%b}}' % (b"9" * 5000), UNSET, Error()),
        (rb'{"id":1,"error":{"message":"a\udc00"}}', UNSET, Error(None, "a\ufffd")),
        (b'{"id":1,"result":null,"error":{"code":1}}', None, Error(1)),
        (b'{"id":1,"result":{},"error":null}', Result(), None),
    ],
    ids=lambda value: value.decode()[:60] if isinstance(value, bytes) else "",
)
def test_an_answer_is_read_as_far_as_it_says_how_it_went(
    body: bytes, result: Result | UnsetType | None, error: Error | UnsetType | None
) -> None:
    found = answer(body)
    assert (found.result, found.error) == (result, error)
    assert text_of(found.id) == "1"
    assert found.method is UNSET


def test_a_servers_own_request_is_told_from_an_answer() -> None:
    assert answer(b'{"id":1,"method":"sampling/createMessage"}').method is not UNSET
    assert answer(b'{"id":1,"method":5,"error":5}').method is not UNSET


def test_a_batch_of_answers_is_read_in_order() -> None:
    found = read_answers(BOM + b' [{"id":2,"result":{}},{"id":1,"error":"x"}]')
    assert [text_of(one.id) for one in found] == ["2", "1"]
    assert found[1].error == Error()


def test_what_was_read_can_be_written_down_as_utf_8() -> None:
    """Half a surrogate pair is no text; SQLite would refuse it."""
    message = read_one(rb'{"id":1,"method":"\ud800","params":{"name":"\udfff","uri":"\ud800a"}}')
    assert message.params is not None
    for text in (message.method, message.params.name, message.params.uri):
        assert isinstance(text, str)
        assert "\ufffd" in text.encode().decode()


@pytest.mark.parametrize("body", NEITHER.values(), ids=NEITHER)
def test_what_is_no_answer_is_said_to_be_none(body: bytes) -> None:
    with pytest.raises(NotJsonRpc):
        read_answers(body.replace(b'"method":"m"', b'"result":{}'))


@pytest.mark.parametrize("text", [b"\xff", b"\xc0\xaf", b"\xed\xa0\x80"], ids=repr)
def test_an_answer_that_is_not_utf_8_where_it_is_read_is_none(text: bytes) -> None:
    with pytest.raises(NotJsonRpc):
        read_answers(b'{"id":1,"error":{"code":1,"message":"%b"}}' % text)


@pytest.mark.parametrize("value", ["NaN", "-Infinity", '"a\nb"'], ids=repr)
def test_an_answer_that_is_not_quite_json_is_none(value: str) -> None:
    """A server's duty is not a server's right: most clients cannot read such an answer."""
    with pytest.raises(NotJsonRpc):
        read_answers(f'{{"id":1,"result":{{"x":{value}}},"error":5}}'.encode())
    with pytest.raises(NotJsonRpc):
        read_answers(f'{{"id":1,"result":{{"x":{value}}}}}'.encode())


# Ids


@pytest.mark.parametrize(
    ("one", "other", "are_same"),
    [
        (b"1", b"1", True),
        (b"1", b"2", False),
        (b"1", b'"1"', False),
        (b"1", b"1.0", True),
        (b"100", b"1e2", True),
        (b"1", b"1.5", False),
        (b"1", b"true", False),
        (b"0", b"false", False),
        (b"0", b"null", False),
        (b'""', b"null", False),
        (b"null", b"null", True),
        (b"-0", b"0", True),
        (b"9007199254740993", b"9007199254740992", False),
        (b"123456789012345678901234567890", b"123456789012345678901234567891", False),
        (b'"a"', b'"a"', True),
        (b'"a"', rb'"\u0061"', True),
        (b'"/"', rb'"\/"', True),
        ('"\u00e4"'.encode(), rb'"\u00e4"', True),
        (rb'"\ud83d\ude00"', '"\U0001f600"'.encode(), True),
        (rb'"\ud800"', rb'"\uD800"', True),
        (b'"a"', b'"A"', False),
        ('"\u00e4"'.encode(), '"a\u0308"'.encode(), False),
        (b"x", b"y", False),
        (b'"\xff"', b'"\xfe"', False),
        (b"[" * 100_000, b"[" * 100_001, False),
        (b"[1]", b"[1.0]", True),
    ],
    ids=lambda value: value.decode("latin-1")[:40] if isinstance(value, bytes) else "",
)
def test_two_ids_are_the_same_when_their_values_are(
    one: bytes, other: bytes, are_same: bool
) -> None:
    assert same_id(one, other) is are_same
    assert same_id(Raw(other), Raw(one)) is are_same


IDS = st.integers() | st.text(max_size=5) | st.none() | st.floats(allow_nan=False, width=16)


@given(IDS, IDS)
@examples(200)
def test_an_id_written_by_another_library_stays_itself(one: object, other: object) -> None:
    written = json.dumps(one).encode()
    assert same_id(written, msgspec.json.encode(msgspec.Raw(written)))
    assert same_id(written, json.dumps(one, ensure_ascii=False).encode())
    equal = one == other and isinstance(one, str) == isinstance(other, str)
    assert same_id(written, json.dumps(other).encode()) is equal
