"""The admin address: is it alive, is it recording, what was lost.

Who may see it is `admin_guard`'s. Imported only in the companion, and only when it is on.
"""

import json
from collections.abc import Callable

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Mount, Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from mcpr.proxy import admin_login
from mcpr.proxy.admin_guard import Access, AdminGuard
from mcpr.proxy.status import Status
from mcpr.sinks.prometheus import Snapshot

#: On every answer: nothing here is to be framed, kept, guessed at or given to another site.
HEADERS = (
    (b"cache-control", b"no-store"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-content-type-options", b"nosniff"),
)
CONFIG_TYPE = "text/plain; charset=utf-8"
_CONFIG_HEAD = (
    "# Settings as they were read last, secrets hidden.\n"
    "# What changes only by a restart is in force as it was at the start.\n"
)


def pages(
    status: Callable[[], Status],
    totals: Callable[[], Snapshot] | None = None,
    config: Callable[[], str] = str,
    access: Access | None = None,
    console: ASGIApp | None = None,
) -> ASGIApp:
    """The application. `status`, `totals` and `config` are asked once per page.

    console: what answers everything else.
    """

    async def live(_: Request) -> Response:
        return PlainTextResponse("ok\n")

    who = access or Access()
    login = who.login

    async def ready(request: Request) -> Response:
        # Open to all: but whoever could not see /config is not told of files and hosts here.
        is_known = who.is_known("/config", request.scope["headers"])
        reasons = status().reasons if is_known else status().outline
        return Response(
            json.dumps({"ready": not reasons, "reasons": reasons}) + "\n",
            503 if reasons else 200,
            media_type="application/json",
        )

    # Not a coroutine: it runs in a thread, and a page of thousands of series holds up nobody.
    def metrics(request: Request) -> Response:
        from mcpr.proxy.metrics import exposition  # noqa: PLC0415 - most proxies are never asked

        accept = request.headers.get("accept", "")
        page, kind = exposition(accept, status(), None if totals is None else totals())
        return Response(page, headers={"content-type": kind})

    async def settings(_: Request) -> Response:
        text = config()
        return Response(_CONFIG_HEAD + text if text else "", headers={"content-type": CONFIG_TYPE})

    application = Starlette(
        routes=[
            Route("/live", live),
            Route("/ready", ready),
            Route("/metrics", metrics),
            Route("/config", settings),
            *(
                []
                if login is None
                else [Route(admin_login.PATH, login.answer, methods=["GET", "POST"])]
            ),
            *([] if console is None else [Mount("/", console)]),
        ],
        middleware=[
            Middleware(SafeHeaders),
            Middleware(AdminGuard, access=who),
        ],
    )
    application.router.redirect_slashes = False
    return application


class SafeHeaders:
    """Adds those of `HEADERS` that an answer does not have to every answer."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand on, and add to the answer's head."""

        async def add(message: Message) -> None:
            if message["type"] == "http.response.start":
                names = {name for name, _ in message["headers"]}
                missing = [header for header in HEADERS if header[0] not in names]
                message["headers"] = [*message["headers"], *missing]
            await send(message)

        await self._app(scope, receive, add)
