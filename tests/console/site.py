"""A console over a real store, on a real socket."""

import asyncio
import contextlib
import http.client
import json
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from tests.events.building import an_event
from tests.store.building import a_store
from tests.store.offers import FORECAST, GET, STRICT, an_offer

from mcpr.console import SinkState, Surroundings, application
from mcpr.events import Detail, RequestEvent
from mcpr.serving import Address, HttpServer, bind, bound
from mcpr.store import EventStore
from mcpr.store.sqlite import SqliteEventStore

NOW_MS = 1_767_240_000_000
HOUR_MS = 3_600_000
SECONDS = 60.0
HOSTILE = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "\u202eevil\u202c",
    "\x1b[31mred\x07\x00"[:-1],
    "x" * 10_000,
    "{{7*7}}{% raw %}",
    "émoji 🧨 שלום",
)


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    headers: dict[str, str]
    text: str

    @property
    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.text)


@dataclass(frozen=True)
class Site:
    """Where it is."""

    host: str
    port: int

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://{self.host}:{self.port}"

    def ask(self, path: str, **headers: str) -> Answer:
        """A GET, without following anything. headers: `_` stands for `-`."""
        connection = http.client.HTTPConnection(self.host, self.port, timeout=SECONDS)
        try:
            named = {name.replace("_", "-"): value for name, value in headers.items()}
            connection.request("GET", quote(path, safe="/?&=%-+:,._"), headers=named)
            answer = connection.getresponse()
            told = {name.lower(): value for name, value in answer.getheaders()}
            return Answer(answer.status, told, answer.read().decode())
        finally:
            connection.close()

    @contextlib.contextmanager
    def stream(self, path: str, **headers: str) -> Iterator[http.client.HTTPResponse]:
        """A GET whose answer goes on for as long as somebody reads."""
        connection = http.client.HTTPConnection(self.host, self.port, timeout=SECONDS)
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        connection.request("GET", path, headers=named)
        answer = connection.getresponse()
        try:
            yield answer
        finally:
            answer.close()
            connection.close()


@contextlib.contextmanager
def serving(
    stores: Callable[[], EventStore], around: Surroundings | None = None, now_ms: int = NOW_MS
) -> Iterator[Site]:
    """The console on a free port, on a loop in a thread of its own."""
    listener = bind(Address("127.0.0.1", 0), 1)
    address = bound(listener)
    loop = asyncio.new_event_loop()
    stop = asyncio.Event()

    async def live() -> None:
        server = HttpServer(application(stores, around, lambda: now_ms), listener)
        server.start()
        await stop.wait()
        await server.stop()

    thread = threading.Thread(target=lambda: loop.run_until_complete(live()))
    thread.start()
    try:
        yield Site(address.host, address.port)
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(SECONDS)
        loop.close()


@contextlib.contextmanager
def console(path: Path, now_ms: int = NOW_MS) -> Iterator[Site]:
    """The console over the store at `path`."""
    around = Surroundings(
        lambda: 'token = "(secret)"  # default\n',
        lambda: [SinkState("sqlite", 10, 9, 0, 1, "the disk is <full>")],
        lambda: ["sqlite: the disk is <full>"],
    )
    with serving(lambda: SqliteEventStore(path), around, now_ms) as site:
        yield site


def ten_calls() -> list[RequestEvent]:
    """Ten calls of the last hour, two of them errors of one group, one of another tool."""
    told = Detail(error_text="station 7 did not answer within 30 s")
    failed = {"outcome": "rpc_error", "origin": "server", "rpc_code": -32603, "detail": told}
    plain = [
        an_event(ts_ms=NOW_MS - at * 60_000, latency_us=20_000 + at * 1_000, detail=None)
        for at in range(7, 0, -1)
    ]
    bad = [an_event(ts_ms=NOW_MS - at * 90_000, **failed) for at in (2, 1)]
    return sorted(
        [*plain, *bad, an_event(ts_ms=NOW_MS - 1_000, tool="forecast", latency_us=900_000)],
        key=lambda event: event.ts_ms,
    )


def hostile_calls() -> list[RequestEvent]:
    """Calls whose every free text is somebody's idea of a joke."""
    return [
        an_event(
            ts_ms=NOW_MS - 1_000 - at,
            server=text[:200],
            tool=text[:200],
            client="other",
            outcome="rpc_error",
            origin="server",
            rpc_code=-32000,
            detail=Detail(subject=text, error_text=text, client_name=text, path=text, method=text),
        )
        for at, text in enumerate(HOSTILE)
    ]


def a_filled_store(path: Path, events: Sequence[RequestEvent]) -> Path:
    """A store with these calls, and a server's tools in two versions."""
    a_store(path, events)
    an_offer(path, NOW_MS - 8 * HOUR_MS, [GET, FORECAST])
    an_offer(path, NOW_MS - 2 * HOUR_MS, [STRICT, FORECAST, {"name": "never_called"}])
    return path
