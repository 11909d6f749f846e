"""mcpr is invisible to the official conformance suite, and the comparison that says so can see."""

import os
import re
import signal
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from functools import cache
from threading import Event

import pytest
from tests.conformance.checks import Report, count_verdicts, find_differences, read_requirements
from tests.conformance.install import install_tools
from tests.conformance.suite import (
    REVISIONS,
    SERVERS,
    Case,
    ProxiedRun,
    Suite,
    mcpr_command,
    relay_command,
    widgets_command,
)
from tests.protocol.size import IS_FULL
from tests.scenarios.processes import children

pytestmark = pytest.mark.timeout(600)

CASES = [Case(server, revision) for server in SERVERS for revision in REVISIONS]

GUARDED_SCENARIO = "dns-rebinding-protection"
"""The one scenario in which mcpr may answer in the server's stead: its Host and Origin guard."""

_REJECTED, _ACCEPTED = "localhost-host-rebinding-rejected", "localhost-host-valid-accepted"
_BOTH_REFUSED = [(_REJECTED, "SUCCESS"), (_ACCEPTED, "FAILURE")]
_BOTH_GOOD = [(_REJECTED, "SUCCESS"), (_ACCEPTED, "SUCCESS")]

GUARDED_CHECKS = {
    # server-everything has no guard, so mcpr's is seen.
    Case("everything", "2025-11-25"): {
        "direct": [(_REJECTED, "FAILURE"), (_ACCEPTED, "SUCCESS")],
        "through": _BOTH_GOOD,
    },
    # It refuses every request of the newer revision with 400, the foreign Host's and the good
    # one's alike, so there a guard has nothing to add and nothing may differ.
    Case("everything", "2026-07-28"): {"direct": _BOTH_REFUSED, "through": _BOTH_REFUSED},
    # Our own server has one as well.
    Case("fixture", "2025-11-25"): {"direct": _BOTH_GOOD, "through": _BOTH_GOOD},
    Case("fixture", "2026-07-28"): {"direct": _BOTH_GOOD, "through": _BOTH_GOOD},
}

DIRECT_BASELINE = {
    Case("everything", "2025-11-25"): (33, 47, 22),
    Case("everything", "2026-07-28"): (50, 11, 146),
    Case("fixture", "2025-11-25"): (33, 84, 0),
    Case("fixture", "2026-07-28"): (50, 196, 0),
}
"""Scenarios, passed and failed checks of the pinned suite against the pinned servers."""

REQUIRED_COUNT = {"2025-11-25": 30, "2026-07-28": 37}
"""How many scenarios of a server the suite's own requirements name."""

COUNTS = re.compile(r"published=(\d+) written=(\d+) rejected=(\d+) dropped=(\d+)")

PLANTED = [
    # server, revision, what to drop, scenarios that must notice
    ("everything", "2025-11-25", "response mcp-session-id", {"server-session-lifecycle", "ping"}),
    ("everything", "2025-11-25", "response content-type", {"tools-list", "prompts-list"}),
    ("everything", "2025-11-25", "request mcp-protocol-version", {"server-sse-polling"}),
    ("everything", "2026-07-28", "request accept", {"server-stateless", "tools-list"}),
    ("fixture", "2025-11-25", "request mcp-session-id", {"tools-list", "ping"}),
    ("fixture", "2026-07-28", "request mcp-method", {"tools-list", "caching"}),
]
PLANTED_AT_FULL_SIZE = [
    ("fixture", "2026-07-28", "request mcp-param-region", {"http-custom-header-server-validation"}),
    ("fixture", "2025-11-25", "request mcp-protocol-version", {"server-sse-polling"}),
    ("fixture", "2025-11-25", "request last-event-id", {"server-sse-polling"}),
    ("fixture", "2025-11-25", "response content-type", {"tools-list", "prompts-list"}),
    ("fixture", "2026-07-28", "request mcp-protocol-version", {"server-stateless", "tools-list"}),
    ("fixture", "2026-07-28", "request mcp-name", {"tools-call-simple-text", "prompts-get-simple"}),
    ("fixture", "2026-07-28", "response content-type", {"tools-call-with-progress"}),
]
if IS_FULL:
    PLANTED += PLANTED_AT_FULL_SIZE


@pytest.fixture(scope="session")
def suite(tmp_path_factory: pytest.TempPathFactory) -> Suite:
    return Suite(install_tools(), tmp_path_factory.mktemp("conformance"))


@pytest.fixture(scope="session")
def direct(suite: Suite) -> Callable[[Case], Report]:
    """Case → its direct run, made once."""
    return cache(suite.run_direct)


@pytest.fixture(scope="session")
def through_mcpr(suite: Suite) -> Callable[[Case], ProxiedRun]:
    """Case → its run through mcpr, made once."""
    return cache(lambda case: suite.run_through(mcpr_command, case, "mcpr"))


def list_statuses(report: Report, scenario: str) -> list[tuple[str, str]]:
    return sorted((check.id, check.status) for check in report[scenario].elements())


def scenarios_allowed_to_differ(case: Case) -> list[str]:
    """None, but for the guarded one of the server that has no guard of its own."""
    return [GUARDED_SCENARIO] if case.server == "everything" else []


