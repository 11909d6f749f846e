"""cli/behaviour: how agents fare, each output as in its golden file."""

from pathlib import Path

import pytest
from tests.cli.asking import NOW_MS, a_mornings_store, ask, golden
from tests.events.building import an_event
from tests.store.building import a_store

from mcpr.cli import BEHAVIOUR_COMMANDS
from mcpr.errors import Exit

CASES = {
    "recoveries": [],
    "loops": ["--least", "3"],
    "abandoned": ["--since", "2h"],
    "sizes": [],
    "discovery": ["-o", "csv"],
    "adoption": [],
}


def test_every_question_has_its_golden_file() -> None:
    assert list(CASES) == list(BEHAVIOUR_COMMANDS)


@pytest.mark.parametrize("name", CASES)
def test_an_answer_is_as_in_its_golden_file(tmp_path: Path, name: str) -> None:
    path = a_mornings_store(tmp_path / "s.db")
    answer = ask("behaviour", name, "--db", path, *CASES[name])
    assert answer == (Exit.OK, golden(f"behaviour-{name}.txt"), "")


@pytest.mark.parametrize("name", CASES)
def test_where_there_is_nothing_it_says_so(tmp_path: Path, name: str) -> None:
    events = [an_event(kind="http", tool=None, ts_ms=NOW_MS - 1_000)]
    answer = ask("behaviour", name, "--db", a_store(tmp_path / "s.db", events))
    assert answer.code == Exit.OK
    assert f"mcpr behaviour {name} --since 7d" in answer.out
