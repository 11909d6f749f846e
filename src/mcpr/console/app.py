"""The console as an ASGI application: pages, their files, the questions as JSON, the live tail.

Whoever mounts it keeps out who may not see it, and gives it its stores.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import jinja2
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from mcpr import __version__
from mcpr.console import asking, assets, words
from mcpr.console.api import Api
from mcpr.console.asking import Ask
from mcpr.console.live import Live
from mcpr.console.pages import PAGES, Page, Surroundings
from mcpr.console.pages.page import KEPT
from mcpr.console.pool import Busy, Opener, Pool
from mcpr.console.problem import Problem, problem_of
from mcpr.errors import McprError, UsageError
from mcpr.store import EventStore

RANGES = ("1h", "6h", "24h", "7d", "30d", "90d")
_MOST_SERVERS = 200
THEMES = ("light", "dark")

#: Nothing inline, nothing from elsewhere, and no text that becomes markup in a script.
CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'; trusted-types 'none'"
)
HEADERS = {"content-security-policy": CSP, "cache-control": "no-store"}


def wall_clock_ms() -> int:
    """Now, as epoch milliseconds."""
    return time.time_ns() // 1_000_000


def application(
    stores: Opener,
    around: Surroundings | None = None,
    now_ms: Callable[[], int] = wall_clock_ms,
) -> Starlette:
    """The application. stores: opens the store for one question."""
    pool = Pool(stores)
    pages = Pages(pool, around or Surroundings(), now_ms)
    api = Api(pool, now_ms)
    live = Live(pool, now_ms)
    return Starlette(
        routes=[
            *(Route(page.path, pages.endpoint(page)) for page in PAGES),
            Route("/logs/live", live.follow),
            Route("/api/v1/", api.index),
            Route("/api/v1/{question}", api.answer),
            Route("/static/{name:path}", assets.asset),
            Route("/{rest:path}", pages.absent),
        ],
        middleware=[Middleware(GZipMiddleware, minimum_size=1_000, compresslevel=6)],
    )


class Pages:
    """Shows pages: asks in a thread, writes the page there, too."""

    def __init__(self, pool: Pool, around: Surroundings, now_ms: Callable[[], int]) -> None:
        self._pool = pool
        self._around = around
        self._now_ms = now_ms
        self._templates = templates()

    def endpoint(self, page: Page) -> Callable[[Request], Any]:
        """What answers requests for a page."""

        async def show(request: Request) -> Response:
            pairs = request.query_params.multi_items()
            try:
                ask = asking.read(pairs, self._now_ms(), page.since)
            except UsageError as error:
                ask = asking.read([], self._now_ms(), page.since)
                return self._trouble(request, page, ask, problem_of(error))
            try:
                body = await self._pool.ask(lambda store: self._write(store, page, ask, request))
            except (McprError, Busy) as error:
                return self._trouble(request, page, ask, problem_of(error))
            return HTMLResponse(body, headers=HEADERS)

        return show

    async def absent(self, request: Request) -> Response:
        """There is no such page."""
        ask = asking.read([], self._now_ms(), "24h")
        path = words.shown(request.url.path, 60)
        problem = Problem(
            404, "there is no such page", f"nothing is at {path}", "choose a tab", "usage.absent"
        )
        return self._trouble(request, PAGES[0], ask, problem)

    def _write(self, store: EventStore, page: Page, ask: Ask, request: Request) -> str:
        shown = page.view(store, ask, self._around)
        servers = store.names("server", _MOST_SERVERS)
        has_events = store.oldest_ms() is not None
        frame = _frame(request, page, ask, servers)
        template = self._templates.get_template(page.template)
        return template.render(frame, has_events=has_events, **shown)

    def _trouble(self, request: Request, page: Page, ask: Ask, problem: Problem) -> Response:
        frame = _frame(request, page, ask, ())
        template = self._templates.get_template("trouble.html")
        body = template.render(frame, problem=problem, has_events=True)
        return HTMLResponse(body, problem.status, {**HEADERS, **problem.headers})


def templates() -> jinja2.Environment:
    """The templates, with what all of them use."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).with_name("templates")),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals["link"] = assets.link
    environment.filters["shown"] = words.shown
    environment.globals["version"] = __version__
    return environment


def _frame(request: Request, page: Page, ask: Ask, servers: Sequence[str]) -> Mapping[str, Any]:
    """What stands around every page."""
    theme = request.cookies.get("mcpr_theme")
    known = ask.given
    length_ms = ask.window.until_ms - ask.window.since_ms
    current = known.get("since", page.since) if ask.until_now else None
    chips = [
        (
            name,
            words.shown(known[name], 40),
            ask.query(**{name: None, "page": None, "before": None}) or "?",
        )
        for name in page.filters
        if name in known
    ]
    return {
        "page": page,
        "tabs": [
            (
                one.title,
                f"{one.path}{ask.query(KEPT)}",
                one.key,
                one.name == (page.under or page.name),
            )
            for one in PAGES
            if one.in_tabs
        ],
        "ranges": [
            (text, ask.query(since=text, until=None, page=None, before=None), text == current)
            for text in RANGES
        ],
        "is_custom": page.since is not None and current not in RANGES,
        "window": f"{words.moment(ask.window.since_ms)} \N{EN DASH} "
        f"{words.moment(ask.window.until_ms)}",
        "length": words.span(length_ms),
        "earlier": _shifted(ask, -length_ms),
        "later": None if ask.until_now else _shifted(ask, length_ms),
        "zone": words.zone(ask.now_ms),
        "servers": servers,
        "server": known.get("server"),
        "given": known,
        "kept": ask.query(KEPT),
        "taken": chips,
        "theme": theme if theme in THEMES else None,
        "here": f"{page.path}{ask.query()}",
        "now_iso": words.iso(ask.now_ms),
    }


def _shifted(ask: Ask, by_ms: int) -> str:
    """The window moved by its own length."""
    since_ms = max(0, ask.window.since_ms + by_ms)
    until_ms = max(since_ms + 1, ask.window.until_ms + by_ms)
    if until_ms >= ask.now_ms:
        length_s = -(-(ask.window.until_ms - ask.window.since_ms) // 1_000)
        return ask.query(since=f"{length_s}s", until=None, page=None, before=None)
    return ask.query(since=words.iso(since_ms), until=words.iso(until_ms), page=None, before=None)
