"""Who may call: the Host and Origin of a request against the names we answer to.

A browser can be led to a server on its own machine by a foreign name (DNS rebinding); many MCP
servers check only `Host`, which a proxy replaces. So the proxy checks both, itself.
"""

import ipaddress
import re
from dataclasses import dataclass

from mcpr.pipeline.cors import Cors
from mcpr.protocol.http1 import RequestHead

_ORIGIN = re.compile(rb"[a-z][a-z0-9+.\-]*://(\[[0-9a-f:.]+\]|[^/:\[\]]*)(?::[0-9]+)?")


@dataclass(frozen=True, slots=True)
class Guard:
    """Who may call.

    names: allowed host names in lower case, IPv6 in brackets and shortest form, `*` for any.
    loopback: allow loopback names, too. cors: the sites that may call, None for none beside those.
    """

    names: frozenset[str]
    loopback: bool
    cors: Cors | None = None

    def objection(self, head: RequestHead) -> str | None:
        """Why the request may not pass, or None."""
        if "*" in self.names:
            return None
        if head.authority and not self._knows(_host_of(head.authority)):
            return "the Host header names a host that is not served here"
        for origin in head.values(b"origin"):
            if self.cors is not None and self.cors.knows(origin):
                continue
            match = _ORIGIN.fullmatch(origin.lower())
            if match is None or not self._knows(match[1]):
                return "the Origin header names a site that may not call this server"
        return None

    def _knows(self, host: bytes) -> bool:
        name = host.decode("latin-1")
        if name[:1] == "[":
            name = _shortest(name)
        return name in self.names or (self.loopback and is_loopback(name))


def _host_of(authority: bytes) -> bytes:
    if authority[:1] == b"[":
        return authority[: authority.find(b"]") + 1]
    return authority.partition(b":")[0]


def _shortest(name: str) -> str:
    """An IPv6 literal in brackets as everybody writes it. Source: RFC 5952."""
    try:
        return f"[{ipaddress.IPv6Address(name[1:-1])}]"
    except ValueError:
        return name


def is_loopback(name: str) -> bool:
    """Whether a host name or IP literal, in lower case, is of this machine only."""
    if name == "localhost":
        return True
    try:
        address = ipaddress.ip_address(name.strip("[]"))
    except ValueError:
        return False
    # Pythons differ about `::ffff:127.0.0.1`, which is 127.0.0.1 wherever it leads anywhere.
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return (mapped or address).is_loopback
