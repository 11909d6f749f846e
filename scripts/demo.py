"""Shows mcpr at work: the weather server, `mcpr run` before it, and a client that keeps calling.

While it runs it tells in chapters what became of the calls: a tool that changed, a call of several
round trips, a widget's policy. The time is counted from the client's start.

    make demo                    until Ctrl-C
    DEMO_SECONDS=20 make demo    ends by itself

Everything it starts ends with it. Exits with 0 when it was told to end or its time is over, with 1
when one of the three ended by itself; then it says which one and shows what that one said last.
"""

import argparse
import contextlib
import fcntl
import os
import re
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from types import FrameType

ROOT = Path(__file__).resolve().parent.parent
WEATHER = ROOT / "examples" / "weather"
SETTINGS = WEATHER / "mcpr.toml"
MCPR = Path(sys.executable).with_name("mcpr")
FOLDER = ROOT / ".scratch" / "demo"
SERVER_PORT = 9000
PROXY_PORT = 3000
START_SECONDS = 30.0
STOP_SECONDS = 15.0
LOOK_EVERY_SECONDS = 0.05
TAIL_LINES = 15
QUESTION_SECONDS = 30.0


@dataclass(frozen=True)
class Chapter:
    """One thing that the demo shows once it is recorded.

    happened: SQL whose first value is true then. questions: what mcpr is asked, beside the store.
    next_version: the server takes its next version into use now.
    """

    title: str
    happened: str
    questions: tuple[tuple[str | Path, ...], ...]
    next_version: bool = False


CHAPTERS = (
    Chapter(
        "Calls are recorded, and what the server offers. Now its next version is deployed.",
        "SELECT count(*) > 1 FROM requests WHERE tool = 'forecast' AND outcome = 'ok'",
        (("tools",),),
        next_version=True,
    ),
    Chapter(
        "The tool forecast changed; its verdict, and what became of the calls.",
        "SELECT count(*) FROM requests JOIN schema_change AS c"
        " ON c.list = 'tools' AND c.verdict = 'breaking' AND requests.ts_ms > c.ts_ms"
        " WHERE tool = 'forecast' AND outcome = 'tool_error'",
        (
            ("schema", "--changes", "--list", "tools"),
            ("schema", "--diff", "1", "2", "--list", "tools"),
        ),
    ),
    Chapter(
        "storm_alert asks its user back: one operation of two round trips on the stateless wire.",
        "SELECT count(*) > 1 FROM requests WHERE tool = 'storm_alert' AND revision = '2026-07-28'",
        (("operations",), ("logs", "--tool", "storm_alert")),
    ),
    Chapter(
        "A widget's server names localhost. The policy that Claude gets, by mcpr's [csp] table.",
        "SELECT count(*) FROM widget_policy",
        (("csp", "check", SETTINGS, "--host", "claude"),),
    ),
)


class DemoError(Exception):
    """The demo cannot go on; the text says why."""


class ToldToStop(Exception):
    """Somebody pressed Ctrl-C, closed the terminal or sent SIGTERM."""


@dataclass
class Child:
    """One program of the demo. It leads its own session, so Ctrl-C reaches it only through us."""

    name: str
    process: subprocess.Popen[bytes]
    log: Path
    is_on_terminal: bool

    def said(self) -> str:
        """What it has printed so far."""
        return self.log.read_text(errors="replace")

    def require_alive(self) -> None:
        """Raises DemoError, with the last words, when it ended by itself."""
        if self.process.poll() is None:
            return
        lines = self.said().splitlines()[-TAIL_LINES:] or ["(nothing)"]
        words = "".join(f"\n    {line}" for line in lines)
        raise DemoError(
            f"the {self.name} ended by itself with code {self.process.returncode}. "
            + ("Its words are above." if self.is_on_terminal else f"It said last:{words}")
        )

    def stop(self) -> int:
        """Asks it to end, waits a bounded time, leaves nothing of its session; its exit code."""
        self.process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(STOP_SECONDS)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        return self.process.wait()


