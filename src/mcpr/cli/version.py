"""`mcpr version`: what is running here, for a bug report."""

import platform
import sqlite3
from typing import Literal

import click

from mcpr import __version__


@click.command()
@click.option(
    "-o",
    "--output",
    "form",
    type=click.Choice(("text", "json")),
    default="text",
    show_default=True,
    help="The form of the answer.",
)
def version(form: Literal["text", "json"]) -> None:
    """Show the versions of mcpr and what it runs on."""
    versions = {
        "mcpr": __version__,
        "python": platform.python_version(),
        "sqlite": sqlite3.sqlite_version,
        "platform": platform.platform(),
    }
    if form == "json":
        import json  # noqa: PLC0415 - the text form does not need it

        click.echo(json.dumps(versions))
    else:
        for name, value in versions.items():
            click.echo(f"{name} {value}")
