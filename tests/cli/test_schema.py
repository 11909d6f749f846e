"""cli/schema: `mcpr schema`, each output as in its golden file, and hostile names harmless."""

import csv
import json
from pathlib import Path

import pytest
from tests.cli.asking import NOW_MS, an_offered_store, ask, golden
from tests.store.building import a_store
from tests.store.offers import GET, an_offer

from mcpr.errors import Exit

CASES = {
    "schema": [],
    "schema-changes": ["--changes"],
    "schema-unused": ["--unused"],
    "schema-diff": ["--diff", "1", "2"],
    "schema-no-difference": ["--diff", "2", "2"],
    "schema-nothing-in-time": ["--changes", "--since", "1m"],
    "schema-json": ["-o", "json"],
    "schema-changes-ndjson": ["--changes", "-o", "ndjson"],
    "schema-unused-csv": ["--unused", "-o", "csv"],
    "schema-diff-json": ["--diff", "1", "2", "-o", "json"],
}


@pytest.mark.parametrize("name", CASES)
def test_an_answer_is_as_in_its_golden_file(tmp_path: Path, name: str) -> None:
    path = an_offered_store(tmp_path / "s.db")
    assert ask("schema", "--db", path, *CASES[name]) == (Exit.OK, golden(f"{name}.txt"), "")


def test_a_store_without_lists_says_how_one_comes_about(tmp_path: Path) -> None:
    path = a_store(tmp_path / "s.db")
    for options in ([], ["--changes"], ["--unused"]):
        answer = ask("schema", "--db", path, *options)
        assert (answer.code, answer.out) == (Exit.OK, golden("schema-empty.txt"))


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--changes", "--unused"], "two questions at once"),
        (["--diff", "1", "9"], "there are 1-2"),
        (["--diff", "1", "2", "--list", "resources"], "no such list has passed"),
        (["--diff", "1"], "requires 2 arguments"),
        (["--list", "secrets"], "is not one of"),
    ],
)
def test_what_cannot_be_answered_says_why(tmp_path: Path, options: list[str], words: str) -> None:
    answer = ask("schema", "--db", an_offered_store(tmp_path / "s.db"), *options)
    assert answer.code == Exit.USAGE
    assert words in answer.err


HOSTILE = "\x1b[2J\x9b31m\x7f\u202e\r\n=cmd|' /C calc'!A0\u200b"


@pytest.mark.parametrize("form", ["table", "json", "ndjson", "csv"])
@pytest.mark.parametrize(
    "options", [[], ["--changes"], ["--unused"], ["--diff", "1", "2"]], ids=str
)
def test_no_hostile_definition_reaches_the_terminal_or_a_spreadsheet(
    tmp_path: Path, form: str, options: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "1000")
    path = a_store(tmp_path / "s.db")
    an_offer(path, NOW_MS - 10, [GET])
    hostile = {HOSTILE: HOSTILE, "default": HOSTILE}
    tools = [
        {"name": HOSTILE, "description": HOSTILE},
        {**GET, "description": HOSTILE, "inputSchema": {"properties": {HOSTILE: hostile}}},
    ]
    an_offer(path, NOW_MS - 5, tools)
    out = ask("schema", "--db", path, "-o", form, *options).out
    assert all(line.isprintable() for line in out.split("\n"))
    if form == "csv":
        cells = [cell for row in csv.reader(out.splitlines()) for cell in row]
        assert not any(cell.startswith(("=", "+", "@", "\t", "\r")) for cell in cells)
    if form == "json":
        json.loads(out)


def test_a_version_is_approved_and_revoked(tmp_path: Path) -> None:
    path = an_offered_store(tmp_path / "s.db")
    steps = {
        "schema-approve": [],
        "schema-approve-one": ["1"],
        "schema-revoke": ["2", "--revoke"],
        "schema-revoke-again": ["2", "--revoke"],
    }
    for name, arguments in steps.items():
        answer = ask("schema", "approve", "--db", path, *arguments)
        assert answer == (Exit.OK, golden(f"{name}.txt"), "")
    assert "unapproved" in ask("schema", "--db", path).out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["9"], "there is no such version"),
        (["--revoke"], "without a version"),
        (["--server", "none"], "no list of them has passed yet"),
    ],
)
def test_what_cannot_be_approved_says_why(tmp_path: Path, arguments: list[str], words: str) -> None:
    path = an_offered_store(tmp_path / "s.db")
    answer = ask("schema", "approve", "--db", path, *arguments)
    assert answer.code == Exit.USAGE
    assert words in answer.err


def test_of_several_servers_one_must_be_named(tmp_path: Path) -> None:
    path = an_offered_store(tmp_path / "s.db")
    an_offer(path, NOW_MS, [GET], server="notes")
    assert "notes, weather" in ask("schema", "approve", "--db", path).err
    assert ask("schema", "approve", "--db", path, "--server", "notes").code == Exit.OK
