"""What fails? Errors in groups, and a page for one group with its newest errors."""

from collections.abc import Mapping
from typing import Any

from mcpr.console import words
from mcpr.console.answers import ANSWERS, NotFound, limit_of
from mcpr.console.asking import Ask
from mcpr.console.pages import cells
from mcpr.console.pages.page import KEPT, Page, Surroundings
from mcpr.console.table import Cell, Column, Sheet, grid, plain
from mcpr.store import EventStore
from mcpr.store import questions as q


def view(store: EventStore, ask: Ask, _: Surroundings) -> Mapping[str, Any]:
    """What the page shows."""
    return {"table": grid(_sheet(ask), q.errors(store, ask.where), ask)}


def view_one(store: EventStore, ask: Ask, _: Surroundings) -> Mapping[str, Any]:
    """What the page of one group shows. Raises NotFound."""
    prefix = ask.get("group")
    found = None if prefix is None else q.error(store, ask.where, prefix, limit_of(ask, 50))
    if found is None:
        raise NotFound(
            "there is no such error group",
            "no error of this time belongs to it",
            "look further back, or choose one from the list of errors",
        )
    group, rows = found
    return {
        "group": group,
        "what": cells.named(group.shape),
        "words": words,
        "now_ms": ask.now_ms,
        "call": _call(ask, group),
        "table": plain(_newest(ask), rows, ask),
    }


def _call(ask: Ask, row: q.ErrorGroup) -> Cell:
    if row.tool is not None:
        return cells.tool(ask, row.server, row.tool)
    return cells.named(row.method)


def code(http_status: int | None, rpc_code: int | None) -> str:
    """The code of an error: that of JSON-RPC, else that of HTTP."""
    if rpc_code is not None:
        return str(rpc_code).replace("-", "\N{MINUS SIGN}")
    return words.shown(None) if http_status is None else f"HTTP {http_status}"


def _sheet(ask: Ask) -> Sheet[q.ErrorGroup]:
    return Sheet(
        "Error groups",
        (
            Column(
                "Message",
                lambda row: Cell(
                    words.shown(row.shape, 80) if row.shape else "(no message kept)",
                    f"/error{ask.query((*KEPT, 'tool', 'client'), group=row.id)}",
                    "wrap",
                    row.id,
                ),
                "shape",
            ),
            Column("Call", lambda row: _call(ask, row), "tool"),
            Column("Outcome", lambda row: cells.outcome(row.outcome), "outcome"),
            Column(
                "Origin",
                lambda row: row.origin or words.shown(None),
                "origin",
                hint="whose doing it was",
            ),
            Column("Code", lambda row: code(row.http_status, row.rpc_code), "rpc_code", "number"),
            Column(
                "Count", lambda row: Cell(words.count(row.calls), None, "strong"), "calls", "number"
            ),
            Column("Share", lambda row: words.rate(row.share), "share", "number"),
            Column(
                "Clients",
                lambda row: Cell(
                    words.count(row.client_count), title=words.shown(row.clients, 300)
                ),
                "client_count",
                "number",
            ),
            Column(
                "Sessions",
                lambda row: words.count(row.session_count),
                "session_count",
                "number",
                is_spare=True,
            ),
            Column(
                "First", lambda row: cells.moment(row.first_ms, ask.now_ms), "first_ms", "number"
            ),
            Column("Last", lambda row: cells.moment(row.last_ms, ask.now_ms), "last_ms", "number"),
        ),
        order="-calls",
        question="errors",
        takes=ANSWERS["errors"].takes,
    )


def _newest(ask: Ask) -> Sheet[q.LogRow]:
    return Sheet(
        "Newest errors of this group",
        (
            Column(
                "Time",
                lambda row: Cell(words.exact(row.ts_ms), f"/logs{ask.query(KEPT, id=row.id)}"),
            ),
            Column("Message", lambda row: Cell(words.shown(row.error_text, 200), None, "wrap")),
            Column("Latency", lambda row: words.latency(row.latency_us), align="number"),
            Column("Client", lambda row: cells.client(ask, row, "/error")),
            Column("Session", lambda row: cells.session(ask, row.session)),
        ),
        question="error",
        takes=ANSWERS["error"].takes,
    )


PAGE = Page("errors", "Errors", "e", view, filters=("tool", "client"))
ONE = Page("error", "Error", "", view_one, in_tabs=False, under="errors")
