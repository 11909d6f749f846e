"""Runs the official conformance suite against a server, directly or through a proxy.

Which server is an argument, and which proxy: mcpr, or a relay that shows what the comparison can
and cannot see.
The suite insists on URLs with the name localhost (its DNS-rebinding scenario sends that Host).
"""

import re
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.conformance.checks import Report, read_report
from tests.conformance.install import Tools
from tests.conformance.program import (
    Program,
    accepts_connections,
    find_free_port,
    running,
)

REVISIONS = ("2025-11-25", "2026-07-28")
"""The two revisions of the suite's release, one of each era."""

START_SECONDS = 30.0
RUN_SECONDS = 120.0

_PRINTED_URL = re.compile(r"http://127\.0\.0\.1:(\d+)(?=\D)")
"""The character behind the port shows that the port was printed to its end."""

_VERDICT_CODES = (0, 1)
"""The suite's exit codes for "all required scenarios passed" and "some failed"."""

Command = list[str | Path]

ServerCommand = Callable[[Tools, int], Command]
"""(tools, port) → the command of a server that listens on that port, with its endpoint at /mcp."""


def everything_command(tools: Tools, port: int) -> Command:
    """server-everything: somebody else's, of the older revisions only."""
    return ["env", f"PORT={port}", tools.node, tools.server, "streamableHttp"]


def fixture_command(_tools: Tools, port: int) -> Command:
    """Our own, which has all that the suite asks for, in both eras."""
    return [sys.executable, "-m", "tests.conformance.fixture.server", "--port", str(port)]


SERVERS: Mapping[str, ServerCommand] = {
    "everything": everything_command,
    "fixture": fixture_command,
}

ProxyCommand = Callable[[int, Path], Command]
"""(port of the server, scratch folder) → the command of a proxy before it.

The proxy must listen on a free port of 127.0.0.1 and print its URL to standard output.
"""


def mcpr_command(upstream_port: int, folder: Path) -> Command:
    """`mcpr run`, recording, as installed next to the running interpreter."""
    mcpr = Path(sys.executable).with_name("mcpr")
    upstream = f"http://127.0.0.1:{upstream_port}/mcp"
    command: Command = [mcpr, "run", upstream, "--db", folder / "store.db"]
    return [*command, "--port", "0", "--log", "off", "--admin", "off"]


def widgets_command(upstream_port: int, folder: Path) -> Command:
    """The same, and it writes the policies of widgets."""
    settings = folder / "mcpr.toml"
    settings.write_text(
        f'mcp = "http://127.0.0.1:{upstream_port}/mcp"\n[csp]\ndomain = "mcp.example.com"\n'
    )
    mcpr, run, _, *options = mcpr_command(upstream_port, folder)
    return [mcpr, run, settings, *options]


def relay_command(*options: str) -> ProxyCommand:
    """The relay of headerdropper.py, with its options for what to drop."""

    def command(upstream_port: int, _folder: Path) -> Command:
        module = ["-m", "tests.conformance.headerdropper"]
        return [sys.executable, *module, "--upstream-port", str(upstream_port), *options]

    return command


@dataclass(frozen=True, slots=True)
class Case:
    """One comparison: a server of SERVERS and a revision."""

    server: str
    revision: str

    def __str__(self) -> str:
        return f"{self.server}-{self.revision}"


@dataclass(frozen=True, slots=True)
class ProxiedRun:
    """A run through a proxy: the suite's report, and how the proxy ended when asked to."""

    report: Report
    exit_code: int
    stderr: str


Meanwhile = Callable[[int], AbstractContextManager[None]]
"""The process id of a proxy → something that is done to it until the end of the block."""


@contextmanager
def _nothing(_pid: int) -> Iterator[None]:
    yield


@dataclass(frozen=True, slots=True)
class Suite:
    """The installed suite and a folder for what its runs leave behind."""

    tools: Tools
    scratch: Path

    def run_direct(self, case: Case) -> Report:
        """What the suite says about a fresh server."""
        folder = self.scratch / f"direct-{case}"
        with self._server(case, folder / "server") as server_port:
            return self._run(server_port, case.revision, folder)

    def run_through(
        self, proxy: ProxyCommand, case: Case, name: str, meanwhile: Meanwhile = _nothing
    ) -> ProxiedRun:
        """What the suite says about a fresh server behind a fresh proxy.

        name: of this run, for its folder. meanwhile: what happens to the proxy as long as it runs.
        """
        folder = self.scratch / f"{name}-{case}"
        with (
            self._server(case, folder / "server") as server_port,
            running(proxy(server_port, folder), folder / "proxy") as program,
        ):
            proxy_port = program.wait_until(
                lambda: printed_port(program, server_port), START_SECONDS
            )
            with meanwhile(program.process.pid):
                report = self._run(proxy_port, case.revision, folder)
            return ProxiedRun(report, program.stop(), program.stderr.read_text())

    @contextmanager
    def _server(self, case: Case, folder: Path) -> Iterator[int]:
        port = find_free_port()
        with running(SERVERS[case.server](self.tools, port), folder) as program:
            program.wait_until(lambda: accepts_connections(port), START_SECONDS)
            yield port

    def _run(self, port: int, revision: str, folder: Path) -> Report:
        results = folder / "results"
        url = f"http://localhost:{port}/mcp"
        command: Command = [self.tools.node, self.tools.suite, "server", "--url", url]
        command += ["--requirements", revision, "--output-dir", results]
        with running(command, folder / "suite") as program:
            code = program.wait_for_end(RUN_SECONDS)
            if code not in _VERDICT_CODES:
                raise program.trouble("it gave no verdict", f"exit code {code}")
            return read_report(results, program.stdout.read_text() + program.stderr.read_text())


def printed_port(program: Program, server_port: int) -> int | None:
    """The port in the URL that a proxy printed; it may print its upstream's URL as well."""
    ports = map(int, _PRINTED_URL.findall(program.stdout.read_text()))
    return next((port for port in ports if port != server_port), None)
