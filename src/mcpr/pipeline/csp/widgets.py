"""Writes a widget's policy into the resource that declares it, and changes nothing beside it.

A policy stands in `_meta` in two shapes, of MCP Apps (`ui.csp`) and of the OpenAI Apps SDK
(`openai/widgetCSP`); hosts read one of them, so both are written. Source: MCP Apps 2026-01-26,
OpenAI Apps SDK reference.
"""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

from mcpr.pipeline.csp.rules import DIRECTIVES, CspRules, Directive, Policy, merged, sources_in
from mcpr.protocol.members import Object, Splice, Tangled, changes, members_of, spliced

APPS: Final[Mapping[Directive, str]] = {
    "connect": "connectDomains",
    "resource": "resourceDomains",
    "frame": "frameDomains",
    "base_uri": "baseUriDomains",
}
OPENAI: Final[Mapping[Directive, str]] = {
    "connect": "connect_domains",
    "resource": "resource_domains",
    "frame": "frame_domains",
    "redirect": "redirect_domains",
}
_OPENAI_CSP: Final = "openai/widgetCSP"
_OPENAI_DOMAIN: Final = "openai/widgetDomain"
_OPENAI_MARKERS: Final = (_OPENAI_CSP, _OPENAI_DOMAIN, "openai/outputTemplate")
_APPS_MARKERS: Final = ("csp", "domain", "resourceUri")
_TYPES: Final = frozenset({"text/html;profile=mcp-app", "text/html+skybridge"})
#: How Claude names a widget's sandbox, out of the endpoint's URL.
_CLAUDE: Final = re.compile(r"[0-9a-f]{32}\.claudemcpcontent\.com")


@dataclass(frozen=True, slots=True)
class Widget:
    """One widget as it passed: what its server declared, and what its host is told."""

    uri: str
    declared: Policy
    emitted: Policy


def edit_item(text: "bytes | bytearray", item: Object, rules: CspRules) -> "_Edit | None":
    """How to change one resource of an answer; None when it is no widget. Raises Tangled."""
    parts = {member.key: bytes(text[member.start : member.end]) for member in item.members}
    uri = _string(parts.get("uri")) or _string(parts.get("uriTemplate"))
    old = parts.get("_meta", b"{}")
    meta = _object(old)
    if not _is_widget(uri, _string(parts.get("mimeType")), meta):
        return None
    declared = _declared(meta)
    emitted = merged(rules, uri, declared)
    new = _new_meta(old, meta, emitted, rules)
    doubled = sum(member.key == "_meta" for member in item.members) > 1
    splices = changes(item, {"_meta": new}) if new != old or doubled else []
    return _Edit(Widget(uri, declared, emitted), splices)


@dataclass(frozen=True, slots=True)
class _Edit:
    """A widget, and the places of the answer that have to be changed for it."""

    widget: Widget
    splices: list[Splice]


def _new_meta(old: bytes, meta: Mapping[str, Any], emitted: Policy, rules: CspRules) -> bytes:
    """The text of `_meta` with both shapes in it; what they already say stays as it is."""
    texts = _texts(old)
    ui = texts.get("ui", b"{}")
    apps = _dict(meta.get("ui"))
    new_ui = _with(ui, {"csp": _with_lists(_texts(ui).get("csp", b"{}"), APPS, emitted)})
    if "domain" in apps:
        domain = _domain(apps["domain"], rules)
        if domain != apps["domain"]:
            new_ui = _with(new_ui, {"domain": None if domain is None else _dump(domain)})
    wanted: dict[str, bytes | None] = {
        "ui": new_ui,
        _OPENAI_CSP: _with_lists(texts.get(_OPENAI_CSP, b"{}"), OPENAI, emitted),
    }
    if rules.domain is not None:
        wanted[_OPENAI_DOMAIN] = _kept(texts.get(_OPENAI_DOMAIN), f"https://{rules.domain}")
    return _with(old, wanted)


def _with_lists(old: bytes, names: Mapping[Directive, str], emitted: Policy) -> bytes:
    texts = _texts(old)
    return _with(
        old, {name: _kept(texts.get(name), list(emitted[key])) for key, name in names.items()}
    )


def _with(old: bytes, wanted: Mapping[str, bytes | None]) -> bytes:
    """The object's text with these members; what is no object becomes one."""
    if old[:1] != b"{":
        old = b"{}"
    found = members_of(old)
    once = {m.key: old[m.start : m.end] for m in found.members}
    doubled = {m.key for m in found.members if once[m.key] != old[m.start : m.end]}
    needed = {
        key: value for key, value in wanted.items() if key in doubled or once.get(key) != value
    }
    return spliced(old, changes(found, needed)) if needed else old


def _kept(old: bytes | None, value: object) -> bytes:
    """The text of a value: the old one where that says the same."""
    if old is not None and json.loads(old) == value:
        return old
    return _dump(value)


def _domain(value: object, rules: CspRules) -> str | None:
    """What `ui.domain` has to say behind this proxy: None when nothing is right.

    Claude makes it out of the endpoint's URL, which is ours and not the one the server knows.
    """
    if not isinstance(value, str):
        return None
    if _CLAUDE.fullmatch(value):
        return None if rules.public_url is None else claude_domain(rules.public_url)
    host = urlsplit(value if "://" in value else f"//{value}").hostname or ""
    if host == rules.upstream_host.lower().strip("[]"):
        return None if rules.domain is None else f"https://{rules.domain}"
    return value


def claude_domain(endpoint: str) -> str:
    """The host that Claude shows widgets of this endpoint on, as it expects `ui.domain` to say."""
    return f"{hashlib.sha256(endpoint.encode()).hexdigest()[:32]}.claudemcpcontent.com"


def _is_widget(uri: str, mime_type: str, meta: Mapping[str, Any]) -> bool:
    if uri.startswith("ui://") or "".join(mime_type.lower().split()) in _TYPES:
        return True
    apps = _dict(meta.get("ui"))
    return any(key in meta for key in _OPENAI_MARKERS) or any(key in apps for key in _APPS_MARKERS)


def _declared(meta: Mapping[str, Any]) -> dict[Directive, tuple[str, ...]]:
    """What either shape says, that of MCP Apps first."""
    apps = _dict(_dict(meta.get("ui")).get("csp"))
    openai = _dict(meta.get(_OPENAI_CSP))
    declared: dict[Directive, tuple[str, ...]] = {}
    for directive in DIRECTIVES:
        sources = [
            *sources_in(apps.get(APPS.get(directive, ""))),
            *sources_in(openai.get(OPENAI.get(directive, ""))),
        ]
        if sources:
            declared[directive] = tuple(dict.fromkeys(sources))
    return declared


def _texts(text: bytes) -> dict[str, bytes]:
    """The members of an object, each as its text; of a doubled one the last."""
    if text[:1] != b"{":
        return {}
    return {m.key: text[m.start : m.end] for m in members_of(text).members}


def _object(text: bytes) -> Mapping[str, Any]:
    return _dict(_load(text))


def _load(text: bytes) -> object:
    try:
        return json.loads(text.decode())
    except (ValueError, RecursionError) as exc:
        raise Tangled("a resource that is no JSON") from exc


def _string(text: bytes | None) -> str:
    value = None if text is None else _load(text)
    return value if isinstance(value, str) else ""


def _dict(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _dump(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()
