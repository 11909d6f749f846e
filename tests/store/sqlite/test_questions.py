"""store/sqlite/questions: the answers equal plain Python's, and read no more than they need."""

from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.events.building import TS_MS, an_event, many
from tests.store import naive
from tests.store.building import a_store, damage

from mcpr.errors import StoreError
from mcpr.events import KINDS, OUTCOMES, Detail, Outcome, RequestEvent, to_text
from mcpr.store import Dimension, EventStore, Filter, Window
from mcpr.store.questions import log, tools
from mcpr.store.sqlite import SqliteEventStore, Writer
from mcpr.store.sqlite.blocks import BLOCK_MS

#: Few names and times, so that events meet in them.
alike = st.builds(
    an_event,
    ts_ms=st.integers(TS_MS, TS_MS + 20)
    | st.sampled_from([TS_MS - BLOCK_MS, TS_MS - 2 * BLOCK_MS]),
    server=st.sampled_from(["one", "two"]),
    kind=st.sampled_from(KINDS),
    method=st.sampled_from([None, "tools/call", "ping"]),
    tool=st.sampled_from([None, "a", "A", "é"]),
    outcome=st.sampled_from(OUTCOMES),
    latency_us=st.integers(0, 10) | st.integers(0, 10_000_000),
    bytes_in=st.integers(0, 5),
    bytes_out=st.integers(0, 2**40),
    session=st.sampled_from([None, "ab" + "0" * 30, "ac" + "f" * 30]),
    client=st.sampled_from([None, "claude", "other"]),
    detail=st.sampled_from([None, Detail(client_name="claude"), Detail(subject="x")]),
)
windows = st.builds(
    lambda since, length: Window(TS_MS + since, TS_MS + since + length),
    st.integers(-1, 21),
    st.integers(1, 22),
)
filters = st.builds(
    Filter,
    window=st.none() | windows,
    server=st.sampled_from([None, None, "one", "none"]),
    kind=st.sampled_from([None, None, "rpc"]),
    method=st.sampled_from([None, None, "tools/call"]),
    tool=st.sampled_from([None, None, "a", "é"]),
    client=st.sampled_from([None, None, "claude", "other"]),
    outcome=st.sampled_from([None, None, None, "ok", "tool_error"]),
    session=st.sampled_from([None, None, "a", "ab", "ac" + "f" * 30]),
    id=st.sampled_from([None, None, None, "0", "f"]),
    errors_only=st.booleans(),
    min_us=st.sampled_from([None, None, 5]),
    max_us=st.sampled_from([None, None, 5_000]),
)


@given(st.lists(alike, max_size=60), st.lists(filters, min_size=5, max_size=5))
@settings(max_examples=40, deadline=None)
def test_every_answer_equals_plain_pythons(
    tmp_path_factory: pytest.TempPathFactory, events: list[RequestEvent], asked: list[Filter]
) -> None:
    path = tmp_path_factory.mktemp("store") / "store.db"
    with closing(Writer(path)) as writer:
        for start in range(0, len(events), 7):
            writer.write(events[start : start + 7])
    with SqliteEventStore(path) as store:
        for where in (*asked, Filter()):
            found = [replace(row, health=None, health_reason=None) for row in tools(store, where)]
            assert found == naive.tool_rows(events, where)
            for limit in (3, 100):
                ids = [row.id for row in log(store, where, limit)]
                expected = naive.newest(events, where, limit)
                assert ids == [to_text(event.id) for event in expected]
            after = [found.event.id for found in store.requests_after(2, where, 100)]
            assert after == [event.id for event in events[2:] if naive.matches(event, where)]


@pytest.mark.parametrize(
    ("by", "expected"),
    [
        ((), [((), 4)]),
        (("tool",), [((None,), 1), (("a",), 3)]),
        (("client", "method"), [(("x", "ping"), 1), (("y", "ping"), 3)]),
    ],
)
def test_measures_are_kept_apart_by_the_dimensions_that_were_asked_for(
    tmp_path: Path, by: tuple[Dimension, ...], expected: list[tuple[tuple[str, ...], int]]
) -> None:
    events = [an_event(tool="a", client="y", method="ping") for _ in range(3)]
    path = a_store(tmp_path / "s.db", [*events, an_event(tool=None, client="x", method="ping")])
    with SqliteEventStore(path) as store:
        found = store.measures(Filter(), by)
    assert sorted(((one.key, one.calls) for one in found), key=str) == sorted(expected, key=str)


