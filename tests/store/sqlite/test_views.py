"""The views of a store's file, for people with `sqlite3` and no mcpr."""

from pathlib import Path

import pytest
from tests.events.building import TS_MS, an_event
from tests.store.building import a_store, rows_of

from mcpr.events import Detail, to_text


def test_requests_shows_each_event_in_words(tmp_path: Path) -> None:
    detail = Detail(subject="x", method="a/b", error_text="no", client_name="C", note="mismatch")
    event = an_event(ts_ms=TS_MS + 6, outcome="rpc_error", rpc_code=-1, detail=detail)
    path = a_store(tmp_path / "s.db", [event])
    query = (
        "SELECT id, time, ts_ms, server, kind, method, tool, outcome, rpc_code, latency_us,"
        " session, client, subject, raw_method, error_text, client_name, note, path FROM requests"
    )
    assert rows_of(path, query) == [
        (
            *(to_text(event.id), "2026-01-01T00:00:00.129Z", TS_MS + 6, "weather", "rpc"),
            *("tools/call", "get_weather", "rpc_error", -1, 45_200),
            *("0123456789abcdef0123456789abcdef", "claude-code"),
            *("x", "a/b", "no", "C", "mismatch", None),
        )
    ]


@pytest.mark.parametrize("ts_ms", [0, 1, 999, TS_MS, 1_785_233_700_001, 253_402_300_799_999])
def test_a_time_is_shown_to_the_millisecond(tmp_path: Path, ts_ms: int) -> None:
    path = a_store(tmp_path / "s.db", [an_event(ts_ms=ts_ms)])
    [(time,)] = rows_of(path, "SELECT time FROM requests")
    [(again,)] = rows_of(path, "SELECT round(unixepoch(time) * 1000) FROM requests")
    assert time.endswith(f".{ts_ms % 1_000:03d}Z")
    assert again == ts_ms - ts_ms % 1_000


def test_what_a_request_has_not_is_null(tmp_path: Path) -> None:
    event = an_event(session=None, client=None, upstream_us=None, tool=None, detail=None)
    path = a_store(tmp_path / "s.db", [event])
    query = "SELECT session, client, upstream_us, tool, subject, upstream_first_us FROM requests"
    assert rows_of(path, query) == [(None,) * 6]


def test_tools_adds_up_the_calls_of_each(tmp_path: Path) -> None:
    events = [
        an_event(latency_us=10),
        an_event(latency_us=30, outcome="tool_error"),
        an_event(tool="other"),
        an_event(tool=None),
        an_event(kind="notification"),
    ]
    path = a_store(tmp_path / "s.db", events)
    query = "SELECT tool, calls, errors, error_rate, mean_us, max_us, bytes_in FROM tools"
    assert rows_of(path, query) == [
        ("get_weather", 2, 1, 0.5, 20, 30, 294),
        ("other", 1, 0, 0.0, 45_200, 45_200, 147),
    ]
