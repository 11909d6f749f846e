"""`mcpr run`: the proxy before one MCP server."""

from pathlib import Path
from typing import TypedDict, Unpack

import click

from mcpr.errors import UsageError


class _Options(TypedDict):
    url: str | None
    host: str | None
    port: int | None
    name: str | None
    db: Path | None
    log: str | None
    admin: str | None
    allowed_hosts: tuple[str, ...]
    detail: bool


@click.command()
@click.argument("url", required=False)
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
    "--detail/--no-detail",
    default=True,
    help="Record the local part of events, too (subjects, error texts). It never leaves the store.",
)
def run(**options: Unpack[_Options]) -> int:
    """Put mcpr before an MCP server and record what happens.

    URL is that of the server's MCP endpoint, such as http://localhost:9000/mcp. Clients call
    mcpr's address in place of the server's; path and query go on unchanged. SIGINT and SIGTERM
    end what is under way, write what is not yet written, and say what became of every event.
    """
    url = options["url"]
    if url is None:
        raise UsageError(
            "cannot start the proxy",
            "no MCP server was named",
            "give the URL of one, as in `mcpr run http://localhost:9000/mcp`",
        )
    from mcpr import proxy  # noqa: PLC0415 - a program, only where it is run
    from mcpr.settings import run_settings  # noqa: PLC0415 - `--help` does not need it

    return proxy.run(
        run_settings(
            url=url,
            host=options["host"],
            port=options["port"],
            name=options["name"],
            db=options["db"],
            log=options["log"],
            admin=options["admin"],
            allowed_hosts=options["allowed_hosts"],
            detail=options["detail"],
        )
    )
