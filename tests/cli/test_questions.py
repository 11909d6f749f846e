"""cli/questions: `mcpr logs` and `mcpr tools`, each output as in its golden file."""

import contextlib
import csv
import json
import os
import pty
import signal
import subprocess
from contextlib import closing
from pathlib import Path

import pytest
from tests.cli.asking import NOW_MS, a_mornings_store, ask, golden
from tests.cli.test_commands import MCPR
from tests.events.building import an_event
from tests.store.building import a_store
from tests.store.processes import running

from mcpr.errors import Exit
from mcpr.events import Detail
from mcpr.store.questions import LogRow, ToolRow
from mcpr.store.sqlite import Writer

CASES = {
    "logs": [],
    "logs-errors": ["--errors"],
    "logs-limit": ["--limit", "3"],
    "logs-nothing-in-time": ["--since", "5s"],
    "logs-nothing-matches": ["--tool", "none"],
    "logs-filter": ["tool:forecast", "latency:>10s"],
    "logs-json": ["-o", "json", "--limit", "2"],
    "logs-ndjson": ["-o", "ndjson", "--outcome", "rpc_error"],
    "logs-csv": ["-o", "csv", "--outcome", "rpc_error"],
    "tools": [],
    "tools-nothing-in-time": ["--until", "2026-07-01"],
    "tools-json": ["-o", "json"],
    "tools-ndjson": ["-o", "ndjson"],
    "tools-csv": ["-o", "csv"],
}


@pytest.mark.parametrize("name", CASES)
def test_an_answer_is_as_in_its_golden_file(tmp_path: Path, name: str) -> None:
    path = a_mornings_store(tmp_path / "s.db")
    command = name.partition("-")[0]
    assert ask(command, "--db", path, *CASES[name]) == (Exit.OK, golden(f"{name}.txt"), "")


@pytest.mark.parametrize("command", ["logs", "tools"])
def test_an_empty_store_says_what_to_do_now(tmp_path: Path, command: str) -> None:
    path = a_store(tmp_path / "s.db")
    assert ask(command, "--db", path) == (Exit.OK, golden("empty-store.txt"), "")


@pytest.mark.parametrize("command", ["logs", "tools"])
@pytest.mark.parametrize(("form", "lines"), [("json", 1), ("ndjson", 0), ("csv", 1)])
def test_a_program_gets_no_words_where_there_are_no_rows(
    tmp_path: Path, command: str, form: str, lines: int
) -> None:
    answer = ask(command, "--db", a_store(tmp_path / "s.db"), "-o", form)
    assert len(answer.out.splitlines()) == lines
    assert answer.code == Exit.OK


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ([], 14),
        (["--since", "30m"], 3),
        (["--since", "2026-07-28T10:00:00Z"], 2),
        (["--since", "2026-07-28T12:00:00"], 2),
        (["--until", "16m"], 12),
        (["--tool", "forecast"], 2),
        (["--method", "initialize"], 1),
        (["--client", "claude-code"], 12),
        (["--client", "Håkon's"], 1),
        (["--outcome", "timeout"], 1),
        (["--errors"], 3),
        (["--errors", "--tool", "forecast"], 1),
        (["--session", "0123"], 12),
        (["--session", "0123", "--since", "5m"], 1),
        (["--session", "FFFF"], 0),
        (["--server", "weather"], 14),
        (["--server", "other"], 0),
        (["--limit", "4"], 4),
    ],
    ids=str,
)
def test_a_filter_leaves_what_it_says(tmp_path: Path, options: list[str], expected: int) -> None:
    answer = ask("logs", "--db", a_mornings_store(tmp_path / "s.db"), "-o", "ndjson", *options)
    assert len(answer.out.splitlines()) == expected


def test_an_id_finds_its_event_however_old(tmp_path: Path) -> None:
    old = an_event(ts_ms=1_000)
    path = a_store(tmp_path / "s.db", [old, an_event()])
    prefix = f"{old.id.hex()[:8]}-{old.id.hex()[8:]}"
    answer = ask("logs", "--db", path, "--id", prefix, "-o", "ndjson")
    assert json.loads(answer.out)["ts_ms"] == 1_000


def test_every_form_tells_the_same_rows_in_the_same_order(tmp_path: Path) -> None:
    path = a_mornings_store(tmp_path / "s.db")
    for command, fields in (("logs", LogRow.__slots__), ("tools", ToolRow.__slots__)):
        document = json.loads(ask(command, "--db", path, "-o", "json").out)
        lines = ask(command, "--db", path, "-o", "ndjson").out.splitlines()
        [head, *table] = csv.reader(ask(command, "--db", path, "-o", "csv").out.splitlines())
        assert document["rows"] == [json.loads(line) for line in lines]
        assert list(document["rows"][0]) == head == list(fields)
        expected = [["" if v is None else str(v) for v in row.values()] for row in document["rows"]]
        assert [[cell.removeprefix("'") for cell in row] for row in table] == expected


