"""The settings of `mcpr run`, from its command line."""

import ipaddress
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, cast, get_args
from urllib.parse import urlsplit

from mcpr.errors import UsageError
from mcpr.protocol.limits import Limits

LogForm = Literal["pretty", "json", "off"]

DEFAULT_PORT = 3000
DEFAULT_HOST = "127.0.0.1"
_NAME = re.compile(r"[0-9A-Za-z._:\[\]-]{1,64}")
_HOST_NAME = re.compile(r"[0-9A-Za-z._-]{1,253}|\*")


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


@dataclass(frozen=True, slots=True)
class RunSettings:
    """Everything that `mcpr run` needs to know.

    db: the store's file. admin: an address, "off", or None for the usual one.
    allowed_hosts: names by which clients may call the proxy, beside the loopback ones.
    detail: whether the local part of events is recorded.
    drain_seconds: how long a stop waits for what was begun.
    """

    upstream: UpstreamUrl
    host: str
    port: int
    name: str
    db: Path
    log: LogForm
    admin: str | None
    allowed_hosts: frozenset[str]
    detail: bool
    drain_seconds: float = 30.0
    limits: Limits = field(default_factory=Limits)

    @property
    def is_loopback(self) -> bool:
        """Whether only this machine can reach the proxy."""
        return is_loopback(self.host)


def is_loopback(host: str) -> bool:
    """Whether a host name or address is of this machine only."""
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def run_settings(  # noqa: PLR0913 - one argument for each option of the command
    *,
    url: str,
    host: str | None = None,
    port: int | None = None,
    name: str | None = None,
    db: str | os.PathLike[str] | None = None,
    log: str | None = None,
    admin: str | None = None,
    allowed_hosts: Sequence[str] = (),
    detail: bool = True,
) -> RunSettings:
    """Check what was asked for. Raises UsageError for the first thing that cannot be."""
    upstream = _upstream(url)
    host = host or DEFAULT_HOST
    allowed = frozenset(_host_name(item) for item in allowed_hosts)
    if not is_loopback(host) and not allowed:
        raise UsageError(
            f"cannot listen on {host}",
            "other machines reach this address, and no name is given by which they may call it",
            "name the hosts with --allowed-host, or listen on 127.0.0.1",
        )
    if name is not None and not _NAME.fullmatch(name):
        raise UsageError(
            f"cannot name the server {name!r}",
            "a name has 1 to 64 letters, digits, dots, dashes and underscores",
            "choose another one with --name",
        )
    if log is not None and log not in get_args(LogForm):
        raise UsageError(
            f"cannot log as {log!r}", "the forms are pretty, json and off", "use one of them"
        )
    return RunSettings(
        upstream=upstream,
        host=host,
        port=DEFAULT_PORT if port is None else port,
        name=name or upstream.authority,
        db=store_path(db),
        log=cast("LogForm", log or "pretty"),
        admin=admin,
        allowed_hosts=allowed,
        detail=detail,
    )


def store_path(db: str | os.PathLike[str] | None) -> Path:
    """The store's file: as given, else `MCPR_DB`, else `~/.mcpr/store.db`."""
    chosen = db or os.environ.get("MCPR_DB") or Path.home() / ".mcpr" / "store.db"
    return Path(chosen).expanduser()


def _host_name(item: str) -> str:
    if not _HOST_NAME.fullmatch(item):
        raise UsageError(
            f"cannot allow the host {item!r}",
            "it is not a host name",
            "give the name alone, without scheme, port or path, or * for any",
        )
    return item.lower()


def _upstream(url: str) -> UpstreamUrl:
    what = f"cannot use {url!r} as the MCP server's URL"
    step = "give it as http://HOST:PORT/PATH, such as http://localhost:9000/mcp"
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as exc:
        raise UsageError(what, str(exc), step) from exc
    if parts.scheme not in {"http", "https"}:
        why = f"its scheme is {parts.scheme!r}" if "://" in url else "it has no scheme"
        raise UsageError(what, why, step)
    if not parts.hostname:
        raise UsageError(what, "it names no host", step)
    if parts.username is not None or parts.password is not None:
        raise UsageError(
            f"cannot use a URL with credentials for {parts.hostname}",
            "a URL is shown in logs and process lists",
            "let the client send its Authorization header: it passes through untouched",
        )
    if parts.query or parts.fragment:
        raise UsageError(what, "it has a query or a fragment", step)
    scheme = cast("Literal['http', 'https']", parts.scheme)
    default = 443 if scheme == "https" else 80
    return UpstreamUrl(scheme, parts.hostname, default if port is None else port, parts.path or "/")
