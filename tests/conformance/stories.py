"""Clients that tell a story of an MCP server, directly or through mcpr, and what mcpr recorded.

The clients are in `clients/`; each prints a JSON line for each step, and with the same server the
lines must be the same. What mcpr must have recorded follows from the steps.
"""

import sqlite3
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.conformance.clients import inspector
from tests.conformance.fixture.tools import CANCELLED_LINE
from tests.conformance.install import FOLDER, Tools
from tests.conformance.program import Program, accepts_connections, find_free_port, running
from tests.conformance.suite import (
    START_SECONDS,
    Command,
    ProxyCommand,
    fixture_command,
    printed_port,
)

STORY_SECONDS = 180.0
CLIENTS = FOLDER / "clients"
LEGACY, MODERN = "2025-11-25", "2026-07-28"

Row = tuple[str, str | None, str | None, str, str | None]
"""What is looked at of a recorded row: kind, method, tool, outcome, origin."""


@dataclass(frozen=True, slots=True)
class Installed:
    """What the commands of clients are made of. python: the one that has FastMCP."""

    tools: Tools
    python: Path


@dataclass(frozen=True, slots=True)
class Client:
    """One client in one mode.

    recorded: the name and the version that its requests carry. revision: the one it agrees upon.
    """

    name: str
    mode: str
    revision: str
    recorded: tuple[str, str]
    command: Callable[[Installed, str, str], Command]
    """(what is installed, URL, mode) → the command that tells its story."""

    def __str__(self) -> str:
        return f"{self.name}-{self.mode}"


def _python(_installed: Installed, url: str, mode: str) -> Command:
    return [sys.executable, "-m", "tests.conformance.clients.python_sdk", url, mode]


def _fastmcp(installed: Installed, url: str, mode: str) -> Command:
    return [installed.python, CLIENTS / "fastmcp_client.py", url, mode]


def _typescript_1(installed: Installed, url: str, mode: str) -> Command:
    return [installed.tools.node, CLIENTS / "typescript.mjs", "v1", url, mode]


def _typescript_2(installed: Installed, url: str, mode: str) -> Command:
    return [installed.tools.node, CLIENTS / "typescript.mjs", "v2", url, mode]


def _inspector(installed: Installed, url: str, mode: str) -> Command:
    program = [installed.tools.node, installed.tools.inspector]
    return [sys.executable, "-m", "tests.conformance.clients.inspector", *program, url, mode]


_PYTHON = ("story-python", "1.2.3")
_FASTMCP = ("story-fastmcp", "1.2.3")
_TYPESCRIPT = ("story-typescript", "1.2.3")
_INSPECTOR = ("inspector-cli", "2.12.0")

ALL_CLIENTS = (
    Client("python", "legacy", LEGACY, _PYTHON, _python),
    Client("python", "auto", MODERN, _PYTHON, _python),
    Client("python", MODERN, MODERN, _PYTHON, _python),
    Client("typescript-1", "legacy", LEGACY, _TYPESCRIPT, _typescript_1),
    Client("typescript-2", "legacy", LEGACY, _TYPESCRIPT, _typescript_2),
    Client("typescript-2", "auto", MODERN, _TYPESCRIPT, _typescript_2),
    Client("typescript-2", MODERN, MODERN, _TYPESCRIPT, _typescript_2),
    Client("fastmcp", "legacy", LEGACY, _FASTMCP, _fastmcp),
    Client("fastmcp", "auto", MODERN, _FASTMCP, _fastmcp),
    Client("fastmcp", MODERN, MODERN, _FASTMCP, _fastmcp),
    Client("inspector", "legacy", LEGACY, _INSPECTOR, _inspector),
    Client("inspector", "modern", MODERN, _INSPECTOR, _inspector),
)


def _call(tool: str, outcome: str = "ok", origin: str | None = None) -> Row:
    return ("rpc", "tools/call", tool, outcome, origin)


def _ask(method: str, outcome: str = "ok", origin: str | None = None) -> Row:
    return ("rpc", method, None, outcome, origin)


