"""The admin address: is it alive, is it recording, what was lost.

Open on loopback only and answers loopback names only: a web page that makes its own name point at
127.0.0.1 gets a 403, not the numbers. Imported only in the companion, and only when it is on.
"""

import json
from collections.abc import Callable

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

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
LOOPBACK_NAMES = frozenset(("localhost", "127.0.0.1", "[::1]"))


def pages(status: Callable[[], Status], totals: Callable[[], Snapshot] | None = None) -> ASGIApp:
    """The application. `status` and `totals` are asked once per page."""

    async def live(_: Request) -> Response:
        return PlainTextResponse("ok\n")

    async def ready(_: Request) -> Response:
        reasons = status().reasons
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

    application = Starlette(
        routes=[Route("/live", live), Route("/ready", ready), Route("/metrics", metrics)],
        middleware=[Middleware(SafeHeaders), Middleware(HostGuard)],
    )
    application.router.redirect_slashes = False
    return application


class SafeHeaders:
    """Adds `HEADERS` to every answer."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand on, and add to the answer's head."""

        async def add(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], *HEADERS]
            await send(message)

        await self._app(scope, receive, add)


class HostGuard:
    """Refuses requests that were not addressed to a loopback name."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer 403, or hand on."""
        if scope["type"] == "http":
            hosts = [value for name, value in scope["headers"] if name == b"host"]
            if len(hosts) != 1 or not is_loopback_name(hosts[0].decode("latin-1")):
                answer = PlainTextResponse(
                    "This address answers to localhost, 127.0.0.1 and [::1] only.\n", 403
                )
                await answer(scope, receive, send)
                return
        await self._app(scope, receive, send)


def is_loopback_name(host: str) -> bool:
    """Whether a Host header names this machine's loopback, with any port or none."""
    name, colon, port = host.rpartition(":")
    if not colon or host.endswith("]"):
        name, port = host, ""
    elif not (port.isascii() and port.isdigit()):
        return False
    return name.lower() in LOOPBACK_NAMES
