"""`mcpr logs` and `mcpr tools`: a question of `store/questions` each, and the renderer."""

import select
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypedDict, TypeVar, Unpack

import click

from mcpr.cli.completion import names_of
from mcpr.cli.options import form_option, store_option, terminal
from mcpr.cli.render import Form, Question, Renderer
from mcpr.cli.table import Column
from mcpr.cli.words import local_time, zone
from mcpr.errors import UsageError
from mcpr.events import OUTCOMES, Outcome, is_error
from mcpr.settings.run import store_path
from mcpr.store import EventStore, Filter, Window, duration_ms, instant_ms
from mcpr.store.questions import LogRow, ToolRow, follow, log
from mcpr.store.questions import tools as ask_tools
from mcpr.store.sqlite import SqliteEventStore

_POLL_MS = 250
_NOT_ERRORS = "ok, challenge, probe, cancelled, client_gone or unread"

_Command = TypeVar("_Command", bound=Callable[..., Any])


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
        Column("IN", "size", lambda row: row.bytes_in),
        Column("OUT", "size", lambda row: row.bytes_out),
        Column("LAST", "minute", lambda row: row.last_call_ms),
    ),
    # The share of errors from which a server counts as degraded.
    is_error=lambda row: row.error_rate >= 0.05,
)


class _Common(TypedDict):
    db: Path | None
    form: Form
    since: str | None
    until: str | None
    server: str | None


class _LogOptions(_Common):
    tool: str | None
    method: str | None
    client: str | None
    session: str | None
    outcome: Outcome | None
    id: str | None
    errors: bool
    follow: bool
    limit: int


def _common(default_since: str) -> Callable[[_Command], _Command]:
    """The options that every question has."""
    options = (
        click.option(
            "--since",
            metavar="WHEN",
            help=f"From when on: 15m, 2h, 7d, or a date or time.  [default: {default_since}]",
        ),
        click.option("--until", metavar="WHEN", help="Until when.  [default: now]"),
        click.option(
            "--server",
            metavar="NAME",
            shell_complete=names_of("server"),
            help="Only of this MCP server.",
        ),
        store_option,
        form_option,
    )

    def add(command: _Command) -> _Command:
        for option in reversed(options):
            command = option(command)
        return command

    return add


@click.command()
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
@click.option("--errors", is_flag=True, help=f"Only errors: all that is not {_NOT_ERRORS}.")
@click.option("--id", metavar="HEX", help="Only the event of this id; its beginning is enough.")
@click.option("-f", "--follow", is_flag=True, help="Go on with what is recorded from now on.")
@click.option(
    "-n", "--limit", type=click.IntRange(1), default=50, show_default=True, help="Rows at most."
)
@_common("1h; with --id or --session, everything")
@click.pass_obj
def logs(now_ms: Callable[[], int], **options: Unpack[_LogOptions]) -> None:
    """Show recorded calls, the newest last.

    Times are of this machine's zone. Errors are red. With --follow, Ctrl-C ends with 0.
    """
    form = options["form"]
    if options["follow"] and form == "json":
        raise UsageError(
            "cannot follow as json",
            "one JSON document has an end",
            "use -o ndjson, one document for each line",
        )
    is_of_all_time = options["id"] is not None or options["session"] is not None
    window = _window(options, now_ms(), None if is_of_all_time else "1h")
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
@_common("24h")
@click.pass_obj
def tools(now_ms: Callable[[], int], **options: Unpack[_Common]) -> None:
    """Show how the tools fare: calls, errors, latency.

    One line for each tool that was called, the most called first: calls, share of errors,
    percentiles (at most 2 % off) and maximum of the latency, bytes in and out, the last call.
    """
    form = options["form"]
    window = _window(options, now_ms(), "24h")
    where = Filter(window=window, server=options["server"])
    with SqliteEventStore(store_path(options["db"])) as store:
        rows = ask_tools(store, where)
        click.echo(Renderer(TOOLS, form, terminal()).document(rows, window), nl=False)
        if form == "table" and rows:
            click.echo(f"\nErrors: every outcome but {_NOT_ERRORS}.")
        elif form == "table":
            what = "No tool of that server" if options["server"] else "No tool"
            click.echo(_nothing(store, f"{what} was called", "tools"))


def _log_filter(options: _LogOptions, window: Window | None) -> Filter:
    return Filter(
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


def _window(options: _Common, now_ms: int, default: str | None) -> Window:
    """What --since and --until ask for. default: how much without --since; None is everything."""
    until_text = options["until"]
    if until_text is None:
        end_ms, until_ms = now_ms, now_ms + 1  # The present millisecond is part of it.
    else:
        end_ms = until_ms = instant_ms(until_text, now_ms, zone=None)
    if options["since"] is not None:
        since_ms = instant_ms(options["since"], now_ms, zone=None)
    else:
        since_ms = 0 if default is None else max(0, end_ms - duration_ms(default))
    return Window(since_ms, until_ms)


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
        click.echo(_nothing(store, f"{what} was recorded", "logs"))
    elif len(rows) == options["limit"]:
        click.echo(f"\nThe newest {len(rows)}; --limit shows more.")


def _nothing(store: EventStore, what: str, command: str) -> str:
    """What to say instead of no rows, and what to do now."""
    newest = log(store, Filter(), 1)
    if not newest:
        return (
            "The store is empty. Put mcpr before an MCP server and send it a request:\n"
            "mcpr run http://localhost:9000/mcp"
        )
    ts_ms = newest[0].ts_ms
    return (
        f"{what} in this time; the newest event in the store is of"
        f" {local_time(ts_ms)} {zone(ts_ms)}.\n"
        f"Look further back: mcpr {command} --since 7d"
    )
