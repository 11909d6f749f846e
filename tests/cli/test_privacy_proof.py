"""cli/privacy_proof: the report, in words and for programs."""

import json
from pathlib import Path

import pytest
from tests.cli.asking import NOW_MS, ask

from mcpr import __version__
from mcpr.errors import Exit


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MCPR_CONFIG", raising=False)


def test_the_report_is_dated_and_says_what_was_searched_and_what_came_of_it() -> None:
    answer = ask("privacy-proof")
    assert (answer.code, answer.err) == (Exit.OK, "")
    assert answer.out.startswith(f"proof     mcpr {__version__}, 2026-07-28 10:15:00+00:00\n")
    assert "settings  the defaults\n" in answer.out
    assert "store/store.db-wal" in answer.out
    assert answer.out.endswith("\n\nPassed: no word stands where it may not.\n")
    assert max(map(len, answer.out.splitlines())) <= 80


def test_a_program_gets_all_of_it(tmp_path: Path) -> None:
    (tmp_path / "mcpr.toml").write_text('mcp = "http://example.invalid/mcp"\n')
    report = json.loads(ask("privacy-proof", "-o", "json").out)
    assert (report["at_ms"], report["mcpr"], report["passed"]) == (NOW_MS, __version__, True)
    assert report["settings"] == "mcpr.toml"
    assert {"source", "bytes"} == set(report["searched"][0])
    assert {row["verdict"] for row in report["rows"]} == {"ok"}


@pytest.mark.parametrize(
    ("argument", "words"),
    [("http://127.0.0.1:9/mcp", "leave the URL out"), ("none.toml", "none.toml")],
)
def test_what_is_no_settings_file_is_refused(argument: str, words: str) -> None:
    answer = ask("privacy-proof", argument)
    assert answer.code == Exit.USAGE
    assert answer.out == ""
    assert words.lower() in answer.err.lower()
