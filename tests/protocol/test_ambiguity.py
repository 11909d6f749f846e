"""A body out of which two parsers could read two requests is told from one that all read alike."""

import json
from collections.abc import Callable
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.protocol.size import examples

from mcpr.protocol.jsonrpc import NotJsonRpc, is_ambiguous, read_messages
from mcpr.protocol.mcp import META_CLIENT


def ask(body: bytes) -> bool:
    """Of a batch any message may be passed: the answer is about the body."""
    (verdict,) = {is_ambiguous(body, message) for message in read_messages(body)}
    return verdict


def batch(*parts: str) -> str:
    return f"[{','.join(parts)}]"


CALL = '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"a"%s}%s}'
CLIENT = f'"_meta":{{"{META_CLIENT}":{{"name":"c","version":"1"}}}}'

CLEAR = {
    "call": CALL % ("", ""),
    "call with arguments": CALL % (',"arguments":{"city":"Berlin"}', ""),
    "keys in the arguments": CALL
    % (',"arguments":{"id":1,"name":"b","method":"x","params":1}', ""),
    "variants in the arguments": CALL % (',"arguments":{"ID":1,"Name":"b","NAME":1,"Uri":2}', ""),
    "doubles in the arguments": CALL % (',"arguments":{"name":1,"name":2,"Name":3,"id":4}', ""),
    "escapes in the arguments": CALL % (r',"arguments":{"x":"\u00fc","\u0069d":1}', ""),
    "params in the arguments": CALL % (',"arguments":{"params":{"name":1,"name":2}}', ""),
    "deep in the arguments": CALL
    % (',"arguments":{"a":[{"b":{"name":[{"name":1,"NAME":2}]}}]}', ""),
    "arguments that are a key": CALL % (',"arguments":"name"', ""),
    "arguments as a list": CALL % (',"arguments":[{"name":1,"Name":2}]', ""),
    "text in other scripts": CALL % (',"arguments":{"name":"\u6771\u4eac"}', ""),
    "client in the meta": CALL % ("," + CLIENT, ""),
    "client in the meta, keys in the arguments": CALL
    % (',"arguments":{"name":1,"id":2},' + CLIENT, ""),
    "keys in the meta": CALL % (',"_meta":{"name":1,"Name":2,"id":3,"ID":4,"method":5}', ""),
    "key as a value": CALL % (',"x":"name"', ',"y":"id"'),
    "text like a body": CALL % (r',"arguments":{"x":"{\"id\":2,\"method\":\"m\"}"}', ""),
    "other level": CALL % (',"id":5,"Method":6,"params":7', ',"name":8,"NAME":9,"uri":10'),
    "params in params": CALL % (',"params":{"name":1,"Name":2}', ""),
    "params elsewhere": CALL % ("", ',"x":{"params":{"name":1,"Name":2}}'),
    "objects under an empty key": CALL % ("", ',"":{"id":1,"ID":2,"params":{"name":1,"name":2}}'),
    "name and uri": CALL % (',"uri":"u"', ""),
    "similar keys": CALL % (',"names":1,"name_":2,"_name":3," name":4', ',"ids":5,"i d":6'),
    "dotted letters elsewhere": CALL % (',"title":"\u0131d \u0130d param\u017f"', ""),
    "escaped key": r'{"\u0069d":1,"m\u0065thod":"tools/call","params":{"n\u0061me":"a"}}',
    "initialize": '{"id":0,"method":"initialize","params":{"clientInfo":{"name":"c"}}}',
    "completion": '{"id":0,"method":"completion/complete","params":{"ref":{"name":"p","uri":"u"},'
    '"argument":{"name":"x","value":"y"}}}',
    "notification": '{"method":"notifications/initialized"}',
    "answer": '{"id":1,"result":{"id":2,"ID":3,"method":4,"params":{"name":1,"Name":2}}}',
    "positional params": '{"id":1,"method":"m","params":[{"name":1,"Name":2}]}',
    "params null": '{"id":1,"method":"m","params":null}',
    "name of another type": '{"id":1,"method":"m","params":{"name":5}}',
    "half a surrogate": CALL % (r',"arguments":{"x":"\ud83d"}', ""),
    "batch": batch(CALL % ("", ""), CALL % ("", "")),
    "batch with keys in the arguments": f"[{CALL}]" % (',"arguments":{"name":1,"Id":2}', ""),
    "number of 5000 digits": CALL % (',"name_":' + "9" * 5000, ""),
}

