"""The machine of the proxy, alone with one cable: `mcpr run` from its start to its end.

A program that runs in network and mount namespaces of its own. All that leaves goes through the
cable to tests/privacy/outside.py, whatever its address: there is a route for everything, so what
must not be sent would really be seen. The loopback is listened to as well.

Arguments: a folder, the proxy's command as JSON, the names of the scenes. Says JSON on stdout.
"""

import contextlib
import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.privacy import outside
from tests.privacy.outside import ip
from tests.privacy.packets import Capture, Packet, distinct
from tests.scenarios.processes import MCPR, WAIT_SECONDS, Program, children, wait_until

NAME = "mcp-server.test"
LOOPBACK = "127.0.0.1"
PORT, ADMIN = 3000, 9901
_URL = re.compile(rb"http://127\.0\.0\.1:([0-9]+)")
_FILES = {
    "/etc/resolv.conf": f"nameserver {outside.OUTSIDE}\noptions timeout:1 attempts:1\n",
    "/etc/hosts": f"{LOOPBACK} localhost\n",
    "/etc/nsswitch.conf": "hosts: files dns\n",
}
_SETTINGS = f'mcp = "http://{NAME}:{outside.PORT}/mcp"\n'
_CALL = b'{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"a","arguments":{}}}'


class World:
    """The program at the other end of the cable."""

    def __init__(self) -> None:
        program = Path(__file__).with_name("outside.py")
        self._process = subprocess.Popen(
            ["unshare", "--net", sys.executable, program],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        # It answers once it is in its own namespace, so that the cable goes to the right one.
        self.ask("hello")
        ip("link", "add", "inside", "type", "veth", "peer", "name", outside.CABLE)
        ip("link", "set", outside.CABLE, "netns", str(self._process.pid))
        self.ask("plug")

    def ask(self, line: str) -> object:
        """Say a line, hear its answer."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        print(line, file=self._process.stdin, flush=True)
        answer: object = json.loads(self._process.stdout.readline())
        return answer

    def close(self) -> None:
        """End it."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(WAIT_SECONDS)


def settle(folder: Path) -> None:
    """This machine's own files and interfaces."""
    subprocess.run(["mount", "--make-rprivate", "/"], check=True, timeout=30)
    for place, text in _FILES.items():
        ours = folder / Path(place).name
        ours.write_text(text)
        subprocess.run(["mount", "--bind", ours, Path(place).resolve()], check=True, timeout=30)
    ip("link", "set", "lo", "up")


def connect() -> None:
    """The cable's near end, and a route through it to everywhere."""
    ip("link", "set", "inside", "up")
    ip("addr", "add", f"{outside.INSIDE}/24", "dev", "inside")
    ip("addr", "add", f"{outside.INSIDE6}/64", "dev", "inside", "nodad")
    ip("route", "add", "default", "via", outside.OUTSIDE)
    ip("-6", "route", "add", "default", "via", outside.OUTSIDE6)


class Stage:
    """What a scene plays with. answered: how many calls ended with which status."""

    def __init__(self, proxy: Program, world: World, folder: Path) -> None:
        self.proxy = proxy
        self.world = world
        self.folder = folder
        self.answered: dict[int, int] = {}
        self._lock = threading.Lock()

    def call(self, times: int = 1) -> None:
        """One client's calls, on one connection."""
        client = http.client.HTTPConnection(LOOPBACK, PORT, timeout=WAIT_SECONDS)
        for _ in range(times):
            client.request("POST", "/mcp", _CALL, {"Content-Type": "application/json"})
            answer = client.getresponse()
            answer.read()
            with self._lock:
                self.answered[answer.status] = self.answered.get(answer.status, 0) + 1
        client.close()

    def load(self) -> None:
        """Eight clients at once."""
        clients = [threading.Thread(target=self.call, args=(40,)) for _ in range(8)]
        for client in clients:
            client.start()
        for client in clients:
            client.join(WAIT_SECONDS)

    def run(self, *command: str) -> None:
        """Another command of mcpr's, on the same machine."""
        environment = {**os.environ, "MCPR_DB": str(self.folder / "store.db")}
        subprocess.run(
            [MCPR, *command], env=environment, timeout=60, check=True, stdout=subprocess.DEVNULL
        )


def calls(stage: Stage) -> None:
    """Load, the admin pages, the commands that people ask."""
    stage.load()
    for page in ("/live", "/ready", "/metrics", "/nothing"):
        client = http.client.HTTPConnection(LOOPBACK, ADMIN, timeout=WAIT_SECONDS)
        client.request("GET", page)
        client.getresponse().read()
        client.close()
    for command in (["logs"], ["tools"], ["version"], ["--help"], ["healthcheck"]):
        stage.run(*command)


def failures(stage: Stage) -> None:
    """The server is gone in every way it can be."""
    for mode in ("down", "closes"):
        stage.world.ask(f"upstream {mode}")
        stage.call(3)
    stage.world.ask("upstream down")
    for mode in ("nxdomain", "fails", "silent", "nobody"):
        stage.world.ask(f"dns {mode}")
        stage.call(2)
    stage.world.ask("upstream up")
    stage.world.ask("dns answers")
    stage.call(2)


def reloaded(stage: Stage) -> None:
    """The settings change under load: told by a signal, seen by a look at the file, and wrong."""
    file, said = stage.folder / "mcpr.toml", stage.folder / "stderr.txt"
    load = threading.Thread(target=stage.load)
    load.start()
    for text, told, signals in (
        (f"{_SETTINGS}[limits]\nexchanges = 50\n", "settings reloaded: limits.exchanges", True),
        (f"{_SETTINGS}[limits]\nexchanges = none\n", "the settings stay as they were", True),
        (f"{_SETTINGS}[cors]\norigins = ['*']\n", "cors.origins", False),
    ):
        file.write_text(text)
        if signals:
            stage.proxy.send(signal.SIGHUP)
        wait_until(partial(_says, said, told))
    load.join(WAIT_SECONDS)
    stage.call()


def _says(file: Path, words: str) -> bool:
    return words in file.read_text()


def killed(stage: Stage) -> None:
    """The companion dies in the middle of a load, and another one comes."""
    (companion,) = children(stage.proxy.pid)
    load = threading.Thread(target=stage.load)
    load.start()
    os.kill(companion, signal.SIGKILL)
    wait_until(lambda: (found := children(stage.proxy.pid)) != [] and found != [companion])
    load.join(WAIT_SECONDS)
    stage.call()


def abruptly(stage: Stage) -> None:
    """The proxy dies in the middle of a load."""
    load = threading.Thread(target=lambda: _suppressing(stage.load))
    load.start()
    wait_until(lambda: stage.answered.get(200, 0) > 50)
    stage.proxy.kill()
    load.join(WAIT_SECONDS)


def _suppressing(action: Callable[[], None]) -> None:
    with contextlib.suppress(OSError, http.client.HTTPException):
        action()


SCENES: dict[str, Callable[[Stage], None]] = {
    scene.__name__: scene for scene in (calls, failures, reloaded, killed, abruptly)
}


@contextlib.contextmanager
def a_proxy(folder: Path, command: list[str]) -> Iterator[Program]:
    """The proxy with the defaults that people get, but for its store."""
    options = ["--db", str(folder / "store.db"), "--log", "off"]
    file = folder / "mcpr.toml"
    file.write_text(_SETTINGS)
    proxy = Program([*command, str(file), *options], _URL.search, {}, folder / "stderr.txt")
    try:
        yield proxy
    finally:
        proxy.close()


def _is_usual(packet: Packet) -> bool:
    """Calls and questions to the proxy; the kernel telling us of a host that does not answer."""
    is_told = packet.protocol == "icmp" and packet.source == packet.target == outside.INSIDE
    return is_told or packet.is_of(LOOPBACK, frozenset({PORT, ADMIN}))


def main() -> None:
    """Play the scenes, tell what was on the cable and on the loopback."""
    folder, command = Path(sys.argv[1]), json.loads(sys.argv[2])
    settle(folder)
    loopback = Capture("lo", own=True)
    world = World()
    connect()
    with a_proxy(folder, command) as proxy:
        stage = Stage(proxy, world, folder)
        for name in sys.argv[3:]:
            SCENES[name](stage)
        code = proxy.stop().code if proxy.process.poll() is None else None
    # The last packet of all: when the other end has heard it, it has heard everything.
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as last:
        last.sendto(b"", (outside.OUTSIDE, outside.END_PORT))
    report = world.ask("report")
    world.close()
    lost = loopback.close()
    strange = [packet for packet in loopback.packets if not _is_usual(packet)]
    said = {
        "code": code,
        "answered": {str(status): count for status, count in stage.answered.items()},
        "report": report,
        "loopback": {"packets": len(loopback.packets), "lost": lost},
        "strange": list(distinct(strange)),
    }
    sys.stdout.write(json.dumps(said))


if __name__ == "__main__":
    main()
