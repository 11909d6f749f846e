"""`[csp]`: what widgets may load behind this proxy; with it, declared policies are changed."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Annotated

from mcpr.pipeline.csp import CspRules, Directive, Mode, Sources, WidgetRule
from mcpr.settings.fields import about
from mcpr.settings.kinds import Text
from mcpr.settings.reading import Objection
from mcpr.settings.upstream_url import UpstreamUrl

_HOST = r"(?:[0-9A-Za-z_-]+\.)*[0-9A-Za-z_-]+"
Origin = Annotated[
    str,
    Text(
        rf"(?:https?|wss?)://(?:\*\.)?(?:{_HOST}|\[[0-9A-Fa-f:.]+\])(?::[0-9]{{1,5}})?",
        "an origin: a scheme, a host and maybe a port",
        "https://api.example.com",
    ),
]
_MODE = 'Whether the list adds to what stands before it ("extend") or takes its place ("replace").'


@dataclass(frozen=True, slots=True)
class Extending:
    """Sources that widgets may use, beside those that the server declares."""

    domains: tuple[Origin, ...] = field(
        default=(), metadata=about("Origins.", example='["https://api.example.com"]', reload=True)
    )
    mode: Mode = field(default="extend", metadata=about(_MODE, reload=True))


@dataclass(frozen=True, slots=True)
class Replacing:
    """Sources that widgets may use, in place of those that the server declares."""

    domains: tuple[Origin, ...] = field(
        default=(), metadata=about("Origins.", example='["https://video.example.com"]', reload=True)
    )
    mode: Mode = field(default="replace", metadata=about(_MODE, reload=True))


Own = tuple[Origin, ...] | None


@dataclass(frozen=True, slots=True)
class Widget:
    """Sources for some widgets, taken in the order of the file after all that is said above."""

    match: str = field(
        metadata=about(
            "URIs of the widgets: `*` is any run of characters, `?` any one.",
            example='"ui://shop/*"',
            reload=True,
        )
    )
    connect: Own = field(
        default=None,
        metadata=about(
            "Origins to call.", default="none", example='["https://api.example.com"]', reload=True
        ),
    )
    resource: Own = field(
        default=None,
        metadata=about(
            "Origins to load from.",
            default="none",
            example='["https://images.example.com"]',
            reload=True,
        ),
    )
    frame: Own = field(
        default=None,
        metadata=about(
            "Origins to show in frames.",
            default="none",
            example='["https://video.example.com"]',
            reload=True,
        ),
    )
    base_uri: Own = field(
        default=None,
        metadata=about(
            "Origins of base URIs.",
            default="none",
            example='["https://images.example.com"]',
            reload=True,
        ),
    )
    redirect: Own = field(
        default=None,
        metadata=about(
            "Origins to lead to.",
            default="none",
            example='["https://shop.example.com"]',
            reload=True,
        ),
    )
    mode: Mode = field(
        default="extend", metadata=about(f"{_MODE} For each list that is given.", reload=True)
    )

    @property
    def rule(self) -> WidgetRule:
        """The rule that this is."""
        lists: Mapping[Directive, Own] = {
            "connect": self.connect,
            "resource": self.resource,
            "frame": self.frame,
            "base_uri": self.base_uri,
            "redirect": self.redirect,
        }
        return WidgetRule(
            self.match,
            {name: Sources(own, self.mode) for name, own in lists.items() if own is not None},
        )


@dataclass(frozen=True, slots=True)
class Csp:
    """What widgets may load. With this table the policies that servers declare are rewritten."""

    domain: Annotated[str, Text(_HOST, "a host name", "mcp.example.com")] | None = field(
        default=None,
        metadata=about(
            "Public host that widgets are served under and may call, without scheme or port.",
            default="the origin of public_url",
            example='"mcp.example.com"',
            reload=True,
        ),
    )
    connect: Extending = field(
        default_factory=Extending,
        metadata=about("What widgets may call (connect-src).", reload=True),
    )
    resource: Extending = field(
        default_factory=Extending,
        metadata=about(
            "Where scripts, styles, images, fonts and media may come from.", reload=True
        ),
    )
    frame: Replacing = field(
        default_factory=Replacing,
        metadata=about(
            "What may be shown in frames: nothing unless it is named here.", reload=True
        ),
    )
    base_uri: Extending = field(
        default_factory=Extending,
        metadata=about("What relative URLs may refer to (base-uri).", reload=True),
    )
    redirect: Extending = field(
        default_factory=Extending,
        metadata=about("Where links may lead without a warning.", reload=True),
    )
    widget: tuple[Widget, ...] = field(
        default=(), metadata=about("Sources for some widgets only.", reload=True)
    )

    def objections(self) -> Iterator[Objection]:
        """What does not fit together."""
        if self.domain is not None and "." not in self.domain:
            yield Objection(
                ("domain",),
                f'"{self.domain}" is no public host',
                "name the one by which browsers reach the proxy, or leave the key out",
            )


def csp_rules(csp: Csp, upstream: UpstreamUrl, public_url: UpstreamUrl | None) -> CspRules:
    """The rules that the table means, before this upstream."""
    tables: Mapping[Directive, Extending | Replacing] = {
        "connect": csp.connect,
        "resource": csp.resource,
        "frame": csp.frame,
        "base_uri": csp.base_uri,
        "redirect": csp.redirect,
    }
    return CspRules(
        upstream_host=upstream.host,
        sources={name: Sources(table.domains, table.mode) for name, table in tables.items()},
        widgets=tuple(widget.rule for widget in csp.widget),
        domain=csp.domain,
        public_url=None if public_url is None else _endpoint(public_url, upstream),
    )


def _endpoint(public_url: UpstreamUrl, upstream: UpstreamUrl) -> str:
    """How clients name the MCP endpoint: the public URL's own path, else the upstream's."""
    if public_url.path != "/":
        return str(public_url)
    return f"{public_url.scheme}://{public_url.authority}{upstream.path}"
