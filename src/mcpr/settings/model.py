"""The whole of `mcpr.toml`: the keys at the top, and one line for each table.

A new table is a dataclass in `tables/` and a line here, below those that are there.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Annotated

from mcpr.pipeline.guard import is_loopback
from mcpr.settings.fields import about
from mcpr.settings.hosts import Host, ListenHost
from mcpr.settings.kinds import Port
from mcpr.settings.reading import Objection
from mcpr.settings.tables.admin import Admin
from mcpr.settings.tables.alert import Alert
from mcpr.settings.tables.cors import Cors
from mcpr.settings.tables.csp import Csp
from mcpr.settings.tables.limits import Limits
from mcpr.settings.tables.log import Log
from mcpr.settings.tables.otlp import Otlp
from mcpr.settings.tables.schema import Schema
from mcpr.settings.tables.server import Server, ServerName, Upstream
from mcpr.settings.tables.store import Store


@dataclass(frozen=True, slots=True)
class Settings:
    """The proxy: what it stands before, and where it listens."""

    mcp: Upstream | None = field(
        default=None,
        metadata=about(
            "URL of the MCP server's endpoint: short for one [[server]] with this `mcp`. One of "
            "the two is needed.",
            example='"http://localhost:9000/mcp"',
            reload=True,
        ),
    )
    name: ServerName | None = field(
        default=None,
        metadata=about(
            "Name of the server in the record.",
            default="the URL's host and port",
            example='"weather"',
            reload=True,
        ),
    )
    port: Port = field(
        default=3000, metadata=about("Port to listen on; 0 takes a free one.", example="3000")
    )
    host: Annotated[str, ListenHost()] = field(
        default="127.0.0.1",
        metadata=about(
            "Address to listen on; one that other machines reach needs `allowed_hosts`.",
            example='"127.0.0.1"',
        ),
    )
    public_url: Upstream | None = field(
        default=None,
        metadata=about(
            "URL by which clients reach the proxy through what stands before it. Its host may be "
            "called.",
            example='"https://mcp.example.com/mcp"',
            reload=True,
        ),
    )
    allowed_hosts: tuple[Annotated[str, Host()], ...] = field(
        default=(),
        metadata=about(
            'Host names by which clients may call, beside the loopback ones; "*" for any.',
            example='["mcp.example.com"]',
            reload=True,
        ),
    )
    # Before the servers, which take their limits from here.
    limits: Limits = field(default_factory=Limits, metadata=about("How much is accepted."))
    store: Store = field(default_factory=Store, metadata=about("What is recorded, and where."))
    admin: Admin = field(default_factory=Admin, metadata=about("The pages for the operator."))
    otlp: Otlp = field(default_factory=Otlp, metadata=about("What goes to OpenTelemetry."))
    log: Log = field(default_factory=Log, metadata=about("What is said of each event."))
    csp: Csp | None = field(default=None, metadata=about("What widgets may load.", reload=True))
    cors: Cors = field(
        default_factory=Cors,
        metadata=about("Which pages of other sites may call.", reload=True),
    )
    schema: Schema = field(
        default_factory=Schema, metadata=about("What is done when a server's tools change.")
    )
    alert: tuple[Alert, ...] = field(default=(), metadata=about("What to hear of."))
    server: tuple[Server, ...] = field(
        default=(), metadata=about("MCP servers to stand before.", reload=True)
    )

    def objections(self) -> Iterator[Objection]:
        """What does not fit together."""
        if self.schema.pin != "off" and not self.store.detail:
            yield Objection(
                ("schema.pin", "store.detail"),
                "tools cannot be pinned where their definitions are not recorded",
                'set store.detail to true, or schema.pin to "off"',
            )
        if self.mcp is not None and self.server:
            yield Objection(
                ("server", "mcp"),
                "a server is named here and by `mcp` at the top",
                "keep one of the two",
            )
        if len(self.server) > 1:
            yield Objection(
                ("server",), "there is more than one", "keep one: this version stands before one"
            )
        if self.mcp is None and not self.server:
            yield Objection(
                ("mcp", "server"),
                "no MCP server is named",
                'write mcp = "http://localhost:9000/mcp" with the URL of yours',
            )
        if not is_loopback(self.host) and not self.allowed_hosts and self.public_url is None:
            yield Objection(
                ("host", "allowed_hosts", "public_url"),
                f'other machines reach "{self.host}", and no name is given by which they may call',
                "name the hosts in allowed_hosts (--allowed-host), or listen on 127.0.0.1",
            )