@dataclass
class Demo:
    """The three programs. folder: where the store and what they print are kept."""

    folder: Path
    told_to_stop: bool = False
    children: list[Child] = field(default_factory=list)

    def stop_soon(self, number: int, frame: FrameType | None) -> None:
        """Signal handler: the next look ends the demo."""
        self.told_to_stop = True

    def start(self, name: str, *command: str | Path, stderr: int | None = None) -> Child:
        """Starts one program. Its output goes to a log; stderr=None leaves it on the terminal."""
        log = self.folder / f"{name.replace(' ', '-')}.log"
        with log.open("wb") as output:
            process = subprocess.Popen(
                [str(part) for part in command],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=stderr,
                start_new_session=True,
            )
        child = Child(name, process, log, is_on_terminal=stderr is None)
        self.children.append(child)
        return child

    def wait(self, seconds: float, until: Callable[[], bool]) -> bool:
        """Looks until something is so, at most `seconds`; whether it came to be.

        Raises DemoError when a program ended by itself, ToldToStop when it is time to go.
        """
        deadline = time.monotonic() + seconds
        while not until():
            if self.told_to_stop:
                raise ToldToStop
            for child in self.children:
                child.require_alive()
            if time.monotonic() >= deadline:
                return False
            time.sleep(LOOK_EVERY_SECONDS)
        return True

    def stop(self) -> dict[str, int]:
        """Stops what runs, the caller before the called, so that no call is lost; exit codes."""
        codes = {child.name: child.stop() for child in reversed(self.children)}
        self.children.clear()
        return codes


def run(demo: Demo, seconds: float) -> None:
    """The whole demo. Raises ToldToStop or DemoError; returns when the time is over."""
    upstream = f"http://127.0.0.1:{choose_port(SERVER_PORT)}/mcp"
    store = demo.folder / "store.db"
    port = upstream.rpartition(":")[2].removesuffix("/mcp")
    server = demo.start(
        "server", sys.executable, WEATHER / "server.py", "--port", port, stderr=subprocess.STDOUT
    )
    if not demo.wait(START_SECONDS, lambda: _accepts(int(port))):
        raise DemoError(f"the server did not listen within {START_SECONDS:g} s")
    os.environ["WEATHER_SERVER"] = upstream  # which the settings name
    options = ("--port", str(choose_port(PROXY_PORT)), "--db", store, "--log", "pretty")
    proxy = demo.start("proxy", MCPR, "run", SETTINGS, *options)
    found = re.compile(r"http://127\.0\.0\.1:\d+")
    if not demo.wait(START_SECONDS, lambda: "Ctrl-C to stop" in proxy.said()):
        raise DemoError(f"mcpr did not listen within {START_SECONDS:g} s")
    match = found.search(proxy.said())
    assert match is not None
    url = f"{match.group()}/mcp"
    admin = re.search(r"admin +(http://\S+)", proxy.said())
    console = "off" if admin is None else admin[1]
    print(_introduction(upstream, url, store, console), flush=True)
    demo.start("client", sys.executable, WEATHER / "client.py", url, stderr=subprocess.STDOUT)
    ends = time.monotonic() + seconds
    for chapter in CHAPTERS:
        if not demo.wait(ends - time.monotonic(), partial(_happened, chapter.happened, store)):
            print(f"\n=== Not within {seconds:g} seconds: {chapter.title}", flush=True)
            continue
        if chapter.next_version:
            server.process.send_signal(signal.SIGUSR1)
        tell(chapter, store)
    demo.wait(ends - time.monotonic(), lambda: False)


def tell(chapter: Chapter, store: Path) -> None:
    """Shows what mcpr answers, beside the command that asks it. Raises DemoError."""
    print(f"\n=== {chapter.title}", flush=True)
    for question in chapter.questions:
        ask(*question, "--db", store)
    print(flush=True)


def ask(*question: str | Path) -> None:
    """Has mcpr answer on the terminal. Raises DemoError when it does not."""
    command = [str(part) for part in (MCPR, *question)]
    shown = " ".join(_shown(Path(part)) if "/" in part else part for part in command)
    # It shares our terminal, not our Ctrl-C: what it says is short.
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        timeout=QUESTION_SECONDS,
        start_new_session=True,
        check=False,
    )
    print(f"\n$ {shown}\n{done.stdout}", end="", flush=True)
    if done.returncode != 0:
        raise DemoError(f"{shown} ended with {done.returncode}: {done.stderr}")


