"""What the hosts make of a widget's policy: the `Content-Security-Policy` of its frame.

The mapping is that of MCP Apps; what a host does otherwise was seen on the host itself or told in
its issues, and may change without notice.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from mcpr.pipeline.csp.rules import Policy, is_origin


@dataclass(frozen=True, slots=True)
class Host:
    """A program that shows widgets.

    adds: sources of its own, for scripts, styles, images and fonts.
    https_only: it drops what is not https or wss. ignores_frames: it allows none.
    """

    name: str
    title: str
    adds: tuple[str, ...] = ()
    https_only: bool = False
    ignores_frames: bool = False

    def allows(self, source: str) -> bool:
        """Whether the host takes a declared source at all."""
        is_safe = source.startswith(("https://", "wss://"))
        return is_origin(source) and (is_safe or not self.https_only)


HOSTS: Final[Mapping[str, Host]] = {
    host.name: host
    for host in (
        Host("standard", "MCP Apps, as specified"),
        Host("chatgpt", "ChatGPT", adds=("https://cdn.jsdelivr.net", "https://unpkg.com")),
        Host(
            "claude",
            "Claude",
            adds=("https://esm.sh", "https://assets.claude.ai"),
            https_only=True,
            ignores_frames=True,
        ),
        Host("vscode", "VS Code"),
    )
}


def content_security_policy(policy: Policy, host: Host) -> str:
    """The policy that a widget's frame gets in this host. Source: MCP Apps, draft, CSP mapping."""

    def named(directive: str) -> tuple[str, ...]:
        sources = policy.get(directive, ())  # type: ignore[call-overload]  # a literal's own words
        return tuple(source for source in sources if host.allows(source))

    resource = (*named("resource"), *host.adds)
    frame = () if host.ignores_frames else named("frame")
    directives = {
        "default-src": ("'none'",),
        "script-src": ("'self'", "'unsafe-inline'", *resource),
        "style-src": ("'self'", "'unsafe-inline'", *resource),
        "img-src": ("'self'", "data:", *resource),
        "media-src": ("'self'", "data:", *resource),
        "font-src": ("'self'", *resource),
        "connect-src": ("'self'", *named("connect")),
        "frame-src": frame or ("'none'",),
        "base-uri": named("base_uri") or ("'self'",),
        "object-src": ("'none'",),
    }
    return "; ".join(f"{name} {' '.join(sources)}" for name, sources in directives.items())
