"""Who was there? Sessions, and the timeline of one."""

from collections.abc import Mapping
from typing import Any

from mcpr.console import words
from mcpr.console.answers import ANSWERS, NotFound, limit_of
from mcpr.console.asking import Ask
from mcpr.console.pages import cells, logs
from mcpr.console.pages.page import Page, Surroundings
from mcpr.console.table import Cell, Column, Sheet, grid, plain
from mcpr.store import EventStore, Filter
from mcpr.store import questions as q

_TONES = {"active": "good", "idle": "", "ended": "muted"}


def view(store: EventStore, ask: Ask, _: Surroundings) -> Mapping[str, Any]:
    """What the page shows."""
    return {"table": grid(_sheet(ask), ANSWERS["sessions"].ask(store, ask), ask)}


def view_one(store: EventStore, ask: Ask, _: Surroundings) -> Mapping[str, Any]:
    """What the page of one session shows. Raises UsageError, NotFound."""
    prefix = ask.where.session
    if prefix is None:
        raise NotFound("cannot show a session", "none is named", "choose one from the list")
    with store.moment():
        row = q.session(store, prefix, ask.now_ms)
        limit = limit_of(ask, 200)
        steps = q.log(store, Filter(session=row.session), limit, ask.before)
    last = steps[-1].cursor if len(steps) == limit else None
    return {
        "row": row,
        "client": cells.caller(ask, row, "/logs"),
        "server": words.shown(row.server, 60),
        "words": words,
        "length": words.span(max(1, row.last_seen_ms - (row.started_ms or row.last_seen_ms))),
        "table": plain(_timeline(ask), steps, ask),
        "older": last and ask.query(before=f"{last.ts_ms}-{last.seq}"),
    }


def _length(row: q.SessionRow) -> str:
    if row.started_ms is None:
        return words.shown(None)
    return words.span(max(1, row.last_seen_ms - row.started_ms))


def _sheet(ask: Ask) -> Sheet[q.SessionRow]:
    return Sheet(
        "Sessions",
        (
            Column("Session", lambda row: cells.session(ask, row.session), "session"),
            Column(
                "State", lambda row: Cell(row.state, None, _TONES[row.state], row.ended_by), "state"
            ),
            Column("Client", lambda row: cells.caller(ask, row, "/sessions"), "client"),
            Column("Server", lambda row: cells.named(row.server), "server", is_spare=True),
            Column(
                "Started",
                lambda row: cells.moment(row.started_ms, ask.now_ms),
                "started_ms",
                "number",
            ),
            Column(
                "Last seen",
                lambda row: cells.moment(row.last_seen_ms, ask.now_ms),
                "last_seen_ms",
                "number",
            ),
            Column("Duration", _length, None, "number"),
            Column("Calls", lambda row: words.count(row.calls), "calls", "number"),
            Column(
                "Errors",
                lambda row: Cell(words.count(row.errors), None, "bad" if row.errors else ""),
                "errors",
                "number",
            ),
            Column("Tools", lambda row: words.count(row.tools), "tools", "number"),
            Column(
                "Known by",
                lambda row: Cell("inferred" if row.is_inferred else "its id", None, "muted"),
                "is_inferred",
                is_spare=True,
                hint="inferred: its requests named no session, only who sent them",
            ),
        ),
        order="-last_seen_ms",
        question="sessions",
        takes=ANSWERS["sessions"].takes,
    )


def _timeline(ask: Ask) -> Sheet[q.LogRow]:
    sheet = logs.sheet(ask)
    return Sheet(
        "Timeline, the newest first",
        [one for one in sheet.columns if one.title not in {"Session", "Client", "Server"}],
        question="session",
        takes=ANSWERS["session"].takes,
    )


PAGE = Page("sessions", "Sessions", "n", view, filters=("client", "active"))
ONE = Page("session", "Session", "", view_one, since=None, in_tabs=False, under="sessions")
