"""The list of a proxy's duties against the tests that exist, and the page that shows it."""

from pathlib import Path

import pytest
from tests import requirements
from tests.must_do import MUST_DO, render
from tests.requirements import Requirement
from tests.test_requirements import ROOT, missing_tests

UNFINISHED = {"M9", "M12", "M14", "M17", "M18"}
"""Duties of which an issue still builds a part. Take out what is whole; put nothing in."""


def test_every_duty_is_listed_once_and_in_order() -> None:
    assert [duty.id for duty in MUST_DO] == [f"M{number}" for number in range(1, 20)]


@pytest.mark.parametrize("duty", MUST_DO, ids=lambda duty: duty.id)
def test_a_duty_has_its_tests_or_the_issue_that_builds_it(duty: Requirement) -> None:
    assert duty.tests or duty.to_build
    assert set(duty.to_build) <= set(requirements.ISSUES)
    assert missing_tests(duty, ROOT) == []


def test_the_duties_that_are_not_whole_only_become_fewer() -> None:
    assert {duty.id for duty in MUST_DO if duty.to_build} == UNFINISHED


def test_the_page_shows_the_list() -> None:
    page = Path(ROOT / "docs/topics/must-do.md").read_text()
    assert page == "\n".join(render()) + "\n", "python -m tests.must_do > docs/topics/must-do.md"
