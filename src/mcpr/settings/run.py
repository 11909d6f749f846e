"""The settings of `mcpr run`: a file or a URL, the environment and the options, as one record."""

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from mcpr.errors import UsageError
from mcpr.pipeline.csp import CspRules
from mcpr.pipeline.guard import is_loopback
from mcpr.protocol.limits import Limits
from mcpr.settings.document import Document, read_document
from mcpr.settings.mistakes import Place
from mcpr.settings.model import Settings
from mcpr.settings.reading import Given, Reading, read
from mcpr.settings.sources import CONFIG_VARIABLE, from_environment
from mcpr.settings.tables.csp import csp_rules
from mcpr.settings.tables.limits import wire_limits
from mcpr.settings.tables.log import LogForm
from mcpr.settings.upstream_url import UpstreamUrl
from mcpr.settings.writing import dump

DEFAULT_FILE = "mcpr.toml"


@dataclass(frozen=True, slots=True)
class RunSettings:
    """Everything that `mcpr run` needs to know.

    db: the store's file. admin: an address, "off", or None for the usual one.
    allowed_hosts: names by which clients may call the proxy, beside the loopback ones.
    detail: whether the local part of events is recorded.
    drain_seconds: how long a stop waits for what was begun.
    csp: what becomes of widgets' policies; None where they go on as they are.
    model: all that was asked for, table by table. asked: how to read it again.
    dump: the same as people may see it: with its origins, without its secrets.
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
    csp: CspRules | None = None
    model: Settings = field(default_factory=Settings)
    asked: "Asked | None" = None
    dump: str = field(default="", repr=False)

    @property
    def is_loopback(self) -> bool:
        """Whether only this machine can reach the proxy."""
        return is_loopback(self.host)

    @property
    def address(self) -> str:
        """Host and port as in a URL."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class Asked:
    """Where the settings come from; asking again reads the file again.

    file: None for none. options: what the command line gives. variables: the environment.
    """

    file: Path | None
    options: tuple[Given, ...]
    variables: Mapping[str, str]

    def read(self) -> tuple[RunSettings, Reading]:
        """The settings. Raises SettingsError with every mistake, UsageError without a server."""
        document = Document("mcpr.toml") if self.file is None else read_document(self.file)
        given = (*from_environment(Settings, self.variables), *self.options)
        names_server = any(each.path == ("mcp",) for each in given)
        if self.file is None and not names_server:
            raise UsageError(
                "cannot tell which MCP server to stand before",
                f"no URL and no settings file was named, and there is no {DEFAULT_FILE} here",
                "give the URL of one, as in `mcpr run http://localhost:9000/mcp`, or write a "
                "settings file with `mcpr init`",
            )
        model, reading = read(Settings, document, given, self.variables)
        return replace(_run_settings(model, self), dump=dump(reading)), reading


def ask(
    argument: str | None,
    options: Iterable[Given] = (),
    variables: Mapping[str, str] | None = None,
) -> Asked:
    """Where `mcpr run ARGUMENT` takes its settings from: a URL is no file, all else is one.

    Without an argument it is the file of MCPR_CONFIG, else mcpr.toml here if there is one.
    variables: those of the process unless given.
    """
    variables = dict(os.environ) if variables is None else variables
    given = tuple(options)
    if argument is None:
        named = variables.get(CONFIG_VARIABLE)
        here = Path(DEFAULT_FILE)
        file = Path(named).expanduser() if named else here if here.exists() else None
    elif argument.endswith(".toml") or Path(argument).exists():
        file = Path(argument).expanduser()
    else:
        file = None
        given = (Given(("mcp",), argument, Place("URL", order=0)), *given)
    return Asked(file, given, variables)


def store_path(db: str | os.PathLike[str] | None) -> Path:
    """The store's file: as given, else `MCPR_DB`, else `~/.mcpr/store.db`."""
    chosen = db or os.environ.get("MCPR_DB") or Path.home() / ".mcpr" / "store.db"
    return Path(chosen).expanduser()


def _run_settings(model: Settings, asked: Asked) -> RunSettings:
    server = model.server[0] if model.server else None
    upstream = server.mcp if server is not None else model.mcp
    assert upstream is not None
    name = model.name or (server and server.name)
    hosts = set(model.allowed_hosts)
    if model.public_url is not None:
        public = model.public_url.host
        hosts.add(f"[{public}]" if ":" in public else public)
    return RunSettings(
        upstream=upstream,
        host=model.host,
        port=model.port,
        name=name or upstream.authority,
        db=model.store.path.expanduser(),
        log=model.log.form,
        admin=model.admin.listen,
        allowed_hosts=frozenset(hosts),
        detail=model.store.detail,
        drain_seconds=model.limits.drain_timeout,
        limits=wire_limits(model.limits, server.limits if server is not None else None),
        csp=None if model.csp is None else csp_rules(model.csp, upstream, model.public_url),
        model=model,
        asked=asked,
    )
