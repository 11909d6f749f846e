"""Widgets of real servers, shown in a real browser under the policy that `mcpr run` hands on."""

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from mcp import Client
from tests.conformance.install import Tools, install_apps, install_tools
from tests.conformance.program import accepts_connections, find_free_port, running
from tests.scenarios.processes import MCPR, WAIT_SECONDS, a_running
from tests.scenarios.test_upstreams import make_certificate
from tests.scenarios.widget_host import Host, Probes, a_host

from mcpr.pipeline.csp import HOSTS, Directive, Policy, content_security_policy
from mcpr.pipeline.csp.widgets import APPS

SERVER = Path(__file__).resolve().parents[2] / "examples/weather/server.py"
CESIUM = "https://cesium.com/downloads/cesiumjs/releases/1.123/Build/Cesium"
OWN = (f"{CESIUM}/Cesium.js", f"{CESIUM}/Widgets/widgets.css")
WINDS, TILES = "http://localhost:9000/winds", "https://tiles.example.com/world.png"
API, PUBLIC = "https://api.allowed.example/x", "https://mcp.example.com/x"
OSM, MUSIC = "https://tile.openstreetmap.org/x", "https://paulrosen.github.io/x"
IMAGE, TILE = "https://cdn.allowed.example/i.png", "https://tile.openstreetmap.org/i.png"
PROBED = Probes(
    connect=(API, PUBLIC, OSM, MUSIC, WINDS, "https://blocked.example/x"),
    images=(IMAGE, TILE, "https://blocked.example/i.png"),
    frames=("https://frame.example",),
)
RULES = """
[csp]
domain = "mcp.example.com"
[csp.connect]
domains = ["https://api.allowed.example"]
[csp.resource]
domains = ["https://cdn.allowed.example"]
"""
REPLACED = RULES + 'mode = "replace"\n'


@dataclass(frozen=True)
class Case:
    """A server's widget. rules: those of mcpr. loaded: what arrives, directly and behind mcpr."""

    server: str
    uri: str
    rules: str
    directly: tuple[str, ...]
    behind: tuple[str, ...]
    own: tuple[str, ...] = ()


MAP = "ui://cesium-map/mcp-app.html"
CASES = {
    "what it declares and what mcpr adds": Case(
        "map", MAP, RULES, (*OWN, OSM, TILE), (*OWN, OSM, TILE, API, PUBLIC, IMAGE), OWN
    ),
    "mcpr takes away what it declares": Case(
        "map", MAP, REPLACED, (*OWN, OSM, TILE), (OSM, API, PUBLIC, IMAGE), OWN
    ),
    "sources to call only": Case(
        "sheet-music",
        "ui://sheet-music/mcp-app.html",
        RULES,
        (MUSIC,),
        (MUSIC, API, PUBLIC, IMAGE),
    ),
    "it declares nothing": Case(
        "debug", "ui://debug-tool/mcp-app.html", RULES, (), (API, PUBLIC, IMAGE)
    ),
    "it declares nothing, another one": Case(
        "basic-vanillajs", "ui://get-time/mcp-app.html", RULES, (), (API, PUBLIC, IMAGE)
    ),
    "answers in JSON, and it names its author's machine": Case(
        "weather",
        "ui://weather/map",
        RULES,
        (TILES, WINDS),
        (TILES, API, PUBLIC, IMAGE),
        (TILES,),
    ),
}


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Host]:
    _, certificate, key = make_certificate(tmp_path_factory.mktemp("sites"), "any", "any.example")
    with a_host(certificate, key) as host:
        yield host


@pytest.fixture(scope="module")
def tools() -> Tools:
    return install_tools()


_IN_JSON = """
import runpy, sys
server = runpy.run_path(sys.argv[1])["server"]
server.run("streamable-http", host="127.0.0.1", port=int(sys.argv[2]), json_response=True)
"""


