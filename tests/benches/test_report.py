"""The report: what it says of targets, of rows that failed, and what it must never say."""

import datetime as dt
import tempfile
from pathlib import Path

from benches.instructions import InstructionReport
from benches.load import Load, WrkResult

from benches import machine, report, rounds, targets

WRK = WrkResult(1000, 1_000_000, 400_000, 0, 0, 0, 0, 0, 100.0, 200.0, 300.0)
SEEN = rounds.Scenario("JSON answers, heads seen", "/mcp", Load(), 3)


def figures(subject: str, *cpu_us: float, fault: str | None = None) -> rounds.Figures:
    return rounds.Figures(subject, [rounds.Run(value, WRK, None, fault) for value in cpu_us])


def table(*rows: rounds.Figures) -> rounds.Table:
    return rounds.Table(SEEN, {row.subject: row for row in rows}, "1.00 before, 1.00 after")


def results(seen: rounds.Table, instructions: dict[str, InstructionReport | str]) -> report.Results:
    day = dt.date(2026, 1, 2)
    return report.Results(
        day, machine.facts(), ["nginx/1"], {"seen": seen}, instructions, is_quick=False
    )


def test_a_ratio_is_taken_within_each_round_before_the_median() -> None:
    measured = table(figures("nginx", 10, 20, 40), figures("mcpr", 12, 28, 44))
    assert measured.ratios("mcpr", "nginx", "cpu_us") == [1.2, 1.4, 1.1]
    assert measured.ratio("mcpr", "nginx", "cpu_us") == 1.2


def test_an_invalid_run_gives_no_ratio_and_its_target_is_not_measured() -> None:
    measured = table(figures("nginx", 10), figures("mcpr", 1, fault="3 read errors"))
    assert measured.ratio("mcpr", "nginx", "cpu_us") is None
    first = targets.check({"seen": measured}, {})[0]
    assert first.verdict == "not measured"
    assert "mcpr: 3 read errors" in report.write(results(measured, {}))


def test_a_target_is_reached_at_its_limit_and_not_above() -> None:
    assert targets.Target("x", 1.35, 1.35).verdict == "reached"
    assert targets.Target("x", 1.36, 1.35).verdict == "not reached"


def test_a_subject_that_cannot_run_keeps_its_row_and_its_error() -> None:
    broken = rounds.Figures("Rust mcpr", error="cargo install mcpr-proxy failed:\nno space left")
    text = report.write(results(table(figures("nginx", 10), broken), {"Rust mcpr": "no space"}))
    assert "| Rust mcpr | did not run, see below |" in text
    assert "no space left" in text


def test_the_report_holds_no_path_and_no_registry_address() -> None:
    folder = f"{tempfile.gettempdir()}/mcpr-bench-ab12"
    error = (
        f"cannot read {folder}/mcpr.toml, {report.HERE}/.rust/bin/mcpr, {Path.home()}/.cargo "
        "from https://crates.example/index and `crates` index"
    )
    broken = rounds.Figures("Rust mcpr", error=error)
    text = report.write(results(table(figures("nginx", 10), broken), {"mcpr": error}))
    for secret in (folder, str(report.HERE.parent), "crates.example"):
        assert secret not in text
    assert str(Path.home()) + "/" not in text


def test_instructions_are_the_sum_over_all_processes() -> None:
    counted = InstructionReport("mcpr", "hardware counters", 1000, 40_000.0, 15_000.0)
    text = report.write(results(table(figures("nginx", 10)), {"mcpr": counted}))
    assert "| mcpr | 55,000 | 40,000 | 15,000 | hardware counters |" in text
    assert "| User-mode instructions per request | ≤ 60,000 | 55,000 | reached |" in text
