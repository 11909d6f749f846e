"""Hosts: names by which clients call, and addresses to listen on. No name is looked up."""

import ipaddress
import re

from mcpr.settings.kinds import BadValue, Kind


class Host(Kind):
    """A host name or IP literal, or `*`; read in lower case, IPv6 in brackets and shortest form."""

    name = "host name"

    def read_text(self, text: str) -> object:
        """As a `Host` header would name it, without port."""
        address = _address(text)
        if address is not None:
            return f"[{address}]" if address.version == 6 else str(address)
        if re.fullmatch(r"[0-9A-Za-z._-]{1,253}|\*", text):
            return text.lower()
        raise BadValue("is not a host name", self.advice)

    @property
    def advice(self) -> str:
        """Only the name."""
        return 'give the name alone, without scheme, port or path, or "*" for any'


class ListenHost(Kind):
    """An address of our own to listen on: an IP literal or `localhost`. Looks no name up."""

    name = "IP address"

    def read_text(self, text: str) -> object:
        """An IP literal without brackets."""
        if text.lower() == "localhost":
            return "localhost"
        address = _address(text)
        if address is None:
            raise BadValue("is not an IP address of this machine", self.advice)
        return str(address)

    @property
    def advice(self) -> str:
        """For one machine, or for all."""
        return 'write "127.0.0.1" for this machine alone, "0.0.0.0" or "::" for all'


class ListenAddress(Kind):
    """Host and port to listen on, or `off`: `PORT`, `IP:PORT` or `[IPv6]:PORT`."""

    name = "address"

    def read_text(self, text: str) -> object:
        """The text, if it is one."""
        found = re.fullmatch(r"(?:(.*):)?([0-9]{1,5})", text)
        host = found[1] if found is not None else None
        is_host = host in {None, "", "localhost"} or (
            host is not None and (":" not in host or host[0] == "[") and _address(host)
        )
        if text == "off" or (found is not None and int(found[2]) <= 65_535 and is_host):
            return text
        raise BadValue("is not an address", self.advice)

    @property
    def advice(self) -> str:
        """The forms."""
        return 'write "PORT", "IP:PORT" or "[IPv6]:PORT", such as "127.0.0.1:9901", or "off"'


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """The address that an IP literal means, in brackets or not; none has a zone."""
    bare = re.fullmatch(r"\[([0-9A-Fa-f:.]+)\]|([0-9A-Fa-f:.]+)", text)
    try:
        return ipaddress.ip_address(bare[1] or bare[2]) if bare is not None else None
    except ValueError:
        return None
