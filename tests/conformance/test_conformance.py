"""mcpr is invisible to the official conformance suite, and the comparison that says so can see."""

import re
from collections.abc import Callable
from functools import cache

import pytest
from tests.conformance.checks import Report, count_verdicts, find_differences
from tests.conformance.install import install_tools
from tests.conformance.suite import (
    REVISIONS,
    ProxiedRun,
    Suite,
    mcpr_command,
    relay_command,
)

pytestmark = pytest.mark.timeout(600)

GUARDED_SCENARIO = "dns-rebinding-protection"
"""The one scenario in which mcpr answers in the server's stead: its Host and Origin guard."""

GUARDED_CHECKS = {
    "2025-11-25": {
        "direct": [
            ("localhost-host-rebinding-rejected", "FAILURE"),
            ("localhost-host-valid-accepted", "SUCCESS"),
        ],
        "through": [
            ("localhost-host-rebinding-rejected", "SUCCESS"),
            ("localhost-host-valid-accepted", "SUCCESS"),
        ],
    },
    # This server refuses every request of the revision with 400, the foreign Host's and the good
    # one's alike, so here a guard has nothing to add and nothing may differ.
    "2026-07-28": {
        "direct": [
            ("localhost-host-rebinding-rejected", "SUCCESS"),
            ("localhost-host-valid-accepted", "FAILURE"),
        ],
        "through": [
            ("localhost-host-rebinding-rejected", "SUCCESS"),
            ("localhost-host-valid-accepted", "FAILURE"),
        ],
    },
}

DIRECT_BASELINE = {"2025-11-25": (33, 47, 22), "2026-07-28": (50, 11, 146)}
"""Scenarios, passed and failed checks of the pinned suite against the pinned server."""

COUNTS = re.compile(r"published=(\d+) written=(\d+) rejected=(\d+) dropped=(\d+)")

PLANTED = [
    # revision, what to drop, scenarios that must notice
    ("2025-11-25", ("--drop-response", "mcp-session-id"), {"server-session-lifecycle", "ping"}),
    ("2025-11-25", ("--drop-response", "content-type"), {"tools-list", "prompts-list"}),
    ("2025-11-25", ("--drop-request", "mcp-protocol-version"), {"server-sse-polling"}),
    ("2026-07-28", ("--drop-request", "accept"), {"server-stateless", "tools-list"}),
]


@pytest.fixture(scope="session")
def suite(tmp_path_factory: pytest.TempPathFactory) -> Suite:
    return Suite(install_tools(), tmp_path_factory.mktemp("conformance"))


@pytest.fixture(scope="session")
def direct(suite: Suite) -> Callable[[str], Report]:
    """Revision → its direct run, made once."""
    return cache(suite.run_direct)


@pytest.fixture(scope="session")
def through_mcpr(suite: Suite) -> Callable[[str], ProxiedRun]:
    """Revision → its run through mcpr, made once."""
    return cache(lambda revision: suite.run_through(mcpr_command, revision, "mcpr"))


def list_statuses(report: Report, scenario: str) -> list[tuple[str, str]]:
    return sorted((check.id, check.status) for check in report[scenario].elements())


@pytest.mark.parametrize("revision", REVISIONS)
def test_the_suite_finds_no_difference_between_mcpr_and_the_server_behind_it(
    revision: str, direct: Callable[[str], Report], through_mcpr: Callable[[str], ProxiedRun]
) -> None:
    through = through_mcpr(revision).report
    assert find_differences(direct(revision), through, ignoring=[GUARDED_SCENARIO]) == []


@pytest.mark.parametrize("revision", REVISIONS)
def test_only_the_guard_of_mcpr_changes_what_the_dns_rebinding_scenario_finds(
    revision: str, direct: Callable[[str], Report], through_mcpr: Callable[[str], ProxiedRun]
) -> None:
    found = {
        "direct": list_statuses(direct(revision), GUARDED_SCENARIO),
        "through": list_statuses(through_mcpr(revision).report, GUARDED_SCENARIO),
    }
    assert found == GUARDED_CHECKS[revision]


@pytest.mark.parametrize("revision", REVISIONS)
def test_mcpr_recorded_the_suites_calls_without_loss_and_ended_well(
    revision: str, through_mcpr: Callable[[str], ProxiedRun]
) -> None:
    """Guards the comparison: a proxy with its recorder off would be invisible as well."""
    run = through_mcpr(revision)
    counts = COUNTS.search(run.stderr)
    assert counts is not None, run.stderr
    published, written, rejected, dropped = map(int, counts.groups())
    assert (run.exit_code, rejected, dropped) == (0, 0, 0)
    assert written == published > 0


@pytest.mark.parametrize("revision", REVISIONS)
def test_a_direct_run_finds_what_is_known_of_the_pinned_server(
    revision: str, direct: Callable[[str], Report]
) -> None:
    """Guards the comparison: two empty reports would be equal as well."""
    report = direct(revision)
    assert (len(report), *count_verdicts(report)) == DIRECT_BASELINE[revision]


@pytest.mark.parametrize("revision", REVISIONS)
def test_a_relay_that_drops_nothing_shows_no_difference(
    revision: str, suite: Suite, direct: Callable[[str], Report]
) -> None:
    control = suite.run_through(relay_command(), revision, "control")
    assert find_differences(direct(revision), control.report) == []
    assert control.stderr == ""


@pytest.mark.parametrize(
    ("revision", "drop", "noticing"),
    PLANTED,
    ids=[f"{revision}{drop[0][1:]}-{drop[1]}" for revision, drop, _ in PLANTED],
)
def test_a_relay_that_drops_one_header_turns_the_comparison_red(
    revision: str,
    drop: tuple[str, str],
    noticing: set[str],
    suite: Suite,
    direct: Callable[[str], Report],
) -> None:
    planted = suite.run_through(relay_command(*drop), revision, f"planted{'-'.join(drop)}")
    differences = find_differences(direct(revision), planted.report, ignoring=[GUARDED_SCENARIO])
    assert noticing <= {line.split(":")[0] for line in differences}
