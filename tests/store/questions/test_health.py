"""store/questions/health: four states, each by its rule, and the reason in words."""

from dataclasses import dataclass

import pytest

from mcpr.store import Measure, Window
from mcpr.store.questions.health import Thresholds, judge, recent
from mcpr.store.questions.sums import Sums

HOUR = 3_600_000
MINUTE = 60_000
WINDOW = Window(10 * HOUR, 11 * HOUR)
NOW = WINDOW.until_ms


def sums(calls: int, errors: int = 0, bucket: int = 200, last_ms: int = NOW - 1) -> Sums:
    return Sums.of(
        [Measure((), {bucket: calls}, calls, errors, calls, 1, 1, 1, last_ms)] if calls else []
    )


@dataclass
class Case:
    state: str
    reason: str
    now: Sums
    latest: Sums
    earlier: Sums | None = None
    window: Window = WINDOW


CASES = {
    "nothing was called": Case("inactive", "no call in the last 6 min", sums(0), sums(0)),
    "not for a tenth of the window": Case(
        "inactive", "no call in the last 6 min", sums(9, last_ms=NOW - 6 * MINUTE - 1), sums(0)
    ),
    "just within it": Case(
        "healthy", "0 % errors, p95 as usual", sums(9, last_ms=NOW - 6 * MINUTE), sums(0)
    ),
    "five minutes at least": Case(
        "healthy",
        "0 % errors, p95 as usual",
        sums(9, last_ms=NOW - 5 * MINUTE),
        sums(0),
        window=Window(NOW - 10 * MINUTE, NOW),
    ),
    "a long window is quiet for long": Case(
        "inactive",
        "no call in the last 9 d",
        sums(9, last_ms=100 * 24 * HOUR - 9 * 24 * HOUR - 1),
        sums(0),
        window=Window(10 * 24 * HOUR, 100 * 24 * HOUR),
    ),
    "half of the latest failed": Case(
        "down", "2 of 4 calls in the last 5 min were errors", sums(100, 2), sums(4, 2)
    ),
    "two calls say nothing": Case("healthy", "2 % errors, p95 as usual", sums(100, 2), sums(2, 2)),
    "one in twenty failed": Case(
        "degraded", "5 % errors, from 5 % on that is many", sums(100, 5), sums(100, 5)
    ),
    "fewer failed": Case("healthy", "4 % errors, p95 as usual", sums(100, 4), sums(100, 4)),
    "twice as slow as before": Case(
        "degraded",
        "p95 is 2.0 times that of the previous period",
        sums(100, bucket=218),
        sums(9),
        sums(9, bucket=200),
    ),
    "slower, but not twice": Case(
        "healthy", "0 % errors, p95 as usual", sums(9, bucket=217), sums(9), sums(9, bucket=200)
    ),
    "nothing to compare with": Case(
        "healthy", "0 % errors, p95 as usual", sums(9, bucket=300), sums(9), None
    ),
    "nothing was called before": Case(
        "healthy", "0 % errors, p95 as usual", sums(9, bucket=300), sums(9), sums(0)
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_a_rule_holds(name: str) -> None:
    case = CASES[name]
    found = judge(case.now, case.latest, case.earlier, case.window, Thresholds())
    assert (found.state, found.reason) == (case.state, case.reason)


def test_thresholds_can_be_set() -> None:
    strict = Thresholds(down_error_rate=0.1, down_calls=1, degraded_error_rate=0.01)
    assert judge(sums(100, 1), sums(100, 10), None, WINDOW, strict).state == "down"
    assert judge(sums(100, 1), sums(100, 1), None, WINDOW, strict).state == "degraded"
    assert judge(sums(100, 1), sums(100, 1), None, WINDOW, Thresholds()).state == "healthy"


def test_the_latest_are_the_last_five_minutes_or_all_of_a_shorter_window() -> None:
    assert recent(WINDOW) == Window(NOW - 5 * MINUTE, NOW)
    assert recent(Window(NOW - MINUTE, NOW)) == Window(NOW - MINUTE, NOW)
