"""What do servers offer, what changed, what is used? And the difference of two versions."""

from collections.abc import Mapping
from typing import Any

from mcpr.console import words
from mcpr.console.answers import ANSWERS
from mcpr.console.asking import Ask
from mcpr.console.pages import cells
from mcpr.console.pages.page import Page, Surroundings
from mcpr.console.table import Cell, Column, Sheet, grid, plain
from mcpr.events.schema import Verdict
from mcpr.store import EventStore
from mcpr.store import questions as q

_TONES: dict[Verdict | None, str] = {"breaking": "bad", "risky": "warn"}
_MOST_CHANGES = 50


def view(store: EventStore, ask: Ask, _: Surroundings) -> Mapping[str, Any]:
    """What the page shows."""
    with store.moment():
        lists = q.schema(store, ask.where.server)
        changes = q.schema_changes(store, ask.where, _MOST_CHANGES)
        used = q.schema_use(store, ask.where)
        widgets = q.widgets(store, ask.where.server)
    return {
        "lists": plain(_lists(ask), lists, ask),
        "changes": plain(_changes(ask), changes, ask),
        "used": grid(_use(ask), used, ask),
        "widgets": plain(_WIDGETS, widgets, ask),
        "unused": sum(1 for row in used if row.use == "unused"),
        "listed": sum(1 for row in used if row.tokens is not None),
        "stale": [row for row in lists if row.stale_ms is not None],
    }


def view_diff(store: EventStore, ask: Ask, _: Surroundings) -> Mapping[str, Any]:
    """What the page of a difference shows. Raises UsageError."""
    rows = ANSWERS["schema_diff"].ask(store, ask)
    return {
        "table": grid(_DIFF, rows, ask),
        "list": ask.list or "tools",
        "old": ask.number("from", 1),
        "new": ask.number("to", 1),
    }


def _verdict(told: Verdict | None) -> Cell:
    return Cell(told or words.shown(None), None, _TONES.get(told, "muted"))


def _state(row: q.SchemaRow) -> Cell:
    told = []
    if row.stale_ms is not None:
        told.append("stale")
    if row.approved is False:
        told.append("not approved")
    if row.suspicions:
        told.append(f"{row.suspicions} suspicious")
    return Cell(", ".join(told) or "ok", None, "warn" if told else "muted")


def _lists(ask: Ask) -> Sheet[q.SchemaRow]:
    return Sheet(
        "Lists",
        (
            Column("Server", lambda row: cells.named(row.server)),
            Column("List", lambda row: row.list),
            Column("Version", lambda row: Cell(f"v{row.version}", None, "strong"), align="number"),
            Column("Items", lambda row: words.count(row.items), align="number"),
            Column("Weight", lambda row: words.size(row.bytes), align="number"),
            Column(
                "Tokens",
                lambda row: f"~{words.count(row.tokens)}",
                align="number",
                hint="an estimate of its share of a client's context",
            ),
            Column("Changed", lambda row: cells.moment(row.changed_ms, ask.now_ms), align="number"),
            Column("Verdict", lambda row: _verdict(row.verdict)),
            Column("State", _state),
        ),
        question="schema",
        takes=ANSWERS["schema"].takes,
    )


def _names(row: q.ChangeRow) -> Cell:
    parts = [
        f"{sign}{words.shown(names, 80)}"
        for sign, names in (
            ("+ ", row.added_names),
            ("\N{MINUS SIGN} ", row.removed_names),
            ("~ ", row.modified_names),
        )
        if names
    ]
    told = ", ".join(parts)
    return Cell(told or f"+{row.added} \N{MINUS SIGN}{row.removed} ~{row.modified}", None, "wrap")


def _effect(before: str, after: str) -> str:
    return f"{before} → {after}"


def _versions(row: q.ChangeRow, ask: Ask) -> Cell:
    if row.from_version is None:
        return Cell(f"v{row.version}", title="the first version")
    href = ask.query((), server=row.server, list=row.list, to=row.version)
    return Cell(f"v{row.from_version} → v{row.version}", f"/diff{href}&from={row.from_version}")


