"""A widget's policy is written into its resource, in both shapes, and nothing else is touched."""

import json
from typing import Any

import pytest

from mcpr.pipeline.csp.rules import CspRules, Sources
from mcpr.pipeline.csp.widgets import Widget, claude_domain, edit_item
from mcpr.protocol.members import Tangled, members_of, spliced

A, B = "https://a.example", "https://b.example"
RULES = CspRules("mcp.internal", {"connect": Sources((B,))})
PUBLIC = CspRules(
    "mcp.internal",
    domain="widgets.example",
    public_url="https://widgets.example/mcp",
)
CLAUDES = "0123456789abcdef0123456789abcdef.claudemcpcontent.com"


def edit(text: bytes, rules: CspRules = RULES) -> tuple[Widget | None, bytes]:
    edit = edit_item(text, members_of(text), rules)
    return (None, text) if edit is None else (edit.widget, spliced(text, edit.splices))


def meta_of(text: bytes, rules: CspRules = RULES) -> dict[str, Any]:
    meta = json.loads(edit(text, rules)[1])["_meta"]
    assert isinstance(meta, dict)
    return meta


def item(meta: object, uri: str = "ui://a") -> bytes:
    return json.dumps({"uri": uri, "_meta": meta}).encode()


WIDGETS = {
    "by its URI": {"uri": "ui://a"},
    "by its template's URI": {"uriTemplate": "ui://a/{id}"},
    "by its type": {"uri": "https://x/y", "mimeType": "text/html;profile=mcp-app"},
    "by its type, written otherwise": {"uri": "x", "mimeType": "Text/HTML; profile=mcp-app"},
    "by ChatGPT's type": {"uri": "x", "mimeType": "text/html+skybridge"},
    "by ChatGPT's policy": {"uri": "x", "_meta": {"openai/widgetCSP": {}}},
    "by ChatGPT's domain": {"uri": "x", "_meta": {"openai/widgetDomain": "d"}},
    "by ChatGPT's template": {"uri": "x", "_meta": {"openai/outputTemplate": "t"}},
    "by its policy": {"uri": "x", "_meta": {"ui": {"csp": {}}}},
    "by its domain": {"uri": "x", "_meta": {"ui": {"domain": "d"}}},
    "by its resource's URI": {"uri": "x", "_meta": {"ui": {"resourceUri": "ui://y"}}},
}


@pytest.mark.parametrize("case", WIDGETS)
def test_a_widget_is_known(case: str) -> None:
    """Fault 23 of the first mcpr: a widget that declared nothing got nothing."""
    meta = meta_of(json.dumps(WIDGETS[case]).encode())
    assert meta["ui"]["csp"]["connectDomains"] == [B]
    assert meta["openai/widgetCSP"]["connect_domains"] == [B]


OTHERS = {
    "a file": {"uri": "file:///ui://x", "mimeType": "text/html"},
    "a tool's words in a text": {"uri": "x", "text": "openai/widgetCSP ui.csp"},
    "other members of ui": {"uri": "x", "_meta": {"ui": {"visibility": ["app"]}}},
    "no URI": {},
    "odd types": {"uri": 5, "mimeType": [], "_meta": 7},
    "a null": {"uri": None, "_meta": None},
}


@pytest.mark.parametrize("case", OTHERS)
def test_what_is_no_widget_stays(case: str) -> None:
    text = json.dumps(OTHERS[case]).encode()
    assert edit(text) == (None, text)


def test_both_shapes_say_the_same() -> None:
    meta = meta_of(
        item(
            {
                "ui": {"csp": {"connectDomains": [A], "baseUriDomains": [A]}},
                "openai/widgetCSP": {"resource_domains": [A], "redirect_domains": [A]},
            }
        )
    )
    assert meta == {
        "ui": {
            "csp": {
                "connectDomains": [A, B],
                "resourceDomains": [A],
                "frameDomains": [],
                "baseUriDomains": [A],
            }
        },
        "openai/widgetCSP": {
            "connect_domains": [A, B],
            "resource_domains": [A],
            "frame_domains": [],
            "redirect_domains": [A],
        },
    }


def test_what_is_declared_in_either_shape_is_known() -> None:
    widget, _ = edit(
        item(
            {
                "ui": {"csp": {"connectDomains": [A, 5, None], "frameDomains": "x"}},
                "openai/widgetCSP": {"connect_domains": [B, A], "resource_domains": {}},
            }
        )
    )
    assert widget is not None
    assert widget.declared == {"connect": (A, B)}


