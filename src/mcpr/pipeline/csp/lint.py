"""What is wrong with a widget's policy, before a host shows an empty frame."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from mcpr.pipeline.csp.rules import DIRECTIVES, CspRules, Directive, host_of, is_local, is_origin
from mcpr.pipeline.csp.widgets import Widget


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong: how badly, where, what, and what to do."""

    level: Literal["error", "warning", "note"]
    directive: Directive | None
    source: str | None
    what: str
    step: str


def lint(widget: Widget, rules: CspRules) -> list[Finding]:
    """All that is wrong with what this widget's host is told, or with what its server declares."""
    findings = [
        finding
        for directive in DIRECTIVES
        for source in widget.emitted.get(directive, ())
        for finding in _of_source(directive, source)
    ]
    findings += _lost(widget, rules)
    if not any(widget.emitted.get(directive) for directive in DIRECTIVES):
        findings.append(
            Finding(
                "note",
                None,
                None,
                "the policy allows nothing: no request, no foreign script, image or frame",
                "fine for a widget that has all in its HTML; else name its sources under [csp]",
            )
        )
    if rules.public_origin is None:
        findings.append(
            Finding(
                "note",
                None,
                None,
                "the proxy's public address is unknown, so widgets may not call it",
                "set csp.domain or public_url",
            )
        )
    return findings


def _of_source(directive: Directive, source: str) -> Iterator[Finding]:
    def finding(level: Literal["error", "warning"], what: str, step: str) -> Finding:
        return Finding(level, directive, source, what, step)

    if source.strip("'") in {"self", "none", "unsafe-inline", "unsafe-eval", "strict-dynamic"}:
        yield finding("error", "a keyword is no origin, and hosts drop it", "leave it out")
    elif source in {"*", "https://*", "http://*", "https:", "http:", "data:", "blob:"}:
        yield finding("error", "it names everything, and hosts refuse it", "name the origins")
    elif "://" not in source:
        yield finding("error", "it has no scheme", f"write https://{source.lstrip('/')}")
    elif not is_origin(source):
        yield finding(
            "error", "it is no origin: only scheme, host and port belong here", "cut the rest off"
        )
    elif is_local(host_of(source)):
        yield finding("error", "it names the user's own machine", "name a public origin")
    elif source.startswith(("http://", "ws://")):
        yield finding("warning", "it is not encrypted: Claude drops it", "use https:// or wss://")


def _lost(widget: Widget, rules: CspRules) -> Iterator[Finding]:
    """What the server declares and its widgets do not get."""
    for directive in DIRECTIVES:
        kept = widget.emitted.get(directive, ())
        for source in widget.declared.get(directive, ()):
            if source in kept:
                continue
            host = host_of(source)
            if is_local(host):
                what = "the server declares its own machine, which no browser elsewhere can reach"
            elif host == rules.upstream_host.lower().strip("[]"):
                what = "the server declares itself, where browsers shall not go past the proxy"
            else:
                what = "the server declares it, and a rule here replaces what it declares"
            step = f"allow it under [csp.{directive}] if it is needed"
            yield Finding("warning", directive, source, what, step)
