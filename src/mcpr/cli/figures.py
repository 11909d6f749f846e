"""`mcpr summary`, `servers`, `slow`, `latency`: a question of `store/questions` each."""

from collections.abc import Callable
from typing import Unpack

import click

from mcpr.cli import words
from mcpr.cli.completion import names_of
from mcpr.cli.options import terminal
from mcpr.cli.render import Question, Renderer
from mcpr.cli.table import Column
from mcpr.cli.window import NOT_ERRORS, WindowOptions, nothing, window_of, window_options
from mcpr.events import is_error
from mcpr.settings.run import store_path
from mcpr.store import Filter, Steps, duration_ms
from mcpr.store.questions import LatencyRow, ServerRow, SlowRow, SummaryRow, steps_for
from mcpr.store.questions import latency as ask_latency
from mcpr.store.questions import servers as ask_servers
from mcpr.store.questions import slow as ask_slow
from mcpr.store.questions import summary as ask_summary
from mcpr.store.questions.latency import Split
from mcpr.store.sqlite import SqliteEventStore

_BAD = frozenset({"down", "degraded"})
_TITLES = {
    "error_rate": "error rate",
    "mean_us": "mean latency",
    "active_sessions": "active sessions",
    "bytes_in": "bytes in",
    "bytes_out": "bytes out",
    "exchanges": "all exchanges",
}


def _title(row: SummaryRow) -> str:
    return _TITLES.get(row.metric, row.metric.removesuffix("_us"))


def _figure(row: SummaryRow, value: float | None) -> str | None:
    if value is None:
        return None
    if row.unit == "rate":
        return words.rate(value)
    number = round(value)
    if row.unit == "us":
        return words.latency(number)
    return words.size(number) if row.unit == "bytes" else str(number)


def _change(row: SummaryRow) -> str | None:
    if row.change is None:
        return None
    sign = "+" if row.change > 0 else "-" if row.change < 0 else "±"
    size = abs(row.change)
    if row.unit == "rate":
        return f"{sign}{size * 100:.1f} points"
    if row.unit == "us":
        return f"{sign}{words.latency(round(size))}"
    return f"{sign}{size * 100:.0f}%"


def _times(row: SlowRow) -> str:
    return f"{row.times_p50:.1f}" if row.times_p50 >= 0.05 else "<0.1"


SUMMARY = Question(
    "summary",
    SummaryRow,
    (
        Column("FIGURE", "text", _title),
        Column("NOW", "count", lambda row: _figure(row, row.value)),
        Column("BEFORE", "count", lambda row: _figure(row, row.previous)),
        Column("CHANGE", "count", _change),
    ),
    is_error=lambda row: row.metric == "error_rate" and row.value >= 0.05,
)
SERVERS = Question(
    "servers",
    ServerRow,
    (
        Column("SERVER", "text", lambda row: row.server),
        Column("CALLS", "count", lambda row: row.calls),
        Column("ERRORS", "rate", lambda row: row.error_rate),
        Column("NOT OWN", "count", lambda row: row.proxy_errors),
        Column("P50", "latency", lambda row: row.p50_us),
        Column("P95", "latency", lambda row: row.p95_us),
        Column("LAST", "minute", lambda row: row.last_call_ms),
        Column("HEALTH", "text", lambda row: row.health),
        Column("WHY", "text", lambda row: row.health_reason),
    ),
    is_error=lambda row: row.health in _BAD,
)
SLOW = Question(
    "slow",
    SlowRow,
    (
        Column("TIME", "time", lambda row: row.ts_ms),
        Column("SERVER", "text", lambda row: row.server, is_dispensable=True),
        Column("CALL", "text", lambda row: row.tool or row.subject or row.method),
        Column("LATENCY", "latency", lambda row: row.latency_us),
        Column("UPSTREAM", "latency", lambda row: row.upstream_us),
        Column("x P50", "count", _times),
        Column("OUTCOME", "text", lambda row: row.outcome),
        Column("CLIENT", "text", lambda row: row.client_name or row.client),
        Column("SESSION", "text", lambda row: row.session and row.session[:8]),
    ),
    is_error=lambda row: is_error(row.outcome),
)
LATENCY = Question(
    "latency",
    LatencyRow,
    (
        Column("FROM", "minute", lambda row: row.at_ms),
        Column("OF", "text", lambda row: row.by, is_dispensable=True),
        Column("CALLS", "count", lambda row: row.calls),
        Column("ERRORS", "rate", lambda row: row.error_rate),
        Column("MEAN", "latency", lambda row: row.mean_us),
        Column("P50", "latency", lambda row: row.p50_us),
        Column("P95", "latency", lambda row: row.p95_us),
        Column("P99", "latency", lambda row: row.p99_us),
        Column("MAX", "latency", lambda row: row.max_us),
    ),
    is_error=lambda _: False,
)