AMBIGUOUS = {
    "two methods": CALL % ("", ',"method":"tools/list"'),
    "two equal methods": CALL % ("", ',"method":"tools/call"'),
    "two ids": CALL % ("", ',"id":2'),
    "two params": CALL % ("", ',"params":{}'),
    "two names": CALL % (',"name":"b"', ""),
    "two uris": '{"id":1,"method":"m","params":{"uri":"a","uri":"b"}}',
    "second method null": '{"id":1,"result":1,"method":"a","method":null}',
    "second name null": CALL % (',"name":null', ""),
    "second name a number": CALL % (',"name":5', ""),
    "second params null": CALL % ("", ',"params":null'),
    "second params a list": CALL % ("", ',"params":[]'),
    "Method beside method": CALL % ("", ',"Method":"tools/list"'),
    "METHOD alone": '{"id":1,"result":{},"METHOD":"m"}',
    "ID beside id": CALL % ("", ',"ID":2'),
    "ID alone": '{"ID":1,"method":"m"}',
    "iD alone in a notification": '{"method":"notifications/initialized","iD":1}',
    "Params alone": '{"id":1,"method":"tools/call","Params":{"name":"a"}}',
    "Name alone": '{"id":1,"method":"tools/call","params":{"Name":"a"}}',
    "Name beside name": CALL % (',"Name":"b"', ""),
    "URI alone": '{"id":1,"method":"resources/read","params":{"URI":"a"}}',
    "URI beside name": CALL % (',"URI":"b"', ""),
    "Name beside the client's": '{"id":1,"method":"m","params":{"Name":"a",' + CLIENT + "}}",
    "Name beside an unnamed client": CALL % (f',"Name":"b","_meta":{{"{META_CLIENT}":{{}}}}', ""),
    "Name beside keys in the arguments": CALL % (',"arguments":{"name":"x"},"Name":"b"', ""),
    "ID beside keys in the arguments": CALL % (',"arguments":{"id":"x"}', ',"ID":2'),
    "two names, one in escapes": CALL % (r',"n\u0061me":"b"', ""),
    "two ids, one in escapes": CALL % ("", r',"\u0069\u0064":2'),
    "Name in escapes": r'{"id":1,"method":"m","params":{"\u004Eame":"a"}}',
    "escaped name beside Name": r'{"id":1,"method":"m","params":{"n\u0061me":"a","NAME":"b"}}',
    "long s": '{"id":1,"method":"m","param\u017f":{"name":"a"}}',
    "long s in an escape": r'{"id":1,"method":"m","param\u017f":{"name":"a"}}',
    "dotless i": '{"id":1,"\u0131d":2,"method":"m"}',
    "i with two dots": '{"id":1,"method":"m","params":{"ur\u0130":"a"}}',
    "NUL after a name": CALL % (r',"name\u0000":"b"', ""),
    "NUL and more after an id": CALL % ("", r',"id\u0000x":2'),
    "name before and after": CALL % (',"arguments":{},"name":"b"', ""),
    "first arguments hold the copy of the second": CALL
    % (',"arguments":{"id":1},"arguments":{"id":1}', ',"ID":1'),
    "arguments as a text that joins two tokens": '{"id":"x","ID":"y","method":"m",'
    '"params":{"arguments":":"}}',
    "in a batch": batch(CALL % ("", ""), CALL % ("", ',"id":2')),
    "name in a batch": batch(CALL % ("", ""), CALL % (',"Name":2', "")),
    "only in the second of a batch": '[{"method":"m"},{"method":"n","ID":1}]',
}


@pytest.mark.parametrize("body", CLEAR.values(), ids=CLEAR)
def test_clear_bodies_are_not_suspected(body: str) -> None:
    for before in (b"", b" \n", b"\xef\xbb\xbf"):
        assert not ask(before + body.encode())