def plan(store: SqliteEventStore, where: Filter) -> str:
    """How SQLite finds the newest requests."""
    asked: list[str] = []
    store._connection.set_trace_callback(asked.append)
    store.requests(where, 50)
    store._connection.set_trace_callback(None)
    [query] = asked
    return "\n".join(
        row[-1] for row in store._connection.execute(f"EXPLAIN QUERY PLAN {query}").fetchall()
    )


WINDOW = Window(TS_MS, TS_MS + 1_000)
BY_TIME = "SEARCH b USING COVERING INDEX block_time (max_ts_ms>? AND max_ts_ms<?)"
BY_SEQ = "SEARCH e USING INTEGER PRIMARY KEY (rowid>? AND rowid<?)"
BY_SESSION = "SEARCH b USING PRIMARY KEY (session=?)"


@pytest.mark.parametrize(
    ("where", "indices"),
    [
        (Filter(), ["SCAN b USING COVERING INDEX block_time", BY_SEQ]),
        (Filter(window=WINDOW), [BY_TIME, BY_SEQ]),
        (Filter(window=WINDOW, tool="a", client="b"), [BY_TIME, BY_SEQ]),
        (Filter(window=WINDOW, errors_only=True), ["request_event_error (ts_ms>? AND ts_ms<?)"]),
        (Filter(window=WINDOW, session="ab"), [BY_SESSION, BY_SEQ]),
        (Filter(window=WINDOW, session="ab", errors_only=True), [BY_SESSION, BY_SEQ]),
        (Filter(window=WINDOW, id="ab"), ["_block_1 (first_id>? AND first_id<?)"]),
        (Filter(id="ab", session="ab"), ["SEARCH e USING INTEGER PRIMARY KEY (rowid=?)"]),
    ],
    ids=str,
)
def test_each_filter_is_answered_from_its_index(
    tmp_path: Path, where: Filter, indices: list[str]
) -> None:
    with SqliteEventStore(a_store(tmp_path / "s.db", many(200))) as store:
        steps = plan(store, where)
    for index in indices:
        assert index in steps
    assert "SCAN e" not in steps
    is_sorted = where.id is not None or where.session is not None
    assert ("USE TEMP B-TREE FOR ORDER BY" in steps) == is_sorted


def steps_of(store: SqliteEventStore, ask: Callable[[SqliteEventStore], object]) -> int:
    """How many hundreds of steps SQLite's machine takes for an answer."""
    ticks: list[int] = []
    store._connection.set_progress_handler(lambda: ticks.append(1), 100)
    ask(store)
    store._connection.set_progress_handler(None, 100)
    return len(ticks)


@pytest.mark.parametrize(
    "ask",
    [
        lambda store: store.requests(Filter(), 10),
        lambda store: store.requests(Filter(window=Window(0, TS_MS + 300_000)), 10),
        lambda store: store.measures(Filter(window=Window(TS_MS + 600_000, TS_MS + 601_000)), ()),
        lambda store: store.requests_after(9_990, Filter(), 10),
        lambda store: store.requests(Filter(session="b" * 32), 10),
        lambda store: store.requests(Filter(id=f"{5_000:032x}"), 10),
    ],
    ids=["newest", "window", "measures", "after", "session", "id"],
)
def test_an_answer_costs_what_it_shows_and_not_what_there_is(
    tmp_path: Path, ask: Callable[[SqliteEventStore], object]
) -> None:
    """10,000 rows of half an hour; a step for each of them would be 100 ticks at the very least."""
    path = tmp_path / "s.db"
    with closing(Writer(path)) as writer:
        for start in range(0, 10_000, 100):
            writer.write(
                [
                    an_event(
                        id=at.to_bytes(16, "big"),
                        ts_ms=TS_MS + at * 180,
                        session=("b" if at % 2_000 == 0 else "a") * 32,
                    )
                    for at in range(start, start + 100)
                ]
            )
    with SqliteEventStore(path) as store:
        assert steps_of(store, ask) < 100


def test_a_store_is_an_event_store(tmp_path: Path) -> None:
    with SqliteEventStore(a_store(tmp_path / "s.db")) as opened:
        store: EventStore = opened
        assert store.last_seq() == 0
        assert store.requests(Filter(outcome=cast("Outcome", "none")), 5) == []


def test_a_file_that_is_damaged_while_it_is_read_is_an_error_that_says_so(tmp_path: Path) -> None:
    path = a_store(tmp_path / "s.db", many(3_000))
    damage(path)
    with SqliteEventStore(path) as store, pytest.raises(StoreError, match="the file is damaged"):
        store.requests(Filter(), 10_000)
