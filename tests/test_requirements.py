"""The manifest of promises against itself and against the tests that exist."""

import ast
from pathlib import Path

import pytest
from tests import requirements
from tests.requirements import REQUIREMENTS, Requirement
from tests.requirements.faults import FAULTS

ROOT = Path(__file__).resolve().parent.parent
IDS = [
    *(f"P{number}" for number in range(1, 39)),
    *(f"T{number}" for number in range(1, 7)),
    *(f"R{number}" for number in range(1, 13)),
]


def names_of_tests(path: Path) -> set[str]:
    """The names of the test functions in a file, read and not run."""
    return {
        node.name
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name[:5] == "test_"
    }


def missing_tests(requirement: Requirement, root: Path) -> list[str]:
    """What the requirement names as its proof and what is not there."""
    return [
        node
        for node in (*requirement.tests, *requirement.planted)
        for file, _, name in [node.partition("::")]
        if not (root / file).is_file() or name not in names_of_tests(root / file)
    ]


def test_every_promise_is_listed_once_and_in_order() -> None:
    assert [requirement.id for requirement in REQUIREMENTS] == IDS


@pytest.mark.parametrize("requirement", REQUIREMENTS, ids=lambda requirement: requirement.id)
def test_a_promise_has_its_tests_or_the_issue_that_builds_it(requirement: Requirement) -> None:
    assert requirement.sentence
    assert requirement.tests or requirement.to_build
    assert set(requirement.to_build) <= set(requirements.ISSUES)
    assert missing_tests(requirement, ROOT) == []


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.id)
def test_a_fault_that_an_earlier_proxy_had_is_kept_out_by_tests(fault: Requirement) -> None:
    assert fault.tests
    assert missing_tests(fault, ROOT) == []


@pytest.mark.parametrize("name", sorted(requirements.MUST_BE_PLANTED))
def test_a_kept_promise_of_privacy_has_a_planted_violation(name: str) -> None:
    [requirement] = [requirement for requirement in REQUIREMENTS if requirement.id == name]
    assert requirement.to_build or requirement.planted


def test_the_number_of_unbuilt_promises_only_falls() -> None:
    """Equal, not at most: whoever builds one lowers the ceiling in the same commit."""
    unbuilt = [requirement.id for requirement in REQUIREMENTS if not requirement.tests]
    unfinished = [requirement.id for requirement in REQUIREMENTS if requirement.to_build]
    assert len(unbuilt) == requirements.UNBUILT_CEILING, unbuilt
    assert len(unfinished) == requirements.UNFINISHED_CEILING, unfinished


def test_a_named_test_that_does_not_exist_is_found(tmp_path: Path) -> None:
    (tmp_path / "test_a.py").write_text("async def test_it_works() -> None: ...\n")
    promise = Requirement(
        "R1",
        "It works.",
        tests=("test_a.py::test_it_works", "test_a.py::test_it_shines", "test_b.py::test_it"),
        planted=("test_a.py::test_it_breaks",),
    )
    missing = ["test_a.py::test_it_shines", "test_b.py::test_it", "test_a.py::test_it_breaks"]
    assert missing_tests(promise, tmp_path) == missing
