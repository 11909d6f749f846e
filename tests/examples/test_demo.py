"""`make demo` as a person meets it: real processes, a real terminal, nothing left behind."""

import contextlib
import os
import pty
import re
import select
import signal
import socket
import sqlite3
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from scripts import demo

ROOT = Path(__file__).resolve().parents[2]
DEMO = ROOT / "scripts" / "demo.py"
MARK = "MCPR_DEMO_TEST"
BOUND_SECONDS = 60.0


def marked_processes(mark: str) -> dict[int, str]:
    """Process id → command line of all that inherited this mark in their environment."""
    wanted = f"{MARK}={mark}".encode()
    found = {}
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdigit() and wanted in (entry / "environ").read_bytes().split(b"\0"):
                found[int(entry.name)] = (
                    (entry / "cmdline").read_bytes().decode().replace("\0", " ")
                )
        except OSError:  # it ended while we looked, or is not ours
            continue
    return {pid: line for pid, line in found.items() if line}


@pytest.fixture
def mark() -> Iterator[str]:
    """A mark that all processes of one test inherit; whatever is left of them is killed."""
    mark = uuid.uuid4().hex
    yield mark
    for pid in marked_processes(mark):
        os.kill(pid, signal.SIGKILL)


def environment(mark: str, **more: str) -> dict[str, str]:
    return os.environ | {MARK: mark, "PYTHONUNBUFFERED": "1"} | more


def recorded(store: Path) -> set[tuple[str, str, str]]:
    """Kind, tool or method, and outcome of what was recorded."""
    with contextlib.closing(sqlite3.connect(f"file:{store}?mode=ro", uri=True)) as connection:
        rows = connection.execute("SELECT kind, coalesce(tool, method), outcome FROM requests")
        return set(rows.fetchall())


