"""How do the tools fare? A row for each, and a page for one."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from mcpr.console import words
from mcpr.console.answers import ANSWERS, NotFound, steps_of
from mcpr.console.asking import Ask
from mcpr.console.pages import cells
from mcpr.console.pages.latency import over_time
from mcpr.console.pages.page import KEPT, Page, Surroundings
from mcpr.console.table import Cell, Column, Sheet, grid, plain
from mcpr.store import EventStore
from mcpr.store import questions as q

_NEWEST = 10


def view(store: EventStore, ask: Ask, _: Surroundings) -> Mapping[str, Any]:
    """What the page shows."""
    rows = q.tools(store, ask.where)
    unused = [row for row in q.schema_use(store, ask.where) if row.use == "unused"]
    return {"table": grid(_sheet(ask), rows, ask), "unused": len(unused)}


def view_one(store: EventStore, ask: Ask, _: Surroundings) -> Mapping[str, Any]:
    """What the page of one tool shows. Raises NotFound where the URL names none."""
    name = ask.where.tool
    if name is None:
        raise NotFound("cannot show a tool", "none is named", "choose one from the list of tools")
    where = replace(ask.where, kind="rpc")
    steps = steps_of(ask, 120)
    with store.moment():
        rows = q.tools(store, where)
        clients = q.clients(store, where)
        series = q.latency(store, where, steps)
        newest = q.log(store, where, _NEWEST)
        listed = [row for row in q.schema_use(store, ask.where) if row.tool == name]
        failing = q.errors(store, where)
    return {
        "tool": words.shown(name),
        "rows": rows,
        "listed": listed,
        "words": words,
        "clients": plain(_clients(ask), clients, ask),
        "newest": plain(_newest(ask), newest, ask),
        "series": over_time(series, ask),
        "errors": len(failing),
        "log_link": f"/logs{ask.query((*KEPT, 'tool'))}",
        "errors_link": f"/errors{ask.query((*KEPT, 'tool'))}",
        "chart": ask.query((*KEPT, "tool", "client")),
    }


def _sheet(ask: Ask) -> Sheet[q.ToolRow]:
    return Sheet(
        "Tools",
        (
            Column("Tool", lambda row: cells.tool(ask, row.server, row.tool), "tool"),
            Column("Server", lambda row: cells.named(row.server), "server", is_spare=True),
            Column("Health", lambda row: cells.health(row.health, row.health_reason), "health"),
            Column("Calls", lambda row: words.count(row.calls), "calls", "number"),
            Column(
                "Errors", lambda row: words.count(row.errors), "errors", "number", is_spare=True
            ),
            Column(
                "Error rate",
                lambda row: Cell(words.rate(row.error_rate), None, "bad" if row.errors else ""),
                "error_rate",
                "number",
            ),
            Column("p50", lambda row: words.latency(row.p50_us), "p50_us", "number"),
            Column("p95", lambda row: words.latency(row.p95_us), "p95_us", "number"),
            Column("p99", lambda row: words.latency(row.p99_us), "p99_us", "number"),
            Column("Max", lambda row: words.latency(row.max_us), "max_us", "number"),
            Column("In", lambda row: words.size(row.bytes_in), "bytes_in", "number", is_spare=True),
            Column(
                "Out", lambda row: words.size(row.bytes_out), "bytes_out", "number", is_spare=True
            ),
            Column(
                "Last call",
                lambda row: cells.moment(row.last_call_ms, ask.now_ms),
                "last_call_ms",
                "number",
            ),
        ),
        order="-p95_us",
        question="tools",
        takes=ANSWERS["tools"].takes,
    )


def _clients(ask: Ask) -> Sheet[q.ClientRow]:
    return Sheet(
        "Clients",
        (
            Column("Client", lambda row: cells.caller(ask, row, "/tool")),
            Column("Sessions", lambda row: words.count(row.sessions), align="number"),
            Column("Calls", lambda row: words.count(row.calls), align="number"),
            Column("Error rate", lambda row: words.rate(row.error_rate), align="number"),
        ),
    )


def _newest(ask: Ask) -> Sheet[q.LogRow]:
    return Sheet(
        "Newest calls",
        (
            Column("Time", lambda row: words.exact(row.ts_ms)),
            Column("Outcome", lambda row: cells.outcome(row.outcome)),
            Column("Latency", lambda row: words.latency(row.latency_us), align="number"),
            Column("Out", lambda row: words.size(row.bytes_out), align="number"),
            Column("Client", lambda row: cells.client(ask, row, "/tool")),
            Column("Session", lambda row: cells.session(ask, row.session)),
        ),
    )


PAGE = Page("tools", "Tools", "t", view, filters=("tool", "client"))
ONE = Page("tool", "Tool", "", view_one, filters=("client",), in_tabs=False, under="tools")