def _happened(question: str, store: Path) -> bool:
    with (
        contextlib.suppress(sqlite3.OperationalError),  # the recorder is still making the tables
        contextlib.closing(sqlite3.connect(f"file:{store}?mode=ro", uri=True)) as connection,
    ):
        return bool(connection.execute(question).fetchone()[0])
    return False


@contextlib.contextmanager
def an_empty_store(folder: Path) -> Iterator[Path]:
    """The store of one demo, without what earlier ones left. Raises DemoError if one runs there."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "demo.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise DemoError(f"another demo keeps its store in {folder}; give --folder") from None
        for old in folder.glob("store.db*"):
            old.unlink()
        yield folder / "store.db"


def choose_port(preferred: int) -> int:
    """The preferred port of the loopback, or one that is free when it is taken."""
    for port in (preferred, 0):
        with socket.socket() as probe, contextlib.suppress(OSError):
            # As servers do: what is left of a connection that ended is not a taken port.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("127.0.0.1", port))
            number: int = probe.getsockname()[1]
            return number
    raise DemoError("no port of 127.0.0.1 is free")


def _accepts(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


def _shown(path: Path) -> str:
    """A path as one would type it in this folder."""
    return str(path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path)


def _introduction(upstream: str, url: str, store: Path, console: str) -> str:
    mcpr, db = _shown(MCPR), _shown(store)
    return f"""
  weather server  {upstream}
  mcpr            {url}  records into {db}
  client          calls mcpr every now and then, on both wires
  console         {console}  open it in a browser
  settings        {_shown(SETTINGS)}

Try in a second terminal, in the same folder:
  {mcpr} logs --follow --db {db}
  {mcpr} logs --errors --db {db}
  {mcpr} schema --unused --db {db}
  sqlite3 -box {db} 'SELECT * FROM tools'
Or connect an MCP client of your own (Streamable HTTP) to {url}

Ctrl-C ends the demo. Calls as they are recorded:
"""


@contextlib.contextmanager
def _terminal_of_our_own() -> Iterator[None]:
    """Makes Ctrl-C reach this process and not the make that started it.

    make dies of SIGINT whatever its recipe returns, so `make demo` could not end with 0. We lead
    the terminal's foreground group for as long as the demo runs, as a shell's job does.
    """
    before = os.getpgrp()
    try:
        terminal = os.open("/dev/tty", os.O_RDWR)
    except OSError:  # no terminal: signals come by process id
        yield
        return
    try:
        if before == os.getpid() or os.tcgetpgrp(terminal) != before:
            yield
            return
        for number in (signal.SIGTTOU, signal.SIGTSTP):  # nobody could continue us after Ctrl-Z
            signal.signal(number, signal.SIG_IGN)
        os.setpgid(0, 0)
        os.tcsetpgrp(terminal, os.getpgrp())
        try:
            yield
        finally:
            with contextlib.suppress(OSError):  # the terminal may be gone by now
                os.tcsetpgrp(terminal, before)
    finally:
        os.close(terminal)


def run_and_stop(demo: Demo, seconds: float) -> None:
    """The demo from start to end; nothing of it runs afterwards. Raises DemoError."""
    codes: dict[str, int] = {}
    with _terminal_of_our_own():
        try:
            run(demo, seconds)
        except ToldToStop:
            pass
        finally:
            codes = demo.stop()
    if codes.get("proxy", 0) != 0:
        raise DemoError(f"mcpr run ended with code {codes['proxy']}. Its words are above.")


def main() -> None:
    """Reads the two options, runs the demo, says what is left of it."""
    parser = argparse.ArgumentParser(description="Shows mcpr at work.")
    seconds = float(os.environ.get("DEMO_SECONDS") or "inf")
    parser.add_argument("--seconds", type=float, default=seconds, help="end by itself after this")
    parser.add_argument("--folder", type=Path, default=FOLDER, help="where the store is kept")
    options = parser.parse_args()
    demo = Demo(options.folder)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, demo.stop_soon)
    try:
        with an_empty_store(demo.folder) as store:
            run_and_stop(demo, options.seconds)
            print("\n=== All of it in figures.", flush=True)
            ask("summary", "--db", store)
            ask("tools", "--db", store)
    except DemoError as error:
        sys.exit(f"demo: {error}")
    print(f"\nThe calls stay in {_shown(store)} until the next demo.", flush=True)


if __name__ == "__main__":
    main()
