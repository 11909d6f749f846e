"""An answer with widgets is edited as it passes, however it is cut; every other one is not."""

import gzip
import json
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.pipeline.playbook import EVENTS, JSON, answer_facts_of
from tests.protocol.size import examples

from mcpr.pipeline.codings import Unreadable
from mcpr.pipeline.csp import CspRules, EventsEditor, JsonEditor, Sources, editor_for, editors

RULES = CspRules("mcp.internal", {"connect": Sources(("https://a.example",))})
ITEM = '{"uri":"ui://a","text":"<b>\\n</b>"}'
EDITED_META = (
    ',"_meta":{"ui":{"csp":{"connectDomains":["https://a.example"],"resourceDomains":[],'
    '"frameDomains":[],"baseUriDomains":[]}},"openai/widgetCSP":{"connect_domains":'
    '["https://a.example"],"resource_domains":[],"frame_domains":[],"redirect_domains":[]}}'
)
EDITED = ITEM[:-1] + EDITED_META + "}"
READ = '{"jsonrpc":"2.0","id":1, "result":{"contents":[%s,{"uri":"file:///x"}],"_meta":{}}}'
PROGRESS = f'{{"method":"notifications/progress","params":{{"contents":[{ITEM}]}}}}'


def json_answer(text: bytes, size: int = 7, coding: str | None = None) -> bytes | None:
    editor = JsonEditor(RULES, coding)
    for start in range(0, len(text), size):
        assert editor.feed(text[start : start + size]) == b""
    return editor.finish()


BODIES = {
    "resources/read": READ,
    "resources/list": '{"id":1,"result":{"nextCursor":"c","resources":[%s]}}',
    "resources/templates/list": '{"result":{"resourceTemplates":[ %s ]},"id":1}',
    "a batch": '[{"id":2,"result":{"tools":[]}},{"id":1,"result":{"resources":[%s]}}]',
    "spread over lines": '{\n "id": 1,\n "result": {\n  "contents": [\n   %s\n  ]\n }\n}\n',
}


@pytest.mark.parametrize("case", BODIES)
def test_a_widget_is_found_and_only_its_meta_changes(case: str) -> None:
    assert json_answer((BODIES[case] % ITEM).encode()) == (BODIES[case] % EDITED).encode()


def test_hints_for_caches_stay_for_every_client_is_told_the_same() -> None:
    """An outcome that depended on the client could not be `public`; ours knows no client."""
    text = '{"id":1,"result":{"ttlMs":60000,"cacheScope":"public","contents":[%s]}}'
    edited = json_answer((text % ITEM).encode())
    assert edited == json_answer((text % ITEM).encode()) == (text % EDITED).encode()


UNTOUCHED = {
    "a tool's result": '{"id":1,"result":{"content":[%s],"structuredContent":{"contents":[%s]}}}',
    "a list of tools": '{"id":1,"result":{"tools":[{"name":"x","_meta":{"ui":{"csp":{}}}}]}}',
    "an error": '{"id":1,"error":{"code":-32002,"message":"x","data":{"contents":[%s]}}}',
    "files": '{"id":1,"result":{"contents":[{"uri":"file:///x"}]}}',
    "nothing": "",
    "no JSON": "{%s",
    "a text": "hello",
}


@pytest.mark.parametrize("case", UNTOUCHED)
def test_everything_else_goes_on_as_it_came(case: str) -> None:
    text = UNTOUCHED[case].replace("%s", ITEM).encode()
    assert json_answer(text) is None


def test_a_compressed_body_is_read_and_goes_on_plain() -> None:
    text = (READ % ITEM).encode()
    for coding, body in (("gzip", gzip.compress(text)), ("deflate", zlib.compress(text))):
        assert json_answer(body, coding=coding) == (READ % EDITED).encode()


def test_a_compressed_body_without_widgets_goes_on_compressed() -> None:
    body = gzip.compress(b'{"id":1,"result":{"contents":[]}}')
    editor = JsonEditor(RULES, "gzip")
    editor.feed(body)
    assert editor.finish() is None
    assert editor.raw == body


@pytest.mark.parametrize("body", [b"no gzip", gzip.compress(b"{" * 100)])
def test_what_cannot_be_read_says_so_and_goes_on(body: bytes) -> None:
    editor = JsonEditor(RULES, "gzip")
    editor.feed(body)
    assert editor.finish() is None
    assert editor.untouched == "unreadable"
    assert editor.raw == body


