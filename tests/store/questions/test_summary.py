"""store/questions/summary: the figures of a window beside those of the one before."""

from pathlib import Path

import pytest
from tests.events.building import TS_MS, an_event
from tests.store.building import a_store
from tests.store.sessions import calls, deletes, modern, opens

from mcpr.events import RequestEvent
from mcpr.store import Filter, Window
from mcpr.store.questions import SummaryRow, summary
from mcpr.store.sqlite import SqliteEventStore

HOUR = 3_600_000
WINDOW = Window(TS_MS, TS_MS + HOUR)


def asked(path: Path, events: list[RequestEvent]) -> dict[str, SummaryRow]:
    with SqliteEventStore(a_store(path / "s.db", events)) as store:
        return {row.metric: row for row in summary(store, Filter(window=WINDOW))}


def at(ms: int, **fields: object) -> RequestEvent:
    return an_event(ts_ms=TS_MS + ms, **fields)


def test_growth_is_told_of_counts_and_the_difference_of_rates_and_latencies(
    tmp_path: Path,
) -> None:
    rows = asked(
        tmp_path,
        [
            at(-2 * HOUR, latency_us=1),
            *(at(-HOUR + n, latency_us=1_000, bytes_out=100) for n in range(4)),
            *(at(n, latency_us=3_000, bytes_out=100) for n in range(5)),
            at(9, latency_us=3_000, bytes_out=100, outcome="tool_error"),
        ],
    )
    assert (rows["calls"].value, rows["calls"].previous, rows["calls"].change) == (6, 4, 0.5)
    assert rows["error_rate"].change == pytest.approx(1 / 6)
    assert rows["p50_us"].change == pytest.approx(2_000, rel=0.03)
    assert rows["bytes_out"].change == 0.5
    assert rows["errors"].change is None, "there is no growth from nothing"


def test_nothing_is_compared_with_what_is_not_kept_whole(tmp_path: Path) -> None:
    rows = asked(tmp_path, [at(-HOUR + 1), at(1)])
    assert {row.previous for row in rows.values()} == {None}
    assert {row.change for row in rows.values()} == {None}


def test_sessions_are_those_that_began_and_active_ones_are_still_there(tmp_path: Path) -> None:
    minutes = HOUR / 60_000
    rows = asked(
        tmp_path,
        [
            *(opens(1, 1), calls(1, 2)),  # Quiet since.
            *(opens(2, 1), calls(2, minutes - 1)),
            *(opens(3, 1), deletes(3, minutes - 2)),
            calls(4, 3),  # Named, and never seen to begin.
            modern(minutes - 1),
            calls(None, 5),
        ],
    )
    assert (rows["sessions"].value, rows["active_sessions"].value) == (4, 2)


def test_only_requests_count_and_the_rest_is_told_apart(tmp_path: Path) -> None:
    rows = asked(tmp_path, [at(1), at(2, kind="http", tool=None), at(3, kind="notification")])
    assert (rows["calls"].value, rows["exchanges"].value) == (1, 3)


def test_clients_without_a_known_name_are_told_apart_by_their_own(tmp_path: Path) -> None:
    rows = asked(tmp_path, [at(1, client="claude"), at(2, client="other"), at(3, client=None)])
    assert rows["clients"].value == 2


def test_an_empty_store_has_zeros(tmp_path: Path) -> None:
    assert {row.value for row in asked(tmp_path, []).values()} == {0}


def test_a_summary_needs_a_window(tmp_path: Path) -> None:
    with (
        SqliteEventStore(a_store(tmp_path / "s.db")) as store,
        pytest.raises(ValueError, match="of a window"),
    ):
        summary(store, Filter())
