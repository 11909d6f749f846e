"""`mcpr doctor`: looks at everything that `mcpr run` needs, says what is wrong and what to do."""

import shutil
import stat
from collections.abc import Callable, Iterator
from pathlib import Path

import click

from mcpr.cli import words
from mcpr.cli.checkup import Finding
from mcpr.cli.checkup.machine import machine
from mcpr.cli.checkup.ports import port
from mcpr.cli.checkup.storage import storage
from mcpr.cli.checkup.upstream import upstream
from mcpr.cli.options import form_option, store_option, terminal
from mcpr.cli.render import Form, Question, Renderer
from mcpr.cli.table import Column
from mcpr.errors import Exit, UsageError
from mcpr.serving.address import parse
from mcpr.serving.presence import present
from mcpr.settings import RunSettings, SettingsError, ask
from mcpr.settings.run import store_path

DOCTOR = Question(
    "doctor",
    Finding,
    (
        Column("CHECK", "text", lambda row: row.check),
        Column("STATE", "text", lambda row: row.state),
        Column("WHY", "text", lambda row: row.why),
    ),
    is_error=lambda row: row.state != "ok",
)
_MARKS = {"ok": "ok  ", "warn": "WARN", "fail": "FAIL"}


@click.command()
@click.argument("argument", metavar="[URL|FILE]", required=False)
@store_option
@form_option
@click.pass_obj
def doctor(now_ms: Callable[[], int], argument: str | None, db: Path | None, form: Form) -> int:
    """Check everything that `mcpr run` needs, and say what to do.

    The settings of URL or FILE (mcpr.toml if there is one here), the ports and who has them, the
    MCP server and what answers there, the store, the disk, permissions, versions, the clock.
    Nothing is changed, and no session of the server is begun. Ends with 0 when nothing failed,
    else with 1.
    """
    findings = list(_look(argument, db, now_ms()))
    if form == "table":
        click.echo("".join(_words(finding) for finding in findings), nl=False)
        click.echo(_summary(findings))
    else:
        click.echo(Renderer(DOCTOR, form, terminal()).document(findings, None), nl=False)
    return Exit.FAILED if any(finding.state == "fail" for finding in findings) else Exit.OK


def _look(argument: str | None, db: Path | None, now_ms: int) -> Iterator[Finding]:
    yield from machine(now_ms)
    settings: RunSettings | None = None
    try:
        settings, _ = ask(argument).read()
    except SettingsError as error:
        for mistake in error.mistakes:
            yield Finding(
                "settings", "fail", f"{mistake.place}: {mistake.reason}", mistake.next_step
            )
    except UsageError as error:
        yield Finding("settings", "warn", error.why, error.next_step)
    path = store_path(db) if db is not None or settings is None else settings.db
    if settings is not None:
        yield from _settings(settings, path)
    yield from storage(path, now_ms)


def _settings(settings: RunSettings, path: Path) -> Iterator[Finding]:
    file = None if settings.asked is None else settings.asked.file
    yield Finding("settings", "ok", f"{file or 'the defaults'}, before {settings.upstream}")
    if file is not None and stat.S_IMODE(file.stat().st_mode) & 0o022:
        yield Finding(
            "mode of the settings",
            "warn",
            f"others may write {file}, and so decide where calls go",
            f"chmod 600 {file}",
        )
    running = present(path)
    yield port("port", settings.host, settings.port, running)
    if settings.admin not in {None, "off"}:
        address = parse(str(settings.admin))
        yield port("admin port", address.host, address.port, running)
    yield from upstream(settings.upstream)


def _words(finding: Finding) -> str:
    width = max(60, shutil.get_terminal_size().columns)
    indent = " " * 27
    head = f"{_MARKS[finding.state]}  {finding.check:<20} "
    text = click.wrap_text(words.printable(finding.why), width, head, indent) + "\n"
    if finding.next_step:
        step = words.printable(finding.next_step)
        text += click.wrap_text(f"-> {step}", width, indent, indent + "   ") + "\n"
    return text


def _summary(findings: list[Finding]) -> str:
    failed = sum(finding.state == "fail" for finding in findings)
    warned = sum(finding.state == "warn" for finding in findings)
    if failed or warned:
        return f"\n{failed} failed, {warned} to look at, of {len(findings)}."
    return f"\nAll {len(findings)} are well."
