"""Installs the pinned suite, its server and their Node; at most once for each state of the lock.

npm, of whatever version the machine has (9 or newer), only fetches. What runs later is the Node
from the lock, because the suite needs Node 22 and Debian has an older one.
"""

import fcntl
import hashlib
import shutil
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.conformance.program import running

from mcpr.errors import McprError

FOLDER = Path(__file__).parent
NPM_SECONDS = 400.0
"""Some 240 MB come over the network the first time."""

_SOURCES = ("package.json", "package-lock.json", ".npmrc")


@dataclass(frozen=True, slots=True)
class Tools:
    """Where the installed programs are. `suite` and `server` are scripts for `node`."""

    node: Path
    suite: Path
    server: Path


def install_tools(folder: Path = FOLDER) -> Tools:
    """The tools of this folder's lock, installed now if they are not.

    Safe to call from several processes at once: one installs, the others wait for it.
    Raises McprError when npm is absent or fails.
    """
    modules = folder / "node_modules"
    tools = Tools(
        node=modules / "node/bin/node",
        suite=modules / "@modelcontextprotocol/conformance/dist/index.js",
        server=modules / "@modelcontextprotocol/server-everything/dist/index.js",
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


def _run_npm(folder: Path) -> None:
    npm = shutil.which("npm")
    if npm is None:
        raise McprError(
            "cannot install the conformance suite",
            "npm is not on the PATH",
            "install npm 9 or newer (Debian: apt-get install --no-install-recommends npm)",
        )
    command = [npm, "ci", "--no-audit", "--no-fund", "--loglevel=error"]
    with TemporaryDirectory() as log, running(command, Path(log), cwd=folder) as program:
        code = program.wait_for_end(NPM_SECONDS)
        if code != 0:
            raise program.trouble("it failed", f"exit code {code}")


def _require_all(tools: Tools) -> None:
    for path in (tools.node, tools.suite, tools.server):
        if not path.exists():
            raise McprError(
                "cannot install the conformance suite",
                f"npm ci ended well, but there is no {path}",
                "allow the install script of the package node (npm config get ignore-scripts)",
            )


if __name__ == "__main__":
    install_tools()
