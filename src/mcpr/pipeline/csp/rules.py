"""The operator's rules for widgets, and the one way in which they are merged with a server's own.

Per directive, in this order: what the server declared in either shape, unless the rule is to
replace it; less what names this machine or the upstream itself; the operator's list; each matching
widget's list; our own public origin first; every source once.
"""

import functools
import ipaddress
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal
from urllib.parse import urlsplit

Directive = Literal["connect", "resource", "frame", "base_uri", "redirect"]
Mode = Literal["extend", "replace"]

DIRECTIVES: Final[tuple[Directive, ...]] = ("connect", "resource", "frame", "base_uri", "redirect")

#: The widget itself comes from us: it may talk to us and load from us, but not frame us.
_OURS: Final = frozenset({"connect", "resource"})
_LOOPBACK_NAMES: Final = frozenset({"localhost", "localhost.localdomain", "ip6-localhost"})

#: An origin as a host takes it: scheme, host with at most one leading wildcard label, port.
_ORIGIN: Final = re.compile(
    r"(?:https?|wss?)://(?:\*\.)?(?:[0-9A-Za-z_-]+\.)*[0-9A-Za-z_-]+(?::\d{1,5})?"
    r"|(?:https?|wss?)://\[[0-9A-Fa-f:.]+\](?::\d{1,5})?"
)

#: Per directive the sources a widget may use.
Policy = Mapping[Directive, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Sources:
    """A list of sources, and what becomes of those that stood there before.

    mode: "extend" keeps them, "replace" does not; an empty list that replaces clears.
    """

    domains: tuple[str, ...] = ()
    mode: Mode = "extend"


#: A frame shows somebody else's page inside a widget: none unless the operator says so.
DEFAULTS: Final[Mapping[Directive, Sources]] = {
    directive: Sources(mode="replace" if directive == "frame" else "extend")
    for directive in DIRECTIVES
}


@dataclass(frozen=True, slots=True)
class WidgetRule:
    """Sources for the widgets whose URI matches: `*` is any run of characters, `?` any one."""

    match: str
    sources: Mapping[Directive, Sources] = field(default_factory=dict)

    def matches(self, uri: str) -> bool:
        """Whether the rule is for this widget."""
        return _glob(self.match).fullmatch(uri) is not None


@dataclass(frozen=True, slots=True)
class CspRules:
    """Everything that decides about widgets.

    sources: per directive; what is missing has its default. widgets: in the order of the file.
    domain: the bare public host that widgets are told to live on, if there is one.
    public_url: how clients reach the MCP endpoint, as they would enter it; None when unknown.
    upstream_host: the MCP server's own host, which no browser shall be sent to.
    """

    upstream_host: str
    sources: Mapping[Directive, Sources] = field(default_factory=dict)
    widgets: tuple[WidgetRule, ...] = ()
    domain: str | None = None
    public_url: str | None = None

    @property
    def public_origin(self) -> str | None:
        """Where browsers reach us; None when that is unknown, or this machine only."""
        if self.domain is not None:
            return f"https://{self.domain}"
        if self.public_url is None:
            return None
        parts = urlsplit(self.public_url)
        if is_local(parts.hostname or ""):
            return None
        return f"{parts.scheme}://{parts.netloc}"


def merged(rules: CspRules, uri: str, declared: Policy) -> dict[Directive, tuple[str, ...]]:
    """What the widget with this URI may use behind this proxy.

    declared: what its server says, both shapes taken together.
    """
    matching = [widget for widget in rules.widgets if widget.matches(uri)]
    policy: dict[Directive, tuple[str, ...]] = {}
    for directive in DIRECTIVES:
        general = rules.sources.get(directive, DEFAULTS[directive])
        sources: list[str] = []
        if general.mode == "extend":
            named = declared.get(directive, ())
            sources += [source for source in named if not _is_hidden(source, rules.upstream_host)]
        sources += general.domains
        for widget in matching:
            own = widget.sources.get(directive)
            if own is None:
                continue
            if own.mode == "replace":
                sources.clear()
            sources += own.domains
        origin = rules.public_origin
        if origin is not None and directive in _OURS:
            sources.insert(0, origin)
        policy[directive] = tuple(dict.fromkeys(sources))
    return policy


def is_origin(source: str) -> bool:
    """Whether hosts take the source at all."""
    return _ORIGIN.fullmatch(source) is not None


def host_of(source: str) -> str:
    """The host that a source names, in lower case, without its port; empty when it names none."""
    rest = source.strip()
    if "://" in rest:
        rest = rest.partition("://")[2]
    elif rest.startswith("//"):
        rest = rest[2:]
    rest = re.split(r"[/?#]", rest, maxsplit=1)[0].rpartition("@")[2]
    if rest.startswith("["):
        return rest[1:].partition("]")[0].lower()
    return rest.partition(":")[0].lower().rstrip(".")


def is_local(host: str) -> bool:
    """Whether a host name or address means this machine, to whoever uses it."""
    host = host.lower().strip("[]").rstrip(".")
    if host in _LOOPBACK_NAMES or host.endswith(".localhost"):
        return True
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return (mapped or address).is_loopback or (mapped or address).is_unspecified


def _is_hidden(source: str, upstream_host: str) -> bool:
    """Whether a source names what a browser elsewhere must not, or cannot, ask."""
    host = host_of(source)
    return is_local(host) or (host != "" and host == upstream_host.lower().strip("[]"))


@functools.lru_cache(maxsize=256)
def _glob(pattern: str) -> re.Pattern[str]:
    wild = {"*": ".*", "?": "."}
    return re.compile("".join(wild.get(c) or re.escape(c) for c in pattern), re.DOTALL)


def sources_in(value: object) -> Sequence[str]:
    """The sources of a list that somebody declared; what is no text is none."""
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []
