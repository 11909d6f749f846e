"""The question which tools are used: listed beside called."""

from pathlib import Path

import pytest
from tests.events.building import an_event
from tests.store.building import a_store
from tests.store.offers import FORECAST, GET, STRICT, an_offer

from mcpr.store import Filter, Window
from mcpr.store.questions import UseRow, schema_use
from mcpr.store.sqlite import SqliteEventStore

T = 1_785_000_000_000


def asked(path: Path, where: Filter | None = None) -> list[UseRow]:
    with SqliteEventStore(path) as store:
        return schema_use(store, where or Filter())


@pytest.fixture
def path(tmp_path: Path) -> Path:
    def call(tool: str, **fields: object) -> object:
        return an_event(**{"ts_ms": T, "tool": tool, "server": "weather", "detail": None} | fields)

    calls = [
        call("get_weather"),
        call("get_weather"),
        call("forecast", outcome="tool_error", origin="tool"),
        call("get_wether"),
        call("old"),
    ]
    return a_store(tmp_path / "s.db", calls)  # type: ignore[arg-type]


def test_every_tool_has_its_use(path: Path) -> None:
    an_offer(path, T - 10, [{"name": "old"}])
    an_offer(path, T, [GET, FORECAST, {"name": "never"}, {"name": "two words"}])
    assert [(row.tool, row.use, row.calls) for row in asked(path)] == [
        ("never", "unused", 0),
        ("two words", "uncounted", 0),
        ("get_wether", "unknown", 1),
        ("old", "gone", 1),
        ("forecast", "errors", 1),
        ("get_weather", "ok", 2),
    ]


def test_a_listed_tool_has_its_weight_and_its_suspicions(path: Path) -> None:
    an_offer(path, T, [STRICT])
    row = next(row for row in asked(path) if row.tool == "get_weather")
    assert row.bytes is not None
    assert row.tokens is not None
    assert 0 < row.tokens < row.bytes
    assert row.suspicions == "instruction description"


def test_tools_of_all_lists_that_callers_are_shown_are_listed(path: Path) -> None:
    for at in (0, 10):
        an_offer(path, T + at, [GET], caller=b"one")
        an_offer(path, T + at + 1, [FORECAST], caller=b"other")
    uses = {row.tool: row.use for row in asked(path)}
    assert (uses["get_weather"], uses["forecast"]) == ("ok", "errors")


def test_calls_outside_the_window_are_not_counted(path: Path) -> None:
    an_offer(path, T, [GET])
    (row,) = asked(path, Filter(window=Window(T + 1, T + 2)))
    assert (row.use, row.p95_us, row.last_call_ms) == ("unused", None, None)


def test_a_server_of_which_no_list_was_seen_is_not_judged(path: Path) -> None:
    assert asked(path) == []
