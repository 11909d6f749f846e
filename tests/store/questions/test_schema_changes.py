"""The question what changed and what it did: calls before and after, of those it concerns."""

from pathlib import Path
from typing import Any

import pytest
from tests.events.building import an_event
from tests.store.building import a_store
from tests.store.offers import FORECAST, GET, STRICT, an_offer

from mcpr.events import RequestEvent
from mcpr.store import Filter, Window
from mcpr.store.questions import ChangeRow, schema_changes
from mcpr.store.questions.schema_changes import SPAN_MS
from mcpr.store.sqlite import SqliteEventStore

T = 1_785_000_000_000


def a_call(ts_ms: int, tool: str, *, fails: bool = False, **fields: Any) -> RequestEvent:
    outcome = {"outcome": "tool_error", "origin": "tool"} if fails else {"outcome": "ok"}
    return an_event(
        **{"ts_ms": ts_ms, "tool": tool, "server": "weather", "detail": None} | outcome | fields
    )


def asked(path: Path, where: Filter | None = None) -> list[ChangeRow]:
    with SqliteEventStore(path) as store:
        return schema_changes(store, where or Filter())


@pytest.fixture
def path(tmp_path: Path) -> Path:
    calls = [
        *(a_call(T - 1_000 + at, "get_weather", latency_us=10_000) for at in range(10)),
        *(
            a_call(T + 1_000 + at, "get_weather", fails=at < 4, latency_us=50_000)
            for at in range(8)
        ),
        a_call(T + 1_500, "forecast", fails=True),
        a_call(T - SPAN_MS - 1, "get_weather", fails=True),
        a_call(T + SPAN_MS, "get_weather", fails=True),
        a_call(T + 1_600, "get_weather", fails=True, server="notes"),
        an_event(ts_ms=T + 1_700, server="weather", method="ping", tool=None, latency_us=1),
    ]
    return a_store(tmp_path / "s.db", calls)


def test_a_change_of_tools_is_measured_by_the_tools_that_it_changed(path: Path) -> None:
    an_offer(path, T - 5_000, [GET, FORECAST])
    an_offer(path, T, [STRICT, FORECAST])
    change, first = asked(path)
    assert (change.from_version, change.version, change.verdict) == (1, 2, "breaking")
    assert (change.modified_names, change.concerns) == ("get_weather", "changed")
    assert (change.calls_before, change.calls_after) == (10, 8)
    assert (change.error_rate_before, change.error_rate_after) == (0.0, 0.5)
    assert change.p95_before_us == pytest.approx(10_000, rel=0.02)
    assert change.p95_after_us == pytest.approx(50_000, rel=0.02)
    assert (first.from_version, first.verdict, first.added_names) == (
        None,
        None,
        "forecast get_weather",
    )


def test_a_change_that_added_only_is_measured_by_all_calls(path: Path) -> None:
    an_offer(path, T - 5_000, [GET])
    an_offer(path, T, [GET, FORECAST])
    change = asked(path)[0]
    assert (change.concerns, change.calls_after) == ("list", 9)


def test_calls_after_the_next_change_are_that_ones(path: Path) -> None:
    an_offer(path, T - 5_000, [GET])
    an_offer(path, T, [STRICT])
    an_offer(path, T + 1_004, [GET])
    back, change, _ = asked(path)
    assert change.calls_after == 4
    assert (back.is_return, back.calls_before, back.calls_after) == (True, 14, 5)


def test_without_calls_there_is_no_rate(path: Path) -> None:
    an_offer(path, T - 3 * SPAN_MS, [GET])
    (row,) = asked(path)
    assert (row.calls_before, row.error_rate_before, row.p95_before_us) == (0, None, None)


def test_other_lists_are_measured_by_what_uses_them(path: Path) -> None:
    an_offer(path, T, [{"name": "p"}], which="prompts")
    an_offer(path, T, [{"part": "info"}], which="server")
    calls = {row.list: row.calls_after for row in asked(path)}
    assert calls == {"prompts": 0, "server": 10}


def test_a_window_and_a_server_leave_their_changes(path: Path) -> None:
    an_offer(path, T, [GET])
    an_offer(path, T + 10, [FORECAST])
    an_offer(path, T, [GET], server="notes")
    assert len(asked(path)) == 3
    assert len(asked(path, Filter(window=Window(T + 1, T + 20)))) == 1
    assert len(asked(path, Filter(server="notes"))) == 1
    with SqliteEventStore(path) as store:
        assert len(schema_changes(store, Filter(), 2)) == 2
