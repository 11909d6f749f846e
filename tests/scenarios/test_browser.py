"""A page of another site calls a real MCP server through mcpr, in a real browser."""

import contextlib
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.scenarios.browser import a_site, visit
from tests.scenarios.processes import Program, a_proxy, rows

ROOT = Path(__file__).resolve().parents[2]
NOWHERE = "http://127.0.0.1:9/mcp"

#: As a client in a page does it: the handshake, a list in the session, a call, the farewell.
CONVERSATION = """
const url = "%s";
const post = (message, more) => fetch(url, {
  method: "POST", body: JSON.stringify({ jsonrpc: "2.0", ...message }),
  headers: { "Content-Type": "application/json", "Accept": "application/json, text/event-stream",
             "Authorization": "Bearer opaque", ...more } });
const opened = await post({ id: 1, method: "initialize", params: {
  protocolVersion: "2025-11-25", capabilities: {}, clientInfo: { name: "page", version: "1" } } });
const session = opened.headers.get("Mcp-Session-Id");
await opened.text();
const more = { "Mcp-Session-Id": session, "MCP-Protocol-Version": "2025-11-25",
               "Mcp-Method": "tools/call", "Mcp-Name": "current_weather",
               "Mcp-Param-City": "Cairo" };
await (await post({ method: "notifications/initialized" }, more)).text();
const called = await post({ id: 2, method: "tools/call", params: {
  name: "current_weather", arguments: { city: "Cairo" } } }, more);
const answer = await called.text();
const left = await fetch(url, { method: "DELETE", headers: { "Mcp-Session-Id": session } });
return { opened: opened.status, session: Boolean(session), called: called.status,
         answered: answer.includes("structuredContent"), left: left.status };
"""
TROUBLE = """
const got = await fetch("%s", { method: "POST", body: "{}",
  headers: { "Content-Type": "application/json" } });
return { status: got.status, error: got.headers.get("Mcpr-Error"),
         words: (await got.json()).error.message };
"""


@contextlib.contextmanager
def a_server(folder: Path) -> Iterator[str]:
    """The weather server of examples/, on the official SDK; it knows nothing of browsers."""
    program = str(ROOT / "examples/weather/server.py")
    listens = re.compile(rb"http://127\.0\.0\.1:([0-9]+)")
    server = Program(
        [sys.executable, "-c", _LOUD, program], listens.search, {}, folder / "server.txt"
    )
    try:
        yield f"http://127.0.0.1:{server.port}/mcp"
    finally:
        server.close()


#: The server takes a port by number and does not say when it listens: choose one, say it then.
_LOUD = """
import runpy, socket, sys, threading, time
with socket.create_server(("127.0.0.1", 0)) as free:
    port = free.getsockname()[1]
def say():
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            time.sleep(0.05)
        else:
            print(f"http://127.0.0.1:{port}", flush=True)
            return
threading.Thread(target=say, daemon=True).start()
sys.argv = [sys.argv[1], "--port", str(port)]
runpy.run_path(sys.argv[0], run_name="__main__")
"""


def test_a_page_of_a_named_site_holds_a_whole_conversation(tmp_path: Path) -> None:
    store = tmp_path / "s.db"
    with (
        a_site() as site,
        a_server(tmp_path) as url,
        a_proxy(url, store, "--cors-origin", site.origin) as proxy,
    ):
        seen = visit(site, CONVERSATION % f"http://127.0.0.1:{proxy.port}/mcp", tmp_path)
        ended = proxy.stop()
    assert seen == {"opened": 200, "session": True, "called": 200, "answered": True, "left": 200}
    assert ended.code == 0
    found = [(row.method, row.outcome) for row in rows(store)]
    assert ("tools/call", "ok") in found
    assert ("initialize", "ok") in found
    # The browser asked before it called, and the server heard nothing of that.
    asked = [row for row in rows(store) if row.kind == "http" and row.http_status == 204]
    assert asked
    assert {row.upstream_us for row in asked} <= {None, 0}


@pytest.mark.parametrize(
    "options", [(), ("--cors-origin", "https://app.example")], ids=["off", "on"]
)
def test_a_page_of_a_site_that_is_not_named_is_kept_out(
    options: tuple[str, ...], tmp_path: Path
) -> None:
    """Off, the browser keeps it out, as the server does not know it; on, mcpr does."""
    store = tmp_path / "s.db"
    with (
        a_site() as site,
        a_server(tmp_path) as url,
        a_proxy(url, store, *options) as proxy,
    ):
        seen = visit(site, CONVERSATION % f"http://127.0.0.1:{proxy.port}/mcp", tmp_path)
        proxy.stop()
    assert seen == {"blocked": "TypeError: Failed to fetch"}
    assert "initialize" not in {row.method for row in rows(store)}


def test_a_page_can_tell_that_the_server_is_gone(tmp_path: Path) -> None:
    with (
        a_site() as site,
        a_proxy(NOWHERE, tmp_path / "s.db", "--cors-origin", site.origin) as proxy,
    ):
        seen = visit(site, TROUBLE % f"http://127.0.0.1:{proxy.port}/mcp", tmp_path)
    assert seen == {
        "status": 502,
        "error": "unreachable",
        "words": "mcpr: the MCP server cannot be reached",
    }
