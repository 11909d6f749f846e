"""`mcpr operations`: calls that took several requests, and who had the time."""

from collections.abc import Callable
from typing import Unpack

import click

from mcpr.cli.options import terminal
from mcpr.cli.render import Question, Renderer
from mcpr.cli.table import Column
from mcpr.cli.window import WindowOptions, nothing, window_of, window_options
from mcpr.settings.run import store_path
from mcpr.store import Filter
from mcpr.store.questions import OperationRow
from mcpr.store.questions import operations as ask_operations
from mcpr.store.sqlite import SqliteEventStore

OPERATIONS = Question(
    "operations",
    OperationRow,
    (
        Column("TIME", "minute", lambda row: row.started_ms),
        Column("SERVER", "text", lambda row: row.server, is_dispensable=True),
        Column("TOOL/METHOD", "text", lambda row: row.tool or row.method),
        Column("KIND", "text", lambda row: row.kinds),
        Column("LEGS", "count", lambda row: row.requests),
        Column("STATE", "text", lambda row: row.state),
        Column("TOTAL", "latency", lambda row: row.total_us),
        Column("UPSTREAM", "latency", lambda row: row.server_us),
        Column("CLIENT", "latency", lambda row: row.client_us),
        Column("PROXY", "latency", lambda row: row.proxy_us),
        Column("UNLINKED", "text", lambda row: row.unlinked, is_dispensable=True),
    ),
    is_error=lambda row: row.state == "failed",
)


class _Options(WindowOptions):
    tool: str | None
    client: str | None
    limit: int


@click.command()
@click.option("--tool", metavar="NAME", help="Only calls of this tool.")
@click.option("--client", metavar="NAME", help="Only of this client.")
@click.option(
    "-n", "--limit", type=click.IntRange(1), default=50, show_default=True, help="Rows at most."
)
@window_options("24h")
@click.pass_obj
def operations(now_ms: Callable[[], int], **options: Unpack[_Options]) -> None:
    """Show calls that took several requests, and whose time.

    One line for each call that asked its client for input, became a task, or was made again after
    its session was lost; the newest last. UPSTREAM, CLIENT and PROXY add up to TOTAL. UNLINKED
    says why there may be more to it: no_state, unseen or ambiguous.
    """
    window = window_of(options, now_ms(), "24h")
    where = Filter(
        window=window, server=options["server"], tool=options["tool"], client=options["client"]
    )
    form = options["form"]
    with SqliteEventStore(store_path(options["db"])) as store:
        rows = ask_operations(store, where, options["limit"])[::-1]
        click.echo(Renderer(OPERATIONS, form, terminal()).document(rows, window), nl=False)
        if form == "table" and not rows:
            click.echo(nothing(store, "No call that took several requests", "operations"))
        elif form == "table" and len(rows) == options["limit"]:
            click.echo(f"\nThe newest {len(rows)}; --limit shows more.")
