"""An ASGI application on a socket, inside a loop that somebody else runs."""

import asyncio
import contextlib
import socket
from collections.abc import Generator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import uvicorn
    from starlette.types import ASGIApp


class HttpServer:
    """Serves `app` on a listening socket until `stop`.

    Touches no signal handler and writes no line per request: an address, a path or a header of
    a visitor is nobody's record.
    """

    def __init__(self, app: "ASGIApp", listener: socket.socket) -> None:
        self._app = app
        self._listener = listener
        self._task: asyncio.Task[None] | None = None
        self._server: uvicorn.Server | None = None

    def start(self) -> None:
        """Begin to serve, in the running loop. Connections made since `bind` are waiting."""
        # Here, not above: a tenth of a second that a process without pages does not pay.
        import uvicorn  # noqa: PLC0415

        class Server(uvicorn.Server):
            @contextlib.contextmanager
            def capture_signals(self) -> Generator[None, None, None]:
                # Signals belong to the process, not to one of its parts.
                yield

        config = uvicorn.Config(
            self._app,
            loop="none",
            http="h11",
            ws="none",
            lifespan="off",
            log_config=None,
            log_level="error",
            access_log=False,
            server_header=False,
            proxy_headers=False,
            limit_concurrency=100,
            timeout_keep_alive=5,
            timeout_graceful_shutdown=1,
        )
        self._server = Server(config)
        loop = asyncio.get_running_loop()
        self._task = loop.create_task(self._server.serve(sockets=[self._listener]))

    async def stop(self) -> None:
        """Take no new connection, finish the answers under way (at most a second), end."""
        if self._server is not None and self._task is not None:
            self._server.should_exit = True
            await self._task
        self._listener.close()
