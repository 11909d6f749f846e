"""SIGHUP and a changed file: what can be changed is changed, and no exchange notices."""

import contextlib
import re
import signal
import sqlite3
import subprocess
import sys
from functools import partial
from pathlib import Path

from tests.dataplane.building import get, post
from tests.dataplane.caller import calling
from tests.dataplane.scene import run, until
from tests.scenarios.load import Notes, call_of, loading
from tests.scenarios.processes import (
    MCPR,
    a_running,
    an_upstream,
    assert_sound,
    command,
    rows,
    wait_until,
)
from tests.scenarios.upstream_program import EVENT

#: Much less than the 30 s that a drain may take.
SOON_SECONDS = 12.0


def more_than(notes: Notes, calls: int) -> bool:
    return len(notes.answered) > calls


class Written:
    """A settings file and the proxy that reads it."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / "mcpr.toml"
        self.errors = folder / "stderr.txt"
        self.store = folder / "store.db"

    def write(self, port: int, *lines: str) -> None:
        """Write the file as editors do: another one takes its name."""
        fresh = self.file.with_suffix(".new")
        text = f'mcp = "http://127.0.0.1:{port}/mcp"\nname = "a"\nport = 0\n'
        tables = f'[store]\npath = "{self.store}"\n[admin]\nlisten = "off"\n[log]\nform = "off"\n'
        fresh.write_text("\n".join([text, *lines, tables]))
        fresh.replace(self.file)

    @property
    def command(self) -> list[str]:
        return [str(MCPR), "run", str(self.file)]

    def says(self, words: str, times: int = 1) -> None:
        """Wait until the proxy has said it so many times."""
        wait_until(lambda: self.errors.read_text().count(words) >= times)

    async def heard(self, words: str, times: int = 1) -> None:
        """The same, while clients go on."""
        await until(lambda: self.errors.read_text().count(words) >= times)


def test_under_load_no_exchange_fails_whatever_is_reloaded(tmp_path: Path) -> None:
    written = Written(tmp_path)
    notes = Notes()
    (tmp_path / "b").mkdir()
    with an_upstream(tmp_path) as one, an_upstream(tmp_path / "b") as other:
        written.write(one.port)
        with a_running(written.command, written.errors) as proxy:

            async def scene() -> None:
                async with (
                    loading(proxy.port, "quick", 6, notes),
                    loading(proxy.port, "slow", 4, notes),
                ):
                    for turn in range(6):
                        so_far = len(notes.answered)
                        upstream = (other, one)[turn % 2]
                        written.write(upstream.port, f"[limits]\nexchanges = {2 + turn}")
                        proxy.send(signal.SIGHUP)
                        await written.heard("settings reloaded", turn + 1)
                        await until(partial(more_than, notes, so_far + 60))
                    proxy.send(signal.SIGTERM)

            run(scene())
            ended = proxy.wait(SOON_SECONDS)
    assert notes.cut == []
    assert notes.sent.keys() == notes.answered.keys()
    assert ended.code == 0, ended.stderr
    assert ended.counts == (len(notes.answered), len(notes.answered), 0, 0)
    assert re.findall("settings reloaded: (.*)", ended.stderr) == ["mcp, limits.exchanges"] * 6
    recorded = rows(written.store)
    assert {row.outcome for row in recorded} == {"ok"}
    assert {row.tool for row in recorded} == notes.answered.keys()
    assert_sound(written.store)


def test_a_changed_file_is_read_without_being_asked_and_a_wrong_one_changes_nothing(
    tmp_path: Path,
) -> None:
    written = Written(tmp_path)
    with an_upstream(tmp_path) as upstream:
        written.write(upstream.port)
        with a_running(written.command, written.errors) as proxy:
            foreign = call_of("quick").replace(b"Host: localhost", b"Host: mcp.example.com")
            assert b"mcp.example.com" in foreign

            async def answers(status: bytes) -> None:
                async with calling(proxy.port) as caller:
                    assert (await caller.call(foreign)).start.split()[1] == status

            run(answers(b"403"))
            written.write(upstream.port, 'allowed_hosts = ["mcp.example.com"]')
            written.says("settings reloaded: allowed_hosts\n")
            run(answers(b"200"))
            written.write(upstream.port, "[limits]\nexchanges = 0\nexchange = 1")
            written.says("the settings stay as they were: cannot use these settings: 2 mistakes.")
            said = written.errors.read_text()
            assert f"{written.file}:7: limits.exchange: there is no such key." in said
            assert f"{written.file}:6: limits.exchanges: 0 is out of bounds." in said
            run(answers(b"200"))
            written.write(upstream.port)
            written.says("settings reloaded: allowed_hosts\n", times=2)
            run(answers(b"403"))
            written.file.unlink()
            written.says("there is no such file")
            run(answers(b"403"))
            assert proxy.stop().code == 0


def test_what_needs_a_restart_is_named_and_stays(tmp_path: Path) -> None:
    written = Written(tmp_path)
    with an_upstream(tmp_path) as upstream:
        written.write(upstream.port)
        with a_running(written.command, written.errors) as proxy:
            text = written.file.read_text()
            moved = text.replace("port = 0", "port = 1\nhost = '127.0.0.2'")
            written.file.write_text(moved.replace('name = "a"', 'name = "b"'))
            proxy.send(signal.SIGHUP)
            written.says("settings reloaded: name; only a restart changes port, host\n")
            proxy.send(signal.SIGHUP)
            written.says("read again: nothing to reload; only a restart changes port, host\n")

            async def scene() -> None:
                async with calling(proxy.port) as caller:
                    await caller.call(call_of("quick"))

            run(scene())
            assert proxy.stop().counts == (1, 1, 0, 0)
    assert servers(written.store) == ["b"]


def test_a_stream_goes_on_where_it_began_and_new_calls_go_where_they_should(
    tmp_path: Path,
) -> None:
    written = Written(tmp_path)
    (tmp_path / "b").mkdir()
    with an_upstream(tmp_path) as one, an_upstream(tmp_path / "b") as other:
        written.write(one.port)
        with a_running(written.command, written.errors) as proxy:

            async def scene() -> None:
                async with calling(proxy.port) as stream, calling(proxy.port) as caller:
                    await stream.send(get(b"Accept: text/event-stream"))
                    await stream.reader.readuntil(EVENT)
                    assert (await caller.call(call_of("quick"))).start.split()[1] == b"200"
                    written.write(other.port)
                    proxy.send(signal.SIGHUP)
                    await written.heard("settings reloaded: mcp\n")
                    # Calls on a connection that was there before the change go to the new one.
                    one.send(signal.SIGSTOP)
                    assert (await caller.call(call_of("quick"))).start.split()[1] == b"200"
                    one.send(signal.SIGCONT)
                    proxy.send(signal.SIGTERM)
                    assert await stream.rest() == b"\r\n0\r\n\r\n"

            run(scene())
            assert proxy.wait(SOON_SECONDS).counts == (3, 3, 0, 0)
    assert {row.outcome for row in rows(written.store)} == {"ok"}


def test_detail_is_turned_off_for_what_comes_then(tmp_path: Path) -> None:
    written = Written(tmp_path)
    asked = b'{"jsonrpc":"2.0","id":1,"method":"prompts/get","params":{"name":"%b"}}'
    with an_upstream(tmp_path) as upstream:
        written.write(upstream.port)
        with a_running(written.command, written.errors) as proxy:

            async def scene() -> None:
                async with calling(proxy.port) as caller:
                    await caller.call(post(asked % b"kept"))
                    text = written.file.read_text()
                    written.file.write_text(text.replace("[store]", "[store]\ndetail = false"))
                    proxy.send(signal.SIGHUP)
                    await written.heard("settings reloaded: store.detail\n")
                    await caller.call(post(asked % b"planted"))

            run(scene())
            assert proxy.stop().counts == (2, 2, 0, 0)
    assert b"planted" not in written.store.read_bytes()
    assert b"kept" in written.store.read_bytes()


def test_the_form_of_the_log_changes_for_what_comes_then(tmp_path: Path) -> None:
    written = Written(tmp_path)
    with an_upstream(tmp_path) as upstream:
        written.write(upstream.port)
        text = written.file.read_text()
        written.file.write_text(text.replace('form = "off"', 'form = "pretty"'))
        with a_running(written.command, written.errors) as proxy:

            async def scene() -> None:
                async with calling(proxy.port) as caller:
                    await caller.call(call_of("first"))
                    await written.heard("  first  ")
                    written.file.write_text(text.replace('form = "off"', 'form = "json"'))
                    proxy.send(signal.SIGHUP)
                    await written.heard("settings reloaded: log.form\n")
                    await caller.call(call_of("second"))
                    await written.heard('"tool":"second"')
                    written.file.write_text(text)
                    proxy.send(signal.SIGHUP)
                    await written.heard("nothing to reload; only a restart changes log.form\n")
                    await caller.call(call_of("third"))
                    await written.heard('"tool":"third"')

            run(scene())
            assert proxy.stop().counts == (3, 3, 0, 0)


def test_without_a_file_the_signal_harms_nothing(tmp_path: Path) -> None:
    errors = tmp_path / "stderr.txt"
    store = tmp_path / "store.db"
    with a_running(command("http://127.0.0.1:9/mcp", store), errors) as proxy:
        proxy.send(signal.SIGHUP)
        wait_until(lambda: "settings read again: nothing to reload" in errors.read_text())
        assert proxy.stop().code == 0


def servers(store: Path) -> list[str]:
    """The names under which calls are recorded."""
    with contextlib.closing(sqlite3.connect(store)) as connection:
        found = connection.execute("SELECT DISTINCT server FROM requests").fetchall()
    return [name for (name,) in found]


#: Runs its arguments on a terminal, closes that when they are ready, and tells how they ended.
TERMINAL = """
import os, pty, sys
pid, terminal = pty.fork()
if not pid:
    os.execv(sys.argv[1], sys.argv[1:])
heard = b""
while b"Ctrl-C" not in heard:
    heard += os.read(terminal, 1000)
os.close(terminal)
print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
"""


def test_a_closed_terminal_ends_the_proxy_properly(tmp_path: Path) -> None:
    store = tmp_path / "store.db"
    line = [sys.executable, "-c", TERMINAL, *command("http://127.0.0.1:9/mcp", store)]
    done = subprocess.run(line, capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout == "0\n"
    # It had the time to take its leave.
    assert not list(tmp_path.glob("store.db-proxy-*"))
