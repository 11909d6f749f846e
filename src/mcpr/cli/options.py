"""Options that many commands have, and the terminal they answer on."""

import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from mcpr.cli.render import Terminal

_Command = TypeVar("_Command", bound=Callable[..., Any])


def store_option(command: _Command) -> _Command:
    """--db: the store's file."""
    return click.option(
        "--db",
        type=click.Path(dir_okay=False, path_type=Path),
        metavar="PATH",
        help="The store's file.  [env: MCPR_DB; default: ~/.mcpr/store.db]",
    )(command)


def form_option(command: _Command) -> _Command:
    """-o: the form of the answer."""
    return click.option(
        "-o",
        "--output",
        "form",
        type=click.Choice(("table", "json", "ndjson", "csv")),
        default="table",
        show_default=True,
        help="The form of the answer.",
    )(command)


def terminal() -> Terminal:
    """Where stdout goes."""
    return Terminal(
        width=shutil.get_terminal_size().columns,
        has_colour=sys.stdout.isatty()
        and not os.environ.get("NO_COLOR")
        and os.environ.get("TERM") != "dumb",
    )
