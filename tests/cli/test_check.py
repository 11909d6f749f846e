"""cli/check: recorded calls are held to limits, and a build fails when one is not met."""

import json
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from tests.cli.asking import NOW_MS, a_mornings_store, ask, golden
from tests.events.building import an_event
from tests.store.building import a_store

from mcpr.errors import Exit

CASES: dict[str, tuple[Exit, list[str]]] = {
    "check": (Exit.FAILED, ["--since", "2h", "--max-error-rate", "1%", "--max-p50", "1s"]),
    "check-by-tool": (Exit.FAILED, ["--since", "2h", "--by-tool", "--max-p95", "500ms"]),
    "check-met": (Exit.OK, ["--since", "2h", "--tool", "get_weather", "--max-latency", "1s"]),
    "check-json": (Exit.FAILED, ["-o", "json", "--since", "2h", "--max-p99", "3s"]),
}


@pytest.mark.parametrize("name", CASES)
def test_an_answer_is_as_in_its_golden_file(tmp_path: Path, name: str) -> None:
    code, options = CASES[name]
    answer = ask("check", "--db", a_mornings_store(tmp_path / "s.db"), *options)
    assert answer == (code, golden(f"{name}.txt"), "")


def test_nothing_that_was_called_exceeds_no_limit_but_may_be_too_little(tmp_path: Path) -> None:
    path = a_store(tmp_path / "s.db")
    assert ask("check", "--db", path, "--max-p95", "1ms").code == Exit.OK
    assert ask("check", "--db", path, "--max-p95", "1ms", "--min-calls", "1").code == Exit.FAILED
    assert "No tool was called" in ask("check", "--db", path, "--by-tool", "--max-p95", "1s").out


def test_junit_and_sarif_say_what_failed(tmp_path: Path) -> None:
    path = a_mornings_store(tmp_path / "s.db")
    junit, sarif = tmp_path / "junit.xml", tmp_path / "out.sarif"
    options = ["--since", "2h", "--max-error-rate", "0.5", "--max-p95", "1s"]
    answer = ask("check", "--db", path, *options, "--junit", junit, "--sarif", sarif)
    assert answer.code == Exit.FAILED
    suite = ET.fromstring(junit.read_text())
    assert (suite.get("tests"), suite.get("failures")) == ("2", "1")
    (failure,) = suite.iter("failure")
    assert failure.get("message") == "all calls: p95, at most 1.00s, found 2m00s in 13 calls"
    (run,) = json.loads(sarif.read_text())["runs"]
    assert [result["ruleId"] for result in run["results"]] == ["p95_us"]
    assert {rule["id"] for rule in run["tool"]["driver"]["rules"]} >= {"p95_us", "error_rate"}


MISTAKES = {
    "none was given": [],
    "it is no share of one": ["--max-error-rate", "200%"],
    "it is no number with a unit": ["--max-p95", "fast"],
    "No such file or directory": ["--max-p95", "1s", "--junit", "nowhere/at/all.xml"],
}


@pytest.mark.parametrize("why", MISTAKES)
def test_a_mistake_is_told(tmp_path: Path, why: str) -> None:
    answer = ask("check", "--db", a_store(tmp_path / "s.db"), *MISTAKES[why])
    assert answer.code in {Exit.USAGE, Exit.FAILED}
    assert why in answer.err


def test_names_reach_the_files_harmlessly(tmp_path: Path) -> None:
    name = '<a href="x">\x1b[2J\u202e&'
    path = a_store(tmp_path / "s.db", [an_event(tool=name, ts_ms=NOW_MS, outcome="timeout")])
    junit, sarif = tmp_path / "j.xml", tmp_path / "s.sarif"
    options = ["--by-tool", "--max-error-rate", "0", "--junit", junit, "--sarif", sarif]
    ask("check", "--db", path, *options)
    for text in (junit.read_text(), sarif.read_text()):
        assert "\x1b" not in text
        assert "\u202e" not in text
    assert len(list(ET.fromstring(junit.read_text()).iter("failure"))) == 1
