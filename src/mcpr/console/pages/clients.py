"""Who calls, which client gets on with which tool, and which revisions they speak."""

from collections.abc import Mapping
from typing import Any

from mcpr.console import words
from mcpr.console.answers import ANSWERS
from mcpr.console.asking import Ask
from mcpr.console.pages import cells
from mcpr.console.pages.page import Page, Surroundings
from mcpr.console.table import Cell, Column, Sheet, grid, plain
from mcpr.store import EventStore
from mcpr.store import questions as q

_MOST = 200


def view(store: EventStore, ask: Ask, _: Surroundings) -> Mapping[str, Any]:
    """What the page shows."""
    with store.moment():
        rows = q.clients(store, ask.where)
        pairs = q.compat(store, ask.where)
        days = q.adoption(store, ask.where)
    total = sum(row.calls for row in rows)
    return {
        "table": grid(_sheet(ask, total), rows, ask),
        "pairs": plain(_PAIRS, pairs[:_MOST], ask),
        "days": plain(_ADOPTION, days[-_MOST:][::-1], ask),
    }


def _sheet(ask: Ask, total: int) -> Sheet[q.ClientRow]:
    return Sheet(
        "Clients",
        (
            Column("Client", lambda row: cells.client(ask, row, "/logs"), "client"),
            Column("Version", lambda row: cells.named(row.client_version), "client_version"),
            Column(
                "Called itself",
                lambda row: cells.named(row.client_name),
                "client_name",
                is_spare=True,
            ),
            Column("Sessions", lambda row: words.count(row.sessions), "sessions", "number"),
            Column("Calls", lambda row: words.count(row.calls), "calls", "number"),
            Column("Share", lambda row: words.rate(row.calls / total), None, "number"),
            Column("Errors", lambda row: words.count(row.errors), "errors", "number"),
            Column(
                "Error rate",
                lambda row: Cell(words.rate(row.error_rate), None, "bad" if row.errors else ""),
                "error_rate",
                "number",
            ),
            Column("Revisions", lambda row: cells.named(row.revisions or None), "revisions"),
            Column(
                "Last seen", lambda row: cells.moment(row.last_ms, ask.now_ms), "last_ms", "number"
            ),
        ),
        order="-calls",
        question="clients",
        takes=ANSWERS["clients"].takes,
    )


_PAIRS: Sheet[q.CompatRow] = Sheet(
    "Which client gets on with which tool",
    (
        Column("Tool or method", lambda row: cells.named(row.subject)),
        Column("Client", lambda row: cells.named(row.client)),
        Column("Version", lambda row: cells.named(row.client_version)),
        Column("Revision", lambda row: cells.named(row.revision), is_spare=True),
        Column("Calls", lambda row: words.count(row.calls), align="number"),
        Column(
            "Error rate",
            lambda row: Cell(words.rate(row.error_rate), None, "bad" if row.errors else ""),
            align="number",
        ),
        Column(
            "Others",
            lambda row: words.rate(row.others_error_rate),
            align="number",
            hint="error rate of all other clients on the same",
        ),
        Column(
            "Mislabelled",
            lambda row: words.count(row.mislabelled),
            align="number",
            is_spare=True,
            hint="whose headers say something else than the body",
        ),
        Column(
            "Ambiguous",
            lambda row: words.count(row.ambiguous),
            align="number",
            is_spare=True,
            hint="that two servers could read differently",
        ),
    ),
    question="compat",
    takes=ANSWERS["compat"].takes,
)

_ADOPTION: Sheet[q.AdoptionRow] = Sheet(
    "Revisions by client and day",
    (
        Column("Day (UTC)", lambda row: words.day(row.day_ms)),
        Column("Client", lambda row: cells.named(row.client)),
        Column("Revision", lambda row: cells.named(row.revision)),
        Column("Calls", lambda row: words.count(row.calls), align="number"),
        Column("Share", lambda row: words.rate(row.share), align="number"),
    ),
    question="adoption",
    takes=ANSWERS["adoption"].takes,
)

PAGE = Page("clients", "Clients", "k", view, since="7d")
