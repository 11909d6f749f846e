"""store/questions/check: limits hold or do not, of the whole or of each tool."""

from pathlib import Path

import pytest
from tests.events.building import an_event
from tests.store.building import a_store

from mcpr.store import Filter
from mcpr.store.questions.check import Limits, check
from mcpr.store.sqlite import SqliteEventStore

EVENTS = [
    *(an_event(tool="a", latency_us=1_000) for _ in range(9)),
    an_event(tool="a", latency_us=9_000, outcome="timeout"),
    an_event(tool="b", latency_us=50_000),
    an_event(tool=None, method="ping", latency_us=10),
    an_event(kind="http", tool=None, latency_us=10**9),
]
LIMITS = {
    "calls": (Limits(min_calls=12), Limits(min_calls=13)),
    "error_rate": (Limits(max_error_rate=1 / 12), Limits(max_error_rate=0.08)),
    "p50_us": (Limits(max_p50_us=1_020), Limits(max_p50_us=900)),
    "p99_us": (Limits(max_p99_us=51_000), Limits(max_p99_us=40_000)),
    "max_us": (Limits(max_us=50_000), Limits(max_us=49_999)),
}


@pytest.mark.parametrize("name", LIMITS)
def test_a_limit_is_met_up_to_its_edge(tmp_path: Path, name: str) -> None:
    met, exceeded = LIMITS[name]
    with SqliteEventStore(a_store(tmp_path / "s.db", EVENTS)) as store:
        (row,) = check(store, Filter(), met)
        (other,) = check(store, Filter(), exceeded)
    assert (row.check, row.is_met, other.is_met) == (name, True, False)


def test_each_tool_is_held_to_the_limits_by_itself(tmp_path: Path) -> None:
    with SqliteEventStore(a_store(tmp_path / "s.db", EVENTS)) as store:
        rows = check(store, Filter(), Limits(max_error_rate=0.05, max_us=9_000), by_tool=True)
    assert [(row.tool, row.check, row.is_met) for row in rows] == [
        ("a", "error_rate", False),
        ("a", "max_us", True),
        ("b", "error_rate", True),
        ("b", "max_us", False),
    ]
