"""cli/figures: summary, servers, slow calls, latency, each output as in its golden file."""

from pathlib import Path

import pytest
from tests.cli.asking import a_mornings_store, ask, golden
from tests.events.building import an_event
from tests.store.building import a_store

from mcpr.errors import Exit

CASES = {
    "summary": [],
    "summary-before": ["--since", "20m"],
    "summary-json": ["-o", "json", "--since", "20m"],
    "servers": [],
    "servers-csv": ["-o", "csv"],
    "slow": [],
    "slow-limit": ["--limit", "2", "--tool", "forecast"],
    "slow-json": ["-o", "json", "--limit", "1"],
    "latency": [],
    "latency-by-tool": ["--by", "tool", "--step", "30m"],
    "latency-ndjson": ["-o", "ndjson", "--tool", "forecast"],
}


@pytest.mark.parametrize("name", CASES)
def test_an_answer_is_as_in_its_golden_file(tmp_path: Path, name: str) -> None:
    path = a_mornings_store(tmp_path / "s.db")
    command = name.partition("-")[0]
    assert ask(command, "--db", path, *CASES[name]) == (Exit.OK, golden(f"{name}.txt"), "")


@pytest.mark.parametrize("command", ["summary", "servers", "slow", "latency"])
def test_an_empty_store_says_what_to_do_now(tmp_path: Path, command: str) -> None:
    answer = ask(command, "--db", a_store(tmp_path / "s.db"))
    assert answer.code == Exit.OK
    assert "mcpr run http://localhost:9000/mcp" in answer.out


@pytest.mark.parametrize("command", ["summary", "servers", "slow", "latency"])
def test_a_hostile_name_cannot_drive_the_terminal(tmp_path: Path, command: str) -> None:
    name = "\x1b[2J\u202e<script>" + "x" * 10_000
    path = a_store(tmp_path / "s.db", [an_event(server=name, tool=name, ts_ms=1)])
    answer = ask(command, "--db", path, "--since", "1970-01-01", "--until", "1970-01-02")
    assert "\x1b" not in answer.out
    assert "\u202e" not in answer.out


def test_a_step_must_be_a_duration(tmp_path: Path) -> None:
    answer = ask("latency", "--db", a_store(tmp_path / "s.db"), "--step", "soon")
    assert answer.code == Exit.USAGE
    assert "cannot read 'soon' as a duration" in answer.err
