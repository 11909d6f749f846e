"""store/questions/latency: calls and latency over time."""

from pathlib import Path

import pytest
from tests.events.building import TS_MS, an_event
from tests.store.building import a_store

from mcpr.store import Filter, Steps, Window
from mcpr.store.questions import heat, latency, steps_for
from mcpr.store.sqlite import SqliteEventStore

MINUTE = 60_000
HOUR = 60 * MINUTE
DAY = 24 * HOUR

LENGTHS = {
    1: 1_000,
    MINUTE: 1_000,
    HOUR: MINUTE,
    6 * HOUR: 10 * MINUTE,
    24 * HOUR: 30 * MINUTE,
    7 * DAY: 3 * HOUR,
    30 * DAY: 12 * HOUR,
    90 * DAY: 7 * DAY,
    3650 * DAY: 63 * DAY,
}


@pytest.mark.parametrize("length", LENGTHS)
def test_a_window_has_at_most_sixty_steps_that_people_read_easily(length: int) -> None:
    steps = steps_for(Window(TS_MS, TS_MS + length))
    assert steps.step_ms == LENGTHS[length]
    assert length <= 60 * steps.step_ms


def test_a_step_begins_where_its_origin_says() -> None:
    steps = Steps(DAY, origin_ms=-2 * HOUR)
    assert steps.at(DAY - 2 * HOUR) == DAY - 2 * HOUR
    assert steps.at(DAY - 2 * HOUR - 1) == -2 * HOUR


def test_each_step_has_its_own_figures(tmp_path: Path) -> None:
    start = TS_MS - TS_MS % HOUR
    events = [
        an_event(ts_ms=start, latency_us=1_000, tool="a"),
        an_event(ts_ms=start + HOUR - 1, latency_us=3_000, tool="b", outcome="timeout"),
        an_event(ts_ms=start + 5 * HOUR, latency_us=7_000, tool="a"),
        an_event(ts_ms=start, kind="stream"),
    ]
    with SqliteEventStore(a_store(tmp_path / "s.db", events)) as store:
        whole = latency(store, Filter(), Steps(HOUR))
        split = latency(store, Filter(), Steps(HOUR), "tool")
    assert [(row.at_ms - start, row.calls, row.errors, row.max_us) for row in whole] == [
        (0, 2, 1, 3_000),
        (5 * HOUR, 1, 0, 7_000),
    ]
    assert [(row.at_ms - start, row.by, row.calls) for row in split] == [
        (0, "a", 1),
        (0, "b", 1),
        (5 * HOUR, "a", 1),
    ]
    assert {row.by for row in whole} == {None}


def test_steps_of_a_zone_begin_at_its_midnight(tmp_path: Path) -> None:
    day = TS_MS - TS_MS % DAY
    events = [an_event(ts_ms=day - 2 * HOUR + n) for n in (-1, 0)]
    with SqliteEventStore(a_store(tmp_path / "s.db", events)) as store:
        rows = latency(store, Filter(), Steps(DAY, -2 * HOUR))
    assert [row.at_ms for row in rows] == [day - DAY - 2 * HOUR, day - 2 * HOUR]


def test_a_band_of_latency_holds_what_lies_in_it(tmp_path: Path) -> None:
    events = [an_event(latency_us=us) for us in (0, 5, 1_000, 1_100, 1_000_000)]
    with SqliteEventStore(a_store(tmp_path / "s.db", events)) as store:
        cells = heat(store, Filter(), Steps(HOUR))
    assert sum(cell.calls for cell in cells) == 5
    assert all(cell.from_us < cell.to_us for cell in cells)
    assert [cell.calls for cell in cells if cell.from_us <= 1_050 < cell.to_us] == [2]
