"""store/sqlite/rolled: sums of hours, days and weeks change no answer."""

from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.events.building import an_event
from tests.store import naive
from tests.store.building import a_store, rows_of

from mcpr.events import RequestEvent, is_error
from mcpr.events.latency import bucket
from mcpr.store import Dimension, Filter, Measure, Steps, Window
from mcpr.store.engine import Value
from mcpr.store.sqlite import SqliteEventStore, Writer, vacuum
from mcpr.store.sqlite.database import open_for_writing
from mcpr.store.sqlite.rollups import DAY_MS, HOUR_MS, WEEK_MS, forget, roll

# A Thursday, where a week of the store begins.
BEGIN = 1_767_225_600_000
assert BEGIN % WEEK_MS == 0
END = BEGIN + 16 * DAY_MS
BY: tuple[Dimension, ...] = ("server", "tool", "outcome")

arrivals = st.one_of(
    st.integers(BEGIN, END - 1),
    st.builds(
        lambda hour, ms: BEGIN + hour * HOUR_MS + ms, st.integers(0, 383), st.integers(-1, 1)
    ),
)
alike = st.builds(
    an_event,
    ts_ms=arrivals,
    server=st.sampled_from(["one", "two"]),
    kind=st.sampled_from(["rpc", "rpc", "http"]),
    tool=st.sampled_from([None, "a", "b"]),
    outcome=st.sampled_from(["ok", "tool_error", "cancelled"]),
    latency_us=st.integers(0, 10) | st.integers(0, 10_000_000),
    bytes_in=st.integers(0, 5),
    bytes_out=st.integers(0, 2**40),
    session=st.sampled_from([None, "ab" + "0" * 30, "ac" + "f" * 30]),
)
edges = st.builds(
    lambda at, off: BEGIN + at * HOUR_MS + off,
    st.integers(-30, 420),
    st.sampled_from([0, 0, 1, -1, 777]),
)
windows = st.none() | st.tuples(edges, edges).filter(lambda two: two[0] != two[1]).map(
    lambda two: Window(min(two), max(two))
)
wheres = st.builds(
    Filter,
    window=windows,
    kind=st.sampled_from([None, "rpc"]),
    tool=st.sampled_from([None, None, "a"]),
    errors_only=st.booleans(),
    min_us=st.sampled_from([None, None, 5_000]),
)
steppings = st.sampled_from(
    [
        None,
        Steps(DAY_MS),
        Steps(HOUR_MS),
        Steps(WEEK_MS),
        Steps(6 * HOUR_MS, HOUR_MS),
        Steps(900_000),
    ]
)


def rolled(path: Path, now_ms: int) -> dict[int, int]:
    with closing(open_for_writing(path)) as connection:
        return roll(connection, now_ms, lambda _: None).spans


def plain(
    events: Sequence[RequestEvent], where: Filter, by: Sequence[Dimension], steps: Steps | None
) -> dict[tuple[tuple[Value, ...], int], Measure]:
    """Sums by plain Python."""
    groups: dict[tuple[tuple[Value, ...], int], list[RequestEvent]] = {}
    for event in events:
        if naive.matches(event, where):
            key = tuple(getattr(event, name) for name in by)
            groups.setdefault((key, steps.at(event.ts_ms) if steps else 0), []).append(event)
    return {key: _measure(*key, found) for key, found in groups.items()}


def _measure(key: tuple[Value, ...], at_ms: int, found: Sequence[RequestEvent]) -> Measure:
    buckets: dict[int, int] = {}
    for event in found:
        index = bucket(event.latency_us)
        buckets[index] = buckets.get(index, 0) + 1
    return Measure(
        key,
        buckets,
        len(found),
        sum(is_error(event.outcome) for event in found),
        sum(event.latency_us for event in found),
        max(event.latency_us for event in found),
        sum(event.bytes_in for event in found),
        sum(event.bytes_out for event in found),
        max(event.ts_ms for event in found),
        at_ms,
    )


def check(path: Path, events: Sequence[RequestEvent], where: Filter, steps: Steps | None) -> None:
    with SqliteEventStore(path) as store:
        found = store.measures(where, BY, steps)
    assert {(one.key, one.at_ms): one for one in found} == plain(events, where, BY, steps)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("rolled")


@given(
    batches=st.tuples(st.lists(alike, max_size=40), st.lists(alike, max_size=6)),
    now=edges,
    cut=edges,
    where=wheres,
    steps=steppings,
)
@settings(max_examples=25, deadline=None)
def test_answers_are_the_same_whatever_is_summed_up(
    folder: Path,
    batches: tuple[list[RequestEvent], list[RequestEvent]],
    now: int,
    cut: int,
    where: Filter,
    steps: Steps | None,
) -> None:
    first, late = batches
    path = a_store(folder / f"{len(list(folder.iterdir()))}.db", first)
    check(path, first, where, steps)
    rolled(path, now)
    check(path, first, where, steps)
    with closing(Writer(path)) as writer:
        writer.write(late)
    events = [*first, *late]
    check(path, events, where, steps)
    rolled(path, END + WEEK_MS)
    check(path, events, where, steps)
    vacuum(path, cut)
    events = [event for event in events if event.ts_ms >= cut]
    check(path, events, where, steps)
    rolled(path, END + WEEK_MS)
    check(path, events, where, steps)
    with closing(open_for_writing(path)) as connection:
        forget(connection, lambda _: None)
    check(path, events, where, steps)


def test_a_whole_week_is_answered_without_a_row(tmp_path: Path) -> None:
    events = [an_event(ts_ms=BEGIN + at * HOUR_MS) for at in range(0, 168, 5)]
    path = a_store(tmp_path / "s.db", events)
    assert rolled(path, END) == {HOUR_MS: 34, DAY_MS: 7, WEEK_MS: 1}
    # Rows that nobody marks: whoever looked at them would see them missing.
    assert rows_of(path, "SELECT count(*) FROM rollup_mark") == [(0,)]
    with closing(open_for_writing(path)) as connection:
        connection.execute("DELETE FROM request_event")
    with SqliteEventStore(path) as store:
        [measure] = store.measures(Filter(window=Window(BEGIN, BEGIN + WEEK_MS)), ())
        assert measure.calls == 34
