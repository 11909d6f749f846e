"""cli/store: how large the store is, and what a vacuum says it did."""

import json
import re
from pathlib import Path

import pytest
from tests.cli.asking import NOW_MS, a_mornings_store, ask, golden
from tests.events.building import an_event
from tests.store.building import a_store

from mcpr.errors import Exit

CASES = {
    "store-stats": ["stats"],
    "store-stats-json": ["stats", "-o", "json"],
    "store-stats-csv": ["stats", "-o", "csv"],
    "store-vacuum-dry": ["vacuum", "--dry-run", "--older-than", "30m"],
    "store-vacuum-ndjson": ["vacuum", "--dry-run", "--older-than", "30m", "-o", "ndjson"],
}


def without_sizes(text: str) -> str:
    """The answer, without what every change of the schema would change."""
    text = re.sub(r"[\d.]+kB|\b\d{5,6}\b", "SIZE", text)
    text = re.sub(r'(version |schema_version":|SIZE,0,0,)\d+', r"\1N", text)
    return re.sub(r" {2,}", "  ", text)


@pytest.mark.parametrize("name", CASES)
def test_an_answer_is_as_in_its_golden_file(
    tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    a_mornings_store(tmp_path / "s.db")
    monkeypatch.chdir(tmp_path)
    answer = ask("store", *CASES[name], "--db", "s.db")
    assert (answer.code, without_sizes(answer.out), answer.err) == (
        Exit.OK,
        golden(f"{name}.txt"),
        "",
    )


def test_several_servers_have_a_line_each_below_their_sum(tmp_path: Path) -> None:
    events = [an_event(server=name, ts_ms=NOW_MS) for name in ("b", "a", "b")]
    path = a_store(tmp_path / "s.db", events)
    lines = ask("store", "stats", "--db", path).out.splitlines()[7:]
    assert [line.split()[:2] for line in lines] == [["all", "3"], ["b", "2"], ["a", "1"]]


def test_a_vacuum_deletes_and_says_what_it_did(tmp_path: Path) -> None:
    path = a_mornings_store(tmp_path / "s.db")
    said = ask("store", "vacuum", "--db", path, "--older-than", "30m")
    assert said.code == Exit.OK
    assert "The store was locked for" in said.out
    rows = json.loads(ask("store", "vacuum", "--db", path, "-o", "json").out)["rows"]
    assert {row["what"]: row["after"] for row in rows if row["unit"] == "rows"} == {
        "events": 3,
        "names": 3,
        "sessions": 2,
    }
    assert len(ask("logs", "--db", path, "-o", "ndjson").out.splitlines()) == 3


@pytest.mark.parametrize("age", ["soon", "0s", "9999w"])
def test_an_age_that_is_none_deletes_nothing(tmp_path: Path, age: str) -> None:
    path = a_mornings_store(tmp_path / "s.db")
    answer = ask("store", "vacuum", "--db", path, "--older-than", age)
    assert answer.code == Exit.USAGE
    assert answer.out == ""
    assert len(ask("logs", "--db", path, "-o", "ndjson").out.splitlines()) == 14


@pytest.mark.parametrize("command", ["stats", "vacuum"])
def test_a_store_that_is_not_there_is_not_made(tmp_path: Path, command: str) -> None:
    answer = ask("store", command, "--db", tmp_path / "none.db")
    assert answer.code == Exit.FAILED
    assert "nothing has been recorded there yet" in answer.err
    assert list(tmp_path.iterdir()) == []


def test_a_rebuild_says_what_was_summed_up(tmp_path: Path) -> None:
    path = a_store(tmp_path / "s.db", [an_event(ts_ms=NOW_MS - 10 * 86_400_000)])
    for _ in range(2):
        rows = json.loads(ask("store", "rebuild", "--db", path, "-o", "json").out)["rows"]
        assert rows == [{"span": name, "summed_up": 1} for name in ("hour", "day", "week")]
    assert "The store was locked for" in ask("store", "rebuild", "--db", path).out
