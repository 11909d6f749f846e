"""A real `mcpr run` under a service manager: what it says, what is asked of it."""

import contextlib
import secrets
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.scenarios.processes import MCPR, WAIT_SECONDS, a_proxy, children

NOWHERE = "http://127.0.0.1:9/mcp"


@contextlib.contextmanager
def a_manager(name: str) -> Iterator[socket.socket]:
    """The socket that NOTIFY_SOCKET names."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.settimeout(WAIT_SECONDS)
        listening.bind("\0" + name[1:] if name[0] == "@" else name)
        yield listening


def heard(manager: socket.socket) -> dict[str, str]:
    """The next message that is more than a sign of life."""
    while True:
        lines = manager.recv(4096).decode().split("\n")
        said = dict(line.split("=", 1) for line in lines)
        if said != {"WATCHDOG": "1"}:
            return said


def a_free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port: int = taken.getsockname()[1]
        return port


@pytest.mark.parametrize("abstract", [False, True], ids=["path", "abstract"])
def test_the_manager_hears_of_the_start_of_life_and_of_the_end(
    abstract: bool, tmp_path: Path
) -> None:
    name = f"@mcpr{secrets.token_hex(8)}" if abstract else str(tmp_path / "notify")
    environment = {"NOTIFY_SOCKET": name, "WATCHDOG_USEC": "800000"}
    with (
        a_manager(name) as manager,
        a_proxy(NOWHERE, tmp_path / "s.db", environment=environment) as proxy,
    ):
        said = heard(manager)
        assert (said["READY"], said["STATUS"]) == ("1", f"port {proxy.port}, before {NOWHERE}")
        for _ in range(2):
            assert manager.recv(4096) == b"WATCHDOG=1"
        (companion,) = children(proxy.pid)
        inherited = Path(f"/proc/{companion}/environ").read_bytes()
        assert b"NOTIFY_SOCKET" not in inherited
        assert b"WATCHDOG" not in inherited
        proxy.send(signal.SIGTERM)
        assert heard(manager)["STOPPING"] == "1"
        ended = proxy.wait()
    assert ended.code == 0, ended.stderr


def test_the_manager_hears_of_settings_that_are_read_again(tmp_path: Path) -> None:
    name, file = str(tmp_path / "notify"), tmp_path / "mcpr.toml"
    file.write_text(f'mcp = "{NOWHERE}"\n')
    environment = {"NOTIFY_SOCKET": name}
    with (
        a_manager(name) as manager,
        a_proxy(str(file), tmp_path / "s.db", environment=environment) as proxy,
    ):
        assert heard(manager)["READY"] == "1"
        for text in ('mcp = "http://127.0.0.1:10/mcp"\n', "port = none\n"):
            file.write_text(text)
            proxy.send(signal.SIGHUP)
            begun = heard(manager)
            assert begun["RELOADING"] == "1"
            assert int(begun["MONOTONIC_USEC"]) <= time.monotonic_ns() // 1_000
            # Ready again, with what is wrong too: the settings that it has are good.
            assert heard(manager)["READY"] == "1"
        proxy.stop()


def test_a_container_can_ask_whether_it_is_well(tmp_path: Path) -> None:
    port = a_free_port()

    def ask(*options: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [MCPR, "healthcheck", "--admin", str(port), "--timeout", "30s", *options],
            capture_output=True,
            text=True,
            timeout=WAIT_SECONDS * 2,
            check=False,
        )

    assert ask().returncode == 1
    with a_proxy(NOWHERE, tmp_path / "s.db", "--admin", str(port)) as proxy:
        assert (ask().returncode, ask().stdout) == (0, "ready\n")
        assert (ask("--live").returncode, ask("--live").stdout) == (0, "live\n")
        proxy.stop()
    gone = ask()
    assert (gone.returncode, gone.stdout) == (1, "")
    assert "connection refused" in gone.stderr
