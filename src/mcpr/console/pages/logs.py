"""What happened? Recorded exchanges, the newest first, page by page or as they come."""

from collections.abc import Mapping
from typing import Any

from mcpr.console import words
from mcpr.console.answers import ANSWERS, limit_of
from mcpr.console.asking import LOG, Ask
from mcpr.console.pages import cells
from mcpr.console.pages.page import Page, Surroundings
from mcpr.console.table import Cell, Column, Sheet, plain
from mcpr.events import OUTCOMES
from mcpr.store import EventStore
from mcpr.store import questions as q


def view(store: EventStore, ask: Ask, _: Surroundings) -> Mapping[str, Any]:
    """What the page shows."""
    limit = limit_of(ask, 100)
    with store.moment():
        seq = store.last_seq()
        rows = q.log(store, ask.where, limit, ask.before)
    older = None
    if len(rows) == limit:
        last = rows[-1].cursor
        older = ask.query(before=f"{last.ts_ms}-{last.seq}")
    return {
        "table": plain(sheet(ask), rows, ask),
        "older": older,
        "newest": (ask.query(before=None) or "?") if ask.before else None,
        "live": ask.query(LOG, since=None, until=None, after=seq),
        "can_follow": ask.until_now and ask.before is None,
        "outcomes": OUTCOMES,
    }


def sheet(ask: Ask) -> Sheet[q.LogRow]:
    """How a row of the log looks, here and in the live tail."""
    return Sheet(
        "Log",
        (
            Column("Time", lambda row: Cell(words.exact(row.ts_ms), None, "", row.id)),
            Column("Server", lambda row: cells.named(row.server), is_spare=True),
            Column(
                "Method",
                lambda row: cells.named(
                    row.raw_method or row.method or row.http_method or row.kind
                ),
            ),
            Column("Tool or subject", lambda row: cells.subject(ask, row)),
            Column("Outcome", lambda row: cells.outcome(row.outcome)),
            Column("Latency", lambda row: words.latency(row.latency_us), align="number"),
            Column(
                "Upstream",
                lambda row: words.latency(row.upstream_us),
                align="number",
                is_spare=True,
            ),
            Column("In", lambda row: words.size(row.bytes_in), align="number", is_spare=True),
            Column("Out", lambda row: words.size(row.bytes_out), align="number"),
            Column("Client", lambda row: cells.client(ask, row, "/logs")),
            Column("Session", lambda row: cells.session(ask, row.session)),
            Column(
                "Message",
                lambda row: Cell(
                    "" if row.error_text is None else words.shown(row.error_text, 120), None, "wrap"
                ),
                is_spare=True,
            ),
        ),
        question="log",
        takes=ANSWERS["log"].takes,
        name="log",
    )


PAGE = Page(
    "logs",
    "Logs",
    "a",
    view,
    since="1h",
    filters=("tool", "method", "client", "session", "outcome", "errors", "id"),
)
