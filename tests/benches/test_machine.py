"""What the benches read from the operating system."""

import os
import subprocess
import sys

import pytest

from benches import machine


def test_cpu_time_of_another_process_is_read_in_nanoseconds() -> None:
    work = "sum(range(3_000_000)); print(flush=True); input()"
    with subprocess.Popen(
        [sys.executable, "-c", work], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        assert machine.cpu_ns(process.pid) > 1_000_000
        process.communicate(b"\n")


def test_the_clock_of_a_process_that_is_gone_is_an_error() -> None:
    process = subprocess.Popen([sys.executable, "-c", "pass"])
    process.wait()
    with pytest.raises(OSError, match="Invalid argument"):
        machine.cpu_ns(process.pid)


def test_a_process_tree_holds_children_and_ends_with_them() -> None:
    spawn = "import subprocess as s; p = s.Popen(['sleep', '60']); print(flush=True); p.wait()"
    with subprocess.Popen([sys.executable, "-c", spawn], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        tree = machine.process_tree(process.pid)
        assert len(tree) == 2
        assert os.getpid() not in tree
        for pid in tree:
            os.kill(pid, 15)
        machine.end(process, 10)
    assert not [pid for pid in tree if machine.is_alive(pid)]
