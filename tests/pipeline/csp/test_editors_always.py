"""What holds of every edited answer: nothing differs but the members that a policy stands in."""

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from tests.protocol.size import examples

from mcpr.pipeline.csp import CspRules, EventsEditor, JsonEditor, Sources

RULES = CspRules(
    "mcp.internal",
    {"connect": Sources(("https://a.example",)), "resource": Sources((), "replace")},
    domain="widgets.example",
)
APPS = ("connectDomains", "resourceDomains", "frameDomains", "baseUriDomains")
OPENAI = ("connect_domains", "resource_domains", "frame_domains", "redirect_domains")

#: User data, in which the names of policies stand as well.
KEYS = st.sampled_from(["_meta", "ui", "csp", "contents", "uri", "openai/widgetCSP", *APPS, "x"])
SOURCES = st.lists(
    st.sampled_from(["https://a.example", "http://localhost:3000", "https://mcp.internal", ""]),
    max_size=3,
)
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=6,
)
CSP = st.dictionaries(st.sampled_from([*APPS, "more"]), SOURCES | ANYTHING, max_size=4)
UI = st.dictionaries(st.sampled_from(["csp", "domain", "prefersBorder"]), CSP | ANYTHING)
WIDGET_CSP = st.dictionaries(st.sampled_from([*OPENAI, "more"]), SOURCES | ANYTHING, max_size=4)
META = ANYTHING | st.fixed_dictionaries(
    {}, optional={"ui": UI, "openai/widgetCSP": WIDGET_CSP, "x": ANYTHING}
)
BESIDE = st.dictionaries(st.sampled_from(["text", "name", "mimeType"]), ANYTHING, max_size=2)
SPACING = st.sampled_from([(",", ":"), (", ", ": "), (" ,\t", " : ")])


@st.composite
def answers(draw: st.DrawFn) -> list[str]:
    """An answer's text, cut around each `_meta`: every second piece is one."""
    spacing, is_ascii = draw(SPACING), draw(st.booleans())

    def dump(value: object) -> str:
        return json.dumps(value, separators=spacing, ensure_ascii=is_ascii)

    pieces = ['{"id" :1,"jsonrpc":"2.0" , "result":{"x":' + dump(draw(ANYTHING)) + ',"contents":[']
    for number, meta in enumerate(draw(st.lists(META, min_size=1, max_size=3))):
        uri = draw(st.sampled_from(["ui://a", "ui://b/c", "file:///d"]))
        start, end = dump({"uri": uri} | draw(BESIDE)), draw(BESIDE)
        pieces[-1] += f'{", " if number else ""}{start[:-1]}, "_meta":'
        pieces += [dump(meta), f"{', ' if end else ''}{dump(end)[1:]}"]
    pieces[-1] += '],"nextCursor":' + dump(draw(ANYTHING)) + "}}"
    return pieces


def edited(text: bytes) -> bytes:
    editor = JsonEditor(RULES, None)
    editor.feed(text)
    return editor.finish() or text


def read(text: str) -> Any:
    """The text's values, its numbers as they are written."""
    return json.loads(text, parse_float=str, parse_int=str, parse_constant=str)


def untouched(meta: object) -> dict[str, Any]:
    """What of a `_meta` no policy is written in; an object that held nothing else is gone."""
    rest = dict(meta) if isinstance(meta, dict) else {}
    ui = _without(rest.pop("ui", None), "domain")
    csp = _without(ui.pop("csp", None), *APPS)
    chatgpts = _without(rest.pop("openai/widgetCSP", None), *OPENAI)
    return {**_without(rest, "openai/widgetDomain"), "ours": [ui, csp, chatgpts]}


def _without(value: object, *names: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        return {}
    return {key: item for key, item in value.items() if key not in names}


@examples(400)
@given(answers())
def test_nothing_differs_but_the_members_that_a_policy_is_written_in(pieces: list[str]) -> None:
    before, after = "".join(pieces), edited("".join(pieces).encode()).decode()
    at = 0
    for index, piece in enumerate(pieces):
        if index % 2 == 0:  # outside of any _meta every byte stays
            assert after[at : at + len(piece)] == piece
            at += len(piece)
        else:
            _, end = json.JSONDecoder().raw_decode(after, at)
            assert untouched(read(after[at:end])) == untouched(read(piece))
            at = end
    assert at == len(after)
    assert edited(after.encode()) == after.encode(), "an edited answer needs no second edit"
    assert (before == after) or "ui://" in before or "openai/" in before or '"ui"' in before


@examples(100)
@given(answers(), st.integers(1, 50))
def test_a_stream_says_what_the_body_would(pieces: list[str], size: int) -> None:
    text = "".join(pieces).encode()
    event = b"id: 1\ndata: %b\n\n" % text
    editor = EventsEditor(RULES, None)
    out = b"".join(editor.feed(event[at : at + size]) for at in range(0, len(event), size))
    assert out + editor.finish() == b"id: 1\ndata: %b\n\n" % edited(text)


def test_a_widget_that_declares_nothing_gets_what_the_operator_says() -> None:
    """Fault 23 of the first mcpr: its guard looked for words that no such answer holds."""
    for item in (
        '{"uri":"ui://a"}',
        '{"uri":"x","_meta":{"ui":{"resourceUri":"ui://a"}}}',
        '{"uri":"x","_meta":{"openai/outputTemplate":"ui://a"}}',
    ):
        for name in ("contents", "resources", "resourceTemplates"):
            out = edited(f'{{"id":1,"result":{{"{name}":[{item}]}}}}'.encode())
            meta = json.loads(out)["result"][name][0]["_meta"]
            ours = ["https://widgets.example", "https://a.example"]
            assert meta["ui"]["csp"]["connectDomains"] == ours
            assert meta["openai/widgetCSP"]["connect_domains"] == ours


def test_lists_of_that_name_in_user_data_stay_and_hosts_are_compared_whole() -> None:
    """Fault 24 of the first mcpr: it searched everywhere, and dropped what merely held the host."""
    data = '{"connectDomains":["http://localhost"],"csp":{"connect_domains":["//mcp.internal"]}}'
    for result in (
        '"structuredContent":%s,"content":[%s]',
        '"contents":[{"uri":"file:///x","text":"ui://","json":%s,"_meta":{"x":%s}}]',
        '"tools":[{"name":"x","inputSchema":%s,"_meta":{"ui":{"csp":%s}}}]',
    ):
        text = f'{{"id":1,"result":{{{result.replace("%s", data)}}}}}'.encode()
        assert edited(text) == text
    similar = ["https://mcp.internal.example", "https://notmcp.internal"]
    item = {"uri": "ui://a", "_meta": {"ui": {"csp": {"connectDomains": similar}}, "x": [data]}}
    text = json.dumps({"id": 1, "result": {"contents": [item]}}).encode()
    [new] = json.loads(edited(text))["result"]["contents"]
    assert new["_meta"]["ui"]["csp"]["connectDomains"][1:3] == similar
    assert new["_meta"]["x"] == [data]
