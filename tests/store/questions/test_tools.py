"""store/questions/tools: how the tools fare."""

from pathlib import Path

from tests.events.building import TS_MS, an_event
from tests.store.building import a_store

from mcpr.events import NOT_AN_ERROR, OUTCOMES, RequestEvent
from mcpr.store import Filter
from mcpr.store.questions import ToolRow, tools
from mcpr.store.sqlite import SqliteEventStore


def asked(path: Path, events: list[RequestEvent], where: Filter | None = None) -> list[ToolRow]:
    with SqliteEventStore(a_store(path / "s.db", events)) as store:
        return tools(store, where or Filter())


def test_a_tool_has_its_calls_errors_latency_bytes_and_last_call(tmp_path: Path) -> None:
    events = [
        an_event(ts_ms=TS_MS + at, latency_us=(at + 1) * 1_000, bytes_in=10, bytes_out=at)
        for at in range(100)
    ]
    events.append(an_event(outcome="tool_error", latency_us=2_000_000, bytes_in=1, bytes_out=50))
    [row] = asked(tmp_path, events)
    assert (row.server, row.tool) == ("weather", "get_weather")
    assert (row.calls, row.errors, row.error_rate) == (101, 1, 1 / 101)
    assert abs(row.p50_us - 51_000) <= 0.02 * 51_000
    assert abs(row.p95_us - 96_000) <= 0.02 * 96_000
    assert abs(row.p99_us - 100_000) <= 0.02 * 100_000
    assert row.max_us == 2_000_000
    assert (row.bytes_in, row.bytes_out) == (1_001, 5_000)
    assert row.last_call_ms == TS_MS + 99


def test_only_json_rpc_requests_that_call_a_tool_count(tmp_path: Path) -> None:
    events = [an_event(), an_event(kind="notification"), an_event(tool=None), an_event(kind="http")]
    assert [row.calls for row in asked(tmp_path, events)] == [1]


def test_an_error_is_every_outcome_but_the_six_that_are_not(tmp_path: Path) -> None:
    [row] = asked(tmp_path, [an_event(outcome=outcome) for outcome in OUTCOMES])
    assert row.calls == len(OUTCOMES)
    assert row.errors == len(OUTCOMES) - len(NOT_AN_ERROR)


def test_tools_of_one_name_on_two_servers_are_two_tools(tmp_path: Path) -> None:
    events = [an_event(server="a"), an_event(server="b"), an_event(server="b")]
    rows = asked(tmp_path, events)
    assert [(row.server, row.calls) for row in rows] == [("b", 2), ("a", 1)]


def test_what_was_written_twice_counts_once(tmp_path: Path) -> None:
    """A batch is offered again when nobody knows whether it was written."""
    events = [an_event(), an_event()]
    assert asked(tmp_path, events) == asked(tmp_path, events)


def test_an_empty_store_has_no_tools(tmp_path: Path) -> None:
    assert asked(tmp_path, []) == []
