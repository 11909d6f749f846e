"""`mcpr errors` and `mcpr error`: what fails, in groups, and one group's errors."""

from collections.abc import Callable
from typing import Unpack

import click

from mcpr.cli.completion import names_of
from mcpr.cli.options import terminal
from mcpr.cli.questions import LOG
from mcpr.cli.render import Question, Renderer
from mcpr.cli.table import Column
from mcpr.cli.window import WindowOptions, nothing, window_of, window_options
from mcpr.cli.words import printable
from mcpr.errors import UsageError
from mcpr.settings.run import store_path
from mcpr.store import Filter
from mcpr.store.questions import ErrorGroup
from mcpr.store.questions import error as ask_error
from mcpr.store.questions import errors as ask_errors
from mcpr.store.sqlite import SqliteEventStore


def _code(row: ErrorGroup) -> int | None:
    if row.rpc_code is not None:
        return row.rpc_code
    return row.http_status if row.http_status is not None and row.http_status >= 400 else None


ERRORS = Question(
    "errors",
    ErrorGroup,
    (
        Column("GROUP", "text", lambda row: row.id[:6]),
        Column("CALLS", "count", lambda row: row.calls),
        Column("SERVER", "text", lambda row: row.server, is_dispensable=True),
        Column("CALL", "text", lambda row: row.tool or row.method),
        Column("OUTCOME", "text", lambda row: row.outcome),
        Column("CODE", "count", _code),
        Column("MESSAGE", "text", lambda row: row.shape),
        Column("LAST", "minute", lambda row: row.last_ms),
    ),
    is_error=lambda _: False,
)


class ErrorOptions(WindowOptions):
    """What `mcpr errors` takes."""

    tool: str | None
    client: str | None


class OneErrorOptions(WindowOptions):
    """What `mcpr error` takes."""

    group: str
    limit: int


@click.command()
@click.option("--tool", metavar="NAME", shell_complete=names_of("tool"), help="Only of this tool.")
@click.option(
    "--client", metavar="NAME", shell_complete=names_of("client"), help="Only of this client."
)
@window_options("24h")
@click.pass_obj
def errors(now_ms: Callable[[], int], **options: Unpack[ErrorOptions]) -> None:
    """Show what fails, in groups.

    The most frequent come first. Errors of one server, method, tool, code and origin whose
    messages have the same shape are one group: numbers, ids, quotations, paths and addresses in a
    message are masked. Open a group with `mcpr error GROUP`.
    """
    window = window_of(options, now_ms(), "24h")
    where = Filter(
        window=window, server=options["server"], tool=options["tool"], client=options["client"]
    )
    form = options["form"]
    with SqliteEventStore(store_path(options["db"])) as store:
        rows = ask_errors(store, where)
        click.echo(Renderer(ERRORS, form, terminal()).document(rows, window), nl=False)
        if form == "table" and not rows:
            click.echo(nothing(store, "Nothing failed", "errors"))


@click.command()
@click.argument("group", metavar="GROUP")
@click.option(
    "-n", "--limit", type=click.IntRange(1), default=20, show_default=True, help="Rows at most."
)
@window_options("24h")
@click.pass_obj
def error(now_ms: Callable[[], int], **options: Unpack[OneErrorOptions]) -> None:
    """Show one group of errors, and the newest of them.

    GROUP is the beginning of its name, as `mcpr errors` shows it. Other forms than the table have
    the errors alone.
    """
    window = window_of(options, now_ms(), "24h")
    where = Filter(window=window, server=options["server"])
    form = options["form"]
    with SqliteEventStore(store_path(options["db"])) as store:
        found = ask_error(store, where, options["group"], options["limit"])
    if found is None:
        raise UsageError(
            f"cannot find the error group {options['group']!r}",
            "no group of this time begins so",
            "look at `mcpr errors` for the same time, or further back with --since",
        )
    group, rows = found
    if form == "table":
        for name, value in _said(group):
            click.echo(f"{name:<9} {printable(value)}")
        click.echo()
    click.echo(Renderer(LOG, form, terminal()).document(rows[::-1], window), nl=False)


def _said(group: ErrorGroup) -> list[tuple[str, str]]:
    """What the errors of a group have in common, in words."""
    code = "" if _code(group) is None else f", code {_code(group)}"
    said = [
        ("group", group.id),
        ("server", group.server),
        ("call", " ".join(part for part in (group.method, group.tool) if part) or "-"),
        ("outcome", f"{group.outcome}, by the {group.origin or 'unknown'}{code}"),
        ("message", group.shape or "not kept"),
        ("errors", str(group.calls)),
        ("sessions", str(group.session_count)),
    ]
    return [*said, ("clients", group.clients)] if group.clients else said
