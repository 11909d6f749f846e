"""What the command and the proxy refuse, as people and programs see it."""

import socket
import subprocess
from pathlib import Path

from tests.dataplane.building import post
from tests.dataplane.fake_upstream import closed_port
from tests.scenarios.processes import WAIT_SECONDS, a_proxy, command, rows

SIX_MIB = 6 * 1024 * 1024


def test_a_program_that_sends_all_its_six_megabytes_first_still_reads_413(tmp_path: Path) -> None:
    """A blocking client as many are: it looks for an answer only after its last byte."""
    store = tmp_path / "store.db"
    with a_proxy(f"http://127.0.0.1:{closed_port()}/mcp", store) as proxy:
        for _ in range(2):
            with socket.create_connection(("127.0.0.1", proxy.port), WAIT_SECONDS) as client:
                client.sendall(post(b" " * SIX_MIB))
                heard = b""
                while piece := client.recv(65_536):
                    heard += piece
            assert heard.startswith(b"HTTP/1.1 413 ")
            assert b"\r\nMcpr-Error: too_large\r\n" in heard
        assert proxy.stop().counts == (2, 2, 0, 0)
    assert {(row.outcome, row.origin, row.http_status) for row in rows(store)} == {
        ("limited", "limit", 413)
    }


def test_a_taken_port_ends_the_command_with_what_to_do(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        words = command("http://127.0.0.1:9/mcp", tmp_path / "store.db", "--port", str(port))
        ended = subprocess.run(
            words, capture_output=True, text=True, timeout=WAIT_SECONDS, check=False
        )
    assert ended.returncode == 1
    assert f"127.0.0.1:{port}" in ended.stderr
    assert "--port" in ended.stderr
    assert "Traceback" not in ended.stderr
    assert ended.stdout == ""
