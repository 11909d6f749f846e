"""cli/checkup/ports: a port is free, or it is told who has it."""

import os
import socket
from contextlib import closing

from mcpr.cli.checkup.ports import port
from mcpr.serving.presence import Presence


def test_a_free_port_is_free_afterwards_too() -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        number = taken.getsockname()[1]
    for _ in range(2):
        assert port("port", "127.0.0.1", number, []).state == "ok"
    assert port("port", "127.0.0.1", 0, []).why == "any free one"


def test_a_taken_port_names_who_has_it() -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        found = port("port", "127.0.0.1", taken.getsockname()[1], [])
    assert found.state == "fail"
    assert f"({os.getpid()})" in found.why


def test_a_port_that_mcpr_itself_holds_is_well() -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        number = taken.getsockname()[1]
        running = Presence(7, "0", 1, "s", "u", f"http://127.0.0.1:{number}/mcp", None)
        found = port("port", "127.0.0.1", number, [running])
    assert (found.state, "pid 7" in found.why) == ("ok", True)


def test_an_address_of_another_machine_is_told() -> None:
    found = port("port", "192.0.2.1", 3000, [])
    assert found.state == "fail"
    assert "listen.failed" in found.next_step
