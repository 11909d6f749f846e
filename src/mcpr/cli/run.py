"""`mcpr run`: the proxy before one MCP server."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict, Unpack

import click

if TYPE_CHECKING:
    from mcpr.settings import Asked


class Options(TypedDict):
    """What the command line of `mcpr run` gives; None and () where it does not."""

    url: str | None
    host: str | None
    port: int | None
    name: str | None
    db: Path | None
    log: str | None
    admin: str | None
    allowed_hosts: tuple[str, ...]
    cors_origins: tuple[str, ...]
    detail: bool | None


#: Option → the key that it sets. The command line beats the environment, the environment the file.
KEYS: Mapping[str, tuple[str, ...]] = {
    "--host": ("host",),
    "--port": ("port",),
    "--name": ("name",),
    "--db": ("store", "path"),
    "--log": ("log", "form"),
    "--admin": ("admin", "listen"),
    "--allowed-host": ("allowed_hosts",),
    "--cors-origin": ("cors", "origins"),
    "--detail": ("store", "detail"),
}


@click.command()
@click.argument("url", metavar="[URL|FILE]", required=False)
@click.option(
    "--port",
    type=click.IntRange(0, 65_535),
    help="Port to listen on; 0 takes a free one.  [default: 3000]",
)
@click.option("--host", help="Address to listen on.  [default: 127.0.0.1]")
@click.option(
    "--name", help="Name of the server in the record.  [default: the URL's host and port]"
)
@click.option(
    "--db",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="PATH",
    help="The store's file.  [env: MCPR_DB; default: ~/.mcpr/store.db]",
)
@click.option(
    "--log",
    type=click.Choice(("pretty", "json", "off")),
    help="How each event is shown on stderr.  [default: pretty]",
)
@click.option(
    "--admin",
    metavar="ADDR|off",
    help="Address of the admin pages.  [default: 127.0.0.1:9901, or the next free port]",
)
@click.option(
    "--allowed-host",
    "allowed_hosts",
    metavar="NAME",
    multiple=True,
    help="Host name by which clients may call, beside the loopback ones. May be repeated.",
)
@click.option(
    "--cors-origin",
    "cors_origins",
    metavar="ORIGIN",
    multiple=True,
    help="Site whose pages may call, such as https://app.example.com. May be repeated.",
)
@click.option(
    "--detail/--no-detail",
    default=None,
    help="Record the local part of events, too (subjects, error texts). It never leaves the store.",
)
def run(**options: Unpack[Options]) -> int:
    """Put mcpr before an MCP server and record what happens.

    URL is that of the server's MCP endpoint, such as http://localhost:9000/mcp; FILE is a settings
    file, mcpr.toml if there is one here. Clients call mcpr's address in place of the server's; path
    and query go on unchanged. SIGINT and SIGTERM end what is under way, write what is not yet
    written, and say what became of every event.
    """
    from mcpr import proxy  # noqa: PLC0415 - a program, only where it is run

    settings, _ = asked(options).read()
    return proxy.run(settings)


def asked(options: Options) -> "Asked":
    """Where the settings come from that these options ask for."""
    from mcpr.settings import ask  # noqa: PLC0415 - `--help` does not need it
    from mcpr.settings.sources import from_options  # noqa: PLC0415 - the same

    db = options["db"]
    values: dict[str, object] = {
        "--host": options["host"],
        "--port": options["port"],
        "--name": options["name"],
        "--db": None if db is None else str(db),
        "--log": options["log"],
        "--admin": options["admin"],
        "--allowed-host": options["allowed_hosts"],
        "--cors-origin": options["cors_origins"],
        "--detail": options["detail"],
    }
    given = from_options({name: (path, values[name]) for name, path in KEYS.items()})
    return ask(options["url"], given)
