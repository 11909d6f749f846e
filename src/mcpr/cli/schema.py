"""`mcpr schema`: what servers offer, what changed, what is used, and what is approved."""

import secrets
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, TypedDict, Unpack

import click

from mcpr.cli.options import form_option, store_option, terminal
from mcpr.cli.render import Form, Question, Renderer
from mcpr.cli.table import Column
from mcpr.cli.words import printable
from mcpr.errors import UsageError
from mcpr.events import Ids
from mcpr.events.schema import LISTS, ListName
from mcpr.settings.run import store_path
from mcpr.store import EventStore, Filter, Window, duration_ms, instant_ms
from mcpr.store.questions import (
    ChangeRow,
    DiffRow,
    SchemaRow,
    UseRow,
    schema_diff,
    schema_use,
)
from mcpr.store.questions import schema as ask_schema
from mcpr.store.questions.schema_changes import list_changes
from mcpr.store.sqlite import SqliteEventStore
from mcpr.store.sqlite.schema_book import SchemaBook


def _state(row: SchemaRow) -> str:
    words = []
    if row.stale_ms is not None:
        words.append("stale")
    if row.approved is False:
        words.append("unapproved")
    if row.shown > 1:
        words.append(f"{row.shown} shown")
    if row.suspicions:
        words.append(f"{row.suspicions} suspicious")
    if row.unrecorded:
        words.append("never the same")
    return ", ".join(words) or "ok"


SCHEMA = Question(
    "schema",
    SchemaRow,
    (
        Column("SERVER", "text", lambda row: row.server, is_dispensable=True),
        Column("LIST", "text", lambda row: row.list),
        Column("VERSION", "count", lambda row: row.version),
        Column("ITEMS", "count", lambda row: row.items),
        Column("WEIGHT", "size", lambda row: row.bytes),
        Column("TOKENS", "count", lambda row: f"~{row.tokens}"),
        Column("CHANGED", "minute", lambda row: row.changed_ms),
        Column("VERDICT", "text", lambda row: row.verdict),
        Column("STATE", "text", _state),
    ),
    is_error=lambda row: row.approved is False or bool(row.suspicions),
)


def _counts(row: ChangeRow) -> str:
    return f"+{row.added} -{row.removed} ~{row.modified}"


def _names(row: ChangeRow) -> str:
    kinds = (("+", row.added_names), ("-", row.removed_names), ("~", row.modified_names))
    return " ".join(f"{sign}{name}" for sign, names in kinds for name in names.split())


CHANGES = Question(
    "schema-changes",
    ChangeRow,
    (
        Column("TIME", "time", lambda row: row.ts_ms),
        Column("SERVER", "text", lambda row: row.server, is_dispensable=True),
        Column("LIST", "text", lambda row: row.list),
        Column("FROM", "count", lambda row: row.from_version),
        Column("TO", "count", lambda row: row.version),
        Column("VERDICT", "text", lambda row: row.verdict or "first"),
        Column("ITEMS", "text", lambda row: _names(row) or _counts(row)),
        Column("ERRORS", "rate", lambda row: row.error_rate_before),
        Column("AFTER", "rate", lambda row: row.error_rate_after),
        Column("P95", "latency", lambda row: row.p95_before_us),
        Column("AFTER", "latency", lambda row: row.p95_after_us),
    ),
    is_error=lambda row: row.verdict == "breaking",
)
USE = Question(
    "schema-use",
    UseRow,
    (
        Column("SERVER", "text", lambda row: row.server, is_dispensable=True),
        Column("TOOL", "text", lambda row: row.tool),
        Column("USE", "text", lambda row: row.use),
        Column("CALLS", "count", lambda row: row.calls),
        Column("ERRORS", "count", lambda row: row.errors),
        Column("P95", "latency", lambda row: row.p95_us),
        Column("LAST", "minute", lambda row: row.last_call_ms),
        Column("WEIGHT", "size", lambda row: row.bytes),
        Column("TOKENS", "count", lambda row: None if row.tokens is None else f"~{row.tokens}"),
        Column("SUSPICIOUS", "text", lambda row: row.suspicions, is_dispensable=True),
    ),
    is_error=lambda row: row.use == "unknown" or bool(row.suspicions),
)
DIFF = Question(
    "schema-diff",
    DiffRow,
    (
        Column("VERDICT", "text", lambda row: row.verdict),
        Column("CHANGE", "text", lambda row: row.kind),
        Column(
            "ITEM", "text", lambda row: row.name if row.was is None else f"{row.was} > {row.name}"
        ),
        Column("WHERE", "text", lambda row: row.path, is_dispensable=True),
        Column("WHAT", "text", lambda row: row.what, is_dispensable=True),
    ),
    is_error=lambda row: row.verdict == "breaking",
)


class _Options(TypedDict):
    changes: bool
    unused: bool
    diff: tuple[int, int] | None
    which: ListName | None
    since: str | None
    until: str | None
    server: str | None
    db: Path | None
    form: Form


