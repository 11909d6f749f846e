"""Addresses to listen on: their text, and binding them.

Looks no name up: an address is an IP literal or `localhost`.
"""

import errno
import ipaddress
import os
import re
import socket
from dataclasses import dataclass

from mcpr.errors import McprError, UsageError

_FORM = re.compile(r"(?:(?P<host>[^:\[\]]*|\[[^\[\]]*\]):)?(?P<port>[0-9]{1,5})")


@dataclass(frozen=True)
class Address:
    """Where to listen. `host` is an IP literal without brackets; port 0 picks a free one."""

    host: str
    port: int

    @property
    def url(self) -> str:
        """The address as the start of a URL."""
        return f"http://{self}"

    @property
    def is_loopback(self) -> bool:
        """Whether only this machine can reach it."""
        address = ipaddress.ip_address(self.host)
        # Pythons differ about `::ffff:127.0.0.1`, which is 127.0.0.1 wherever it leads anywhere.
        mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
        return (mapped or address).is_loopback

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def parse(text: str) -> Address:
    """An address from `PORT`, `HOST:PORT` or `[IPv6]:PORT`; without a host it is 127.0.0.1.

    Raises UsageError.
    """
    found = _FORM.fullmatch(text)
    if found is not None and int(found["port"]) <= 65_535:
        host = (found["host"] or "127.0.0.1").strip("[]")
        if host == "localhost":
            host = "127.0.0.1"
        try:
            return Address(str(ipaddress.ip_address(host)), int(found["port"]))
        except ValueError:
            pass
    raise UsageError(
        f"cannot listen on {text!r}",
        "that is not an address",
        "write PORT, IP:PORT or [IPv6]:PORT, for example 127.0.0.1:9901",
        "usage.address",
    )


def bind(address: Address, tries: int = 1) -> socket.socket:
    """A listening socket on the address, or on one of the `tries - 1` ports after it.

    Raises McprError when none of them can be had.
    """
    family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
    last = address.port
    for port in range(address.port, min(address.port + tries, 65_536)):
        last = port
        listener = socket.socket(family, socket.SOCK_STREAM)
        try:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind((address.host, port))
            listener.listen(128)
        except OSError as error:
            listener.close()
            if error.errno != errno.EADDRINUSE:
                raise _refusal(Address(address.host, port), error) from error
        else:
            listener.setblocking(False)  # noqa: FBT003 - the standard library's signature
            return listener
    raise _refusal(
        Address(address.host, last), OSError(errno.EADDRINUSE, os.strerror(errno.EADDRINUSE))
    )


def bound(listener: socket.socket) -> Address:
    """The address a socket is bound to."""
    host, port = listener.getsockname()[:2]
    return Address(host, port)


def _refusal(address: Address, error: OSError) -> McprError:
    if error.errno == errno.EADDRINUSE:
        return McprError(
            f"cannot listen on {address}",
            "the port is taken by another program",
            "name another port, or end that program",
            "listen.taken",
        )
    return McprError(
        f"cannot listen on {address}",
        os.strerror(error.errno or 0),
        "name another address",
        "listen.failed",
    )
