"""proxy/notify: what the service manager hears, and what our children do not."""

import asyncio
import logging
import os
import re
import secrets
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.proxy.recording import run

from mcpr.proxy.notify import Notifier


@pytest.fixture(params=["path", "abstract"])
def manager(request: pytest.FixtureRequest, tmp_path: Path) -> "Iterator[Manager]":
    name = str(tmp_path / "notify") if request.param == "path" else f"@mcpr{secrets.token_hex(8)}"
    manager = Manager(name)
    yield manager
    manager.socket.close()


class Manager:
    """The manager's end of the socket."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.settimeout(30)
        self.socket.bind("\0" + name[1:] if name[0] == "@" else name)

    def heard(self) -> str:
        return self.socket.recv(4096).decode()


def test_each_message_is_one_datagram_of_assignments(manager: Manager) -> None:
    notifier = Notifier(manager.name)
    notifier.ready("port 3000\nSTOPPING=1")
    notifier.reloading()
    notifier.status("all is well")
    notifier.stopping()
    notifier.close()
    assert manager.heard() == "READY=1\nSTATUS=port 3000 STOPPING=1"
    assert re.fullmatch(r"RELOADING=1\nMONOTONIC_USEC=\d+\nSTATUS=[^\n]+", manager.heard())
    assert manager.heard() == "STATUS=all is well"
    assert re.fullmatch(r"STOPPING=1\nSTATUS=[^\n]+", manager.heard())


def test_signs_of_life_come_until_it_is_closed(manager: Manager) -> None:
    async def scene() -> None:
        notifier = Notifier(manager.name, watchdog_seconds=0.02)
        notifier.keep_alive(asyncio.get_running_loop())
        for _ in range(3):
            assert await asyncio.to_thread(manager.heard) == "WATCHDOG=1"
        notifier.close()
        notifier.ready("nobody hears this")
        manager.socket.settimeout(0)
        while True:
            try:
                assert manager.heard() == "WATCHDOG=1"
            except BlockingIOError:
                break

    run(scene())


def test_the_variables_are_taken_away_from_our_children() -> None:
    environment = {
        "NOTIFY_SOCKET": "/run/notify",
        "WATCHDOG_USEC": "3000000",
        "WATCHDOG_PID": str(os.getpid()),
        "HOME": "/",
    }
    notifier = Notifier.from_environment(environment)
    assert environment == {"HOME": "/"}
    assert notifier.watchdog_seconds == 3.0


@pytest.mark.parametrize(
    "variables",
    [
        {"WATCHDOG_PID": "1"},
        {"WATCHDOG_USEC": "0"},
        {"WATCHDOG_USEC": "-5"},
        {"WATCHDOG_USEC": "soon"},
        {"WATCHDOG_USEC": ""},
    ],
    ids=str,
)
def test_no_watchdog_is_fed_that_does_not_ask_us(variables: dict[str, str]) -> None:
    asked = {"NOTIFY_SOCKET": "/run/notify", "WATCHDOG_USEC": "3000000"}
    assert Notifier.from_environment(asked | variables).watchdog_seconds is None


@pytest.mark.parametrize("address", [None, "", "vsock:2:1234", "relative/path"])
def test_without_an_ear_nothing_is_said(address: str | None) -> None:
    notifier = Notifier.from_environment({} if address is None else {"NOTIFY_SOCKET": address})
    notifier.ready("")
    notifier.stopping()
    notifier.close()


def test_a_manager_that_is_gone_is_complained_of_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    notifier = Notifier(str(tmp_path / "nobody"))
    with caplog.at_level(logging.WARNING):
        notifier.ready("")
        notifier.stopping()
    notifier.close()
    assert [record.message for record in caplog.records] == [
        "cannot notify the service manager: No such file or directory"
    ]


def test_a_manager_that_does_not_read_never_makes_us_wait(manager: Manager) -> None:
    notifier = Notifier(manager.name)
    for _ in range(10_000):
        notifier.status("x" * 1000)
    notifier.close()