@pytest.mark.parametrize("body", AMBIGUOUS.values(), ids=AMBIGUOUS)
def test_ambiguous_bodies_are_told(body: str) -> None:
    assert ask(body.encode())
    assert ask(b"\xef\xbb\xbf\n" + body.encode() + b"\n")
    assert ask(body.replace('":', '" : ').replace(',"', ' , "').encode())


def test_a_body_that_is_not_utf_8_is_ambiguous() -> None:
    """One parser replaces such bytes, another drops them, perhaps with a quotation mark."""
    assert ask((CALL % (',"arguments":{"x":"%"}', "")).encode().replace(b"%", b"\xff"))


def test_a_body_too_deep_for_one_of_two_parsers_is_ambiguous() -> None:
    depth = 100_000
    nested = "[" * depth + "]" * depth
    message = read_messages(b'{"id":1,"method":"m"}')[0]
    assert is_ambiguous(f'{{"id":1,"method":"m","Id":{nested}}}'.encode(), message)


# For all bodies: what was planted decides, and other ways of reading agree


@dataclass(frozen=True)
class Key:
    """A key as it is written, the key it stands for, and whether it is that one exactly."""

    written: str
    means: str | None = None
    is_exact: bool = True


def keys(means: str, exact: list[str], variants: list[str]) -> list[Key]:
    return [Key(e, means) for e in exact] + [Key(v, means, is_exact=False) for v in variants]


TOP_KEYS = [
    *keys(
        "method", ["method", r"m\u0065thod"], ["Method", "METHOD", r"\u004dethod", r"method\u0000"]
    ),
    *keys(
        "id", ["id", r"\u0069d", r"\u0069\u0064"], ["ID", "Id", r"\u0049d", "\u0131d", r"id\u0000z"]
    ),
    *keys("params", ["params"], ["Params", "PARAMS", "param\u017f", r"param\u017f"]),
]
PARAMS_KEYS = [
    *keys("name", ["name", r"n\u0061me"], ["Name", "NAME", r"\u004eame", r"name\u0000"]),
    *keys("uri", ["uri", r"ur\u0069"], ["URI", "Uri", "ur\u0131", "ur\u0130"]),
]
#: Keys that mean nothing at the top, and in params.
HARMLESS_AT_TOP = [Key(k) for k in ("jsonrpc", "name", "Name", "uri", "", "x", "result", "ids")]
HARMLESS_IN_PARAMS = [Key(k) for k in ("id", "ID", "method", "params", "", "x", "progressToken")]

WORDS = st.sampled_from(
    [
        *('"a"', '"id"', '"name"', '":"', '","', "1", "null", "true", r'"\u00fc"', '"\u6771"'),
        *(r'"\"id\":"', r'"\\"', "[]", "{}"),
    ]
)
NOISE_KEYS = st.sampled_from([key.written for key in TOP_KEYS + PARAMS_KEYS] + ["x", "a b"])


def written(members: list[tuple[str, str]], blank: str = "") -> str:
    return "{" + ",".join(f'{blank}"{k}"{blank}:{blank}{v}' for k, v in members) + "}"


NOISE = st.recursive(
    WORDS,
    lambda inner: (
        st.lists(st.tuples(NOISE_KEYS, inner), max_size=4).map(written)
        | st.lists(inner, max_size=3).map(lambda items: "[" + ",".join(items) + "]")
    ),
    max_leaves=8,
)
OBJECTS = st.lists(st.tuples(NOISE_KEYS, NOISE), max_size=4).map(written)
CLIENTS = st.sampled_from(['{"name":"c"}', '{"version":"1"}', '{"name":null}', '{"name":"name"}'])


def is_planted(members: list[Key]) -> bool:
    meant = [key.means for key in members if key.means is not None]
    return len(meant) != len(set(meant)) or not all(key.is_exact for key in members)


