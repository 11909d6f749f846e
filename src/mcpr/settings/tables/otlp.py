"""`[otlp]`: what goes to an OpenTelemetry collector, and to which."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Literal

from mcpr.settings.fields import about
from mcpr.settings.kinds import Text, duration
from mcpr.settings.reading import Objection
from mcpr.settings.upstream_url import HttpUrl, UpstreamUrl

HeaderValue = Annotated[str, Text(r"[ -~]{0,4096}", "one line of ASCII", "Bearer ...")]


@dataclass(frozen=True, slots=True)
class Otlp:
    """Spans and histograms for an OpenTelemetry collector, from metadata alone."""

    endpoint: Annotated[UpstreamUrl, HttpUrl()] | None = field(
        default=None,
        metadata=about(
            "URL of the collector; /v1/traces and /v1/metrics are put behind it. Without it, "
            "nothing is sent.",
            default="none: nothing is sent",
            example='"http://localhost:4318"',
        ),
    )
    headers: Mapping[str, HeaderValue] = field(
        default_factory=dict,
        metadata=about(
            "Headers of every request to it, such as a key.",
            example='{ Authorization = "Bearer ..." }',
            secret=True,
        ),
    )
    protocol: Literal["http/protobuf"] = field(
        default="http/protobuf", metadata=about("How it is spoken to.")
    )
    timeout: Annotated[float, duration("100ms", "60s")] = field(
        default=10.0, metadata=about("How long one request to it may take.")
    )
    interval: Annotated[float, duration("1s", "10m")] = field(
        default=30.0, metadata=about("How often histograms are sent.")
    )
    service_name: Annotated[str, Text(r"[!-~]{1,128}", "a word of ASCII", "mcpr")] = field(
        default="mcpr", metadata=about("`service.name` of all that is sent.")
    )

    def objections(self) -> Iterator[Objection]:
        """What does not fit together."""
        for name in self.headers:
            if not name.isascii() or not name.replace("-", "").replace("_", "").isalnum():
                yield Objection(
                    ("headers",), "a name in it is none of a header", "use letters, digits and -"
                )

    @property
    def target(self) -> str | None:
        """What the sink is told; None without an endpoint."""
        if self.endpoint is None:
            return None
        return json.dumps(
            {
                "scheme": self.endpoint.scheme,
                "host": self.endpoint.host,
                "port": self.endpoint.port,
                "path": self.endpoint.path.rstrip("/"),
                "headers": dict(self.headers),
                "timeout": self.timeout,
                "interval": self.interval,
                "service_name": self.service_name,
            }
        )
