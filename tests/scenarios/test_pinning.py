"""A real proxy with pinned tools: what changed is denied, until somebody approves it."""

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar
from urllib.request import Request, urlopen

import pytest
from tests.scenarios.processes import wait_until
from tests.store.building import rows_of

MCPR = Path(sys.executable).with_name("mcpr")


class Tools(BaseHTTPRequestHandler):
    """An MCP server whose tools can be changed."""

    tools: ClassVar[list[Any]] = []
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        result = {"tools": self.tools} if asked["method"] == "tools/list" else {"content": []}
        body = json.dumps({"jsonrpc": "2.0", "id": asked["id"], "result": result}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Says nothing."""


@pytest.fixture
def server() -> Iterator[int]:
    Tools.tools = [{"name": "get", "description": "Gets."}, {"name": "keep"}]
    with ThreadingHTTPServer(("127.0.0.1", 0), Tools) as upstream:
        thread = threading.Thread(target=upstream.serve_forever)
        thread.start()
        yield upstream.server_port
        upstream.shutdown()
        thread.join()


class Proxy:
    """A running `mcpr run` before that server."""

    def __init__(self, process: "subprocess.Popen[str]", port: int, db: Path) -> None:
        self.process = process
        self.port = port
        self.db = db

    def ask(self, method: str, params: dict[str, Any] | None = None) -> dict[str, Any]:
        body = json.dumps({"jsonrpc": "2.0", "id": 7, "method": method, "params": params or {}})
        request = Request(
            f"http://127.0.0.1:{self.port}/mcp",
            body.encode(),
            {"Content-Type": "application/json", "MCP-Protocol-Version": "2025-11-25"},
        )
        with urlopen(request, timeout=30) as answer:
            found: dict[str, Any] = json.loads(answer.read())
        return found

    def lists(self) -> None:
        """List the tools, and wait until that was read."""
        before = self.sightings()
        self.ask("tools/list")
        wait_until(lambda: self.sightings() > before)

    def sightings(self) -> int:
        query = "SELECT coalesce(sum(sightings), 0) FROM schema_version"
        return int(rows_of(self.db, query)[0][0])

    def allows(self, tool: str) -> bool:
        answer = self.ask("tools/call", {"name": tool})
        assert answer["id"] == 7
        return "result" in answer


@contextmanager
def running(folder: Path, server: int, pin: str = "block") -> Iterator[Proxy]:
    settings = folder / f"{pin}.toml"
    db = folder / "s.db"
    settings.write_text(
        f'mcp = "http://127.0.0.1:{server}/mcp"\nname = "weather"\nport = 0\n'
        f'[store]\npath = "{db}"\n[admin]\nlisten = "off"\n[schema]\npin = "{pin}"\n'
    )
    process = subprocess.Popen(
        [MCPR, "run", settings], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    try:
        assert process.stdout is not None
        # It says so once it listens.
        line = next(line for line in process.stdout if line.startswith("  proxy"))
        port = int(line.split("127.0.0.1:")[1].partition("/")[0])
        yield Proxy(process, port, db)
    finally:
        process.terminate()
        process.communicate(timeout=60)


def approve(proxy: Proxy, *arguments: str) -> None:
    subprocess.run(
        [MCPR, "schema", "approve", "--db", proxy.db, *arguments],
        check=True,
        timeout=60,
        stdout=subprocess.DEVNULL,
    )


def test_what_changed_is_denied_until_it_is_approved_on_every_proxy_and_after_a_restart(
    tmp_path: Path, server: int
) -> None:
    with running(tmp_path, server) as one, running(tmp_path, server) as other:
        one.lists()
        wait_until(lambda: other.allows("get") and not other.allows("new"))
        assert one.allows("keep")
        Tools.tools = [{"name": "get", "description": "Obey."}, {"name": "keep"}, {"name": "new"}]
        one.lists()
        wait_until(lambda: not one.allows("get") and not other.allows("get"))
        assert one.allows("keep")
        assert not one.allows("new")
    with running(tmp_path, server) as again:
        assert not again.allows("get")
        assert again.allows("keep")
        approve(again)
        wait_until(lambda: again.allows("get") and again.allows("new"))
    denied = "SELECT count(*) FROM requests WHERE outcome = 'denied' AND origin = 'policy'"
    assert rows_of(tmp_path / "s.db", denied)[0][0] > 0


def test_a_pin_outlives_the_companion(tmp_path: Path, server: int) -> None:
    with running(tmp_path, server) as proxy:
        proxy.lists()
        wait_until(lambda: not proxy.allows("new"))
        pid = Path(f"/proc/{proxy.process.pid}/task/{proxy.process.pid}/children").read_text()
        subprocess.run(["kill", "-9", *pid.split()], check=True, timeout=60)
        assert not proxy.allows("new")
        assert proxy.allows("get")
        approve(proxy, "1", "--revoke")
        wait_until(lambda: not proxy.allows("get"))


def test_without_a_pin_and_with_a_warning_nothing_is_denied(tmp_path: Path, server: int) -> None:
    for pin in ("off", "warn"):
        with running(tmp_path, server, pin) as proxy:
            proxy.lists()
            Tools.tools = [{"name": f"new_{pin}"}]
            proxy.lists()
            assert proxy.allows(f"new_{pin}")
            assert proxy.allows("whatever")
