"""`mcpr check`: fails a build when what was recorded is not within its limits."""

import json
import re
import xml.etree.ElementTree as ET
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Unpack

import click

from mcpr import __version__
from mcpr.cli import words
from mcpr.cli.completion import names_of
from mcpr.cli.options import terminal
from mcpr.cli.render import Question, Renderer
from mcpr.cli.table import Column
from mcpr.cli.window import WindowOptions, window_of, window_options
from mcpr.errors import Exit, McprError, UsageError
from mcpr.settings.run import store_path
from mcpr.store import Filter
from mcpr.store.filter_language import read_latency_us
from mcpr.store.questions.check import CheckName, CheckRow, Limits
from mcpr.store.questions.check import check as ask_check
from mcpr.store.sqlite import SqliteEventStore

_RATE = re.compile(r"([0-9]{1,3}(?:\.[0-9]{1,6})?)(%?)")
_TITLES: dict[CheckName, str] = {
    "calls": "calls, at least",
    "error_rate": "error rate, at most",
    "p50_us": "p50, at most",
    "p95_us": "p95, at most",
    "p99_us": "p99, at most",
    "max_us": "slowest call, at most",
}


def _figure(row: CheckRow, value: float) -> str:
    if row.check == "error_rate":
        return words.rate(value)
    return str(round(value)) if row.check == "calls" else words.latency(round(value))


def _of(row: CheckRow) -> str:
    if row.tool is not None:
        return row.tool
    return "all calls" if row.server is None else f"all calls of {row.server}"


CHECK = Question(
    "check",
    CheckRow,
    (
        Column("OF", "text", _of),
        Column("SERVER", "text", lambda row: row.server, is_dispensable=True),
        Column("CHECK", "text", lambda row: _TITLES[row.check]),
        Column("LIMIT", "count", lambda row: _figure(row, row.limit)),
        Column("FOUND", "count", lambda row: _figure(row, row.value)),
        Column("CALLS", "count", lambda row: row.calls),
        Column("", "text", lambda row: "ok" if row.is_met else "FAILED"),
    ),
    is_error=lambda row: not row.is_met,
)


class CheckOptions(WindowOptions):
    """What `mcpr check` takes."""

    tool: str | None
    by_tool: bool
    min_calls: int | None
    max_error_rate: str | None
    max_p50: str | None
    max_p95: str | None
    max_p99: str | None
    max_latency: str | None
    junit: Path | None
    sarif: Path | None


_FILE = click.Path(dir_okay=False, path_type=Path)


@click.command()
@click.option("--max-error-rate", metavar="RATE", help="Such as 1% or 0.01.")
@click.option("--max-p50", metavar="LATENCY", help="Such as 200ms.")
@click.option("--max-p95", metavar="LATENCY", help="Such as 500ms.")
@click.option("--max-p99", metavar="LATENCY", help="Such as 2s.")
@click.option("--max-latency", metavar="LATENCY", help="Of the slowest call.")
@click.option("--min-calls", type=click.IntRange(1), help="Fewer calls prove nothing.")
@click.option(
    "--tool", metavar="NAME", shell_complete=names_of("tool"), help="Only calls of this tool."
)
@click.option("--by-tool", is_flag=True, help="Hold each tool to the limits, not all together.")
@click.option("--junit", type=_FILE, metavar="FILE", help="Write the outcome as JUnit XML, too.")
@click.option("--sarif", type=_FILE, metavar="FILE", help="Write what failed as SARIF, too.")
@window_options("1h")
@click.pass_obj
def check(now_ms: Callable[[], int], **options: Unpack[CheckOptions]) -> int:
    """Hold recorded calls to limits; exit with 1 if one is not met.

    For CI: run your tests through mcpr, then check. Give at least one limit. Where nothing was
    called nothing exceeds a limit: say --min-calls where that must fail.
    """
    limits = _limits(options)
    if limits == Limits():
        raise UsageError(
            "cannot check without a limit",
            "none was given",
            "give one, such as --max-error-rate 1% or --max-p95 500ms",
        )
    window = window_of(options, now_ms(), "1h")
    where = Filter(window=window, server=options["server"], tool=options["tool"])
    form = options["form"]
    with SqliteEventStore(store_path(options["db"])) as store:
        rows = ask_check(store, where, limits, by_tool=options["by_tool"])
    for path, text in ((options["junit"], junit), (options["sarif"], sarif)):
        if path is not None:
            _write(path, text(rows))
    click.echo(Renderer(CHECK, form, terminal()).document(rows, window), nl=False)
    if form == "table" and not rows:
        click.echo("No tool was called in this time.")
    return Exit.OK if all(row.is_met for row in rows) else Exit.FAILED


def _limits(options: CheckOptions) -> Limits:
    rate = options["max_error_rate"]
    return Limits(
        min_calls=options["min_calls"],
        max_error_rate=None if rate is None else _rate(rate),
        max_p50_us=_latency(options["max_p50"]),
        max_p95_us=_latency(options["max_p95"]),
        max_p99_us=_latency(options["max_p99"]),
        max_us=_latency(options["max_latency"]),
    )


def _rate(text: str) -> float:
    found = _RATE.fullmatch(text.strip())
    rate = None if found is None else float(found[1]) / (100 if found[2] else 1)
    if rate is None or rate > 1:
        raise UsageError(
            f"cannot read {text!r} as a rate", "it is no share of one", "write it like 1% or 0.01"
        )
    return rate


def _latency(text: str | None) -> int | None:
    if text is None:
        return None
    found = read_latency_us(text.strip())
    if found is None:
        raise UsageError(
            f"cannot read {text!r} as a latency",
            "it is no number with a unit",
            "write it like 500ms or 2s",
        )
    return found


def junit(rows: Sequence[CheckRow]) -> str:
    """The outcome as JUnit XML: a test case for each limit."""
    failures = sum(not row.is_met for row in rows)
    suite = ET.Element("testsuite", name="mcpr check", tests=str(len(rows)), failures=str(failures))
    for row in rows:
        name = words.printable(f"{_of(row)}: {_TITLES[row.check]} {_figure(row, row.limit)}")
        case = ET.SubElement(suite, "testcase", classname=f"mcpr.{row.check}", name=name)
        if not row.is_met:
            ET.SubElement(case, "failure", message=_said(row))
    return ET.tostring(suite, encoding="unicode", xml_declaration=True) + "\n"


def sarif(rows: Sequence[CheckRow]) -> str:
    """What failed as SARIF 2.1.0: a result for each limit that is not met."""
    results: list[dict[str, Any]] = [
        {
            "ruleId": row.check,
            "level": "error",
            "message": {"text": _said(row)},
            "locations": [
                {"logicalLocations": [{"name": words.printable(_of(row)), "kind": "function"}]}
            ],
        }
        for row in rows
        if not row.is_met
    ]
    rules = [
        {"id": name, "shortDescription": {"text": f"{title} the limit"}}
        for name, title in _TITLES.items()
    ]
    driver = {"name": "mcpr", "version": __version__, "rules": rules}
    document = {"version": "2.1.0", "runs": [{"tool": {"driver": driver}, "results": results}]}
    return json.dumps(document, indent=1) + "\n"


def _said(row: CheckRow) -> str:
    found, limit = _figure(row, row.value), _figure(row, row.limit)
    return words.printable(
        f"{_of(row)}: {_TITLES[row.check]} {limit}, found {found} in {row.calls} calls"
    )


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text)
    except OSError as error:
        raise McprError(
            f"cannot write {path}", error.strerror or str(error), "name another file"
        ) from error
