"""What is in the store, and how large it is."""

from collections.abc import Mapping
from typing import Any

from mcpr.console import words
from mcpr.console.answers import ANSWERS
from mcpr.console.asking import Ask
from mcpr.console.pages import cells
from mcpr.console.pages.page import Page, Surroundings
from mcpr.console.table import Cell, Column, Sheet, grid
from mcpr.store import EventStore
from mcpr.store import questions as q


def view(store: EventStore, ask: Ask, _: Surroundings) -> Mapping[str, Any]:
    """What the page shows."""
    whole, *servers = q.stats(store)
    return {
        "whole": whole,
        "table": grid(_SHEET, servers, ask),
        "words": words,
        "facts": (
            ("events kept", words.count(whole.events)),
            ("events recorded ever", words.count(whole.last_seq or 0)),
            ("sessions", words.count(whole.sessions)),
            ("names kept once", words.count(whole.names or 0)),
            ("file", words.size(whole.file_bytes)),
            ("of it free", words.size(whole.free_bytes)),
            ("write-ahead log", words.size(whole.wal_bytes)),
            ("schema", f"version {whole.schema_version}"),
        ),
    }


_SHEET: Sheet[q.StatsRow] = Sheet(
    "Servers in the store",
    (
        Column("Server", lambda row: cells.named(row.server), "server"),
        Column("Events", lambda row: words.count(row.events), "events", "number"),
        Column("Errors", lambda row: words.count(row.errors), "errors", "number"),
        Column("Sessions", lambda row: words.count(row.sessions), "sessions", "number"),
        Column("Oldest", lambda row: Cell(words.moment(row.oldest_ms)), "oldest_ms", "number"),
        Column("Newest", lambda row: Cell(words.moment(row.newest_ms)), "newest_ms", "number"),
    ),
    order="-events",
    question="stats",
    takes=ANSWERS["stats"].takes,
)

PAGE = Page("store", "Store", "d", view, since=None)
