"""The slowest calls, and how far they are from the usual."""

from collections.abc import Mapping
from typing import Any

from mcpr.console import words
from mcpr.console.answers import ANSWERS, limit_of
from mcpr.console.asking import Ask
from mcpr.console.pages import cells
from mcpr.console.pages.page import Page, Surroundings
from mcpr.console.table import Cell, Column, Sheet, grid
from mcpr.store import EventStore
from mcpr.store import questions as q

_SIZES = (10, 20, 50, 100, 500)


def view(store: EventStore, ask: Ask, _: Surroundings) -> Mapping[str, Any]:
    """What the page shows."""
    limit = limit_of(ask, 50)
    rows = q.slow(store, ask.where, limit)
    return {
        "table": grid(_sheet(ask), rows, ask),
        "sizes": [(str(n), ask.query(limit=n, page=None), n == limit) for n in _SIZES],
    }


def _call(ask: Ask, row: q.SlowRow) -> Cell:
    if row.tool is not None:
        return cells.tool(ask, row.server, row.tool)
    return cells.named(row.subject or row.method)


def _sheet(ask: Ask) -> Sheet[q.SlowRow]:
    return Sheet(
        "Slow calls",
        (
            Column("Time", lambda row: words.moment(row.ts_ms), "ts_ms"),
            Column("Call", lambda row: _call(ask, row), "tool"),
            Column("Server", lambda row: cells.named(row.server), "server", is_spare=True),
            Column(
                "Latency",
                lambda row: Cell(words.latency(row.latency_us), None, "strong"),
                "latency_us",
                "number",
            ),
            Column(
                "Upstream",
                lambda row: words.latency(row.upstream_us),
                "upstream_us",
                "number",
                hint="what the server took of it",
            ),
            Column(
                "\N{MULTIPLICATION SIGN} p50",
                lambda row: f"{row.times_p50:.1f}",
                "times_p50",
                "number",
                hint="times the usual of its method and tool",
            ),
            Column("Outcome", lambda row: cells.outcome(row.outcome), "outcome"),
            Column("In", lambda row: words.size(row.bytes_in), "bytes_in", "number", is_spare=True),
            Column("Out", lambda row: words.size(row.bytes_out), "bytes_out", "number"),
            Column("Client", lambda row: cells.client(ask, row, "/slow")),
            Column("Session", lambda row: cells.session(ask, row.session)),
        ),
        order="-latency_us",
        question="slow",
        takes=ANSWERS["slow"].takes,
    )


PAGE = Page("slow", "Slow", "s", view, filters=("tool", "client"))
