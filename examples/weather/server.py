"""A small MCP server with made-up weather, on the official Python SDK.

It has one of each thing that a proxy meets: tools that are quick, slow, failing, reporting progress
and asking back, a widget, a resource and a prompt. Nothing in it knows that mcpr exists.

    python examples/weather/server.py --port 9000      listens on http://127.0.0.1:9000/mcp

SIGUSR1 takes the next version of `forecast` into use, as a deployment would: it asks for units.
"""

import argparse
import asyncio
import contextlib
import signal
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from mcp.server.apps import Apps, ResourceCsp
from mcp.server.mcpserver import Context, Elicit, MCPServer, Resolve
from mcp.server.mcpserver.exceptions import ToolError
from pydantic import BaseModel, Field

MAP = "ui://weather/map"
SECONDS_PER_DAY_OF_FORECAST = 0.3
SECONDS_PER_SWEEP = 0.15
CLOSED_STATIONS = {"Bergen harbour", "Quito north"}


@dataclass(frozen=True)
class Weather:
    """What the sky does. temperature_c: degrees Celsius. wind_ms: metres per second."""

    sky: str
    temperature_c: float
    wind_ms: float


CITIES = {
    "Bergen": Weather("rain", 7.5, 9.0),
    "Cairo": Weather("clear", 31.0, 3.5),
    "Quito": Weather("clouds", 15.5, 2.0),
    "Wellington": Weather("wind", 13.0, 17.0),
}

apps = Apps()
apps.add_html_resource(
    MAP,
    Path(__file__).with_name("map.html").read_text(encoding="utf-8"),
    title="The winds on a map",
    # As it was on the machine of who wrote it: nobody else's browser reaches that localhost.
    csp=ResourceCsp(
        connect_domains=["http://localhost:9000"], resource_domains=["https://tiles.example.com"]
    ),
)

server = MCPServer(
    "weather",
    extensions=[apps],
    title="Made-up weather",
    version="1.0.0",
    instructions="Ask for the weather of Bergen, Cairo, Quito or Wellington.",
    log_level="WARNING",
)


def _weather_of(city: str) -> Weather:
    if city not in CITIES:
        raise ToolError(f"no weather for {city!r}; known cities: {', '.join(sorted(CITIES))}")
    return CITIES[city]


@server.tool(meta={"ui": {"resourceUri": MAP}})
def current_weather(city: str) -> Weather:
    """The weather of a city now. Answers at once."""
    return _weather_of(city)


@server.tool()
async def forecast(city: str, days: int = 3) -> list[Weather]:
    """The weather of the next one to five days. Slow: 0.3 seconds for each day."""
    today = _weather_of(city)
    if not 1 <= days <= 5:
        raise ToolError("days must be between 1 and 5")
    await asyncio.sleep(days * SECONDS_PER_DAY_OF_FORECAST)
    return [
        Weather(today.sky, round(today.temperature_c + day * 0.5, 1), today.wind_ms)
        for day in range(1, days + 1)
    ]


async def forecast_in_units(
    city: str, units: Literal["celsius", "kelvin"], days: int = 3
) -> list[Weather]:
    """The next version of `forecast`. Who calls it as before is refused."""
    zero = 273.15 if units == "kelvin" else 0.0
    return [
        Weather(day.sky, round(day.temperature_c + zero, 2), day.wind_ms)
        for day in await forecast(city, days)
    ]


def take_next_version() -> None:
    """Changes the list of tools while the server runs."""
    server.remove_tool("forecast")
    server.add_tool(forecast_in_units, name="forecast")


@server.tool()
def station_reading(station: str) -> float:
    """The temperature that one station measured, in degrees Celsius. Fails for closed stations."""
    if station in CLOSED_STATIONS:
        raise ToolError(f"the station {station!r} is closed")
    return _weather_of(station.partition(" ")[0]).temperature_c


@server.tool()
async def radar_sweep(city: str, ctx: Context, sweeps: int = 4) -> str:
    """Looks around a city with the radar; reports its progress after each sweep."""
    weather = _weather_of(city)
    for sweep in range(1, sweeps + 1):
        await asyncio.sleep(SECONDS_PER_SWEEP)
        await ctx.report_progress(sweep, sweeps, f"sweep {sweep} of {sweeps}")
    return f"{weather.sky} around {city}"


class Threshold(BaseModel):
    """What the user answers."""

    wind_ms: float = Field(description="metres per second")


def ask_threshold(city: str) -> Elicit[Threshold]:
    """What the user is asked before `storm_alert` can answer."""
    return Elicit(f"From which wind in {city} on shall we warn you?", Threshold)


@server.tool()
def storm_alert(city: str, threshold: Annotated[Threshold, Resolve(ask_threshold)]) -> str:
    """Warns of storms in a city. Asks the user back: a call of several round trips."""
    is_storm = _weather_of(city).wind_ms >= threshold.wind_ms
    return f"{'a storm' if is_storm else 'no storm'} in {city}"


@server.resource("weather://cities", mime_type="text/plain")
def cities() -> str:
    """The cities that this server knows, one per line."""
    return "\n".join(sorted(CITIES))


@server.prompt()
def packing_advice(city: str) -> str:
    """Asks a model what to pack for a city."""
    return f"Look up the weather of {city} for three days and say what to pack."


def main() -> None:
    """Serves until SIGINT or SIGTERM."""
    parser = argparse.ArgumentParser(description="An MCP server with made-up weather.")
    parser.add_argument("--port", type=int, default=9000, help="default: 9000")
    port: int = parser.parse_args().port
    signal.signal(signal.SIGUSR1, lambda *_: take_next_version())
    with contextlib.suppress(KeyboardInterrupt):
        server.run("streamable-http", host="127.0.0.1", port=port)


if __name__ == "__main__":
    main()
