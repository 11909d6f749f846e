"""P34: without cloud settings `mcpr run` connects to its upstream, and to nothing else."""

import socket
from contextlib import closing
from pathlib import Path

import pytest
from tests.privacy import calls
from tests.privacy.canaries import Canaries
from tests.privacy.sockets import Socket, Watch
from tests.privacy.stage import Stage
from tests.privacy.test_altered_proxies import PROGRAM, PYTHON
from tests.privacy.traces import MCPR, proxy
from tests.privacy.wire import Client, Origin

LOOPBACK = "0100007F"


def sockets_of_a_run(folder: Path, command: tuple[str | Path, ...], **environment: str) -> set[str]:
    """Every socket of both processes, from their start to their end, in words."""
    origin = Origin()
    watches: list[Watch] = []
    with (
        proxy(
            folder,
            origin.port,
            command=command,
            environment=environment,
            started=lambda pids: watches.append(Watch(pids)),
        ) as mcpr,
        closing(watches[0]) as watch,
        closing(Stage(Canaries(), Client(mcpr.port), origin)) as stage,
    ):
        for scene in calls.SCENES:
            scene(stage)
        mcpr.wait_for_rows(stage.rows.total())
        assert mcpr.drain() == 0
    assert watch.looks > 10

    def word(held: Socket) -> str:
        if held.table == "tcp" and held.address == LOOPBACK:
            for name, port in (("calls", mcpr.port), ("admin", mcpr.admin)):
                if held.port == port:
                    return f"listens for {name}" if held.listens else f"serves {name}"
            if held.remote == origin.port:
                return "connects to the upstream"
        return str(held)

    return {word(held) for held in watch.seen}


def test_no_connection_is_opened_but_to_the_upstream(tmp_path: Path) -> None:
    assert sockets_of_a_run(tmp_path, (MCPR, "run")) - {"serves admin"} == {
        "listens for calls",
        "serves calls",
        "connects to the upstream",
        "listens for admin",
    }


@pytest.mark.parametrize("alteration", ["an update check", "a name look-up"])
def test_a_planted_connection_is_found(alteration: str, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as elsewhere:
        port = elsewhere.getsockname()[1]
        command = (PYTHON, PROGRAM, alteration)
        found = sockets_of_a_run(tmp_path, command, UPDATE_PORT=str(port))
    wanted = f"remote={port}" if alteration == "an update check" else "table='udp'"
    assert any(wanted in held for held in found), found
