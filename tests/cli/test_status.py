"""cli/status: what runs beside a store, and what does not."""

import json
import re
import signal
import socket
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from tests.cli.asking import ask, golden
from tests.cli.test_commands import MCPR
from tests.store.building import a_store
from tests.store.processes import running

from mcpr.errors import Exit
from mcpr.serving.presence import Presence, announced

NOWHERE = "http://127.0.0.1:9/mcp"


@contextmanager
def a_proxy(path: Path, *options: str) -> Iterator[str]:
    """A real proxy on this store; the URL of its admin pages."""
    command = [str(MCPR), "run", NOWHERE, "--port", "0", "--db", str(path), "--log", "off"]
    with running([*command, "--name", "mine", *options]) as process:
        assert process.stdout is not None
        said = ""
        while "  next " not in said:
            line = process.stdout.readline()
            assert line, said
            said += line
        # It can be found as soon as it has said where it is, or very shortly after.
        while not list(path.parent.glob("*-proxy-*.json")):
            assert process.poll() is None
        found = re.search(r"admin +(\S+)", said)
        assert found is not None
        yield found[1]
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == Exit.OK


def test_a_running_proxy_is_found_with_all_that_it_tells(tmp_path: Path) -> None:
    path = tmp_path / "s.db"
    with a_proxy(path, "--admin", "127.0.0.1:0") as admin:
        answer = ask("status", "--db", path, "-o", "json")
        [row] = json.loads(answer.out)["rows"]
        words = ask("status", "--db", path)
        named = ask("status", "--admin", admin.removeprefix("http://"), "--db", path)
    assert answer.code == words.code == named.code == Exit.OK
    assert (row["state"], row["server"], row["upstream"]) == ("ready", "mine", NOWHERE)
    assert row["admin"] == admin
    assert (row["published"], row["dropped"], row["restarts"]) == (0, 0, 0)
    assert row["sessions_evicted"] == 0
    assert row["pid"] > 1
    assert f"upstream  {NOWHERE}\n" in words.out
    assert "proxy     ready; running since " in words.out
    assert "0 published, 0 written" in named.out


def test_numbers_behind_a_token_are_told_to_who_has_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "s.db"
    token = "a-token-of-enough-letters-4711"
    monkeypatch.setenv("MCPR_ADMIN_TOKEN", token)
    with a_proxy(path, "--admin", "0.0.0.0:0", "--allowed-host", "x"):
        with_it = ask("status", "--db", path)
        monkeypatch.delenv("MCPR_ADMIN_TOKEN")
        without = ask("status", "--db", path)
    assert with_it.code == without.code == Exit.OK
    assert "0 published, 0 written" in with_it.out
    assert "need the token of the admin pages in MCPR_ADMIN_TOKEN" in without.out
    assert token not in with_it.out + without.out


def test_a_proxy_without_admin_pages_is_found_all_the_same(tmp_path: Path) -> None:
    path = tmp_path / "s.db"
    with a_proxy(path, "--admin", "off"):
        answer = ask("status", "--db", path)
    assert answer.code == Exit.OK
    assert "no admin pages; running since" in answer.out


def test_where_none_runs_it_says_so_and_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    a_store(tmp_path / "s.db")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MCPR_ADMIN_LISTEN", nobody())
    answer = ask("status", "--db", "s.db")
    text = re.sub(r"[\d.]+kB", "SIZE", answer.out)
    assert (answer.code, text, answer.err) == (Exit.NOT_RUNNING, golden("status-none.txt"), "")


def nobody() -> str:
    """An address at which nobody listens."""
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        return f"127.0.0.1:{taken.getsockname()[1]}"


def a_presence(admin: str) -> Presence:
    return Presence(7, "0.1", 1_785_233_000_000, "weather", NOWHERE, "http://h:3000/mcp", admin)


def test_a_proxy_that_does_not_answer_is_a_failure(tmp_path: Path) -> None:
    with announced(tmp_path / "s.db", a_presence(f"http://{nobody()}")):
        answer = ask("status", "--db", tmp_path / "s.db")
    assert answer.code == Exit.FAILED
    assert "no answer: connection refused; running since 07-28 12:03:20 +02:00 (11m40s)" in (
        answer.out
    )


@pytest.mark.parametrize("admin", ["127.0.0.1:x", "nowhere:80", "", "javascript:1"])
def test_a_file_that_lies_about_the_address_drives_nothing(tmp_path: Path, admin: str) -> None:
    with announced(tmp_path / "s.db", a_presence(admin)):
        answer = ask("status", "--db", tmp_path / "s.db")
    assert answer.code == Exit.FAILED
    assert "Traceback" not in answer.err


def test_nobody_at_the_named_address_is_no_proxy(tmp_path: Path) -> None:
    answer = ask("status", "--admin", nobody(), "--db", tmp_path / "s.db")
    assert answer.code == Exit.NOT_RUNNING
    assert "no answer: connection refused" in answer.out