def test_a_body_beyond_the_bound_goes_on_untouched(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(editors, "HELD_BYTES", 100)
    text = (READ % ITEM).encode()
    for coding, body in ((None, text), ("gzip", gzip.compress(text * 4))):
        editor = JsonEditor(RULES, coding)
        for start in range(0, len(body), 10):
            editor.feed(body[start : start + 10])
        assert editor.finish() is None
        assert (editor.untouched, editor.raw) == ("large", body)


def test_a_widget_is_told_of_with_what_was_declared_and_what_became_of_it() -> None:
    editor = JsonEditor(RULES, None)
    editor.feed((READ % ITEM).encode())
    editor.finish()
    (widget,) = editor.widgets
    assert (widget.uri, widget.declared) == ("ui://a", {})
    assert widget.emitted["connect"] == ("https://a.example",)


# Event streams


def stream(text: str | bytes, *sizes: int, coding: str | None = None) -> bytes:
    """What comes out of an editor that is fed in pieces of these sizes, the last one repeated."""
    data = text.encode() if isinstance(text, str) else text
    editor = EventsEditor(RULES, coding)
    out, at, index = b"", 0, 0
    while at < len(data):
        size = sizes[min(index, len(sizes) - 1)] if sizes else len(data)
        out += editor.feed(data[at : at + size])
        at, index = at + size, index + 1
    return out + editor.finish()


STREAMS = {
    "one event": ("data: %s\n\n", READ),
    "with other fields": ("id: 7\nevent: message\ndata: %s\nretry: 5\n\n", READ),
    "after others": (f": hello\n\ndata: {PROGRESS}\n\ndata: %s\n\n: bye\n\n", READ),
    "CRLF": ("event: message\r\ndata: %s\r\n\r\n", READ),
    "CR": ("event: message\rdata: %s\r\r", READ),
    "no blank after the colon": ("data:%s\n\n", READ),
    "a byte order mark": ("\ufeffdata: %s\n\n", READ),
    "blank lines before": ("\n\n\ndata: %s\n\n", READ),
}


@pytest.mark.parametrize("case", STREAMS)
@pytest.mark.parametrize("size", [1, 2, 3, 10, 100_000])
def test_an_event_with_a_widget_is_edited_and_the_rest_is_not(case: str, size: int) -> None:
    frame, body = STREAMS[case]
    expected = (frame % (body % EDITED)).replace("data:{", "data: {").encode()
    assert stream(frame % (body % ITEM), size) == expected


def test_data_over_several_lines_stays_over_several_lines() -> None:
    before, after = READ.split(", ", 1)
    text = f"data: {before},\ndata: {after % ITEM}\nid: 3\n\n"
    assert stream(text, 5) == f"data: {before},\ndata: {after % EDITED}\nid: 3\n\n".encode()


def test_an_event_cut_off_goes_on_as_far_as_it_came() -> None:
    text = f"id: 1\ndata: {READ % ITEM}\n"
    assert stream(text, 9) == text.encode()


@examples(300)
@given(
    st.text(alphabet='\r\n:d ataidevent{}"\ufeff', max_size=80),
    st.lists(st.integers(1, 9), min_size=1, max_size=8),
)
def test_a_stream_without_widgets_is_never_changed(text: str, sizes: list[int]) -> None:
    assert stream(text, *sizes) == text.encode()


@examples(200)
@given(
    st.lists(st.sampled_from([*STREAMS]), min_size=1, max_size=4),
    st.lists(st.integers(1, 400), min_size=1, max_size=8),
)
def test_pieces_make_no_difference(names: list[str], sizes: list[int]) -> None:
    text = "".join(STREAMS[n][0] % (STREAMS[n][1] % ITEM) for n in names).encode()
    assert stream(text, *sizes) == stream(text)


def test_what_holds_no_widget_does_not_wait() -> None:
    editor = EventsEditor(RULES, None)
    for whole in (f"data: {PROGRESS}\n\n", ": ping\n", "id: 5\nevent: message\n"):
        assert editor.feed(whole.encode()) == whole.encode()
    assert editor.feed(b'data: {"id":1') == b""
    assert editor.feed(b',"result":{}}\n\n') == b'data: {"id":1,"result":{}}\n\n'


def test_an_event_beyond_the_bound_goes_on_untouched(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(editors, "HELD_BYTES", 50)
    text = f"data: {READ % ITEM}\n\ndata: 1\n\n"
    editor = EventsEditor(RULES, None)
    out = b""
    for start in range(0, len(text), 10):
        out += editor.feed(text.encode()[start : start + 10])
        assert len(editor.raw) <= 70
    assert out + editor.finish() == text.encode()
    assert editor.untouched == "large"


def test_a_stream_of_unreadable_events_goes_on() -> None:
    text = 'data: {"result":{"contents":[}\n\n'
    editor = EventsEditor(RULES, None)
    assert editor.feed(text.encode()) == text.encode()
    assert editor.untouched == "unreadable"


def test_a_compressed_stream_goes_on_plain() -> None:
    text = f"data: {READ % ITEM}\n\n".encode()
    assert stream(gzip.compress(text), 11, coding="gzip") == (f"data: {READ % EDITED}\n\n".encode())
    with pytest.raises(Unreadable):
        stream(b"not compressed", coding="gzip")


HEADS = {
    "JSON": (200, (JSON,), JsonEditor),
    "events": (200, (EVENTS,), EventsEditor),
    "JSON in gzip": (200, (JSON, b"Content-Encoding: gzip"), JsonEditor),
    "a coding we cannot read": (200, (JSON, b"Content-Encoding: br"), type(None)),
    "a failure": (404, (JSON,), type(None)),
    "a page": (200, (b"Content-Type: text/html",), type(None)),
    "nothing": (202, (), type(None)),
}


@pytest.mark.parametrize("case", HEADS)
def test_the_answers_head_decides_who_edits(case: str) -> None:
    status, lines, expected = HEADS[case]
    assert isinstance(editor_for(answer_facts_of(status, *lines), RULES), expected)


def test_a_large_page_is_one_edit() -> None:
    page = json.dumps("<script>\n" * 100_000)
    item = f'{{"uri":"ui://a","text":{page}}}'
    edited = item[:-1] + EDITED_META + "}"
    assert json_answer((READ % item).encode(), 65_536) == (READ % edited).encode()