def scenarios_not_passed(report: Report) -> set[str]:
    """Scenarios with a check that is neither passed nor, by the suite's own word, skipped."""
    return {
        scenario
        for scenario, checks in report.items()
        if any(check.status not in {"SUCCESS", "SKIPPED"} for check in checks)
    }


@pytest.mark.parametrize("case", CASES, ids=str)
def test_the_suite_finds_no_difference_between_mcpr_and_the_server_behind_it(
    case: Case, direct: Callable[[Case], Report], through_mcpr: Callable[[Case], ProxiedRun]
) -> None:
    through = through_mcpr(case).report
    ignoring = scenarios_allowed_to_differ(case)
    assert find_differences(direct(case), through, ignoring=ignoring) == []


@pytest.mark.parametrize("case", CASES, ids=str)
def test_only_the_guard_of_mcpr_changes_what_the_dns_rebinding_scenario_finds(
    case: Case, direct: Callable[[Case], Report], through_mcpr: Callable[[Case], ProxiedRun]
) -> None:
    found = {
        "direct": list_statuses(direct(case), GUARDED_SCENARIO),
        "through": list_statuses(through_mcpr(case).report, GUARDED_SCENARIO),
    }
    assert found == GUARDED_CHECKS[case]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_mcpr_recorded_the_suites_calls_without_loss_and_ended_well(
    case: Case, through_mcpr: Callable[[Case], ProxiedRun]
) -> None:
    """Guards the comparison: a proxy with its recorder off would be invisible as well."""
    run = through_mcpr(case)
    counts = COUNTS.search(run.stderr)
    assert counts is not None, run.stderr
    published, written, rejected, dropped = map(int, counts.groups())
    assert (run.exit_code, rejected, dropped) == (0, 0, 0)
    assert written == published > 0


@pytest.mark.parametrize("revision", ["2025-11-25", "2026-07-28"])
def test_the_suite_finds_no_difference_where_policies_of_widgets_are_written(
    revision: str, suite: Suite, direct: Callable[[Case], Report]
) -> None:
    """Answers with resources are held and read then; the server of the suite has no widget."""
    case = Case("fixture", revision)
    run = suite.run_through(widgets_command, case, "widgets")
    assert find_differences(direct(case), run.report) == []


@contextmanager
def killing_children(pid: int) -> Iterator[None]:
    """Whatever this process starts is killed, twice a second."""
    is_over = Event()

    def kill() -> None:
        while not is_over.wait(0.5):
            for child in children(pid):
                with suppress(ProcessLookupError):
                    os.kill(child, signal.SIGKILL)

    with ThreadPoolExecutor(1) as pool:
        killing = pool.submit(kill)
        try:
            yield
        finally:
            is_over.set()
            killing.result()


def test_the_suite_notices_nothing_while_the_recorder_is_killed_again_and_again(
    suite: Suite, direct: Callable[[Case], Report]
) -> None:
    case = Case("fixture", "2025-11-25")
    run = suite.run_through(mcpr_command, case, "killed", killing_children)
    assert find_differences(direct(case), run.report) == []
    assert "signal 9 killed it" in run.stderr


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_direct_run_finds_what_is_known_of_the_pinned_server(
    case: Case, direct: Callable[[Case], Report]
) -> None:
    """Guards the comparison: two empty reports would be equal as well."""
    report = direct(case)
    assert (len(report), *count_verdicts(report)) == DIRECT_BASELINE[case]


@pytest.mark.parametrize("revision", REVISIONS)
def test_our_own_server_passes_every_required_scenario(
    revision: str, suite: Suite, direct: Callable[[Case], Report]
) -> None:
    report = direct(Case("fixture", revision))
    required = read_requirements(suite.tools.requirements / f"{revision}.yaml")
    assert len(required) == REQUIRED_COUNT[revision]
    assert required <= report.keys()
    assert not required & scenarios_not_passed(report)


@pytest.mark.parametrize("revision", REVISIONS)
def test_our_own_server_passes_what_is_not_required_as_well(
    revision: str, direct: Callable[[Case], Report]
) -> None:
    """The tasks extension, and what the suite took in after the revision."""
    assert scenarios_not_passed(direct(Case("fixture", revision))) == set()


@pytest.mark.parametrize("case", CASES if IS_FULL else CASES[:-1], ids=str)
def test_a_relay_that_drops_nothing_shows_no_difference(
    case: Case, suite: Suite, direct: Callable[[Case], Report]
) -> None:
    control = suite.run_through(relay_command(), case, "control")
    assert find_differences(direct(case), control.report) == []
    assert control.stderr == ""


@pytest.mark.parametrize(
    ("server", "revision", "dropped", "noticing"),
    PLANTED,
    ids=["-".join(columns[:3]).replace(" ", "-") for *columns, _ in PLANTED],
)
def test_a_relay_that_drops_one_header_turns_the_comparison_red(
    server: str,
    revision: str,
    dropped: str,
    noticing: set[str],
    suite: Suite,
    direct: Callable[[Case], Report],
) -> None:
    case = Case(server, revision)
    direction, name = dropped.split()
    relay = relay_command(f"--drop-{direction}", name)
    planted = suite.run_through(relay, case, f"planted-{direction}-{name}")
    ignoring = scenarios_allowed_to_differ(case)
    differences = find_differences(direct(case), planted.report, ignoring=ignoring)
    assert noticing <= {line.split(":")[0] for line in differences}
