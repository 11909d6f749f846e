"""store/questions/slow: the slowest calls, beside what is usual."""

from pathlib import Path

import pytest
from tests.events.building import TS_MS, an_event
from tests.store.building import a_store

from mcpr.store import Filter
from mcpr.store.questions import slow
from mcpr.store.sqlite import SqliteEventStore


def test_a_slow_call_is_measured_by_the_usual_of_its_tool(tmp_path: Path) -> None:
    events = [
        *(an_event(latency_us=1_000) for _ in range(99)),
        an_event(latency_us=50_000, upstream_us=49_500, session="a" * 32, client="claude"),
        *(an_event(latency_us=20_000, tool="other") for _ in range(3)),
        an_event(latency_us=90_000_000, kind="stream"),
    ]
    with SqliteEventStore(a_store(tmp_path / "s.db", events)) as store:
        first, second = slow(store, Filter(), 2)
        (picked,) = slow(store, Filter(client="claude"), 2)
    assert (first.latency_us, first.proxy_us, first.tool) == (50_000, 500, "get_weather")
    assert first.times_p50 == pytest.approx(50, rel=0.02)
    assert second.times_p50 == pytest.approx(1, rel=0.02)
    assert picked == first, "what is usual does not depend on who is looked at"


def test_equal_ones_come_the_newest_first(tmp_path: Path) -> None:
    events = [an_event(ts_ms=TS_MS + n, latency_us=5) for n in range(4)]
    with SqliteEventStore(a_store(tmp_path / "s.db", events)) as store:
        assert [row.ts_ms - TS_MS for row in slow(store, Filter(), 3)] == [3, 2, 1]


def test_what_the_server_took_may_be_unknown(tmp_path: Path) -> None:
    with SqliteEventStore(a_store(tmp_path / "s.db", [an_event(upstream_us=None)])) as store:
        (row,) = slow(store, Filter(), 9)
    assert row.proxy_us is None