@contextlib.contextmanager
def started(mark: str, folder: Path, log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A demo without a terminal that goes on until it is told to stop."""
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, DEMO, "--folder", folder],
            env=environment(mark),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        yield process
    finally:
        process.terminate()
        process.wait(BOUND_SECONDS)


def wait_for(log: Path, text: str) -> None:
    """Returns once the text was printed. Raises TimeoutError with what was printed instead."""
    deadline = time.monotonic() + BOUND_SECONDS
    while text not in log.read_text():
        if time.monotonic() > deadline:
            raise TimeoutError(f"{text!r} was not printed, but: {log.read_text()}")
        select.select([], [], [], 0.05)


def run_for(seconds: int, folder: Path, mark: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, DEMO, "--folder", folder],
        env=environment(mark, DEMO_SECONDS=str(seconds), COLUMNS="100"),
        capture_output=True,
        text=True,
        timeout=BOUND_SECONDS + seconds,
        check=False,
    )


def test_the_demo_shows_in_20_seconds_what_became_of_calls_of_every_kind(
    tmp_path: Path, mark: str
) -> None:
    """Issue C is done when the demo shows these."""
    done = run_for(20, tmp_path, mark)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr
    assert "mcpr logs --follow" in done.stdout.replace(str(demo.MCPR), "mcpr")
    assert {
        ("rpc", "tools/list", "ok"),
        ("rpc", "current_weather", "ok"),
        ("rpc", "station_reading", "tool_error"),
        ("rpc", "forecast", "ok"),
        ("rpc", "forecast", "tool_error"),
    } <= recorded(tmp_path / "store.db")
    assert "station_reading" in done.stderr, "the calls are shown as they are recorded"
    assert "Not within" not in done.stdout
    told = done.stdout.split("\n=== ")[1:]
    for chapter, words in zip(told, TOLD, strict=True):
        for word in words:
            assert re.search(word, chapter) is not None, chapter
    assert marked_processes(mark) == {}


#: What each chapter has to show, and the summary after them.
TOLD = (
    (r"tools .*\n", r"forecast +2 +0%"),
    (
        r"tools +1 +2 +breaking +~forecast +0% +100%",
        r"breaking +modified +forecast +inputSchema.units +was added, and is required",
    ),
    (r"storm_alert +input +2 +done",),
    (
        r"connect-src 'self' https://weather.example.com https://winds.example.com\n",
        r"img-src .* https://tiles.example.com",
        r"warning: connect http://localhost:9000: ",
    ),
    (r"error rate +[0-9.]+%", r"storm_alert"),
)


def test_what_does_not_happen_in_time_is_named_and_a_second_demo_starts_anew(
    tmp_path: Path, mark: str
) -> None:
    for _ in range(2):
        done = run_for(1, tmp_path, mark)
        assert done.returncode == 0, done.stdout + done.stderr
        assert "Not within 1 seconds: The tool forecast changed" in done.stdout
    assert ("rpc", "forecast", "tool_error") not in recorded(tmp_path / "store.db")


def test_a_demo_does_not_take_the_store_of_another(tmp_path: Path) -> None:
    with (
        demo.an_empty_store(tmp_path),
        pytest.raises(demo.DemoError, match="another demo"),
        demo.an_empty_store(tmp_path),
    ):
        pass


def test_ctrl_c_under_make_ends_the_demo_with_0_and_leaves_no_process(
    tmp_path: Path, mark: str
) -> None:
    """make dies of SIGINT whatever its recipe does, so the demo must get it alone."""
    makefile = tmp_path / "Makefile"
    makefile.write_text(f"demo:\n\t@{sys.executable} {DEMO} --folder {tmp_path}/demo\n")
    pid, terminal = pty.fork()
    if pid == 0:
        os.execvpe("make", ["make", "-f", str(makefile)], environment(mark))
    try:
        said = _read_terminal(terminal, until=b"station_reading")
        assert b"station_reading" in said, said.decode()
        os.write(terminal, b"\x03")
        said += _read_terminal(terminal, until=None)
        _, status = os.waitpid(pid, 0)
    finally:
        os.close(terminal)
    assert os.waitstatus_to_exitcode(status) == 0, said.decode()
    assert b"Traceback" not in said
    assert b"The calls stay in" in said
    assert marked_processes(mark) == {}


def _read_terminal(terminal: int, until: bytes | None) -> bytes:
    """What is printed until a text appears, the terminal closes or the time is over."""
    said = b""
    deadline = time.monotonic() + BOUND_SECONDS
    while time.monotonic() < deadline and not (until and until in said):
        if select.select([terminal], [], [], 1.0)[0]:
            try:
                said += os.read(terminal, 65536)
            except OSError:  # Linux: nobody holds the other end any more
                break
    return said


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_each_way_to_stop_ends_the_demo_with_0(
    number: signal.Signals, tmp_path: Path, mark: str
) -> None:
    log = tmp_path / "log"
    with started(mark, tmp_path / "demo", log) as process:
        wait_for(log, "Calls as they are recorded")
        process.send_signal(number)
        assert process.wait(BOUND_SECONDS) == 0, log.read_text()
    assert "Traceback" not in log.read_text()
    assert marked_processes(mark) == {}


@pytest.mark.parametrize(
    ("program", "name"), [("server.py", "server"), ("client.py", "client"), (" run ", "proxy")]
)
def test_a_program_that_dies_is_named_and_the_demo_fails(
    program: str, name: str, tmp_path: Path, mark: str
) -> None:
    log = tmp_path / "log"
    with started(mark, tmp_path / "demo", log) as process:
        wait_for(log, "current_weather")
        [victim] = [pid for pid, line in marked_processes(mark).items() if program in line]
        os.kill(victim, signal.SIGKILL)
        assert process.wait(BOUND_SECONDS) == 1, log.read_text()
    # The client ends when what it calls is gone; whoever is seen first is named.
    assert f"demo: the {name} ended by itself with code -9" in log.read_text()
    assert marked_processes(mark) == {}


def test_a_taken_port_is_replaced_by_a_free_one() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port: int = taken.getsockname()[1]
        assert demo.choose_port(port) != port
    assert demo.choose_port(port) == port
