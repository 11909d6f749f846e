"""An MCP client that keeps calling the weather server, on the official Python SDK.

It speaks both wires in turn: the handshake with a session, and the stateless one of revision
2026-07-28. It waits a little after each call, so that a person can read along. It was written for
the server's first version and knows no other; what a tool asks its user it answers by itself.

    python examples/weather/client.py http://127.0.0.1:3000/mcp
"""

import argparse
import asyncio
import itertools
import signal
import sys
from collections.abc import Awaitable, Callable

import httpx2
from mcp import Client, Implementation, MCPError
from mcp.client import ClientRequestContext
from mcp_types import ElicitRequestParams, ElicitResult

PAUSE_SECONDS = 0.25
MODES = ("legacy", "2026-07-28")
CLIENT_INFO = Implementation(name="weather-client", version="1.0.0")


async def _print_progress(progress: float, total: float | None, message: str | None) -> None:
    print(f"    {progress:g} of {total or 1:g}: {message or 'under way'}", flush=True)


async def _answer(context: ClientRequestContext, params: ElicitRequestParams) -> ElicitResult:  # noqa: ARG001 - given by name
    print(f"    asked: {params.message}", flush=True)
    return ElicitResult(action="accept", content={"wind_ms": 12.0})


#: What one visit asks for, in this order: something quick, failing, slow and long, and the lists.
CALLS: tuple[tuple[str, Callable[[Client], Awaitable[object]]], ...] = (
    ("tools", lambda client: client.list_tools()),
    ("current_weather", lambda client: client.call_tool("current_weather", {"city": "Quito"})),
    (
        "station_reading, closed",
        lambda client: client.call_tool("station_reading", {"station": "Bergen harbour"}),
    ),
    ("forecast", lambda client: client.call_tool("forecast", {"city": "Bergen", "days": 2})),
    ("storm_alert", lambda client: client.call_tool("storm_alert", {"city": "Wellington"})),
    ("current_weather", lambda client: client.call_tool("current_weather", {"city": "Cairo"})),
    (
        "forecast, four days",
        lambda client: client.call_tool("forecast", {"city": "Wellington", "days": 4}),
    ),
    (
        "radar_sweep",
        lambda client: client.call_tool(
            "radar_sweep", {"city": "Bergen"}, progress_callback=_print_progress
        ),
    ),
    ("resources", lambda client: client.list_resources()),
    ("ui://weather/map", lambda client: client.read_resource("ui://weather/map")),
    ("weather://cities", lambda client: client.read_resource("weather://cities")),
    ("prompts", lambda client: client.list_prompts()),
    ("packing_advice", lambda client: client.get_prompt("packing_advice", {"city": "Bergen"})),
    (
        "station_reading",
        lambda client: client.call_tool("station_reading", {"station": "Cairo south"}),
    ),
)


async def _visit(url: str, mode: str) -> None:
    # No cache: the SDK would answer repeated lists by itself, and there would be nothing to see.
    asking = Client(
        url, mode=mode, client_info=CLIENT_INFO, cache=None, elicitation_callback=_answer
    )
    async with asking as client:
        for what, call in CALLS:
            await call(client)
            print(f"{client.protocol_version}  {what}", flush=True)
            await asyncio.sleep(PAUSE_SECONDS)


async def _keep_calling(url: str) -> None:
    """Calls until SIGINT or SIGTERM; a visit cut short still closes its session."""
    me = asyncio.current_task()
    assert me is not None
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, me.cancel)
    for mode in itertools.cycle(MODES):
        await _visit(url, mode)


def main() -> None:
    """Exits with 0 when told to stop, with 1 when the server cannot be reached."""
    parser = argparse.ArgumentParser(description="An MCP client that keeps calling.")
    parser.add_argument("url", help="where the MCP endpoint is")
    url: str = parser.parse_args().url
    try:
        asyncio.run(_keep_calling(url))
    except* asyncio.CancelledError:
        pass
    except* (MCPError, httpx2.HTTPError, OSError) as group:
        sys.exit(f"cannot go on calling {url}: {group.exceptions[0]!r}")


if __name__ == "__main__":
    main()