_LISTS = tuple(map(_ask, ("resources/list", "resources/templates/list", "prompts/list")))
_IN_BOTH_ERAS = Counter(
    [
        *_LISTS,
        _ask("tools/list"),
        _call("test_simple_text"),
        _call("test_tool_with_progress"),
        _call("test_error_handling", "tool_error", "tool"),
        _call("no_such_tool", "rpc_error", "client"),
        _ask("resources/read"),
        _ask("resources/read"),
        _ask("prompts/get"),
        _ask("completion/complete"),
        _call("test_reconnection"),
        _call("test_trigger_resource_change"),
        _call("test_wait", "cancelled", "client"),
    ]
)
_EXPECTED = {
    LEGACY: _IN_BOTH_ERAS
    + Counter(
        [
            _ask("initialize"),
            ("notification", "notifications/initialized", None, "ok", None),
            _ask("resources/read", "rpc_error", "server"),
            _call("test_elicitation"),
            _call("test_sampling"),
            (
                "notification",
                None,
                None,
                "ok",
                None,
            ),  # the answer to each: a message without method
            ("notification", None, None, "ok", None),
            _ask("resources/subscribe"),
            _ask("resources/unsubscribe"),
            ("notification", "notifications/cancelled", None, "ok", None),
            ("stream", None, None, "ok", None),
            ("http", None, None, "ok", None),  # DELETE
        ]
    ),
    MODERN: _IN_BOTH_ERAS
    + Counter(
        [
            _ask("resources/read", "rpc_error", "client"),
            *[_call("test_input_required_result_elicitation")] * 2,
            *[_call("test_input_required_result_sampling")] * 2,
            *[_call("test_input_required_result_multi_round")] * 3,
            ("stream", "subscriptions/listen", None, "ok", None),
        ]
    ),
}
_INSPECTOR_ASKS = Counter(
    [
        _ask("tools/list"),
        _call("test_tool_with_progress"),
        _call("test_error_handling", "tool_error", "tool"),
        _ask("resources/read"),
        _ask("prompts/get"),
    ]
)
_INSPECTOR_RUNS = len(inspector.STEPS)
_EXPECTED_OF_INSPECTOR = {
    LEGACY: _INSPECTOR_ASKS
    + Counter([_ask("resources/read", "rpc_error", "server")])
    + Counter(
        {
            _ask("initialize"): _INSPECTOR_RUNS,
            _ask("logging/setLevel"): _INSPECTOR_RUNS,
            ("notification", "notifications/initialized", None, "ok", None): _INSPECTOR_RUNS,
        }
    ),
    MODERN: _INSPECTOR_ASKS
    + Counter([_ask("resources/read", "rpc_error", "client")])
    + Counter({_ask("server/discover"): _INSPECTOR_RUNS}),
}

MAY_COME_MORE_OFTEN = frozenset(
    {
        # Each client asks for these as it sees fit, or until something has arrived.
        _ask("tools/list"),
        _ask("server/discover"),
        _call("test_trigger_resource_change"),
        ("stream", None, None, "ok", None),
        ("stream", "subscriptions/listen", None, "ok", None),
        # The TypeScript SDK sends this to end a subscription, in either era.
        ("notification", "notifications/cancelled", None, "ok", None),
    }
)


def expected_rows(client: Client) -> Counter[Row]:
    """What the steps of a client's story must have left in the store."""
    expected = _EXPECTED_OF_INSPECTOR if client.name == "inspector" else _EXPECTED
    return expected[client.revision]


@dataclass(frozen=True, slots=True)
class Told:
    """A story: what the client printed, and how it ended."""

    lines: list[str]
    exit_code: int
    stderr: str


@dataclass(frozen=True, slots=True)
class Stage:
    """A running server with a proxy before it."""

    installed: Installed
    scratch: Path
    server: Program
    store: Path
    server_port: int
    proxy_port: int

    def tell(self, client: Client, *, through: bool) -> Told:
        """Let a client tell its story, to the end."""
        port = self.proxy_port if through else self.server_port
        command = client.command(self.installed, f"http://127.0.0.1:{port}/mcp", client.mode)
        folder = self.scratch / f"{client}-{'through' if through else 'direct'}"
        with running(command, folder, cwd=FOLDER.parent.parent) as program:
            code = program.wait_for_end(STORY_SECONDS)
            lines = program.stdout.read_text().replace(str(port), "PORT").splitlines()
            return Told(lines, code, program.stderr.read_text())

    def last_row(self) -> int:
        """The number of the newest recorded row; rows of a story come after it."""
        with closing(self._connect()) as store:
            number: int = store.execute("SELECT coalesce(max(seq), 0) FROM requests").fetchone()[0]
            return number

    def rows_since(self, number: int) -> Counter[Row]:
        """The rows after that number, counted."""
        with closing(self._connect()) as store:
            return Counter(
                store.execute(
                    "SELECT kind, method, tool, outcome, origin FROM requests WHERE seq > ?",
                    (number,),
                )
            )

    def senders_since(self, number: int) -> set[tuple[str | None, ...]]:
        """Name, version and revision of who sent the rows after that number."""
        with closing(self._connect()) as store:
            return set(
                store.execute(
                    "SELECT client_name, client_version, revision FROM requests WHERE seq > ?",
                    (number,),
                )
            )

    def count_cancelled(self) -> int:
        """How many calls have been cancelled on the server itself."""
        return self.server.stdout.read_text().count(CANCELLED_LINE)

    def _connect(self) -> sqlite3.Connection:
        return sqlite3.connect(f"file:{self.store}?mode=ro", uri=True)


@contextmanager
def stage(installed: Installed, scratch: Path, proxy: ProxyCommand) -> Iterator[Stage]:
    """Our own server with a proxy before it, until the end of the block."""
    port = find_free_port()
    with running(fixture_command(installed.tools, port), scratch / "server") as server:
        server.wait_until(lambda: accepts_connections(port), START_SECONDS)
        with running(proxy(port, scratch), scratch / "proxy") as program:
            proxy_port = program.wait_until(lambda: printed_port(program, port), START_SECONDS)
            yield Stage(installed, scratch, server, scratch / "store.db", port, proxy_port)
