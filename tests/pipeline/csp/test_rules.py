"""How the operator's rules and a server's own declaration become one policy: a case per rule."""

from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcpr.pipeline.csp.rules import (
    DIRECTIVES,
    CspRules,
    Directive,
    Policy,
    Sources,
    WidgetRule,
    host_of,
    is_local,
    merged,
)

UPSTREAM = "mcp.internal"
WIDGET = "ui://shop/cart.html"
A, B, C, D = (f"https://{letter}.example" for letter in "abcd")
PUBLIC = "https://widgets.example"


@dataclass
class Case:
    """One rule: what is declared, what the operator says, what comes of it."""

    expected: Policy
    declared: Policy = field(default_factory=dict)
    sources: dict[Directive, Sources] = field(default_factory=dict)
    widgets: tuple[WidgetRule, ...] = ()
    domain: str | None = None
    public_url: str | None = None


def widget(match: str, directive: Directive, *domains: str, replace: bool = False) -> WidgetRule:
    return WidgetRule(match, {directive: Sources(domains, "replace" if replace else "extend")})


CASES = {
    "what is declared is kept": Case({"connect": (A, B)}, {"connect": (A, B)}),
    "frames are not, unless the operator says so": Case({"frame": ()}, {"frame": (A,)}),
    "frames are, where the operator extends": Case(
        {"frame": (A, B)}, {"frame": (A,)}, {"frame": Sources((B,), "extend")}
    ),
    "the operator's frames replace": Case(
        {"frame": (B,)}, {"frame": (A,)}, {"frame": Sources((B,), "replace")}
    ),
    "the operator's list comes after": Case(
        {"connect": (A, B)}, {"connect": (A,)}, {"connect": Sources((B,))}
    ),
    "a list that replaces": Case(
        {"connect": (B,)}, {"connect": (A,)}, {"connect": Sources((B,), "replace")}
    ),
    "an empty list that replaces": Case(
        {"base_uri": ()}, {"base_uri": (A,)}, {"base_uri": Sources((), "replace")}
    ),
    "this machine is dropped": Case(
        {"connect": (A,)},
        {
            "connect": (
                "http://localhost:3000",
                "http://127.0.0.1",
                "ws://[::1]:9",
                "http://app.localhost",
                "http://0.0.0.0:80",
                A,
            )
        },
    ),
    "the upstream is dropped": Case(
        {"resource": (A,)}, {"resource": ("https://mcp.internal:8443", "//MCP.internal", A)}
    ),
    "a host that only looks like the upstream is kept": Case(
        {"connect": ("https://mcp.internal.example", "https://notmcp.internal")},
        {"connect": ("https://mcp.internal.example", "https://notmcp.internal")},
    ),
    "what the operator names is not dropped": Case(
        {"connect": ("http://localhost:1",)}, {}, {"connect": Sources(("http://localhost:1",))}
    ),
    "a widget's list extends": Case(
        {"connect": (A, B, C)},
        {"connect": (A,)},
        {"connect": Sources((B,))},
        (widget("ui://shop/*", "connect", C),),
    ),
    "a widget's list replaces all before": Case(
        {"connect": (C,)},
        {"connect": (A,)},
        {"connect": Sources((B,))},
        (widget("ui://shop/*", "connect", C, replace=True),),
    ),
    "an empty widget's list that replaces clears": Case(
        {"connect": ()}, {"connect": (A,)}, {}, (widget("*", "connect", replace=True),)
    ),
    "an empty widget's list that extends does nothing": Case(
        {"connect": (A,)}, {"connect": (A,)}, {}, (widget("*", "connect"),)
    ),
    "widgets' lists are taken in the order of the file": Case(
        {"connect": (C, D)},
        {"connect": (A,)},
        {},
        (
            widget("*", "connect", B),
            widget("ui://shop/*", "connect", C, replace=True),
            widget("ui://shop/cart.htm?", "connect", D),
        ),
    ),
    "another widget's list is not": Case(
        {"connect": (A,)}, {"connect": (A,)}, {}, (widget("ui://other/*", "connect", B),)
    ),
    "brackets in a pattern are brackets": Case(
        {"connect": ()}, {}, {}, (widget("ui://shop/[c]art.html", "connect", B),)
    ),
    "a pattern is for the whole": Case({"connect": ()}, {}, {}, (widget("shop", "connect", B),)),
    "the public origin comes first": Case(
        {"connect": (PUBLIC, A), "resource": (PUBLIC, B), "base_uri": (), "redirect": ()},
        {"connect": (A,), "resource": (B,)},
        domain="widgets.example",
    ),
    "never in a frame": Case(
        {"frame": (A,)}, {}, {"frame": Sources((A,))}, domain="widgets.example"
    ),
    "also after a list that replaces": Case(
        {"connect": (PUBLIC, A)},
        {},
        {"connect": Sources((A,), "replace")},
        domain="widgets.example",
    ),
    "out of the public URL": Case({"connect": (A,)}, public_url=f"{A}/mcp"),
    "the domain before the public URL": Case(
        {"connect": (PUBLIC,)}, domain="widgets.example", public_url=f"{A}/mcp"
    ),
    "no public URL of this machine": Case({"connect": ()}, public_url="http://localhost:3000/mcp"),
    "every source once, where it came first": Case(
        {"connect": (PUBLIC, A, B)},
        {"connect": (A, PUBLIC, A)},
        {"connect": Sources((B, A))},
        domain="widgets.example",
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_a_rule_holds(name: str) -> None:
    case = CASES[name]
    rules = CspRules(UPSTREAM, case.sources, case.widgets, case.domain, case.public_url)
    policy = merged(rules, WIDGET, case.declared)
    assert {directive: policy[directive] for directive in case.expected} == case.expected


@given(
    st.dictionaries(st.sampled_from(DIRECTIVES), st.lists(st.text(max_size=20)).map(tuple)),
    st.text(max_size=20),
)
def test_every_directive_has_a_list_without_doubles(declared: Policy, uri: str) -> None:
    rules = CspRules(UPSTREAM, widgets=(widget("*", "frame", A),), domain="widgets.example")
    policy = merged(rules, uri, declared)
    assert list(policy) == list(DIRECTIVES)
    assert all(len(set(sources)) == len(sources) for sources in policy.values())


@given(st.dictionaries(st.sampled_from(DIRECTIVES), st.lists(st.sampled_from((A, B))).map(tuple)))
def test_merging_what_was_merged_changes_nothing(declared: Policy) -> None:
    """Two proxies in a row with the same rules say what one says."""
    rules = CspRules(UPSTREAM, {"frame": Sources((C,))}, domain="widgets.example")
    once = merged(rules, WIDGET, declared)
    assert merged(rules, WIDGET, once) == once


HOSTS = {
    "https://a.example": "a.example",
    "https://A.example.:8443/x?y#z": "a.example",
    "wss://user:secret@a.example:1": "a.example",
    "//a.example/x": "a.example",
    "a.example": "a.example",
    "a.example:80": "a.example",
    "https://*.a.example": "*.a.example",
    "https://[::1]:80": "::1",
    "": "",
    "'self'": "'self'",
}


@pytest.mark.parametrize("source", HOSTS)
def test_a_source_names_its_host(source: str) -> None:
    assert host_of(source) == HOSTS[source]


@pytest.mark.parametrize(
    "host",
    [
        "localhost",
        "LOCALHOST.",
        "a.localhost",
        "127.8.8.8",
        "::1",
        "[::1]",
        "0.0.0.0",
        "::ffff:127.0.0.1",
    ],
)
def test_names_of_this_machine_are_local(host: str) -> None:
    assert is_local(host)


@pytest.mark.parametrize(
    "host", ["localhost.example", "10.0.0.1", "example.com", "", "127.1.example"]
)
def test_other_names_are_not(host: str) -> None:
    assert not is_local(host)
