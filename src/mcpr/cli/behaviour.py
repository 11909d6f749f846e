"""`mcpr behaviour …`: what only a record that knows MCP can tell of how agents fare."""

from collections.abc import Callable
from typing import Any, TypeVar, Unpack

import click

from mcpr.cli.options import terminal
from mcpr.cli.render import Question, Renderer
from mcpr.cli.table import Column
from mcpr.cli.window import WindowOptions, nothing, window_of, window_options
from mcpr.settings.run import store_path
from mcpr.store import EventStore, Filter, duration_ms
from mcpr.store.questions import (
    AbandonedRow,
    AdoptionRow,
    DiscoveryRow,
    LoopRow,
    RecoveryRow,
    SizeRow,
)
from mcpr.store.questions import behaviour as ask
from mcpr.store.sqlite import SqliteEventStore

_Row = TypeVar("_Row", bound=Any)

RECOVERIES = Question(
    "recoveries",
    RecoveryRow,
    (
        Column("SERVER", "text", lambda row: row.server, is_dispensable=True),
        Column("TOOL", "text", lambda row: row.tool),
        Column("FAILURES", "count", lambda row: row.failures),
        Column("RECOVERED", "count", lambda row: row.recovered),
        Column("RATE", "rate", lambda row: row.recovery_rate),
        Column("P50 TIME", "latency", lambda row: row.p50_recovery_us),
    ),
    is_error=lambda row: row.recovery_rate < 0.5,
)
LOOPS = Question(
    "loops",
    LoopRow,
    (
        Column("SESSION", "text", lambda row: row.session[:8]),
        Column("SERVER", "text", lambda row: row.server, is_dispensable=True),
        Column("TOOL", "text", lambda row: row.tool),
        Column("CALLS", "count", lambda row: row.calls),
        Column("ERRORS", "count", lambda row: row.errors),
        Column("FROM", "time", lambda row: row.from_ms),
        Column("LASTED", "latency", lambda row: (row.to_ms - row.from_ms) * 1_000),
    ),
    is_error=lambda row: row.errors * 2 > row.calls,
)
ABANDONED = Question(
    "abandoned",
    AbandonedRow,
    (
        Column("SESSION", "text", lambda row: row.session[:8]),
        Column("SERVER", "text", lambda row: row.server, is_dispensable=True),
        Column("LAST CALL", "text", lambda row: row.tool or row.method),
        Column("AT", "time", lambda row: row.last_ms),
        Column("CALLS", "count", lambda row: row.calls),
    ),
    is_error=lambda _: False,
)
SIZES = Question(
    "sizes",
    SizeRow,
    (
        Column("SERVER", "text", lambda row: row.server, is_dispensable=True),
        Column("TOOL", "text", lambda row: row.tool),
        Column("CALLS", "count", lambda row: row.calls),
        Column("MEAN", "size", lambda row: row.mean_bytes),
        Column("P50", "size", lambda row: row.p50_bytes),
        Column("P95", "size", lambda row: row.p95_bytes),
        Column("P99", "size", lambda row: row.p99_bytes),
        Column("MAX", "size", lambda row: row.max_bytes),
    ),
    is_error=lambda _: False,
)
DISCOVERY = Question(
    "discovery",
    DiscoveryRow,
    (
        Column("SERVER", "text", lambda row: row.server),
        Column("LISTS", "count", lambda row: row.lists),
        Column("OF LISTS", "size", lambda row: row.list_bytes),
        Column("OF ALL", "rate", lambda row: row.bytes_share),
        Column("CALLS", "count", lambda row: row.calls),
        Column(
            "PER LIST",
            "count",
            lambda row: None if row.calls_per_list is None else f"{row.calls_per_list:.1f}",
        ),
    ),
    is_error=lambda _: False,
)
ADOPTION = Question(
    "adoption",
    AdoptionRow,
    (
        Column("DAY", "minute", lambda row: row.day_ms),
        Column("CLIENT", "text", lambda row: row.client),
        Column("REVISION", "text", lambda row: row.revision),
        Column("CALLS", "count", lambda row: row.calls),
        Column("SHARE", "rate", lambda row: row.share),
    ),
    is_error=lambda _: False,
)


def _answer(
    question: Question[_Row],
    asked: Callable[[EventStore, Filter], list[_Row]],
    options: WindowOptions,
    now_ms: int,
    default: str = "24h",
) -> None:
    window = window_of(options, now_ms, default)
    where = Filter(window=window, server=options["server"])
    form = options["form"]
    with SqliteEventStore(store_path(options["db"])) as store:
        rows = asked(store, where)
        click.echo(Renderer(question, form, terminal()).document(rows, window), nl=False)
        if form == "table" and not rows:
            command = f"behaviour {question.name}"
            click.echo(nothing(store, "There is nothing to tell", command))


@click.command()
@window_options("24h")
@click.pass_obj
def recoveries(now_ms: Callable[[], int], **options: Unpack[WindowOptions]) -> None:
    """Show which failures were made good in the same session.

    RECOVERED counts failures that were followed by a success of the same tool in the same session;
    P50 TIME is how long that took, the median.
    """
    _answer(RECOVERIES, ask.recoveries, options, now_ms())


class LoopOptions(WindowOptions):
    """What `mcpr behaviour loops` takes."""

    least: int
    within: str


@click.command()
@click.option(
    "--least", type=click.IntRange(2), default=5, show_default=True, help="Calls at least."
)
@click.option(
    "--within", metavar="DURATION", default="60s", show_default=True, help="Within this time."
)
@window_options("24h")
@click.pass_obj
def loops(now_ms: Callable[[], int], **options: Unpack[LoopOptions]) -> None:
    """Show where one tool was called again and again in a session."""
    within_ms = duration_ms(options["within"])

    def asked(store: EventStore, where: Filter) -> list[LoopRow]:
        return ask.loops(store, where, options["least"], within_ms)

    _answer(LOOPS, asked, options, now_ms())


@click.command()
@window_options("24h")
@click.pass_obj
def abandoned(now_ms: Callable[[], int], **options: Unpack[WindowOptions]) -> None:
    """Show sessions that were given up after an error.

    Their last call failed, and five minutes or more passed without another.
    """
    _answer(ABANDONED, ask.abandoned, options, now_ms())


@click.command()
@window_options("24h")
@click.pass_obj
def sizes(now_ms: Callable[[], int], **options: Unpack[WindowOptions]) -> None:
    """Show how large the tools' answers are, the largest first."""
    _answer(SIZES, ask.sizes, options, now_ms())


@click.command()
@window_options("24h")
@click.pass_obj
def discovery(now_ms: Callable[[], int], **options: Unpack[WindowOptions]) -> None:
    """Show what it costs clients to find out what servers offer.

    LISTS are requests for tools, prompts, resources and templates; OF ALL is their share of all
    bytes answered, PER LIST the tool calls for each of them.
    """
    _answer(DISCOVERY, ask.discovery, options, now_ms())


@click.command()
@window_options("30d")
@click.pass_obj
def adoption(now_ms: Callable[[], int], **options: Unpack[WindowOptions]) -> None:
    """Show which revisions of the protocol clients speak, day by day."""
    _answer(ADOPTION, ask.adoption, options, now_ms(), "30d")
