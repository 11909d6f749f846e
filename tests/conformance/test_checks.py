"""The comparison of two runs sees what it should and nothing else."""

import json
from collections import Counter
from pathlib import Path

import pytest
from tests.conformance.checks import (
    CRASHED_CHECK,
    Check,
    count_verdicts,
    find_differences,
    read_report,
    read_requirements,
)

PASSED = Check("c", "SUCCESS", "")
FAILED = Check("c", "FAILURE", "no tool")
TIME = "2026-11-22T18-34-51-099Z"


def store(folder: Path, name: str, *checks: dict[str, str]) -> None:
    (folder / name).mkdir(parents=True)
    (folder / name / "checks.json").write_text(json.dumps(checks))


@pytest.mark.parametrize(
    ("through", "differences"),
    [
        pytest.param({"ping": Counter([PASSED])}, [], id="equal"),
        pytest.param(
            {"ping": Counter([FAILED])},
            ["ping: direct only: c SUCCESS", "ping: through only: c FAILURE (no tool)"],
            id="another-status",
        ),
        pytest.param(
            {"ping": Counter([PASSED, PASSED])},
            ["ping: through only: c SUCCESS"],
            id="one-check-twice",
        ),
        pytest.param({"ping": Counter()}, ["ping: direct only: c SUCCESS"], id="check-missing"),
        pytest.param(
            {},
            ["ping: ran direct only", "ping: direct only: c SUCCESS"],
            id="scenario-missing",
        ),
        pytest.param(
            {"ping": Counter([PASSED]), "tasks": Counter()},
            ["tasks: ran through only"],
            id="empty-scenario-added",
        ),
    ],
)
def test_each_check_of_one_side_only_is_a_difference(
    through: dict[str, Counter[Check]], differences: list[str]
) -> None:
    assert find_differences({"ping": Counter([PASSED])}, through) == differences


def test_the_same_failure_for_another_reason_is_a_difference() -> None:
    elsewhere = Check("c", "FAILURE", "bad gateway")
    assert find_differences({"p": Counter([FAILED])}, {"p": Counter([elsewhere])}) != []


def test_an_ignored_scenario_hides_no_other() -> None:
    direct = {"guarded": Counter([PASSED]), "ping": Counter([PASSED])}
    assert find_differences(direct, {}, ignoring=["guarded"]) == [
        "ping: ran direct only",
        "ping: direct only: c SUCCESS",
    ]


def test_a_report_has_neither_times_nor_ports_nor_traces_of_the_wire(tmp_path: Path) -> None:
    store(
        tmp_path,
        f"server-server-sse-polling-{TIME}",
        {"id": "a", "status": "WARNING", "errorMessage": "localhost:4711 said no"},
        {"id": "b", "status": "INFO", "timestamp": TIME},
    )
    assert read_report(tmp_path, "") == {
        "server-sse-polling": Counter([Check("a", "WARNING", "localhost:PORT said no")])
    }


def test_a_scenario_that_threw_is_one_failure_with_the_suites_reason(tmp_path: Path) -> None:
    (tmp_path / f"server-tasks-{TIME}").mkdir()
    report = read_report(tmp_path, "\nFailed to run scenario tasks: Error: refused\n    at x\n")
    assert report == {"tasks": Counter([Check(CRASHED_CHECK, "FAILURE", "Error: refused")])}
    assert count_verdicts(report) == (0, 1)


def test_the_required_scenarios_are_those_of_the_server_alone(tmp_path: Path) -> None:
    path = tmp_path / "r.yaml"
    path.write_text("# c\nserver:\n  - ping\n  # why\n  - tools-list\n\nclient:\n  - other\n")
    assert read_requirements(path) == {"ping", "tools-list"}


def test_a_folder_that_is_not_the_suites_is_refused(tmp_path: Path) -> None:
    (tmp_path / "notes").mkdir()
    with pytest.raises(ValueError, match="is not named"):
        read_report(tmp_path, "")
