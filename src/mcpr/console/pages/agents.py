"""How agents fare: recoveries, loops, sessions given up, sizes, what lists cost, operations."""

from collections.abc import Mapping
from typing import Any

from mcpr.console import words
from mcpr.console.answers import ANSWERS, limit_of
from mcpr.console.asking import Ask
from mcpr.console.pages import cells
from mcpr.console.pages.page import Page, Surroundings
from mcpr.console.table import Cell, Column, Sheet, plain
from mcpr.store import EventStore
from mcpr.store import questions as q

_MOST = 100


def view(store: EventStore, ask: Ask, _: Surroundings) -> Mapping[str, Any]:
    """What the page shows."""
    with store.moment():
        return {
            "tables": [
                plain(_recoveries(ask), q.recoveries(store, ask.where)[:_MOST], ask),
                plain(_loops(ask), q.loops(store, ask.where)[:_MOST], ask),
                plain(_abandoned(ask), q.abandoned(store, ask.where)[:_MOST], ask),
                plain(_operations(ask), q.operations(store, ask.where, limit_of(ask, 50)), ask),
                plain(_sizes(ask), q.sizes(store, ask.where)[:_MOST], ask),
                plain(_DISCOVERY, q.discovery(store, ask.where)[:_MOST], ask),
            ]
        }


def _recoveries(ask: Ask) -> Sheet[q.RecoveryRow]:
    return Sheet(
        "Failures made good in the same session",
        (
            Column("Tool", lambda row: cells.tool(ask, row.server, row.tool)),
            Column("Failures", lambda row: words.count(row.failures), align="number"),
            Column("Recovered", lambda row: words.count(row.recovered), align="number"),
            Column(
                "Rate",
                lambda row: Cell(
                    words.rate(row.recovery_rate), None, "bad" if row.recovery_rate < 0.5 else ""
                ),
                align="number",
            ),
            Column("p50 time", lambda row: words.latency(row.p50_recovery_us), align="number"),
        ),
        question="recoveries",
        takes=ANSWERS["recoveries"].takes,
    )


def _loops(ask: Ask) -> Sheet[q.LoopRow]:
    return Sheet(
        "Loops: one tool at least 5 times in a minute of one session",
        (
            Column("Tool", lambda row: cells.tool(ask, row.server, row.tool)),
            Column("Session", lambda row: cells.session(ask, row.session)),
            Column("Calls", lambda row: words.count(row.calls), align="number"),
            Column("Errors", lambda row: words.count(row.errors), align="number"),
            Column("From", lambda row: cells.moment(row.from_ms, ask.now_ms), align="number"),
            Column(
                "Lasted",
                lambda row: words.latency((row.to_ms - row.from_ms) * 1_000),
                align="number",
            ),
        ),
        question="loops",
        takes=ANSWERS["loops"].takes,
    )


def _abandoned(ask: Ask) -> Sheet[q.AbandonedRow]:
    return Sheet(
        "Sessions given up after an error",
        (
            Column("Session", lambda row: cells.session(ask, row.session)),
            Column("Last call", lambda row: cells.named(row.tool or row.method)),
            Column("Calls", lambda row: words.count(row.calls), align="number"),
            Column("When", lambda row: cells.moment(row.last_ms, ask.now_ms), align="number"),
        ),
        question="abandoned",
        takes=ANSWERS["abandoned"].takes,
    )


def _operations(ask: Ask) -> Sheet[q.OperationRow]:
    return Sheet(
        "Operations: calls that took several requests",
        (
            Column("Started", lambda row: words.moment(row.started_ms)),
            Column(
                "Call",
                lambda row: (
                    cells.tool(ask, row.server, row.tool) if row.tool else cells.named(row.method)
                ),
            ),
            Column("Kinds", lambda row: row.kinds),
            Column("State", lambda row: row.state),
            Column("Outcome", lambda row: cells.outcome(row.outcome)),
            Column("Requests", lambda row: words.count(row.requests), align="number"),
            Column(
                "Total",
                lambda row: Cell(words.latency(row.total_us), None, "strong"),
                align="number",
            ),
            Column("Server", lambda row: words.latency(row.server_us), align="number"),
            Column(
                "Client",
                lambda row: words.latency(row.client_us),
                align="number",
                hint="between an answer that asked for something and the next request",
            ),
            Column("Proxy", lambda row: words.latency(row.proxy_us), align="number"),
            Column("Not linked", lambda row: row.unlinked or words.shown(None), is_spare=True),
        ),
        question="operations",
        takes=ANSWERS["operations"].takes,
    )


def _sizes(ask: Ask) -> Sheet[q.SizeRow]:
    return Sheet(
        "Sizes of results",
        (
            Column("Tool", lambda row: cells.tool(ask, row.server, row.tool)),
            Column("Calls", lambda row: words.count(row.calls), align="number"),
            Column("Mean", lambda row: words.size(row.mean_bytes), align="number"),
            Column("p50", lambda row: words.size(row.p50_bytes), align="number"),
            Column("p95", lambda row: words.size(row.p95_bytes), align="number"),
            Column("Max", lambda row: words.size(row.max_bytes), align="number"),
        ),
        question="sizes",
        takes=ANSWERS["sizes"].takes,
    )


_DISCOVERY: Sheet[q.DiscoveryRow] = Sheet(
    "What it costs to find out what servers offer",
    (
        Column("Server", lambda row: cells.named(row.server)),
        Column("Lists asked for", lambda row: words.count(row.lists), align="number"),
        Column("Their bytes", lambda row: words.size(row.list_bytes), align="number"),
        Column("Of all bytes", lambda row: words.rate(row.bytes_share), align="number"),
        Column("Calls", lambda row: words.count(row.calls), align="number"),
        Column(
            "Calls per list",
            lambda row: (
                words.shown(None) if row.calls_per_list is None else f"{row.calls_per_list:.1f}"
            ),
            align="number",
        ),
    ),
    question="discovery",
    takes=ANSWERS["discovery"].takes,
)

PAGE = Page("agents", "Agents", "b", view, filters=("tool", "client"))