KEPT = b"""{"uri":"ui://a", "text":"<p>\\u00e9</p>" ,
 "_meta" : {"n":1.50e3, "ui":{"prefersBorder" : true,
 "csp":{"connectDomains":[ "https://b.example" ],"media":[1]}}}}"""


def test_what_is_not_touched_keeps_its_bytes() -> None:
    _, new = edit(KEPT)
    start = KEPT.index(b"]}}}}")
    assert new.startswith(KEPT[:start])
    assert b'"connectDomains":[ "https://b.example" ],"media":[1],' in new


def test_a_policy_that_says_it_already_is_left_as_it_is() -> None:
    _, once = edit(KEPT)
    widget, twice = edit(once)
    assert widget is not None
    assert twice == once


ODD = {
    "meta is null": b'{"uri":"ui://a","_meta":null}',
    "meta is a list": b'{"uri":"ui://a","_meta":[1]}',
    "ui is true": b'{"uri":"ui://a","_meta":{"ui":true}}',
    "csp is a text": b'{"uri":"ui://a","_meta":{"ui":{"csp":"x"},"openai/widgetCSP":3}}',
    "meta stands twice": b'{"_meta":{"ui":{}},"uri":"ui://a","_meta":{"ui":{"csp":{}}}}',
    "ui stands twice": b'{"uri":"ui://a","_meta":{"ui":{"csp":{}},"ui":{"x":1}}}',
    "csp stands twice": b'{"uri":"ui://a","_meta":{"ui":{"csp":1,"csp":{"x":1}}}}',
    "a list stands twice": b'{"uri":"ui://a","_meta":{"ui":{"csp":{"connectDomains":["https://evil"],"connectDomains":["https://b.example"]}}}}',
    "escaped keys": rb'{"uri":"ui://a","\u005fmeta":{"u\u0069":{"csp":{"connectDomains":[]}}}}',
}


@pytest.mark.parametrize("case", ODD)
def test_no_reader_finds_another_policy(case: str) -> None:
    """Whichever of two a reader takes, there is only one left."""
    _, new = edit(ODD[case])
    first = json.loads(new, object_pairs_hook=lambda pairs: dict(reversed(pairs)))
    last = json.loads(new)
    for read in (first, last):
        assert read["_meta"]["ui"]["csp"]["connectDomains"] == [B]
        assert read["_meta"]["openai/widgetCSP"]["connect_domains"] == [B]


@pytest.mark.parametrize(
    "text",
    [
        b'{"uri":"ui://a","_meta":{"ui":{"csp":{"connectDomains":[nonsense]}}}}',
        b'{"uri":"\xff","_meta":{}}',
        b'{"uri":nonsense}',
    ],
)
def test_what_is_no_json_is_refused(text: bytes) -> None:
    with pytest.raises(Tangled):
        edit(text)


DOMAINS = {
    "Claude's own form, for another endpoint": (
        CLAUDES,
        PUBLIC,
        claude_domain("https://widgets.example/mcp"),
    ),
    "Claude's own form, and we know no endpoint": (CLAUDES, RULES, None),
    "the upstream": ("https://mcp.internal:9000", PUBLIC, "https://widgets.example"),
    "the upstream, and we know no other": ("mcp.internal", RULES, None),
    "anything else": ("https://sandbox.example", PUBLIC, "https://sandbox.example"),
    "no text": (5, PUBLIC, None),
}


@pytest.mark.parametrize("case", DOMAINS)
def test_the_sandbox_domain_is_right_behind_the_proxy(case: str) -> None:
    declared, rules, expected = DOMAINS[case]
    ui = meta_of(item({"ui": {"domain": declared}}), rules)["ui"]
    assert ui.get("domain") == expected
    assert ("domain" in ui) == (expected is not None)


def test_no_sandbox_domain_is_made_up() -> None:
    assert "domain" not in meta_of(item({}), PUBLIC)["ui"]


def test_chatgpt_is_told_the_public_origin_if_there_is_one() -> None:
    assert meta_of(item({}), PUBLIC)["openai/widgetDomain"] == "https://widgets.example"
    assert "openai/widgetDomain" not in meta_of(item({}), RULES)
    kept = meta_of(item({"openai/widgetDomain": "https://x"}), RULES)
    assert kept["openai/widgetDomain"] == "https://x"


def test_claudes_domain_is_made_as_claude_makes_it() -> None:
    """A vector that was seen on Claude itself."""
    assert (
        claude_domain("https://example.com/mcp")
        == "c3d80a4ed901ee05b21755a88273b4a4.claudemcpcontent.com"
    )
