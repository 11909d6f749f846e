"""How do the MCP servers fare, and why? And what became of the events of this proxy."""

from collections.abc import Mapping
from typing import Any

from mcpr.console import words
from mcpr.console.answers import ANSWERS
from mcpr.console.asking import Ask
from mcpr.console.pages import cells
from mcpr.console.pages.page import Page, SinkState, Surroundings
from mcpr.console.table import Cell, Column, Sheet, grid, plain
from mcpr.store import EventStore
from mcpr.store import questions as q


def view(store: EventStore, ask: Ask, around: Surroundings) -> Mapping[str, Any]:
    """What the page shows."""
    return {
        "table": grid(_sheet(ask), q.servers(store, ask.where), ask),
        "reasons": around.reasons(),
        "sinks": plain(_SINKS, around.sinks(), ask),
    }


def _sheet(ask: Ask) -> Sheet[q.ServerRow]:
    return Sheet(
        "Servers",
        (
            Column(
                "Server",
                lambda row: cells.named(
                    row.server, f"/{ask.query(('since', 'until'), server=row.server)}", "name"
                ),
                "server",
            ),
            Column("Health", lambda row: cells.health(row.health, row.health_reason), "health"),
            Column("Why", lambda row: Cell(words.shown(row.health_reason), None, "wrap")),
            Column("Calls", lambda row: words.count(row.calls), "calls", "number"),
            Column(
                "Error rate",
                lambda row: Cell(words.rate(row.error_rate), None, "bad" if row.errors else ""),
                "error_rate",
                "number",
            ),
            Column(
                "Not its own",
                lambda row: words.count(row.proxy_errors),
                "proxy_errors",
                "number",
                hint="it was not reached, was cut off, or mcpr refused",
            ),
            Column("p50", lambda row: words.latency(row.p50_us), "p50_us", "number", is_spare=True),
            Column("p95", lambda row: words.latency(row.p95_us), "p95_us", "number"),
            Column(
                "Last call",
                lambda row: cells.moment(row.last_call_ms, ask.now_ms),
                "last_call_ms",
                "number",
            ),
        ),
        order="server",
        question="servers",
        takes=ANSWERS["servers"].takes,
    )


_SINKS: Sheet[SinkState] = Sheet(
    "Where the events of this proxy went",
    (
        Column("Sink", lambda row: row.name),
        Column("Published", lambda row: words.count(row.published), align="number"),
        Column("Written", lambda row: words.count(row.written), align="number"),
        Column("Rejected", lambda row: words.count(row.rejected), align="number"),
        Column(
            "Dropped",
            lambda row: Cell(words.count(row.dropped), None, "bad" if row.dropped else ""),
            align="number",
        ),
        Column(
            "State",
            lambda row: (
                Cell(words.shown(row.trouble, 200), None, "bad wrap")
                if row.trouble
                else Cell("ok", None, "good")
            ),
        ),
    ),
)

PAGE = Page("servers", "Servers", "v", view)
