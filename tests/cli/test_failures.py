"""cli/failures: groups of errors, and one of them, each output as in its golden file."""

from pathlib import Path

import pytest
from tests.cli.asking import a_mornings_store, ask, golden
from tests.store.building import a_store

from mcpr.errors import Exit

CASES = {
    "errors": ["errors"],
    "errors-json": ["errors", "-o", "json", "--tool", "forecast"],
    "errors-csv": ["errors", "-o", "csv"],
    "error": ["error", "8fdf"],
    "error-ndjson": ["error", "CBF9E5", "-o", "ndjson"],
}


@pytest.mark.parametrize("name", CASES)
def test_an_answer_is_as_in_its_golden_file(tmp_path: Path, name: str) -> None:
    path = a_mornings_store(tmp_path / "s.db")
    assert ask(*CASES[name], "--db", path) == (Exit.OK, golden(f"{name}.txt"), "")


def test_where_nothing_failed_it_says_so(tmp_path: Path) -> None:
    path = a_mornings_store(tmp_path / "s.db")
    answer = ask("errors", "--db", path, "--tool", "none")
    assert "Nothing failed in this time" in answer.out
    assert "mcpr run" in ask("errors", "--db", a_store(tmp_path / "e.db")).out


def test_a_group_that_is_not_there_is_an_error_with_the_next_step(tmp_path: Path) -> None:
    answer = ask("error", "zz", "--db", a_mornings_store(tmp_path / "s.db"))
    assert answer.code == Exit.USAGE
    assert "no group of this time begins so" in answer.err
    assert "mcpr errors" in answer.err
