"""How did calls and latency go over time? Lines, a heat map, and the table of both."""

from collections.abc import Mapping, Sequence
from typing import Any

from mcpr.console import words
from mcpr.console.answers import ANSWERS, steps_of
from mcpr.console.asking import Ask
from mcpr.console.pages import cells
from mcpr.console.pages.page import Page, Surroundings
from mcpr.console.table import Cell, Column, Grid, Sheet, grid
from mcpr.store import EventStore
from mcpr.store import questions as q

_BY = ("tool", "client", "outcome", "server")


def view(store: EventStore, ask: Ask, _: Surroundings) -> Mapping[str, Any]:
    """What the page shows."""
    rows: Sequence[q.LatencyRow] = ANSWERS["latency"].ask(store, ask)
    by = ask.get("by")
    return {
        "table": over_time(rows, ask),
        "chart": ask.query(ANSWERS["latency"].takes),
        "heat": ask.query(ANSWERS["heat"].takes, by=None),
        "splits": [("all", ask.query(by=None, page=None) or "?", by is None)]
        + [(name, ask.query(by=name, page=None), by == name) for name in _BY],
        "step": words.span(steps_of(ask, 120).step_ms),
        "calls": sum(row.calls for row in rows),
        "words": words,
    }


def over_time(rows: Sequence[q.LatencyRow], ask: Ask) -> Grid:
    """The steps as a table, the newest first."""
    of: tuple[Column[q.LatencyRow], ...] = (Column("Of", lambda row: cells.named(row.by), "by"),)
    sheet = Sheet(
        "Latency over time",
        (
            Column("From", lambda row: Cell(words.moment(row.at_ms)), "at_ms"),
            *(of if ask.get("by") else ()),
            Column("Calls", lambda row: words.count(row.calls), "calls", "number"),
            Column(
                "Error rate",
                lambda row: Cell(words.rate(row.error_rate), None, "bad" if row.errors else ""),
                "error_rate",
                "number",
            ),
            Column(
                "Mean", lambda row: words.latency(row.mean_us), "mean_us", "number", is_spare=True
            ),
            Column("p50", lambda row: words.latency(row.p50_us), "p50_us", "number"),
            Column("p95", lambda row: words.latency(row.p95_us), "p95_us", "number"),
            Column("p99", lambda row: words.latency(row.p99_us), "p99_us", "number"),
            Column("Max", lambda row: words.latency(row.max_us), "max_us", "number"),
            Column(
                "Out", lambda row: words.size(row.bytes_out), "bytes_out", "number", is_spare=True
            ),
        ),
        order="-at_ms",
        question="latency",
        takes=ANSWERS["latency"].takes,
    )
    return grid(sheet, rows, ask)


PAGE = Page("latency", "Latency", "l", view, filters=("tool", "client"))
