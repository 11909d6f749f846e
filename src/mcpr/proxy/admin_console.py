"""The console on the admin address: made when somebody first looks, away from the recording."""

import asyncio
from collections.abc import Callable

from starlette.types import ASGIApp, Receive, Scope, Send

from mcpr.proxy.status import Status


class LazyConsole:
    """The pages over the store at `path`.

    Their libraries are imported in a thread with the first request: most proxies are never looked
    at, and the loop has events to read.
    """

    def __init__(self, path: str, status: Callable[[], Status], config: Callable[[], str]) -> None:
        self._path = path
        self._status = status
        self._config = config
        self._making = asyncio.Lock()
        self._app: ASGIApp | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer."""
        async with self._making:
            app = self._app
            if app is None:
                app = self._app = await asyncio.to_thread(self._make)
        await app(scope, receive, send)

    def _make(self) -> ASGIApp:
        from mcpr.console import SinkState, Surroundings, application  # noqa: PLC0415
        from mcpr.store.sqlite import SqliteEventStore  # noqa: PLC0415

        def sinks() -> list[SinkState]:
            return [
                SinkState(
                    sink.name,
                    sink.counts.published,
                    sink.counts.written,
                    sink.counts.rejected,
                    sink.counts.dropped,
                    sink.trouble,
                )
                for sink in self._status().sinks
            ]

        around = Surroundings(self._config, sinks, lambda: self._status().reasons)
        return application(lambda: SqliteEventStore(self._path), around)
