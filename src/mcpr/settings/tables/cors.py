"""`[cors]`: which pages of other sites may call. docs/topics/cors.md tells when that is needed."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Annotated

from mcpr.pipeline import cors as rules
from mcpr.settings.fields import about
from mcpr.settings.kinds import Text, duration
from mcpr.settings.origin import Origin
from mcpr.settings.reading import Objection

FieldName = Annotated[
    str, Text(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,128}", "the name of a header field", "x-api-key")
]


@dataclass(frozen=True, slots=True)
class Cors:
    """Which pages of other sites may call. Without `origins` browsers are left to the server."""

    origins: tuple[Annotated[str, Origin()], ...] = field(
        default=(),
        metadata=about(
            'Sites whose pages may call, as in the browser\'s `Origin` header; "*" for any.',
            default="[]: what browsers ask is left to the server",
            example='["https://app.example.com"]',
            reload=True,
        ),
    )
    credentials: bool = field(
        default=False,
        metadata=about(
            "Whether those pages may send cookies. An `Authorization` header needs no permission "
            "of this kind.",
            reload=True,
        ),
    )
    max_age: Annotated[float, duration("0s")] = field(
        default=7200.0,
        metadata=about("How long a browser may remember that it may call.", reload=True),
    )
    headers: tuple[FieldName, ...] = field(
        default=(),
        metadata=about(
            "Header fields that pages may send, beside those that MCP needs.",
            example='["X-Api-Key"]',
            reload=True,
        ),
    )
    expose: tuple[FieldName, ...] = field(
        default=(),
        metadata=about(
            "Header fields of answers that pages may read, beside those that MCP needs.",
            example='["X-Request-Id"]',
            reload=True,
        ),
    )

    def objections(self) -> Iterator[Objection]:
        """What does not fit together."""
        if "*" in self.origins and len(self.origins) > 1:
            yield Objection(
                ("origins",), '"*" is any, and others are named', 'keep "*" or the others'
            )
        if "*" in self.origins and self.credentials:
            yield Objection(
                ("credentials", "origins"),
                "any site could call with its visitors' cookies",
                "name the origins, or leave credentials out",
            )

    def rules(self) -> "rules.Cors | None":
        """What the proxy goes by; None when browsers are left to the server."""
        if not self.origins:
            return None
        return rules.Cors(
            origins=frozenset(origin.encode("ascii") for origin in self.origins),
            credentials=self.credentials,
            max_age_seconds=int(self.max_age),
            request_fields=frozenset(name.lower().encode("ascii") for name in self.headers),
            answer_fields=self.expose,
        )
