"""serving/http: an ASGI application inside somebody else's loop."""

import asyncio
import signal
import subprocess
import sys
import urllib.request

from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send

from mcpr.serving import Address, HttpServer, bind, bound


async def hello(scope: Scope, receive: Receive, send: Send) -> None:
    await PlainTextResponse("hello")(scope, receive, send)


def test_an_application_is_served_until_it_is_stopped() -> None:
    async def scene() -> None:
        listener = bind(Address("127.0.0.1", 0))
        url = bound(listener).url
        server = HttpServer(hello, listener)
        server.start()

        def read() -> bytes:
            with urllib.request.urlopen(url, timeout=20) as answer:
                body: bytes = answer.read()
            return body

        assert await asyncio.to_thread(read) == b"hello"
        await server.stop()
        # The port is free again.
        bind(Address("127.0.0.1", int(url.rpartition(":")[2]))).close()

    asyncio.run(scene())


def test_a_server_leaves_the_processs_signals_alone() -> None:
    async def scene() -> None:
        before = signal.getsignal(signal.SIGTERM)
        server = HttpServer(hello, bind(Address("127.0.0.1", 0)))
        server.start()
        await asyncio.sleep(0)
        assert signal.getsignal(signal.SIGTERM) is before
        await server.stop()

    asyncio.run(scene())


def test_a_server_that_never_started_can_be_stopped() -> None:
    asyncio.run(HttpServer(hello, bind(Address("127.0.0.1", 0))).stop())


def test_the_http_library_is_not_imported_before_something_is_served() -> None:
    """It costs a tenth of a second, and the data-plane process imports this room."""
    program = "import sys, mcpr.serving; sys.exit(any('uvicorn' in name for name in sys.modules))"
    assert subprocess.run([sys.executable, "-c", program], check=False, timeout=20).returncode == 0
