"""sinks/prometheus: totals that agree with the events, and a bound on what callers can invent."""

from bisect import bisect_left
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.events.building import an_event, events
from tests.sinks.sinks import WAIT_SECONDS

from mcpr.events import Batch, RequestEvent
from mcpr.sinks import Bus, make
from mcpr.sinks.prometheus import (
    _BOUNDS_US,
    BOUNDS,
    PrometheusSink,
    RequestKey,
    SubjectKey,
    cumulative,
)


def key_of(event: RequestEvent) -> RequestKey:
    """What an event is counted under, said in the simplest way."""
    return RequestKey(
        event.server,
        event.kind,
        event.method or "",
        event.tool or "",
        event.client or "",
        event.outcome,
        event.origin or "",
    )


@given(st.lists(st.lists(events, min_size=1, max_size=8), max_size=4))
def test_the_totals_are_the_sums_over_all_events(batches: list[list[RequestEvent]]) -> None:
    sink = PrometheusSink()
    for batch in batches:
        assert sink.write(Batch.of(batch)) == len(batch)
    totals = sink.snapshot()
    every = [event for batch in batches for event in batch]
    assert totals.requests == Counter(map(key_of, every))
    assert totals.folded == 0
    for subject, sums in totals.sums.items():
        mine = [e for e in every if (*key_of(e)[:4],) == subject]
        timed = [e for e in mine if e.kind == "rpc"]
        upstream = [e.upstream_us for e in timed if e.upstream_us is not None]
        assert sums.bytes_in == sum(e.bytes_in for e in mine)
        assert sums.bytes_out == sum(e.bytes_out for e in mine)
        assert sums.latency.sum_us == sum(e.latency_us for e in timed)
        assert sum(sums.latency.counts) == len(timed)
        assert sums.upstream.sum_us == sum(upstream)
        assert sum(sums.upstream.counts) == len(upstream)


@pytest.mark.parametrize("edge", range(len(BOUNDS)))
def test_a_duration_of_exactly_a_bound_is_within_it(edge: int) -> None:
    sink = PrometheusSink()
    bound = _BOUNDS_US[edge]
    sink.write([an_event(latency_us=us) for us in (bound - 1, bound, bound + 1)])
    (sums,) = sink.snapshot().sums.values()
    within = cumulative(sums.latency.counts)
    assert within[edge] == 2
    assert within[-1] == 3
    assert bisect_left(_BOUNDS_US, bound) == edge


def test_a_tool_too_many_and_all_after_it_are_counted_together() -> None:
    sink = PrometheusSink(most_tools=2)
    sink.write([an_event(tool=name) for name in ("a", "b", "c", "d", "a", "_other")])
    totals = sink.snapshot()
    assert {key.tool: count for key, count in totals.requests.items()} == {
        "a": 2,
        "b": 1,
        "_other": 3,
    }
    assert {key.tool for key in totals.sums} == {"a", "b", "_other"}
    assert totals.folded == 2


def test_once_a_server_has_listed_its_tools_others_are_counted_together() -> None:
    sink = PrometheusSink()
    before, after = an_event(server="weather", tool="get"), an_event(server="weather", tool="gett")
    sink.write([before, after])
    sink.names.learn("weather", ["get"])
    sink.write([before, after])
    sink.write([an_event(server="notes", tool="write")])
    tools = {(key.server, key.tool): count for key, count in sink.snapshot().requests.items()}
    assert tools == {
        ("weather", "get"): 2,
        ("weather", "gett"): 1,
        ("weather", "_other"): 1,
        ("notes", "write"): 1,
    }


def test_a_series_too_many_loses_its_tool_and_client_and_is_counted_all_the_same() -> None:
    sink = PrometheusSink(most_series=3)
    clients = ("claude", "cursor", "goose", "zed", "cline")
    sink.write([an_event(client=client) for client in clients])
    sink.write([an_event(client="claude")])
    totals = sink.snapshot()
    counted = {(key.tool, key.client): count for key, count in totals.requests.items()}
    assert counted == {
        ("get_weather", "claude"): 2,
        ("get_weather", "cursor"): 1,
        ("get_weather", "goose"): 1,
        ("_other", "other"): 2,
    }
    assert totals.folded == 2
    assert (
        sum(totals.sums[SubjectKey("weather", "rpc", "tools/call", "get_weather")].latency.counts)
        == 6
    )


def test_whatever_callers_invent_the_number_of_series_has_a_bound() -> None:
    sink = PrometheusSink(most_tools=10, most_series=50)
    for number in range(300):
        sink.write(
            [
                an_event(tool=f"tool-{number}-{part}", client=f"client-{part}", outcome=outcome)
                for part in range(7)
                for outcome in ("ok", "tool_error", "rpc_error")
            ]
        )
    totals = sink.snapshot()
    assert sum(totals.requests.values()) == 300 * 21
    # The bound, and one more for each outcome.
    assert len(totals.requests) <= 50 + 3
    assert len(totals.sums) <= 11


def test_a_snapshot_does_not_change_any_more() -> None:
    sink = PrometheusSink()
    sink.write([an_event()])
    before = sink.snapshot()
    sink.write([an_event()])
    assert list(before.requests.values()) == [1]
    assert [sum(sums.latency.counts) for sums in before.sums.values()] == [1]


def test_it_is_a_sink_with_books_like_any_other() -> None:
    sink = make("prometheus", "")
    assert isinstance(sink, PrometheusSink)
    bus = Bus([sink], lambda: None)
    bus.start()
    bus.publish([an_event() for _ in range(5000)])
    bus.drain(WAIT_SECONDS)
    counts = bus.counts()["prometheus"]
    assert (counts.published, counts.written) == (5000, 5000)
    assert sum(sink.snapshot().requests.values()) == 5000