@click.group(invoke_without_command=True)
@click.option("--changes", is_flag=True, help="Show what changed, and calls before and after.")
@click.option("--unused", is_flag=True, help="Show which tools are called, the unused ones first.")
@click.option(
    "--diff",
    type=click.IntRange(1),
    nargs=2,
    metavar="V1 V2",
    help="Show the difference of two versions of a list.",
)
@click.option("--list", "which", type=click.Choice(LISTS), help="Only this list.")
@click.option(
    "--since", metavar="WHEN", help="From when on: 15m, 7d, or a date or time.  [default: 30d]"
)
@click.option("--until", metavar="WHEN", help="Until when.  [default: now]")
@click.option("--server", metavar="NAME", help="Only of this MCP server.")
@store_option
@form_option
@click.pass_context
def schema(context: click.Context, **options: Unpack[_Options]) -> None:
    """Show what servers offer, what changed, and what is used.

    Without an option one line for each list: its version, how many items it has and what they weigh
    in a client's context, when it changed and how bad that was. --since and --until are for
    --changes and --unused.
    """
    if context.invoked_subcommand is not None:
        return
    if options["changes"] + options["unused"] + (options["diff"] is not None) > 1:
        raise UsageError(
            "cannot answer two questions at once",
            "more than one of --changes, --unused and --diff was given",
            "choose one of them",
        )
    now_ms: Callable[[], int] = context.obj
    with SqliteEventStore(store_path(options["db"])) as store:
        question, rows, window = _answer(store, options, now_ms())
        document = Renderer(question, options["form"], terminal()).document(rows, window)
        click.echo(document, nl=False)
        if options["form"] == "table":
            click.echo(_words(store, options, rows), nl=False)


def _answer(
    store: EventStore, options: _Options, now_ms: int
) -> tuple[Question[Any], Sequence[Any], Window | None]:
    server, which = options["server"], options["which"]
    if options["diff"] is not None:
        old, new = options["diff"]
        return DIFF, schema_diff(store, server, which or "tools", old, new), None
    if not options["changes"] and not options["unused"]:
        return SCHEMA, ask_schema(store, server, which), None
    window = _window(options, now_ms)
    where = Filter(window=window, server=server)
    if options["changes"]:
        return CHANGES, list_changes(store, where, which, 50), window
    return USE, schema_use(store, where), window


def _window(options: _Options, now_ms: int) -> Window:
    until = options["until"]
    end_ms = now_ms if until is None else instant_ms(until, now_ms, zone=None)
    since = options["since"]
    since_ms = (
        end_ms - duration_ms("30d") if since is None else instant_ms(since, now_ms, zone=None)
    )
    # The present millisecond is part of it.
    return Window(max(0, since_ms), end_ms + (until is None))


def _words(store: EventStore, options: _Options, rows: Sequence[Any]) -> str:
    """What to say beside the rows, to people."""
    if not rows and not store.offered.versions(None, None):
        return (
            "No list has passed yet. A list is seen when a client asks for it through mcpr:\n"
            "connect one, or wait for the next session.\n"
        )
    if options["diff"] is not None:
        return "" if rows else "No difference.\n"
    if not rows:
        return "Nothing in this time. Look further back with --since 90d.\n"
    if options["changes"]:
        return (
            "\nErrors and p95 of the calls that a change concerns, a day before and after:"
            " those of\nthe tools that were modified or removed, else of all that the list offers."
            "\nMore of one: mcpr schema --diff FROM TO\n"
        )
    return ""


@schema.command()
@click.argument("version", type=click.IntRange(1), required=False)
@click.option("--revoke", is_flag=True, help="Take the approval of VERSION back.")
@click.option("--server", metavar="NAME", help="Of this MCP server, where there are several.")
@store_option
@click.pass_obj
def approve(
    now_ms: Callable[[], int],
    version: int | None,
    server: str | None,
    db: Path | None,
    *,
    revoke: bool,
) -> None:
    """Approve the tools of a server, as they are in VERSION.

    Without VERSION it is the one that was seen last. Where tools are pinned ([schema] pin), running
    proxies follow within seconds. Approvals add up: a definition stays approved until every version
    that has it is revoked.
    """
    path = store_path(db)
    with SqliteEventStore(path) as store:
        row = _the_list(store, server)
        if version is None and revoke:
            raise UsageError(
                "cannot revoke without a version",
                "approvals are taken back one by one",
                "give the version: `mcpr schema --changes` lists them",
            )
        versions = {one.version: one for one in store.offered.versions(row.server, "tools")}
    chosen = row.version if version is None else version
    known = versions.get(chosen)
    if known is None or not known.is_whole:
        raise UsageError(
            f"cannot approve version {chosen} of the tools of {row.server}",
            "there is no such version"
            if known is None
            else "its definitions are not kept any more",
            "`mcpr schema --changes --list tools` lists them",
        )
    with closing(SchemaBook(path, Ids(secrets.randbits).mint)) as book:
        if revoke:
            was = book.revoke(row.server, chosen)
            said = "is not approved any more" if was else "was not approved"
        else:
            book.approve(row.server, chosen, now_ms())
            said = "is approved"
        allowed = book.allowed(row.server)
    click.echo(f"Version {chosen} of the tools of {printable(row.server)} {said}.")
    click.echo(_effect(row, allowed))


def _the_list(store: EventStore, server: str | None) -> SchemaRow:
    rows = ask_schema(store, server, "tools")
    if len(rows) == 1:
        return rows[0]
    if rows:
        names = ", ".join(row.server for row in rows)
        raise UsageError(
            "cannot tell whose tools are meant",
            f"there are those of {names}",
            "name one with --server",
        )
    raise UsageError(
        "cannot approve tools", "no list of them has passed yet", "`mcpr schema` shows what has"
    )


def _effect(row: SchemaRow, allowed: list[str] | None) -> str:
    if allowed is None:
        return "Nothing was ever approved: a pinned proxy approves the version that it sees first."
    return (
        f'With pin = "block", {len(allowed)} tools can be called;'
        f" the list that was seen last has {row.items}."
    )
