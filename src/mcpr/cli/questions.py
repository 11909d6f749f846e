"""`mcpr logs` and `mcpr tools`: a question of `store/questions` each, and the renderer."""

import select
import sys
from collections.abc import Callable
from typing import Unpack

import click

from mcpr.cli.completion import names_of
from mcpr.cli.options import terminal
from mcpr.cli.render import Question, Renderer
from mcpr.cli.table import Column
from mcpr.cli.window import NOT_ERRORS, WindowOptions, nothing, window_of, window_options
from mcpr.errors import UsageError
from mcpr.events import OUTCOMES, Outcome, is_error
from mcpr.settings.run import store_path
from mcpr.store import EventStore, Filter, Window
from mcpr.store.filter_language import read_filter
from mcpr.store.questions import LogRow, ToolRow, follow, log
from mcpr.store.questions import tools as ask_tools
from mcpr.store.sqlite import SqliteEventStore

_POLL_MS = 250


def _method(row: LogRow) -> str:
    return row.raw_method or row.method or row.http_method or row.kind


def _subject(row: LogRow) -> str | None:
    # A tool's name that the public part had to bound stands whole in the local part.
    return row.subject or row.path if row.tool in {None, "_other"} else row.tool


def _client(row: LogRow) -> str | None:
    return (row.client_name or row.client) if row.client in {None, "other"} else row.client


LOG = Question(
    "log",
    LogRow,
    (
        Column("TIME", "time", lambda row: row.ts_ms),
        Column("SERVER", "text", lambda row: row.server, is_dispensable=True),
        Column("METHOD", "text", _method),
        Column("TOOL/SUBJECT", "text", _subject),
        Column("LATENCY", "latency", lambda row: row.latency_us),
        Column("IN", "size", lambda row: row.bytes_in),
        Column("OUT", "size", lambda row: row.bytes_out),
        Column("OUTCOME", "text", lambda row: row.outcome),
        Column("CLIENT", "text", _client),
    ),
    is_error=lambda row: is_error(row.outcome),
)
TOOLS = Question(
    "tools",
    ToolRow,
    (
        Column("SERVER", "text", lambda row: row.server, is_dispensable=True),
        Column("TOOL", "text", lambda row: row.tool),
        Column("CALLS", "count", lambda row: row.calls),
        Column("ERRORS", "rate", lambda row: row.error_rate),
        Column("P50", "latency", lambda row: row.p50_us),
        Column("P95", "latency", lambda row: row.p95_us),
        Column("P99", "latency", lambda row: row.p99_us),
        Column("MAX", "latency", lambda row: row.max_us),
        Column("IN", "size", lambda row: row.bytes_in, is_spare=True),
        Column("OUT", "size", lambda row: row.bytes_out, is_spare=True),
        Column("LAST", "minute", lambda row: row.last_call_ms),
        Column("HEALTH", "text", lambda row: row.health),
    ),
    is_error=lambda row: row.health in {"down", "degraded"},
)


class _LogOptions(WindowOptions):
    words: tuple[str, ...]
    tool: str | None
    method: str | None
    client: str | None
    session: str | None
    outcome: Outcome | None
    id: str | None
    errors: bool
    follow: bool
    limit: int


