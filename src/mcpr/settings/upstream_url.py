"""The URL of an MCP server: parsed once, with what may not be in it."""

from dataclasses import dataclass
from typing import Literal, cast
from urllib.parse import urlsplit

from mcpr.settings.kinds import BadValue, Kind


@dataclass(frozen=True, slots=True)
class UpstreamUrl:
    """Where the MCP server is. `path` names its endpoint, for hints; requests keep their own."""

    scheme: Literal["http", "https"]
    host: str
    port: int
    path: str

    @property
    def authority(self) -> str:
        """What goes into `Host`: the port only where it is not the scheme's own."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        default = 443 if self.scheme == "https" else 80
        return host if self.port == default else f"{host}:{self.port}"

    def __str__(self) -> str:
        return f"{self.scheme}://{self.authority}{self.path}"


class HttpUrl(Kind):
    """An http or https URL with a host, and without credentials, query and fragment."""

    name = "URL"

    def read_text(self, text: str) -> object:
        """The URL in its parts."""
        try:
            parts = urlsplit(text)
            port = parts.port
        except ValueError as error:
            quotable = "@" not in text
            # The library may quote the URL, and the URL may have a password.
            reason = f"is not a URL: {error}" if quotable else "is not a URL"
            raise BadValue(reason, self.advice, is_quotable=quotable) from None
        if parts.username is not None or parts.password is not None:
            raise BadValue(
                "has credentials, and URLs are shown in logs and process lists",
                "leave them out: the Authorization header of a client passes through untouched",
                is_quotable=False,
            )
        if parts.scheme not in {"http", "https"}:
            why = f"has the scheme {parts.scheme!r}" if "://" in text else "has no scheme"
            raise BadValue(why, self.advice)
        if not parts.hostname:
            raise BadValue("names no host", self.advice)
        if parts.query or parts.fragment:
            raise BadValue("has a query or a fragment", self.advice, is_quotable=False)
        scheme = cast("Literal['http', 'https']", parts.scheme)
        default = 443 if scheme == "https" else 80
        host = parts.hostname
        return UpstreamUrl(scheme, host, default if port is None else port, parts.path or "/")

    def json_schema(self) -> dict[str, object]:
        """A text that begins so."""
        return {"type": "string", "pattern": "^https?://[^?#]+$"}

    @property
    def advice(self) -> str:
        """The form of one."""
        return 'write it as http://HOST:PORT/PATH, such as "http://localhost:9000/mcp"'
