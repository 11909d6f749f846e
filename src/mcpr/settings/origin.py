"""Origins: what a browser calls the site that a page is from. Source: RFC 6454 section 6.2."""

import re
from urllib.parse import urlsplit

from mcpr.settings.kinds import BadValue, Kind

_DEFAULT_PORTS = {"http": 80, "https": 443}
_HOST = re.compile(r"[0-9a-z._-]{1,253}|\[[0-9a-f:.]+\]")
_SCHEME = re.compile(r"[a-z][a-z0-9+.-]{0,31}")


class Origin(Kind):
    """Scheme, host and port as browsers write them, without the scheme's own port; or `*`."""

    name = "origin"

    def read_text(self, text: str) -> object:
        """In lower case, as it comes in the `Origin` header."""
        if text == "*":
            return text
        try:
            parts = urlsplit(text.lower())
            port = parts.port
        except ValueError as error:
            raise BadValue("is not an origin", self.advice) from error
        scheme, host = parts.scheme, parts.netloc.rpartition("@")[2]
        host = host if port is None else host[: host.rindex(":")]
        bare = f"{scheme}://{parts.netloc}"
        if text.lower() not in {bare, f"{bare}/"} or "@" in parts.netloc:
            raise BadValue("is more than an origin, or less", self.advice)
        if not _SCHEME.fullmatch(scheme) or not _HOST.fullmatch(host.rstrip(":")):
            raise BadValue("is not an origin", self.advice)
        host = host.rstrip(":")
        return (
            f"{scheme}://{host}"
            if port in {None, _DEFAULT_PORTS.get(scheme)}
            else f"{scheme}://{host}:{port}"
        )

    @property
    def advice(self) -> str:
        """Three parts and no more."""
        return 'write scheme, host and port, such as "https://app.example.com", or "*" for any'
