"""`[[alert]]`: what somebody wants to hear of, evaluated on this machine."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Literal

from mcpr.settings.fields import about
from mcpr.settings.kinds import BadValue, Text, Whole, duration
from mcpr.settings.reading import Objection
from mcpr.settings.upstream_url import HttpUrl, UpstreamUrl

_CONDITIONS = ("error_rate", "p95", "p99", "silence", "new_error", "schema")


class Rate(Text):
    """A share of one: `5%` or `0.05`."""

    name = "rate"

    def __init__(self) -> None:
        super().__init__(r"[0-9]{1,3}(\.[0-9]{1,6})?%?", "a rate", "5%")

    def read_text(self, text: str) -> object:
        """0 to 1."""
        super().read_text(text)
        rate = float(text.removesuffix("%")) / (100 if text.endswith("%") else 1)
        if rate > 1:
            raise BadValue("is more than all", 'write a share such as "5%"')
        return rate

    def show(self, value: object) -> object:
        """As a percentage."""
        assert isinstance(value, float)
        return f"{value * 100:g}%"


Span = Annotated[float, duration("10s", "24h")]
Latency = Annotated[float, duration("1ms", "1h")]


@dataclass(frozen=True, slots=True)
class Alert:
    """Something to hear of: in the log, and at a webhook. Each has one condition."""

    name: Annotated[str, Text(r"[^\x00-\x1f\x7f]{1,100}", "1 to 100 characters", "slow")] = field(
        metadata=about("What it is called when it is told of.", example='"weather fails"')
    )
    error_rate: Annotated[float, Rate()] | None = field(
        default=None,
        metadata=about("Fires when more of the calls fail.", default="none", example='"5%"'),
    )
    p95: Latency | None = field(
        default=None,
        metadata=about("Fires when p95 is longer.", default="none", example='"500ms"'),
    )
    p99: Latency | None = field(
        default=None, metadata=about("Fires when p99 is longer.", default="none", example='"2s"')
    )
    silence: Span | None = field(
        default=None,
        metadata=about(
            "Fires when nothing was called for so long.", default="none", example='"10m"'
        ),
    )
    new_error: bool = field(
        default=False,
        metadata=about("Fires, once each, on a kind of error not seen for seven days."),
    )
    schema: Literal["breaking", "risky", "cosmetic"] | None = field(
        default=None,
        metadata=about(
            "Fires, once each, on a change of what the server offers that is so bad or worse.",
            default="none",
            example='"breaking"',
        ),
    )
    window: Span = field(
        default=300.0,
        metadata=about("How far it looks back; `silence` says it itself.", example='"5m"'),
    )
    min_calls: Annotated[int, Whole(1, 1_000_000)] = field(
        default=10, metadata=about("Fewer calls prove nothing of rates and latencies.")
    )
    server: str | None = field(
        default=None, metadata=about("Only of this server.", default="any", example='"weather"')
    )
    tool: str | None = field(
        default=None, metadata=about("Only of this tool.", default="any", example='"forecast"')
    )
    webhook: Annotated[UpstreamUrl, HttpUrl()] | None = field(
        default=None,
        metadata=about(
            "URL that gets a POST when it begins and when it is over.",
            default="none: it is told in the log alone",
            example='"https://hooks.example.com/mcpr"',
        ),
    )
    secret: str = field(
        default="",
        metadata=about(
            "What the POST is signed with.",
            default="none: it is not signed",
            example='"a long random word"',
            secret=True,
        ),
    )

    def objections(self) -> Iterator[Objection]:
        """What does not fit together."""
        given = [name for name in _CONDITIONS if getattr(self, name) not in {None, False}]
        if len(given) != 1:
            said = f"{' and '.join(given)} are given" if given else "none is given"
            yield Objection(
                (given[0] if given else "name",),
                f"an alert has one condition, and {said}",
                f"give one of {', '.join(_CONDITIONS)}; write another [[alert]] for another",
            )

    @property
    def rule(self) -> Mapping[str, object]:
        """The rule that it means, as the sink is told."""
        metric = next(name for name in _CONDITIONS if getattr(self, name) not in {None, False})
        value = getattr(self, metric)
        scale = {"p95": 1_000_000, "p99": 1_000_000, "silence": 1_000}.get(metric, 1)
        window = self.silence if self.silence is not None else self.window
        return {
            "name": self.name,
            "metric": metric,
            "limit": value if isinstance(value, str) else float(value) * scale,
            "window_ms": round(window * 1_000),
            "server": self.server,
            "tool": self.tool,
            "min_calls": self.min_calls,
            "url": None if self.webhook is None else str(self.webhook),
            "secret": self.secret,
        }
