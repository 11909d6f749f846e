"""store/questions/behaviour: how agents fare, read off the trails of their sessions."""

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import pytest
from tests.events.building import TS_MS, an_event
from tests.store.building import a_store

from mcpr.events import RequestEvent
from mcpr.store import EventStore, Filter, Window
from mcpr.store.questions import (
    abandoned,
    adoption,
    discovery,
    loops,
    recoveries,
    sizes,
)
from mcpr.store.sqlite import SqliteEventStore

_T = TypeVar("_T")
A, B = "a" * 32, "b" * 32
SECOND = 1_000
DAY = 86_400 * SECOND


def at(
    seconds: float, outcome: str = "ok", session: str | None = A, **fields: object
) -> RequestEvent:
    ts_ms = TS_MS + round(seconds * SECOND)
    return an_event(ts_ms=ts_ms, outcome=outcome, session=session, **fields)


def asked(
    path: Path, events: list[RequestEvent], question: Callable[[EventStore, Filter], _T]
) -> _T:
    with SqliteEventStore(a_store(path / "s.db", events)) as store:
        return question(store, Filter(window=Window(TS_MS - DAY, TS_MS + 2 * DAY)))


def test_a_failure_recovers_with_the_next_success_of_its_tool_in_its_session(
    tmp_path: Path,
) -> None:
    events = [
        at(0, "tool_error"),
        at(1, "tool_error"),
        at(2, tool="other"),
        at(3, session=B),
        at(5),
        at(6),
        at(7, "timeout"),
        at(8, "tool_error", tool="other"),
        at(9, "tool_error", session=None),
    ]
    first, second = asked(tmp_path, events, recoveries)
    assert (first.tool, first.failures, first.recovered) == ("get_weather", 3, 2)
    assert first.recovery_rate == pytest.approx(2 / 3)
    assert first.p50_recovery_us == pytest.approx(4_000_000, rel=0.02)
    assert (second.failures, second.recovered, second.p50_recovery_us) == (1, 0, None)


def test_a_loop_is_one_tool_again_and_again(tmp_path: Path) -> None:
    events = [
        *(at(n, "tool_error" if n % 2 else "ok") for n in range(6)),
        at(6, method="ping", tool=None),
        at(7, tool="other"),
        *(at(10 + n) for n in range(4)),
        *(at(n, session=B, tool="slow") for n in range(0, 300, 30)),
    ]
    (row,) = asked(tmp_path, events, loops)
    assert (row.session, row.tool, row.calls, row.errors) == (A, "get_weather", 6, 3)
    assert (row.from_ms, row.to_ms) == (TS_MS, TS_MS + 5 * SECOND)


def test_a_loop_is_as_long_and_as_fast_as_asked(tmp_path: Path) -> None:
    events = [at(n * 30) for n in range(9)]
    rows = asked(tmp_path, events, lambda store, where: loops(store, where, 3, 60_000))
    assert [row.calls for row in rows] == [3, 3, 3]


def test_a_session_is_abandoned_when_nothing_came_after_an_error(tmp_path: Path) -> None:
    events = [
        at(0),
        at(1, "timeout"),
        at(0, "timeout", B),
        at(1, session=B),
        at(2 * DAY / SECOND - 299, "timeout", "c" * 32),
    ]
    (row,) = asked(tmp_path, events, abandoned)
    assert (row.session, row.tool, row.calls, row.last_ms) == (A, "get_weather", 2, TS_MS + SECOND)


def test_answers_are_measured_by_tool(tmp_path: Path) -> None:
    events = [*(at(0, bytes_out=1_000) for _ in range(99)), at(0, bytes_out=2_000_000)]
    events += [at(0, tool="big", bytes_out=50_000), at(0, tool=None, bytes_out=9)]
    big, small = asked(tmp_path, events, sizes)
    assert (big.tool, big.max_bytes, big.calls) == ("big", 50_000, 1)
    assert small.p50_bytes == small.p95_bytes == pytest.approx(1_000, rel=0.02)
    assert (small.max_bytes, small.mean_bytes) == (2_000_000, 20_990)


def test_lists_are_weighed_against_the_rest(tmp_path: Path) -> None:
    events = [
        at(0, method="tools/list", tool=None, bytes_out=750),
        at(0, bytes_out=200),
        at(1, bytes_out=50),
        at(0, server="other", method="ping", tool=None, bytes_out=0),
    ]
    other, weather = asked(tmp_path, events, discovery)
    assert (weather.lists, weather.list_bytes, weather.bytes_share) == (1, 750, 0.75)
    assert (weather.calls, weather.calls_per_list) == (2, 2.0)
    assert (other.lists, other.calls_per_list, other.bytes_share) == (0, None, 0)


def test_revisions_are_counted_by_client_and_day(tmp_path: Path) -> None:
    events = [
        *(at(0, client="claude") for _ in range(3)),
        at(0, client="claude", revision="2026-07-28"),
        at(DAY / SECOND, client="claude", revision="2026-07-28"),
        at(0, client=None, revision=None),
    ]
    rows = asked(tmp_path, events, adoption)
    assert [(row.client, row.revision, row.calls, row.share) for row in rows] == [
        (None, None, 1, 1.0),
        ("claude", "2025-11-25", 3, 0.75),
        ("claude", "2026-07-28", 1, 0.25),
        ("claude", "2026-07-28", 1, 1.0),
    ]
    assert rows[-1].day_ms - rows[0].day_ms == DAY


@pytest.mark.parametrize(
    "question", [recoveries, loops, abandoned, sizes, discovery, adoption], ids=lambda q: q.__name__
)
def test_an_empty_store_has_nothing_to_tell(
    tmp_path: Path, question: Callable[[EventStore, Filter], list[object]]
) -> None:
    assert asked(tmp_path, [], question) == []