def _changes(ask: Ask) -> Sheet[q.ChangeRow]:
    return Sheet(
        "Changes",
        (
            Column("Time", lambda row: words.moment(row.ts_ms)),
            Column("Server", lambda row: cells.named(row.server), is_spare=True),
            Column("List", lambda row: row.list),
            Column("Version", lambda row: _versions(row, ask)),
            Column("Verdict", lambda row: _verdict(row.verdict)),
            Column("What", _names),
            Column(
                "Error rate",
                lambda row: _effect(
                    words.rate(row.error_rate_before), words.rate(row.error_rate_after)
                ),
                align="number",
                hint="of the calls that it concerns, a day before and after",
            ),
            Column(
                "p95",
                lambda row: _effect(
                    words.latency(row.p95_before_us), words.latency(row.p95_after_us)
                ),
                align="number",
                hint="of the calls that it concerns, a day before and after",
            ),
        ),
        question="schema_changes",
        takes=ANSWERS["schema_changes"].takes,
    )


def _use(ask: Ask) -> Sheet[q.UseRow]:
    return Sheet(
        "Use of the tools",
        (
            Column("Tool", lambda row: cells.tool(ask, row.server, row.tool), "tool"),
            Column("Server", lambda row: cells.named(row.server), "server", is_spare=True),
            Column(
                "Use",
                lambda row: Cell(
                    row.use,
                    None,
                    {"ok": "good", "errors": "bad", "unknown": "bad"}.get(row.use, "muted"),
                ),
                "use",
            ),
            Column("Calls", lambda row: words.count(row.calls), "calls", "number"),
            Column("Errors", lambda row: words.count(row.errors), "errors", "number"),
            Column("p95", lambda row: words.latency(row.p95_us), "p95_us", "number", is_spare=True),
            Column("Weight", lambda row: words.size(row.bytes), "bytes", "number"),
            Column(
                "Tokens",
                lambda row: (
                    words.shown(None) if row.tokens is None else f"~{words.count(row.tokens)}"
                ),
                "tokens",
                "number",
            ),
            Column(
                "Suspicions",
                lambda row: Cell(
                    words.shown(row.suspicions or None, 200),
                    None,
                    "warn wrap" if row.suspicions else "",
                ),
                "suspicions",
            ),
        ),
        question="schema_use",
        takes=ANSWERS["schema_use"].takes,
    )


_WIDGETS: Sheet[q.WidgetRow] = Sheet(
    "What widgets may load",
    (
        Column("Server", lambda row: cells.named(row.server)),
        Column("Widget", lambda row: cells.named(row.uri)),
        Column("Declared", lambda row: Cell(words.shown(row.declared, 300), None, "wrap")),
        Column("Host was told", lambda row: Cell(words.shown(row.emitted, 300), None, "wrap")),
        Column(
            "Drift",
            lambda row: words.count(row.drift),
            align="number",
            hint="how many ways the server has declared it",
        ),
        Column("Changed", lambda row: Cell(words.moment(row.changed_ms)), align="number"),
    ),
    question="widgets",
    takes=ANSWERS["widgets"].takes,
)

_DIFF: Sheet[q.DiffRow] = Sheet(
    "Differences",
    (
        Column("Kind", lambda row: row.kind, "kind"),
        Column("Item", lambda row: cells.named(row.name), "name"),
        Column("Was", lambda row: cells.named(row.was), "was", is_spare=True),
        Column("Verdict", lambda row: _verdict(row.verdict), "verdict"),
        Column("Where", lambda row: cells.named(row.path or None), "path"),
        Column("What", lambda row: Cell(words.shown(row.what or None, 300), None, "wrap"), "what"),
    ),
    question="schema_diff",
    takes=ANSWERS["schema_diff"].takes,
)

PAGE = Page("schema", "Schema", "m", view, since="30d")
DIFF = Page("diff", "Difference", "", view_diff, since=None, in_tabs=False, under="schema")
