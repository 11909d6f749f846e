"""cli/csp: what hosts make of widgets, as in the golden files."""

import json
from contextlib import closing
from pathlib import Path

import pytest
from tests.cli.asking import NOW_MS, ask, golden
from tests.store.building import a_store

from mcpr.errors import Exit
from mcpr.store.sqlite.schema_book import SchemaBook

RULES = """
mcp = "http://mcp.internal:9000/mcp"
[csp]
domain = "mcp.example.com"
[csp.connect]
domains = ["https://api.example.com"]
"""
GOOD = '{"connect": ["https://a.example", "http://localhost:3000"], "frame": ["https://f.example"]}'
BAD = '{"connect": ["api.example"], "resource": ["\'self\'"]}'


@pytest.fixture
def store(tmp_path: Path) -> Path:
    (tmp_path / "mcpr.toml").write_text(RULES)
    path = a_store(tmp_path / "s.db")
    with closing(SchemaBook(path, lambda _: b"")) as book:
        book.widget("weather", ("ui://map", "{}", "{}"), NOW_MS - 9_000)
        book.widget("weather", ("ui://map", GOOD, "{}"), NOW_MS - 5_000)
        book.widget("weather", ("ui://bad", BAD, "{}"), NOW_MS - 4_000)
    return path


CASES = {
    "csp-check": (Exit.OK, ["--widget", "ui://m*", "--host", "claude"]),
    "csp-check-all": (Exit.FAILED, ["--host", "standard"]),
    "csp-check-json": (Exit.FAILED, ["-o", "json", "--widget", "ui://bad", "--host", "chatgpt"]),
}


@pytest.mark.parametrize("name", CASES)
def test_an_answer_is_as_in_its_golden_file(tmp_path: Path, store: Path, name: str) -> None:
    code, options = CASES[name]
    answer = ask("csp", "check", tmp_path / "mcpr.toml", "--db", store, *options)
    assert answer == (code, golden(f"{name}.txt"), "")


def test_every_host_is_told_of_unless_one_is_named(tmp_path: Path, store: Path) -> None:
    answer = ask("csp", "check", tmp_path / "mcpr.toml", "--db", store, "-o", "json")
    rows = json.loads(answer.out)["rows"]
    assert len(rows) == 8
    assert {row["host"] for row in rows} == {"standard", "chatgpt", "claude", "vscode"}


def test_without_rules_it_says_what_servers_declare(
    store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "empty").mkdir()
    monkeypatch.chdir(tmp_path / "empty")
    answer = ask("csp", "check", "--db", store, "--widget", "ui://map", "--host", "standard")
    assert "connect-src 'self' https://a.example http://localhost:3000" in answer.out
    assert "mcpr hands on what servers declare" in answer.out


def test_where_no_widget_passed_it_says_what_to_do(tmp_path: Path) -> None:
    answer = ask("csp", "check", "http://localhost:9000/mcp", "--db", a_store(tmp_path / "s.db"))
    assert answer.code == Exit.OK
    assert "No widget has passed yet" in answer.out


def test_a_hostile_name_cannot_drive_the_terminal(tmp_path: Path) -> None:
    path = a_store(tmp_path / "s.db")
    with closing(SchemaBook(path, lambda _: b"")) as book:
        book.widget("w\x1b[2J", ("ui://\u202e\x1b", r'{"connect": ["\u001b[2J"]}', "{}"), NOW_MS)
    out = ask("csp", "check", "http://localhost:9000/mcp", "--db", path).out
    assert "\x1b" not in out
    assert "\u202e" not in out