def test_the_newest_stands_last(tmp_path: Path) -> None:
    path = a_mornings_store(tmp_path / "s.db")
    rows = json.loads(ask("logs", "--db", path, "-o", "json").out)["rows"]
    times = [row["ts_ms"] for row in rows]
    assert times == sorted(times)


def test_the_store_is_that_of_the_option_else_of_the_environment_else_at_home(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, count in ((".mcpr/store.db", 1), ("environment.db", 2), ("option.db", 3)):
        a_store(tmp_path / name, [an_event(ts_ms=NOW_MS) for _ in range(count)])

    def rows(*options: object) -> int:
        return len(ask("logs", "-o", "ndjson", *options).out.splitlines())

    assert rows() == 1
    monkeypatch.setenv("MCPR_DB", "~/environment.db")
    assert rows() == 2
    assert rows("--db", tmp_path / "option.db") == 3


HOSTILE = "\x1b[2J\x9b31m\x7f\u202e\r\n=cmd|' /C calc'!A0"


@pytest.mark.parametrize("form", ["table", "json", "ndjson", "csv"])
@pytest.mark.parametrize("command", ["logs", "tools"])
def test_a_hostile_name_drives_no_terminal(
    tmp_path: Path, command: str, form: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "300")
    detail = Detail(subject=HOSTILE, error_text=HOSTILE, client_name=HOSTILE)
    event = an_event(ts_ms=NOW_MS, tool=HOSTILE, server=HOSTILE, client=None, detail=detail)
    path = a_store(tmp_path / "s.db", [event, an_event(ts_ms=NOW_MS)])
    out = ask(command, "--db", path, "-o", form).out
    assert "calc" in out
    assert [line for line in out.split("\n") if not line.isprintable()] == []


def test_a_spreadsheet_takes_no_text_for_a_formula(tmp_path: Path) -> None:
    tools = ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "fine"]
    events = [an_event(ts_ms=NOW_MS, tool=tool, rpc_code=-32602) for tool in tools]
    answer = ask("logs", "--db", a_store(tmp_path / "s.db", events), "-o", "csv")
    rows = list(csv.DictReader(answer.out.splitlines()))
    assert [row["tool"] for row in rows] == ["'=1+1", "'+1", "'-1", "'@SUM(A1)", "'\\t=1", "fine"]
    assert {row["rpc_code"] for row in rows} == {"-32602"}


def following(
    path: Path, *options: str
) -> contextlib.AbstractContextManager[subprocess.Popen[str]]:
    return running([str(MCPR), "logs", "--db", str(path), "--follow", *options])


def test_following_shows_what_comes_and_ends_with_ctrl_c(tmp_path: Path) -> None:
    path = tmp_path / "s.db"
    old = an_event(ts_ms=NOW_MS)
    a_store(path, [old])
    with following(path, "--since", "2026-01-01", "-o", "ndjson", "--tool", "a") as process:
        assert process.stdout is not None
        with closing(Writer(path)) as writer:
            for at in range(3):
                writer.write([an_event(tool="a", bytes_in=at), an_event(tool="b")])
                assert json.loads(process.stdout.readline())["bytes_in"] == at
        process.send_signal(signal.SIGINT)
        assert process.communicate(timeout=60)[0] == ""
        assert process.returncode == Exit.OK


def test_following_as_a_table_has_one_head(tmp_path: Path) -> None:
    path = a_store(tmp_path / "s.db", [an_event(ts_ms=NOW_MS)])
    with following(path, "--since", "2026-01-01") as process:
        assert process.stdout is not None
        head, first = process.stdout.readline(), process.stdout.readline()
        with closing(Writer(path)) as writer:
            writer.write([an_event(ts_ms=NOW_MS, tool="a_new_tool", latency_us=61_000_000)])
        second = process.stdout.readline()
        process.send_signal(signal.SIGINT)
        assert process.communicate(timeout=60)[0] == ""
    assert head.startswith("TIME")
    assert head.index("METHOD") == first.index("tools/call") == second.index("tools/call")
    assert "a_new_tool" in second


@pytest.mark.parametrize(
    ("environment", "is_red"), [({}, True), ({"NO_COLOR": "1"}, False), ({"TERM": "dumb"}, False)]
)
def test_errors_are_red_on_a_terminal_that_wants_colour(
    tmp_path: Path, environment: dict[str, str], is_red: bool
) -> None:
    path = a_store(tmp_path / "s.db", [an_event(outcome="timeout"), an_event()])
    ours, theirs = pty.openpty()
    command = [str(MCPR), "logs", "--db", str(path), "--since", "2026-01-01"]
    variables = {**os.environ, "TERM": "xterm", **environment}
    subprocess.run(command, stdout=theirs, env=variables, check=True, timeout=60)
    os.close(theirs)
    shown = os.read(ours, 65_536).decode()
    os.close(ours)
    assert shown.count("\x1b[31m") == shown.count("\x1b[0m") == int(is_red)
