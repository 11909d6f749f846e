"""Every number agrees with every other one, and with a plain count over the raw events."""

from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.events.building import TS_MS, an_event
from tests.store import naive
from tests.store.building import a_store

from mcpr.events import KINDS, OUTCOMES, Detail, Link, RequestEvent, is_error, link_text
from mcpr.events.latency import bucket, percentile
from mcpr.store import Filter, Steps, Window
from mcpr.store.questions import (
    clients,
    errors,
    heat,
    latency,
    log,
    servers,
    sessions,
    slow,
    summary,
    tools,
)
from mcpr.store.questions.errors import shape
from mcpr.store.sqlite import SqliteEventStore

MINUTE = 60_000
alike = st.builds(
    an_event,
    ts_ms=st.integers(TS_MS, TS_MS + 40 * MINUTE),
    server=st.sampled_from(["one", "two"]),
    kind=st.sampled_from((*KINDS, "rpc", "rpc", "rpc")),
    method=st.sampled_from([None, "tools/call", "ping"]),
    tool=st.sampled_from([None, "a", "b"]),
    outcome=st.sampled_from(OUTCOMES),
    origin=st.sampled_from([None, "tool", "connect"]),
    latency_us=st.integers(0, 10) | st.integers(0, 10_000_000),
    bytes_in=st.integers(0, 5),
    bytes_out=st.integers(0, 2**40),
    session=st.sampled_from([None, "ab" + "0" * 30, "ac" + "f" * 30]),
    client=st.sampled_from([None, "claude", "other"]),
    revision=st.sampled_from(["2025-11-25", "2026-07-28"]),
    detail=st.sampled_from(
        [
            None,
            *(Detail(client_name="mine"), Detail(error_text="no city 7"), Detail(error_text="no")),
            *(Detail(link=link_text(Link(opens=True))), Detail(link=link_text(Link(ends=True)))),
        ]
    ),
)
windows = st.builds(
    lambda since, length: Window(TS_MS + since * MINUTE, TS_MS + (since + length) * MINUTE),
    st.integers(0, 30),
    st.integers(1, 20),
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("stores")


@given(events=st.lists(alike, max_size=50), window=windows, tool=st.sampled_from([None, "a"]))
@settings(max_examples=60, deadline=None)
def test_all_questions_agree(
    folder: Path, events: list[RequestEvent], window: Window, tool: str | None
) -> None:
    path = a_store(folder / f"{len(list(folder.iterdir()))}.db", events)
    where = Filter(window=window, tool=tool)
    rpc = [e for e in events if naive.matches(e, replace(where, kind="rpc"))]
    failed = [e for e in rpc if is_error(e.outcome)]
    with SqliteEventStore(path) as store:
        figures = {row.metric: row.value for row in summary(store, where)}
        by_tool = tools(store, where)
        by_server = servers(store, where)
        groups = errors(store, where)
        steps = latency(store, where, Steps(5 * MINUTE))
        split = latency(store, where, Steps(5 * MINUTE, TS_MS), "client")
        cells = heat(store, where, Steps(5 * MINUTE))
        slowest = slow(store, where, 1000)
        rows = log(store, replace(where, kind="rpc"), 1000)
    assert figures["calls"] == len(rpc) == len(rows) == len(slowest)
    assert figures["calls"] == sum(row.calls for row in by_server)
    assert figures["calls"] == sum(row.calls for row in steps) == sum(row.calls for row in split)
    assert figures["calls"] == sum(cell.calls for cell in cells)
    assert sum(row.calls for row in by_tool) == sum(event.tool is not None for event in rpc)
    assert figures["errors"] == len(failed) == sum(group.calls for group in groups)
    assert figures["errors"] == sum(row.errors for row in by_server)
    assert figures["errors"] == sum(row.errors for row in steps) == sum(c.errors for c in cells)
    assert figures["bytes_out"] == sum(e.bytes_out for e in rpc)
    assert figures["bytes_out"] == sum(row.bytes_out for row in split)
    assert figures["exchanges"] == sum(naive.matches(event, where) for event in events)
    assert figures["max_us"] == max((e.latency_us for e in rpc), default=0)
    assert figures["mean_us"] == (sum(e.latency_us for e in rpc) // len(rpc) if rpc else 0)
    counts = Counter(bucket(event.latency_us) for event in rpc)
    for name, quantile in (("p50_us", 0.5), ("p90_us", 0.9), ("p95_us", 0.95), ("p99_us", 0.99)):
        assert figures[name] == (percentile(counts, quantile) or 0)  # type: ignore[index]  # literals
    assert [row.latency_us for row in slowest] == sorted(
        (event.latency_us for event in rpc), reverse=True
    )
    assert sum(group.share for group in groups) == pytest.approx(1 if groups else 0)
    assert Counter(
        (e.server, e.method, e.tool, e.outcome, e.origin, shape(text) if text else None)
        for e in failed
        for text in [e.detail.error_text if e.detail else None]
    ) == Counter(
        {(g.server, g.method, g.tool, g.outcome, g.origin, g.shape): g.calls for g in groups}
    )


@given(events=st.lists(alike, max_size=50), window=windows, tool=st.sampled_from([None, "a"]))
@settings(max_examples=60, deadline=None)
def test_every_question_counts_the_same_sessions(
    folder: Path, events: list[RequestEvent], window: Window, tool: str | None
) -> None:
    """Fault 33: figures of one page that disagree."""
    path = a_store(folder / f"s{len(list(folder.iterdir()))}.db", events)
    where = Filter(window=window, tool=tool)
    with SqliteEventStore(path) as store:
        figures = {row.metric: row.value for row in summary(store, where)}
        listed = sessions(store, where, 1000, window.until_ms)
        alive = sessions(store, where, 1000, window.until_ms, only_active=True)
        by_client = clients(store, where)
        ever = {row.session: row.started_ms for row in sessions(store, Filter(), 1000, 0)}
    assert figures["sessions"] == len(listed)
    assert figures["active_sessions"] == len(alive)
    names = {row.session for row in listed}
    assert {row.session for row in alive} <= names <= ever.keys()
    # The rest are of clients that have no request in the window, but before and after it.
    assert sum(row.sessions for row in by_client) <= len(listed)
    for event in events:
        started_ms = None if event.session is None else ever.get(event.session)
        if started_ms is not None and started_ms <= event.ts_ms and naive.matches(event, where):
            assert event.session in names


@given(events=st.lists(alike, max_size=40), size=st.integers(1, 7))
@settings(max_examples=40, deadline=None)
def test_pages_have_every_row_once(folder: Path, events: list[RequestEvent], size: int) -> None:
    path = a_store(folder / f"p{len(list(folder.iterdir()))}.db", events)
    with SqliteEventStore(path) as store:
        for where in (Filter(), Filter(errors_only=True), Filter(session="ab")):
            whole = log(store, where, 1000)
            pages = []
            before = None
            while page := log(store, where, size, before):
                pages += page
                before = page[-1].cursor
            assert pages == whole