@click.command()
@window_options("24h")
@click.pass_obj
def summary(now_ms: Callable[[], int], **options: Unpack[WindowOptions]) -> None:
    """Show the figures of a time, and those of the time before it.

    Calls, errors and latencies are of JSON-RPC requests. BEFORE is the window of the same length
    just before; it is empty where that begins before the oldest event in the store.
    """
    window = window_of(options, now_ms(), "24h")
    where = Filter(window=window, server=options["server"])
    form = options["form"]
    with SqliteEventStore(store_path(options["db"])) as store:
        rows = ask_summary(store, where)
        if form == "table" and not any(row.value for row in rows):
            click.echo(nothing(store, "Nothing was recorded", "summary"))
            return
    click.echo(Renderer(SUMMARY, form, terminal()).document(rows, window), nl=False)
    if form == "table":
        click.echo(f"\nErrors: every outcome but {NOT_ERRORS}.")


@click.command()
@window_options("24h")
@click.pass_obj
def servers(now_ms: Callable[[], int], **options: Unpack[WindowOptions]) -> None:
    """Show how the MCP servers fare, and why.

    NOT OWN counts errors that the server did not make: it was not reached or was cut off, or
    mcpr refused. HEALTH: `down` when half of the last five minutes' calls failed (at least 3),
    `degraded` from 5 % errors on or when p95 doubled, `inactive` without calls for five minutes or
    a tenth of the time, whichever is longer.
    """
    window = window_of(options, now_ms(), "24h")
    form = options["form"]
    with SqliteEventStore(store_path(options["db"])) as store:
        rows = ask_servers(store, Filter(window=window, server=options["server"]))
        click.echo(Renderer(SERVERS, form, terminal()).document(rows, window), nl=False)
        if form == "table" and not rows:
            click.echo(nothing(store, "No server was called", "servers"))


class SlowOptions(WindowOptions):
    """What `mcpr slow` takes."""

    tool: str | None
    client: str | None
    limit: int


@click.command()
@click.option(
    "--tool", metavar="NAME", shell_complete=names_of("tool"), help="Only calls of this tool."
)
@click.option(
    "--client", metavar="NAME", shell_complete=names_of("client"), help="Only of this client."
)
@click.option(
    "-n", "--limit", type=click.IntRange(1), default=20, show_default=True, help="Rows at most."
)
@window_options("24h")
@click.pass_obj
def slow(now_ms: Callable[[], int], **options: Unpack[SlowOptions]) -> None:
    """Show the slowest calls.

    CALL is the tool, else what was read, else the method. UPSTREAM is the server's share of the
    latency; the rest is mcpr's and the client's. x P50 says how many times the usual of its tool a
    call took.
    """
    window = window_of(options, now_ms(), "24h")
    where = Filter(
        window=window,
        server=options["server"],
        tool=options["tool"],
        client=options["client"],
    )
    form = options["form"]
    with SqliteEventStore(store_path(options["db"])) as store:
        rows = ask_slow(store, where, options["limit"])
        click.echo(Renderer(SLOW, form, terminal()).document(rows, window), nl=False)
        if form != "table":
            return
        if not rows:
            click.echo(nothing(store, "Nothing was called", "slow"))
            return
    mean = sum(row.latency_us for row in rows) // len(rows)
    click.echo(f"\n{len(rows)} calls, {words.latency(mean)} on average.")


class LatencyOptions(WindowOptions):
    """What `mcpr latency` takes."""

    tool: str | None
    split: Split | None
    step: str | None


@click.command()
@click.option(
    "--tool", metavar="NAME", shell_complete=names_of("tool"), help="Only calls of this tool."
)
@click.option(
    "--by",
    "split",
    type=click.Choice(("tool", "client", "outcome", "server")),
    help="A line for each of these.",
)
@click.option("--step", metavar="DURATION", help="Length of a step.  [default: fitting 24 rows]")
@window_options("24h")
@click.pass_obj
def latency(now_ms: Callable[[], int], **options: Unpack[LatencyOptions]) -> None:
    """Show calls, errors and latency over time.

    A line for each step in which something arrived.
    """
    window = window_of(options, now_ms(), "24h")
    step = options["step"]
    steps = steps_for(window, 24) if step is None else Steps(max(1_000, duration_ms(step)))
    where = Filter(window=window, server=options["server"], tool=options["tool"])
    form = options["form"]
    with SqliteEventStore(store_path(options["db"])) as store:
        rows = ask_latency(store, where, steps, options["split"])
        click.echo(Renderer(LATENCY, form, terminal()).document(rows, window), nl=False)
        if form == "table" and not rows:
            click.echo(nothing(store, "Nothing was called", "latency"))
