"""`[[server]]`: an MCP server to stand before."""

from dataclasses import dataclass, field
from typing import Annotated

from mcpr.settings.fields import about
from mcpr.settings.kinds import Text
from mcpr.settings.tables.limits import ServerLimits
from mcpr.settings.upstream_url import HttpUrl, UpstreamUrl

Upstream = Annotated[UpstreamUrl, HttpUrl()]
ServerName = Annotated[
    str, Text(r"[0-9A-Za-z._:\[\]-]{1,64}", "1 to 64 letters, digits and ._:-", "weather")
]


@dataclass(frozen=True, slots=True)
class Server:
    """An MCP server to stand before. `mcp` and `name` at the top are short for one of these."""

    mcp: Upstream = field(
        metadata=about(
            "URL of the server's MCP endpoint. Path and query of requests go to its host and port "
            "unchanged.",
            example='"http://localhost:9000/mcp"',
            reload=True,
        )
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
    limits: ServerLimits | None = field(
        default=None,
        metadata=about("Limits of this server's exchanges.", inherits="limits", reload=True),
    )