@contextmanager
def serving(name: str, tools: Tools, folder: Path) -> Iterator[str]:
    """The URL of a server. What npm has answers in events, the one of examples/ in JSON here."""
    port = find_free_port()
    command: tuple[str | Path, ...] = (tools.node, install_apps().get(name, ""))
    if name == "weather":
        command = (sys.executable, "-c", _IN_JSON, SERVER, str(port))
    with running(command, folder / "server", environment={"PORT": str(port)}) as program:
        program.wait_until(lambda: accepts_connections(port), WAIT_SECONDS)
        yield f"http://127.0.0.1:{port}/mcp"


@contextmanager
def behind_mcpr(url: str, rules: str, folder: Path) -> Iterator[str]:
    """The URL of `mcpr run` before that server."""
    settings = folder / "mcpr.toml"
    settings.write_text(f'mcp = "{url}"\n{rules}')
    options = ["--db", str(folder / "s.db"), "--port", "0", "--log", "off", "--admin", "off"]
    with a_running([str(MCPR), "run", str(settings), *options], folder / "stderr.txt") as proxy:
        yield f"http://127.0.0.1:{proxy.port}/mcp"


@dataclass(frozen=True)
class Shown:
    """What a host gets of a widget."""

    html: str
    policy: Policy
    listed: Policy


async def read(url: str, uri: str) -> Shown:
    """As a host reads it, on the official SDK."""
    async with Client(url, mode="legacy", cache=None) as client:
        listed = [one for one in (await client.list_resources()).resources if str(one.uri) == uri]
        [content] = (await client.read_resource(uri)).contents
    text = getattr(content, "text", None)
    assert isinstance(text, str)
    return Shown(text, policy_in(content.meta), policy_in(listed[0].meta))


def policy_in(meta: Mapping[str, object] | None) -> Policy:
    """What a host that follows MCP Apps reads in `_meta`."""
    ui = (meta or {}).get("ui")
    csp = ui.get("csp", {}) if isinstance(ui, dict) else {}
    names: dict[Directive, str] = dict(APPS)
    return {key: tuple(csp.get(name) or ()) for key, name in names.items()}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_a_widget_loads_what_its_policy_allows_and_nothing_else(
    case: Case, host: Host, tools: Tools, tmp_path: Path
) -> None:
    probes = Probes(case.own, PROBED.connect, PROBED.images, PROBED.frames)
    tried = {*case.own, *probes.connect, *probes.images, *probes.frames}

    def show(shown: Shown, name: str) -> set[str]:
        policy = content_security_policy(shown.policy, HOSTS["standard"])
        told = host.show(shown.html, policy, probes, tmp_path / name)
        assert isinstance(told, dict)
        # What the widget could load is what arrived; the rest was blocked.
        assert {*told["failed"]} == tried - {*told["loaded"]}
        assert {*told["loaded"]} == host.asked.keys() & tried
        assert "https://frame.example/" not in host.asked
        return {*told["loaded"]}

    with serving(case.server, tools, tmp_path) as url:
        direct = asyncio.run(read(url, case.uri))
        with behind_mcpr(url, case.rules, tmp_path) as proxied:
            edited = asyncio.run(read(proxied, case.uri))
    assert edited.html == direct.html
    assert edited.listed == edited.policy or direct.listed != direct.policy
    assert show(direct, "direct") == {*case.directly}
    assert show(edited, "edited") == {*case.behind}


def test_the_inspector_finds_the_policy_that_mcpr_wrote(tools: Tools, tmp_path: Path) -> None:
    with (
        serving("map", tools, tmp_path) as url,
        behind_mcpr(url, REPLACED, tmp_path) as proxied,
    ):
        asked = ("--transport", "http", "--advertise-apps", "--method", "tools/list", "--app-info")
        command = [str(tools.node), str(tools.inspector), "--cli", proxied, *asked]
        done = subprocess.run(
            command,
            env=os.environ | {"HOME": str(tmp_path)},
            capture_output=True,
            text=True,
            timeout=2 * WAIT_SECONDS,
            check=False,
        )
    assert done.returncode == 0, done.stderr
    tool = next(found for line in done.stdout.splitlines() if (found := json.loads(line))["hasApp"])
    assert tool["resourceUri"] == MAP
    assert tool["csp"]["resourceDomains"] == [
        "https://mcp.example.com",
        "https://cdn.allowed.example",
    ]
    assert "https://cesium.com" in tool["csp"]["connectDomains"]
