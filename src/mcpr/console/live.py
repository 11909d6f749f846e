"""The log as it comes, for one page at a time: server-sent events, resumable by their id.

When more is recorded than a person can read, a sample is sent, and how many rows it leaves out.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, replace
from typing import Any

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from mcpr.console import asking
from mcpr.console.asking import LOG, Ask
from mcpr.console.pages import logs
from mcpr.console.pool import Busy, Pool
from mcpr.console.problem import as_json, problem_of
from mcpr.console.table import lines
from mcpr.errors import McprError
from mcpr.store import EventStore
from mcpr.store import questions as q

#: Pages that may follow at once, and rows that each gets per look.
MOST_FOLLOWERS = 8
MOST_ROWS = 25
_LOOK_SECONDS = 0.5
#: A line that says nothing, so that a page that has gone is noticed.
_SILENT_LOOKS = 20
_MOST_READ = 5_000


@dataclass(slots=True)
class Live:
    """The followers of one console. now_ms: the clock."""

    pool: Pool
    now_ms: Callable[[], int]
    followers: int = 0

    async def follow(self, request: Request) -> Response:
        """A stream of rows after `after`, or after the last one that the page has had."""
        try:
            known = (*LOG, "after")
            ask = asking.read(request.query_params.multi_items(), self.now_ms(), None, known)
            after = await self._begin(ask, request.headers.get("last-event-id"))
        except (McprError, Busy) as error:
            return as_json(problem_of(error))
        return StreamingResponse(
            self._rows(ask, after),
            headers={"cache-control": "no-store", "x-accel-buffering": "no"},
            media_type="text/event-stream",
        )

    async def _begin(self, ask: Ask, last: str | None) -> int:
        """After which row to begin: the last one that the page had, else what the URL says."""
        if self.followers >= MOST_FOLLOWERS:
            raise Busy(f"{MOST_FOLLOWERS} pages follow already", 30)
        if last is not None and last.isascii() and last.isdigit() and len(last) < 19:
            return int(last)
        if ask.get("after") == "0":
            return 0
        if ask.get("after") is None:
            return await self.pool.ask(lambda store: store.last_seq())
        return ask.number("after", 1)

    async def _rows(self, ask: Ask, after: int) -> AsyncIterator[str]:
        self.followers += 1
        silent = 0
        # What comes is of no window.
        ask = replace(ask, where=replace(ask.where, window=None))
        try:
            yield f"retry: 2000\nid: {after}\ndata: []\n\n"
            while True:
                try:
                    news = await self.pool.ask(_look(ask, after))
                except (McprError, Busy) as error:
                    yield f"event: trouble\ndata: {json.dumps(problem_of(error).why)}\n\n"
                else:
                    after = news.cursor
                    silent += 1
                    if news.rows:
                        silent = 0
                        yield f"id: {after}\n{_event(ask, news.rows, self.now_ms())}"
                    elif silent >= _SILENT_LOOKS:
                        silent = 0
                        yield f"id: {after}\n: nothing new\n\n"
                await asyncio.sleep(_LOOK_SECONDS)
        finally:
            self.followers -= 1


def _look(ask: Ask, after: int) -> Callable[[EventStore], q.News]:
    return lambda store: q.follow(store, ask.where, after, _MOST_READ)


def sample(rows: list[q.LogRow], most: int) -> list[q.LogRow]:
    """At most so many of the rows, at equal distances, the newest among them."""
    if len(rows) <= most:
        return rows
    return [rows[len(rows) - 1 - at * len(rows) // most] for at in reversed(range(most))]


def _event(ask: Ask, rows: list[q.LogRow], now_ms: int) -> str:
    """Rows as the page shows them: cells of [text, link, tone, title]."""
    chosen = sample(rows, MOST_ROWS)
    told: list[list[list[Any]]] = [
        [[cell.text, cell.href, cell.tone, cell.title] for cell in line.cells]
        for line in lines(logs.sheet(replace(ask, now_ms=now_ms)), chosen)
    ]
    text = f"data: {json.dumps(told)}\n\n"
    left_out = len(rows) - len(chosen)
    return f"{text}event: sampled\ndata: {left_out}\n\n" if left_out else text
