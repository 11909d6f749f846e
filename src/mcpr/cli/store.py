"""`mcpr store stats`, `vacuum`, `rebuild`: how large it is, how to shrink it, sums made anew."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import click

from mcpr.cli import words
from mcpr.cli.options import form_option, store_option, terminal
from mcpr.cli.render import Form, Question, Renderer
from mcpr.cli.table import Column
from mcpr.errors import UsageError
from mcpr.settings.run import store_path
from mcpr.store import Window, duration_ms
from mcpr.store import sqlite as engine
from mcpr.store.questions import StatsRow
from mcpr.store.questions import stats as ask_stats

STATS = Question(
    "stats",
    StatsRow,
    (
        Column("SERVER", "text", lambda row: "all" if row.server is None else row.server),
        Column("EVENTS", "count", lambda row: row.events),
        Column("ERRORS", "count", lambda row: row.errors),
        Column("SESSIONS", "count", lambda row: row.sessions),
        Column("OLDEST", "time", lambda row: row.oldest_ms),
        Column("NEWEST", "time", lambda row: row.newest_ms),
    ),
    is_error=lambda _: False,
)


@dataclass(frozen=True, slots=True)
class VacuumRow:
    """One thing that a vacuum makes less of. unit: `rows` or `bytes`.

    is_estimate: of `after` and `freed`, as in a dry run.
    """

    what: str
    unit: str
    before: int
    after: int
    freed: int
    is_estimate: bool


def _amount(row: VacuumRow, number: int) -> str:
    return words.size(number) if row.unit == "bytes" else str(number)


VACUUM = Question(
    "vacuum",
    VacuumRow,
    (
        Column("WHAT", "text", lambda row: row.what),
        Column("BEFORE", "count", lambda row: _amount(row, row.before)),
        Column("AFTER", "count", lambda row: "~" * row.is_estimate + _amount(row, row.after)),
        Column("FREED", "count", lambda row: "~" * row.is_estimate + _amount(row, row.freed)),
    ),
    is_error=lambda _: False,
)


@click.command()
@store_option
@form_option
def stats(db: Path | None, form: Form) -> None:
    """Show what is in the store and how large it is.

    A line for each server, the largest first: events, errors, sessions, the oldest and the newest.
    Above them the whole: size of the file, how much of it is free, what waits in SQLite's
    write-ahead log (WAL), texts that are kept once, version of the schema. Every event is counted,
    which takes a second or two for ten millions.
    """
    path = store_path(db)
    with engine.SqliteEventStore(path) as store:
        rows = ask_stats(store)
    if form == "table":
        click.echo(_about(path, rows[0]), nl=False)
        # One server is the whole.
        rows = rows[1:] if len(rows) == 2 else rows
    click.echo(Renderer(STATS, form, terminal()).document(rows, None), nl=False)


def _about(path: Path, whole: StatsRow) -> str:
    file_bytes, free_bytes, wal_bytes = (
        words.size(size or 0) for size in (whole.file_bytes, whole.free_bytes, whole.wal_bytes)
    )
    facts = {
        "store": words.printable(str(path)),
        "schema": f"version {whole.schema_version}",
        "file": f"{file_bytes}, {free_bytes} of it free; {wal_bytes} waiting in the WAL",
        "names": f"{whole.names} texts kept once",
        "events": f"{whole.events} kept of {whole.last_seq} recorded",
    }
    lines = (f"{name:<8}{fact}" for name, fact in facts.items())
    return "\n".join(lines) + "\n\n"


@click.command()
@click.option(
    "--older-than",
    metavar="AGE",
    help="Delete the events that are older, too: 12h, 30d, 2w.  [default: delete none]",
)
@click.option("--dry-run", is_flag=True, help="Say what would be freed, and change nothing.")
@store_option
@form_option
@click.pass_obj
def vacuum(
    now_ms: Callable[[], int], older_than: str | None, db: Path | None, form: Form, *, dry_run: bool
) -> None:
    """Give back space, and delete old events if asked.

    Names that no event uses any more are forgotten, free pages are cut off the file, and SQLite's
    write-ahead log (WAL) is emptied, so that what was deleted is gone from the disk. It works in
    small steps beside running proxies, and it can be ended and begun again at any time.
    """
    before_ms = None if older_than is None else _before(older_than, now_ms())
    path = store_path(db)
    done = (engine.survey if dry_run else engine.vacuum)(path, before_ms)
    window = None if before_ms is None else Window.all_until(before_ms)
    rows = _rows(done, is_estimate=dry_run)
    click.echo(Renderer(VACUUM, form, terminal()).document(rows, window), nl=False)
    if form == "table":
        click.echo(_say(done, is_dry=dry_run))


def _before(older_than: str, now_ms: int) -> int:
    before_ms = now_ms - duration_ms(older_than)
    if not 0 < before_ms < now_ms:
        raise UsageError(
            f"cannot delete what is older than {older_than!r}",
            "that is all there is, or nothing",
            "give an age such as 30d; to begin anew, move the file away",
        )
    return before_ms


def _rows(done: engine.Vacuumed, *, is_estimate: bool) -> list[VacuumRow]:
    before, after = done.before, done.after
    table = (
        ("events", "rows", before.events, after.events, False),
        ("names", "rows", before.names, after.names, False),
        ("sessions", "rows", before.sessions, after.sessions, False),
        ("file", "bytes", before.file_bytes, after.file_bytes, is_estimate),
        ("wal", "bytes", before.wal_bytes, after.wal_bytes, False),
    )
    return [
        VacuumRow(what, unit, was, now, max(0, was - now), is_guess)
        for what, unit, was, now, is_guess in table
    ]


def _say(done: engine.Vacuumed, *, is_dry: bool) -> str:
    if is_dry:
        return "\nNothing was changed. Without --dry-run it will be."
    said = f"\nThe store was locked for {words.latency(done.longest_hold_us)} at most at once."
    if not done.is_wal_emptied:
        said += (
            "\nThe WAL could not be emptied: another program reads the store. What was deleted may"
            "\nstill be in it. End that program, or run this again later."
        )
    return said


@dataclass(frozen=True, slots=True)
class RebuildRow:
    """span: `hour`, `day` or `week`. summed_up: how many of them were."""

    span: str
    summed_up: int


REBUILD = Question(
    "rebuild",
    RebuildRow,
    (
        Column("SPAN", "text", lambda row: row.span),
        Column("SUMMED UP", "count", lambda row: row.summed_up),
    ),
    is_error=lambda _: False,
)


@click.command()
@store_option
@form_option
@click.pass_obj
def rebuild(now_ms: Callable[[], int], db: Path | None, form: Form) -> None:
    """Make the sums of hours, days and weeks anew.

    Questions about long times are answered from sums, which a running proxy keeps by itself. This
    makes all of them from the recorded requests: after rows were changed by hand, or before a
    first question to a large store of an older mcpr. Answers are the same with and without them.
    """
    done = engine.rebuild(store_path(db), now_ms())
    rows = [RebuildRow(name, of) for name, of in zip(_SPANS, done.spans.values(), strict=True)]
    click.echo(Renderer(REBUILD, form, terminal()).document(rows, None), nl=False)
    if form == "table":
        held = words.latency(done.longest_hold_us)
        click.echo(f"\nThe store was locked for {held} at most at once.")


_SPANS = ("hour", "day", "week")
