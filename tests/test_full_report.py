"""The report of `make test-full`, from pytest's own JUnit file."""

import platform
import subprocess
import sys
from pathlib import Path

from scripts import full_report
from scripts.full_report import Case

TESTS = """
import pytest

def test_good(record_property):
    record_property("rows", 12)

@pytest.mark.parametrize("n", [1])
def test_bad(n):
    assert n == 2
"""


def test_cases_and_figures_are_read_from_what_pytest_writes(tmp_path: Path) -> None:
    (tmp_path / "test_it.py").write_text(TESTS)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:randomly", "--junitxml=out.xml"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, timeout=60, check=False)
    assert done.returncode == 1
    good, bad = full_report.read_cases((tmp_path / "out.xml").read_text())
    assert (good.name, good.state, good.figures) == (
        "test_it.py::test_good",
        "passed",
        (("rows", "12"),),
    )
    assert (bad.name, bad.state, bad.figures) == ("test_it.py::test_bad[1]", "failed", ())


def test_the_report_shows_counts_trouble_figures_and_the_slowest() -> None:
    cases = [
        Case("a.py::test_a", 1.25, "passed", (("rows", "1|2"),)),
        Case("b.py::test_b", 3.0, "failed", ()),
    ]
    report = full_report.render("2026-01-31", cases, ["2 cores"])
    assert "# Tests at full size, 2026-01-31\n" in report
    assert "\n1 passed, 1 failed, 0 skipped\n" in report
    assert "## Not passed\n\n| test | state |\n| --- | --- |\n| `b.py::test_b` | failed |" in report
    assert "| `a.py::test_a` | rows | 1\\|2 |" in report
    assert report.index("| `b.py::test_b` | 3.0 |") < report.index("| `a.py::test_a` | 1.2 |")


def test_a_table_without_rows_is_left_out() -> None:
    report = full_report.render("2026-01-31", [Case("a.py::test_a", 1, "passed", ())], [])
    assert "Not passed" not in report
    assert "Figures" not in report


def test_the_facts_of_the_machine_hold_neither_its_name_nor_a_path() -> None:
    facts = "\n".join(full_report.machine_facts())
    assert platform.node() not in facts
    assert str(Path.home()) not in facts
    assert "CPython 3." in facts
