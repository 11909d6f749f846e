"""`mcpr init`, `mcpr validate`, `mcpr config schema`: write settings, look at them."""

import contextlib
import os
from pathlib import Path

import click

from mcpr.errors import Exit, McprError


@click.command()
@click.argument("file", type=click.Path(path_type=Path), default="mcpr.toml")
@click.option(
    "--mcp",
    metavar="URL",
    default="http://localhost:9000/mcp",
    show_default=True,
    help="URL of the MCP server's endpoint.",
)
@click.option("--force", is_flag=True, help="Write over a file that is there.")
def init(file: Path, mcp: str, *, force: bool) -> int:
    """Write a settings file in which everything is explained.

    FILE is mcpr.toml unless given. Only its owner may read it, for it may come to hold secrets.
    """
    from mcpr.settings import Place, Settings  # noqa: PLC0415 - `--help` does not need it
    from mcpr.settings.document import Document  # noqa: PLC0415 - the same
    from mcpr.settings.reading import Given, read  # noqa: PLC0415 - the same
    from mcpr.settings.writing import template  # noqa: PLC0415 - the same

    # A mistake is told now, not by the first run.
    read(Settings, Document("--mcp"), [Given(("mcp",), mcp, Place("--mcp", order=0))], {})
    _write(file, template(Settings, mcp).encode(), force=force)
    name = "" if file == Path("mcpr.toml") else f" {file}"
    click.echo(f"{file} is written. Next: mcpr validate{name}; mcpr run{name}")
    return Exit.OK


@click.command()
@click.argument("file", required=False)
@click.option("--dump", is_flag=True, help="Show every value in force and where it comes from.")
def validate(file: str | None, *, dump: bool) -> int:
    """Check the settings and name every mistake at once.

    FILE is what `mcpr run` would take: mcpr.toml if there is one here, or a URL. The environment
    counts, too. With 0 the settings are valid, with 2 they are not.
    """
    from mcpr.settings import Settings, ask  # noqa: PLC0415 - `--help` does not need it
    from mcpr.settings.sources import misspelt  # noqa: PLC0415 - the same
    from mcpr.settings.writing import dump as dump_of  # noqa: PLC0415 - the same

    for name, meant in misspelt(Settings, os.environ):
        # No mistake: the variable may be another program's.
        click.echo(f"mcpr: {name} is not heeded; is {meant} meant?", err=True)
    asked = ask(file)
    settings, reading = asked.read()
    if dump:
        click.echo(dump_of(reading), nl=False)
    else:
        click.echo(
            f"{asked.file or 'The command line'} is valid: "
            f"http://{settings.address} -> {settings.upstream}"
        )
    return Exit.OK


@click.command()
def schema() -> int:
    """Print the JSON Schema of settings files, for editors."""
    from mcpr.settings import Settings  # noqa: PLC0415 - `--help` does not need it
    from mcpr.settings.json_schema import text  # noqa: PLC0415 - the same

    click.echo(text(Settings), nl=False)
    return Exit.OK


def _write(file: Path, content: bytes, *, force: bool) -> None:
    """Write the file for its owner alone, whole or not at all. Raises McprError."""
    fresh = file.parent / f".{file.name}.{os.getpid()}" if force else file
    try:
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError as error:
        raise McprError(
            f"cannot write {file}",
            "it is there already",
            "name another file, or write over it with --force",
            "settings.exists",
        ) from error
    except (OSError, ValueError) as error:
        raise _refusal(file, error) from error
    try:
        with os.fdopen(descriptor, "wb") as opened:
            opened.write(content)
            opened.flush()
            os.fsync(opened.fileno())
        if force:
            fresh.replace(file)
    except (OSError, ValueError) as error:
        with contextlib.suppress(OSError):
            fresh.unlink()
        raise _refusal(file, error) from error


def _refusal(file: Path, error: OSError | ValueError) -> McprError:
    reason = getattr(error, "strerror", None) or str(error)
    step = "name a file in a folder that you may write to"
    return McprError(f"cannot write {file}", reason.lower(), step)