@click.command()
@click.argument("words", metavar="[FILTER]...", nargs=-1)
@click.option(
    "--tool", metavar="NAME", shell_complete=names_of("tool"), help="Only calls of this tool."
)
@click.option(
    "--method",
    metavar="NAME",
    shell_complete=names_of("method"),
    help="Only this method, such as tools/call.",
)
@click.option(
    "--client", metavar="NAME", shell_complete=names_of("client"), help="Only of this client."
)
@click.option("--session", metavar="HEX", help="Only of this session; its beginning is enough.")
@click.option(
    "--outcome",
    metavar="OUTCOME",
    type=click.Choice(OUTCOMES),
    help="Only what ended so, such as tool_error or timeout.",
)
@click.option("--errors", is_flag=True, help=f"Only errors: all that is not {NOT_ERRORS}.")
@click.option("--id", metavar="HEX", help="Only the event of this id; its beginning is enough.")
@click.option("-f", "--follow", is_flag=True, help="Go on with what is recorded from now on.")
@click.option(
    "-n", "--limit", type=click.IntRange(1), default=50, show_default=True, help="Rows at most."
)
@window_options("1h; with --id or --session, everything")
@click.pass_obj
def logs(now_ms: Callable[[], int], **options: Unpack[_LogOptions]) -> None:
    """Show recorded calls, the newest last.

    FILTER is one or more words such as tool:get_weather status:error client:claude
    latency:>500ms session:ab12; all of them must hold. Times are of this machine's zone. Errors
    are red. With --follow, Ctrl-C ends with 0.
    """
    form = options["form"]
    if options["follow"] and form == "json":
        raise UsageError(
            "cannot follow as json",
            "one JSON document has an end",
            "use -o ndjson, one document for each line",
        )
    asked = _log_filter(options, None)
    is_of_all_time = asked.id is not None or asked.session is not None
    window = window_of(options, now_ms(), None if is_of_all_time else "1h")
    where = _log_filter(options, window)
    renderer = Renderer(LOG, form, terminal(), goes_on=options["follow"])
    with SqliteEventStore(store_path(options["db"])) as store:
        cursor = store.last_seq()
        rows = log(store, where, options["limit"])[::-1]
        if not options["follow"]:
            click.echo(renderer.document(rows, window), nl=False)
            if form == "table":
                _say_about_log(store, options, rows)
            return
        # What was committed since `cursor` was asked comes again from there.
        rows = [row for row in rows if row.seq <= cursor]
        click.echo(renderer.lines(rows), nl=False)
        _follow(store, _log_filter(options, None), cursor, renderer)


@click.command()
@window_options("24h")
@click.pass_obj
def tools(now_ms: Callable[[], int], **options: Unpack[WindowOptions]) -> None:
    """Show how the tools fare: calls, errors, latency.

    One line for each tool that was called, the most called first: calls, share of errors,
    percentiles (at most 2 % off) and maximum of the latency, bytes in and out, the last call.
    """
    form = options["form"]
    window = window_of(options, now_ms(), "24h")
    where = Filter(window=window, server=options["server"])
    with SqliteEventStore(store_path(options["db"])) as store:
        rows = ask_tools(store, where)
        click.echo(Renderer(TOOLS, form, terminal()).document(rows, window), nl=False)
        if form == "table" and rows:
            click.echo(f"\nErrors: every outcome but {NOT_ERRORS}.")
        elif form == "table":
            what = "No tool of that server" if options["server"] else "No tool"
            click.echo(nothing(store, f"{what} was called", "tools"))


def _log_filter(options: _LogOptions, window: Window | None) -> Filter:
    where = Filter(
        window=window,
        server=options["server"],
        method=options["method"],
        tool=options["tool"],
        client=options["client"],
        outcome=options["outcome"],
        session=options["session"],
        id=options["id"],
        errors_only=options["errors"],
    )
    # The shell took the quotes off; a word with blanks gets its own again.
    words = (f'{name}:"{value}"' for name, _, value in (w.partition(":") for w in options["words"]))
    return read_filter(" ".join(words), where)


def _follow(store: EventStore, where: Filter, cursor: int, renderer: Renderer[LogRow]) -> None:
    """Show what comes, until Ctrl-C or until whoever reads has gone."""
    reader = select.poll()
    reader.register(sys.stdout, 0)
    try:
        while True:
            news = follow(store, where, cursor)
            cursor = news.cursor
            text = renderer.lines(news.rows)
            if text:
                click.echo(text, nl=False)
            elif reader.poll(_POLL_MS):
                raise BrokenPipeError
    except KeyboardInterrupt:
        # The wish to stop is how this ends, not a failure. A new line after the terminal's ^C.
        click.echo(err=True)


def _say_about_log(store: EventStore, options: _LogOptions, rows: list[LogRow]) -> None:
    if not rows:
        has_filter = _log_filter(options, None) != Filter()
        what = "Nothing that matches" if has_filter else "Nothing"
        click.echo(nothing(store, f"{what} was recorded", "logs"))
    elif len(rows) == options["limit"]:
        click.echo(f"\nThe newest {len(rows)}; --limit shows more.")
