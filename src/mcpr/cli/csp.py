"""`mcpr csp check`: what each host makes of the widgets' policies, and what is wrong with them."""

import fnmatch
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import click

from mcpr.cli.options import form_option, store_option, terminal
from mcpr.cli.render import Form, Question, Renderer
from mcpr.cli.table import Column
from mcpr.cli.words import local_time, printable
from mcpr.errors import Exit
from mcpr.pipeline.csp import (
    HOSTS,
    CspRules,
    Finding,
    Widget,
    content_security_policy,
    lint,
    merged,
    policy_of,
)
from mcpr.settings import ask
from mcpr.settings.run import store_path
from mcpr.store.questions.widgets import WidgetRow
from mcpr.store.questions.widgets import widgets as ask_widgets
from mcpr.store.sqlite import SqliteEventStore

_EMPTY = (
    "No widget has passed yet. With a [csp] table in mcpr.toml, run mcpr and let a client list or"
    " read\nthe server's resources: mcpr run mcpr.toml"
)


@dataclass(frozen=True, slots=True)
class CspRow:
    """What one host makes of one widget. policy: the Content-Security-Policy of its frame.

    findings: what is wrong, one after the other; level: of the worst, None without any.
    drift: how often the server changed what it declares. last_ms: epoch ms.
    """

    server: str
    uri: str
    host: str
    policy: str
    level: str | None
    findings: str
    drift: int
    last_ms: int


CSP = Question(
    "csp",
    CspRow,
    (
        Column("WIDGET", "text", lambda row: row.uri),
        Column("HOST", "text", lambda row: row.host),
        Column("POLICY", "text", lambda row: row.policy),
    ),
    is_error=lambda row: row.level == "error",
)


@click.command()
@click.argument("file", required=False)
@click.option("--host", type=click.Choice(tuple(HOSTS)), help="Only what this host makes of it.")
@click.option("--widget", metavar="GLOB", default="*", help="Only widgets whose URI is like this.")
@click.option("--server", metavar="NAME", help="Only of this MCP server.")
@store_option
@form_option
def check(
    file: str | None,
    host: str | None,
    widget: str,
    server: str | None,
    db: Path | None,
    form: Form,
) -> int:
    """Show what each host makes of the widgets' policies, and what is wrong.

    For every widget that passed, what its server declared is merged with the rules of FILE (what
    `mcpr run` would take) as they are now: so rules can be tried before they are in force. Exits
    with 1 if a policy has an error.
    """
    rules = _rules(file)
    with SqliteEventStore(store_path(db)) as store:
        found = [row for row in ask_widgets(store, server) if fnmatch.fnmatchcase(row.uri, widget)]
    checked = [(row, *_judged(row, rules)) for row in found]
    hosts = list(HOSTS) if host is None else [host]
    if form == "table":
        lines = [line for each in checked for line in _told(*each, hosts)]
        click.echo("\n".join(lines) if lines else _EMPTY)
        if rules is None and lines:
            click.echo("\nThere is no [csp] table: mcpr hands on what servers declare.")
    else:
        rows = [line for each in checked for line in _rows(*each, hosts)]
        click.echo(Renderer(CSP, form, terminal()).document(rows, None), nl=False)
    is_wrong = any(finding.level == "error" for _, _, all_ in checked for finding in all_)
    return Exit.FAILED if is_wrong else Exit.OK


def _rules(file: str | None) -> CspRules | None:
    asked = ask(file)
    if file is None and asked.file is None:
        return None
    return asked.read()[0].csp


def _judged(row: WidgetRow, rules: CspRules | None) -> tuple[Widget, list[Finding]]:
    """The widget as its host would be told of it now, and what is wrong with that."""
    declared = policy_of(json.loads(row.declared))
    emitted = declared if rules is None else merged(rules, row.uri, declared)
    widget = Widget(row.uri, declared, emitted)
    return widget, lint(widget, rules or CspRules("", domain="unknown.invalid"))


def _told(
    row: WidgetRow, widget: Widget, findings: Sequence[Finding], hosts: Sequence[str]
) -> Iterator[str]:
    drift = f"; its server changed its policy {_times(row.drift)}" if row.drift else ""
    yield f"{printable(row.uri)}  ({printable(row.server)}, seen {local_time(row.last_ms)}{drift})"
    for name in hosts:
        policy = printable(content_security_policy(widget.emitted, HOSTS[name]))
        yield f"  {HOSTS[name].title}"
        yield from (f"    {directive.strip()}" for directive in policy.split(";"))
    for finding in findings:
        yield f"  {finding.level}: {printable(_words(finding))}"
    yield ""


def _rows(
    row: WidgetRow, widget: Widget, findings: Sequence[Finding], hosts: Sequence[str]
) -> Iterator[CspRow]:
    levels = {finding.level for finding in findings}
    worst = next((level for level in ("error", "warning", "note") if level in levels), None)
    for name in hosts:
        yield CspRow(
            server=row.server,
            uri=row.uri,
            host=name,
            policy=content_security_policy(widget.emitted, HOSTS[name]),
            level=worst,
            findings="; ".join(f"{finding.level}: {_words(finding)}" for finding in findings),
            drift=row.drift,
            last_ms=row.last_ms,
        )


def _words(finding: Finding) -> str:
    where = f"{finding.directive} {finding.source}: " if finding.source is not None else ""
    return f"{where}{finding.what}; {finding.step}"


def _times(number: int) -> str:
    return "once" if number == 1 else f"{number} times"
