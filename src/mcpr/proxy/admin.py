"""The admin address: is it alive, is it recording, what was lost.

Open on loopback only and answers loopback names only: a web page that makes its own name point at
127.0.0.1 gets a 403, not the numbers. Imported only in the companion, and only when it is on.
"""

import itertools
import json
from collections.abc import Callable, Iterator

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from mcpr import __version__
from mcpr.proxy.status import SinkStatus, Status

# Source: Prometheus text exposition format 0.0.4.
METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8"
LOOPBACK_NAMES = frozenset(("localhost", "127.0.0.1", "[::1]"))


def pages(status: Callable[[], Status]) -> ASGIApp:
    """The application. `status` is asked once per page."""

    async def live(_: Request) -> Response:
        return PlainTextResponse("ok\n")

    async def ready(_: Request) -> Response:
        reasons = status().reasons
        return Response(
            json.dumps({"ready": not reasons, "reasons": reasons}) + "\n",
            503 if reasons else 200,
            media_type="application/json",
        )

    async def metrics(_: Request) -> Response:
        return Response(exposition(status()), headers={"content-type": METRICS_TYPE})

    application = Starlette(
        routes=[Route("/live", live), Route("/ready", ready), Route("/metrics", metrics)],
        middleware=[Middleware(HostGuard)],
    )
    application.router.redirect_slashes = False
    return application


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


def exposition(status: Status) -> str:
    """The numbers as Prometheus reads them."""
    lines = itertools.chain(_of_sinks(status), _of_companion(status))
    return "".join(f"{line}\n" for line in lines)


def _of_sinks(status: Status) -> Iterator[str]:
    def of_sinks(value: Callable[[SinkStatus], int]) -> list[tuple[str, float]]:
        return [(f'sink="{sink.name}"', value(sink)) for sink in status.sinks]

    yield from _metric(
        "mcpr_events_published_total",
        "counter",
        "Events that were to be recorded: published = written + rejected + dropped + under way.",
        of_sinks(lambda sink: sink.counts.published),
    )
    yield from _metric(
        "mcpr_events_written_total",
        "counter",
        "Events that the sink has for good.",
        of_sinks(lambda sink: sink.counts.written),
    )
    yield from _metric(
        "mcpr_events_rejected_total",
        "counter",
        "Events that the sink cannot hold.",
        of_sinks(lambda sink: sink.counts.rejected),
    )
    yield from _metric(
        "mcpr_events_dropped_total",
        "counter",
        "Events that were lost, by reason.",
        [
            (f'sink="{sink.name}",reason="{reason}"', events)
            for sink in status.sinks
            for reason, events in sorted(sink.dropped.items())
        ],
    )
    yield from _metric(
        "mcpr_events_under_way",
        "gauge",
        "Events in a lane or in a sink's hands.",
        of_sinks(lambda sink: sink.counts.under_way),
    )
    yield from _metric(
        "mcpr_sink_up",
        "gauge",
        "Whether the sink takes events.",
        of_sinks(lambda sink: int(sink.trouble is None)),
    )


def _of_companion(status: Status) -> Iterator[str]:
    yield from _metric(
        "mcpr_companion_restarts_total",
        "counter",
        "Companion processes that were started after one had died.",
        [("", status.restarts)],
    )
    yield from _metric(
        "mcpr_companion_cpu_seconds_total",
        "counter",
        "CPU time of this companion process.",
        [("", round(status.cpu_seconds, 6))],
    )
    if status.resident_bytes is not None:
        yield from _metric(
            "mcpr_companion_resident_memory_bytes",
            "gauge",
            "Resident memory of this companion process.",
            [("", status.resident_bytes)],
        )
    yield from _metric(
        "mcpr_build_info", "gauge", "Version of mcpr.", [(f'version="{__version__}"', 1)]
    )


def _metric(name: str, kind: str, meaning: str, values: list[tuple[str, float]]) -> Iterator[str]:
    yield f"# HELP {name} {meaning}"
    yield f"# TYPE {name} {kind}"
    for labels, value in values:
        yield f"{name}{{{labels}}} {value}" if labels else f"{name} {value}"
