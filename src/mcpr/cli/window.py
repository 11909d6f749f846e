"""What every question about a window has: its options, its window, and words for no rows."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypedDict, TypeVar

import click

from mcpr.cli.completion import names_of
from mcpr.cli.options import form_option, store_option
from mcpr.cli.render import Form
from mcpr.cli.words import local_time, zone
from mcpr.store import EventStore, Filter, Window, duration_ms, instant_ms
from mcpr.store.questions import log

_Command = TypeVar("_Command", bound=Callable[..., Any])

NOT_ERRORS = "ok, challenge, probe, cancelled, client_gone or unread"


class WindowOptions(TypedDict):
    """What `window_options` gives."""

    db: Path | None
    form: Form
    since: str | None
    until: str | None
    server: str | None


def window_options(default_since: str) -> Callable[[_Command], _Command]:
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


def window_of(options: WindowOptions, now_ms: int, default: str | None) -> Window:
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


def nothing(store: EventStore, what: str, command: str) -> str:
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
