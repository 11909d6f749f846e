"""What is wrong with a policy is found before a host shows an empty frame."""

import pytest

from mcpr.pipeline.csp import CspRules, Sources, Widget, lint, merged

PUBLIC = CspRules("mcp.internal", domain="widgets.example")


def words(widget: Widget, rules: CspRules = PUBLIC) -> list[str]:
    return [f"{f.level} {f.directive} {f.source}: {f.what}" for f in lint(widget, rules)]


def emitting(source: str) -> Widget:
    return Widget("ui://a", {}, {"connect": (source,)})


SOURCES = {
    "https://a.example": None,
    "https://*.a.example:8443": None,
    "wss://a.example": None,
    "https://[2001:db8::1]:1": None,
    "'self'": "error connect 'self': a keyword is no origin, and hosts drop it",
    "unsafe-eval": "error connect unsafe-eval: a keyword is no origin, and hosts drop it",
    "*": "error connect *: it names everything, and hosts refuse it",
    "https:": "error connect https:: it names everything, and hosts refuse it",
    "a.example": "error connect a.example: it has no scheme",
    "//a.example": "error connect //a.example: it has no scheme",
    "https://a.example/x": "error connect https://a.example/x: it is no origin",
    "https://a.*.example": "error connect https://a.*.example: it is no origin",
    "https://a b": "error connect https://a b: it is no origin",
    "https://localhost:1": "error connect https://localhost:1: it names the user's own machine",
    "http://a.example": "warning connect http://a.example: it is not encrypted",
    "ws://a.example": "warning connect ws://a.example: it is not encrypted",
}


@pytest.mark.parametrize("source", SOURCES)
def test_a_source_is_judged(source: str) -> None:
    expected = SOURCES[source]
    found = words(emitting(source))
    assert len(found) == (expected is not None)
    assert all(line.startswith(str(expected)) for line in found)


def test_what_is_declared_and_not_granted_is_said_with_its_reason() -> None:
    declared = {
        "connect": ("http://localhost:1", "https://mcp.internal", "https://a.example"),
        "frame": ("https://f.example",),
    }
    rules = CspRules("mcp.internal", {"connect": Sources((), "replace")}, domain="w.example")
    widget = Widget("ui://a", declared, merged(rules, "ui://a", declared))  # type: ignore[arg-type]  # literals
    assert [line.partition(": ")[2] for line in words(widget, rules)] == [
        "the server declares its own machine, which no browser elsewhere can reach",
        "the server declares itself, where browsers shall not go past the proxy",
        "the server declares it, and a rule here replaces what it declares",
        "the server declares it, and a rule here replaces what it declares",
    ]


def test_a_widget_that_may_do_nothing_is_noted() -> None:
    rules = CspRules("mcp.internal")
    found = words(Widget("ui://a", {}, merged(rules, "ui://a", {})), rules)
    assert [line.partition(": ")[2] for line in found] == [
        "the policy allows nothing: no request, no foreign script, image or frame",
        "the proxy's public address is unknown, so widgets may not call it",
    ]


def test_every_finding_has_a_next_step() -> None:
    for source in SOURCES:
        assert all(finding.step for finding in lint(emitting(source), PUBLIC))
