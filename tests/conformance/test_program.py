"""A started program is bounded in time and leaves nothing behind."""

import os
import socket
import sys
from pathlib import Path

import pytest
from tests.conformance.program import find_free_port, running

from mcpr.errors import McprError

LONG = "1000"


@pytest.mark.timeout(60)
def test_the_children_of_a_program_end_with_it(tmp_path: Path) -> None:
    fifo = tmp_path / "held"
    os.mkfifo(fifo)
    script = f"sleep {LONG} > {fifo} & exec sleep {LONG}"
    with running(["sh", "-c", script], tmp_path):
        held = fifo.open()  # returns once the child has opened its end
    with held:
        assert held.read() == ""  # the end of file comes only with the child's death


def test_a_program_that_ends_while_starting_is_told_in_its_own_words(tmp_path: Path) -> None:
    command = [sys.executable, "-c", "raise SystemExit('no such port')"]
    with (
        running(command, tmp_path) as program,
        pytest.raises(McprError, match=r"exit code 1.*\n.*no such port"),
    ):
        program.wait_until(lambda: None, 30.0)


def test_a_program_that_never_becomes_ready_is_given_up(tmp_path: Path) -> None:
    with (
        running(["sleep", LONG], tmp_path) as program,
        pytest.raises(McprError, match="did not become ready"),
    ):
        program.wait_until(lambda: None, 0.0)


def test_a_program_that_does_not_end_is_given_up(tmp_path: Path) -> None:
    with (
        running(["sleep", LONG], tmp_path) as program,
        pytest.raises(McprError, match="did not end"),
    ):
        program.wait_for_end(0.0)


def test_a_free_port_is_one_that_a_server_may_take() -> None:
    with socket.socket() as server:
        server.bind(("127.0.0.1", find_free_port()))
