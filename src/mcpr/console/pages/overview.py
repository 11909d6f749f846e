"""How does it go? Figures beside those of the time before, slow calls, errors, tools."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from mcpr.console import charts, words
from mcpr.console.answers import steps_of
from mcpr.console.asking import Ask
from mcpr.console.pages import cells
from mcpr.console.pages.page import KEPT, Page, Surroundings
from mcpr.console.table import Cell, Column, Sheet, plain
from mcpr.store import EventStore, Steps
from mcpr.store import questions as q
from mcpr.store.questions.summary import Metric

_FEW = 6
_MOST_CHIPS = 120
_CARDS: tuple[tuple[Metric, str, str], ...] = (
    ("calls", "Calls", "/logs"),
    ("error_rate", "Error rate", "/errors"),
    ("p95_us", "Latency p95", "/latency"),
    ("sessions", "Sessions", "/sessions"),
    ("bytes_out", "Answered", "/tools"),
)


@dataclass(frozen=True, slots=True)
class Card:
    """A figure. was: the one before, or why there is none; change: with its sign; line: a path.

    more: others that belong to it, as (title, text).
    """

    title: str
    value: str
    change: str
    tone: str
    was: str
    line: str
    href: str
    more: Sequence[tuple[str, str]] = ()


def view(store: EventStore, ask: Ask, _: Surroundings) -> Mapping[str, Any]:
    """What the page shows."""
    with store.moment():
        figures = {row.metric: row for row in q.summary(store, ask.where)}
        steps = steps_of(ask, 48)
        rows = q.latency(store, ask.where, steps)
        slow = q.slow(store, ask.where, _FEW)
        failed = q.log(store, replace(ask.where, kind="rpc", errors_only=True), _FEW)
        used = q.schema_use(store, ask.where)
        called = q.tools(store, ask.where)
        clients = q.clients(store, ask.where)[:_FEW]
        health = q.servers(store, ask.where)
    return {
        "cards": _cards(figures, _line(rows, steps, ask), ask),
        "slow": plain(_slow(ask), slow, ask),
        "errors": plain(_errors(ask), failed, ask),
        "clients": plain(_clients(ask), clients, ask),
        "chips": _chips(used, called, ask),
        "health": health,
        "is_empty": not figures["exchanges"].value,
    }


def _line(
    rows: Sequence[q.LatencyRow], steps: Steps, ask: Ask
) -> Mapping[int, q.LatencyRow | None]:
    by_time = {row.at_ms: row for row in rows}
    at_ms = steps.at(ask.window.since_ms)
    found: dict[int, q.LatencyRow | None] = {}
    while at_ms < ask.window.until_ms:
        found[at_ms] = by_time.get(at_ms)
        at_ms += steps.step_ms
    return found


def _cards(
    figures: Mapping[Metric, q.SummaryRow], line: Mapping[int, q.LatencyRow | None], ask: Ask
) -> list[Card]:
    paths = _paths(list(line.values()))
    value = {metric: row.value for metric, row in figures.items()}
    more: dict[Metric, Sequence[tuple[str, str]]] = {
        "calls": (
            ("tools", words.count(value["tools"])),
            ("clients", words.count(value["clients"])),
            ("all exchanges", words.count(value["exchanges"])),
        ),
        "error_rate": (("errors", words.count(value["errors"])),),
        "p95_us": (
            ("mean", words.latency(value["mean_us"])),
            ("p50", words.latency(value["p50_us"])),
            ("p90", words.latency(value["p90_us"])),
            ("p99", words.latency(value["p99_us"])),
            ("max", words.latency(value["max_us"])),
        ),
        "sessions": (("active in the last 5 min", words.count(value["active_sessions"])),),
        "bytes_out": (("asked", words.size(value["bytes_in"])),),
    }
    link = ask.query(KEPT)
    return [
        _card(title, figures[metric], paths.get(metric, ""), f"{path}{link}", more[metric])
        for metric, title, path in _CARDS
    ]


def _paths(rows: Sequence[q.LatencyRow | None]) -> dict[Metric, str]:
    """The sparklines. Where nothing was called there is no rate and no latency."""
    return {
        "calls": charts.line([0 if row is None else row.calls for row in rows]),
        "error_rate": charts.line([None if row is None else row.error_rate for row in rows]),
        "p95_us": charts.line([None if row is None else row.p95_us for row in rows]),
        "bytes_out": charts.line([0 if row is None else row.bytes_out for row in rows]),
    }


def _card(
    title: str,
    row: q.SummaryRow,
    line: str,
    href: str,
    more: Sequence[tuple[str, str]],
) -> Card:
    text, _ = _figure(row, row.value)
    was = (
        "no earlier period is kept"
        if row.previous is None
        else f"before: {_figure(row, row.previous)[0]}"
    )
    change, tone = "", ""
    if row.change is not None:
        change = _change(row, row.change)
        if row.unit in {"rate", "us"} and row.change:
            tone = "bad" if row.change > 0 else "good"
    return Card(title, text, change, tone, was, line, href, more)


def _figure(row: q.SummaryRow, value: float) -> tuple[str, str]:
    forms = {"rate": words.rate, "us": words.latency, "bytes": words.size, "count": words.count}
    return forms[row.unit](value), row.unit


def _change(row: q.SummaryRow, change: float) -> str:
    if row.unit == "us":
        return words.signed(words.latency(abs(change)), change)
    if row.unit == "rate":
        points = f"{abs(change) * 100:.1f}\N{NARROW NO-BREAK SPACE}points"
        return words.signed(points, change)
    return words.signed(words.rate(abs(change)) if abs(change) < 10 else ">1,000 %", change)


def _slow(ask: Ask) -> Sheet[q.SlowRow]:
    return Sheet(
        "Slow calls",
        (
            Column(
                "Call",
                lambda row: (
                    cells.tool(ask, row.server, row.tool)
                    if row.tool
                    else cells.named(row.subject or row.method)
                ),
            ),
            Column(
                "Latency",
                lambda row: Cell(words.latency(row.latency_us), None, "strong"),
                align="number",
            ),
            Column(
                "\N{MULTIPLICATION SIGN} p50", lambda row: f"{row.times_p50:.1f}", align="number"
            ),
            Column("When", lambda row: cells.moment(row.ts_ms, ask.now_ms), align="number"),
        ),
    )


def _errors(ask: Ask) -> Sheet[q.LogRow]:
    return Sheet(
        "Recent errors",
        (
            Column(
                "Call",
                lambda row: (
                    cells.subject(ask, row) if row.tool or row.subject else cells.named(row.method)
                ),
            ),
            Column("Outcome", lambda row: cells.outcome(row.outcome)),
            Column("When", lambda row: cells.moment(row.ts_ms, ask.now_ms), align="number"),
        ),
    )


def _clients(ask: Ask) -> Sheet[q.ClientRow]:
    return Sheet(
        "Top clients",
        (
            Column("Client", lambda row: cells.caller(ask, row, "/logs")),
            Column("Calls", lambda row: words.count(row.calls), align="number"),
            Column("Errors", lambda row: words.rate(row.error_rate), align="number"),
            Column("Last", lambda row: cells.moment(row.last_ms, ask.now_ms), align="number"),
        ),
    )


def _chips(used: Sequence[q.UseRow], called: Sequence[q.ToolRow], ask: Ask) -> dict[str, Any]:
    """Tools as chips: bright where they were called, dim where they are only listed."""
    told = {(row.server, row.tool): row.calls for row in used}
    told |= {(row.server, row.tool): row.calls for row in called}
    ordered = sorted(told.items(), key=lambda item: (-item[1], item[0]))
    return {
        "total": len(ordered),
        "used": sum(1 for _, calls in ordered if calls),
        "left_out": max(0, len(ordered) - _MOST_CHIPS),
        "chips": [
            replace(
                cells.tool(ask, server, tool),
                tone="" if calls else "dim",
                title=f"{words.count(calls)} calls" if calls else "listed, and never called",
            )
            for (server, tool), calls in ordered[:_MOST_CHIPS]
        ],
    }


PAGE = Page("overview", "Overview", "o", view)