@st.composite
def messages(draw: st.DrawFn) -> tuple[str, bool]:
    """A message as text, and whether something was planted in it."""
    planted = st.lists(st.sampled_from(PARAMS_KEYS), max_size=draw(st.sampled_from([0, 0, 1, 2])))
    in_params: list[tuple[Key, str]] = [(key, draw(WORDS)) for key in draw(planted)]
    if draw(st.booleans()):
        in_params.append((Key("name", "name"), '"a"'))
    if draw(st.booleans()):
        in_params.append((Key("arguments"), draw(OBJECTS | NOISE)))
    if draw(st.booleans()):
        client = f'"{META_CLIENT}":{draw(CLIENTS)}'
        in_params.append((Key("_meta"), draw(OBJECTS | st.just(f"{{{client}}}"))))
    if draw(st.booleans()):
        in_params.append((Key("clientInfo"), draw(CLIENTS)))
    harmless = st.lists(st.sampled_from(HARMLESS_IN_PARAMS), max_size=2)
    in_params += [(key, draw(NOISE)) for key in draw(harmless)]
    in_params = draw(st.permutations(in_params))
    blank = draw(st.sampled_from(["", "", " ", "\n"]))
    params = written([(key.written, value) for key, value in in_params], blank)
    ambiguous = is_planted([key for key, _ in in_params])

    top: list[tuple[Key, str]] = [(Key("method", "method"), '"tools/call"')]
    if draw(st.booleans()):
        top.append((Key("id", "id"), draw(st.sampled_from(["1", '"id"', "null"]))))
    if draw(st.integers(0, 3)):
        top.append((Key("params", "params"), params))
    else:
        ambiguous = False
    planted = st.lists(st.sampled_from(TOP_KEYS), max_size=draw(st.sampled_from([0, 0, 1, 2])))
    # What would be read as params must not plant by itself.
    top += [(key, draw(WORDS if key.means == "params" else NOISE)) for key in draw(planted)]
    top += [
        (key, draw(NOISE)) for key in draw(st.lists(st.sampled_from(HARMLESS_AT_TOP), max_size=2))
    ]
    top = draw(st.permutations(top))
    ambiguous = ambiguous or is_planted([key for key, _ in top])
    return written([(key.written, value) for key, value in top], blank), ambiguous


BODIES = messages() | st.lists(messages(), min_size=1, max_size=3).map(
    lambda parts: (batch(*(text for text, _ in parts)), any(is_bad for _, is_bad in parts))
)


@given(BODIES)
@examples(700)
def test_a_body_is_ambiguous_exactly_when_something_was_planted(body: tuple[str, bool]) -> None:
    text, ambiguous = body
    try:
        assert ask(text.encode()) is ambiguous
    except NotJsonRpc:
        assert ambiguous  # No method is left after `"method":"a","method":5`.


def fold(key: str) -> str:
    return key.partition("\0")[0].replace("\u0130", "i").replace("\u0131", "i").casefold()


def read_as(text: str, fold_key: Callable[[str], str], *, takes_first: bool) -> object:
    """What another parser reads: keys exactly or without case, the first or the last of two."""

    def members(pairs: list[tuple[str, object]]) -> dict[str, object]:
        ordered = reversed(pairs) if takes_first else pairs
        return {fold_key(key): value for key, value in ordered}

    def request(value: object) -> object:
        assert isinstance(value, dict)
        params = value.get("params")
        inner = (params.get("name"), params.get("uri")) if isinstance(params, dict) else params
        return value.get("method"), value.get("id"), inner

    body = json.loads(text, object_pairs_hook=members)
    return [request(item) for item in body] if isinstance(body, list) else request(body)


@given(BODIES)
@examples(300)
def test_out_of_a_clear_body_every_parser_reads_the_same_request(body: tuple[str, bool]) -> None:
    text, _ = body
    try:
        if ask(text.encode()):
            return
    except NotJsonRpc:
        return
    last = what_decides(read_as(text, str, takes_first=False))
    assert what_decides(read_as(text, str, takes_first=True)) == last
    assert what_decides(read_as(text, fold, takes_first=False)) == last
    assert what_decides(read_as(text, fold, takes_first=True)) == last


def what_decides(reading: object) -> object:
    """The values themselves, but not what is inside of one that should have been a text."""
    if isinstance(reading, tuple | list):
        return [what_decides(part) for part in reading]
    return type(reading) if isinstance(reading, dict) else reading
