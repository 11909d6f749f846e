"""store/questions/stats: what is in the store, and how large it is."""

from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.events.building import TS_MS, an_event
from tests.store.building import a_store

from mcpr.events import RequestEvent, is_error
from mcpr.store.questions import StatsRow, stats
from mcpr.store.sqlite import SqliteEventStore, Writer

_few = st.builds(
    an_event,
    server=st.sampled_from(["one", "two"]),
    tool=st.sampled_from([None, "a", "b"]),
    kind=st.sampled_from(["rpc", "http"]),
    outcome=st.sampled_from(["ok", "timeout"]),
    session=st.sampled_from([None, "a" * 32, "b" * 32]),
    ts_ms=st.integers(TS_MS, TS_MS + 9),
)


def asked(path: Path) -> list[StatsRow]:
    with SqliteEventStore(path) as store:
        return stats(store)


def by_hand(server: str | None, events: list[RequestEvent]) -> tuple[object, ...]:
    mine = [event for event in events if server in {None, event.server}]
    times = [event.ts_ms for event in mine]
    return (
        server,
        len(mine),
        sum(is_error(event.outcome) for event in mine),
        len({event.session for event in mine} - {None}),
        min(times, default=None),
        max(times, default=None),
    )


@given(st.lists(_few, max_size=30))
@settings(max_examples=25, deadline=None)
def test_the_counts_are_those_of_plain_python(
    tmp_path_factory: pytest.TempPathFactory, events: list[RequestEvent]
) -> None:
    whole, *servers = asked(a_store(tmp_path_factory.mktemp("s") / "s.db", events))
    expected = [by_hand(server, events) for server in {event.server for event in events}]
    ordered = sorted(expected, key=lambda row: (-int(str(row[1])), row[0]))
    found = [
        (row.server, row.events, row.errors, row.sessions, row.oldest_ms, row.newest_ms)
        for row in (whole, *servers)
    ]
    assert found == [by_hand(None, events), *ordered]


def test_the_whole_says_how_large_it_is_and_a_server_does_not(tmp_path: Path) -> None:
    path = a_store(tmp_path / "s.db", [an_event(), an_event(outcome="timeout")])
    with closing(Writer(path)) as writer:
        writer.write([an_event()])
        whole, server = asked(path)
        assert whole.wal_bytes
    assert whole.file_bytes == path.stat().st_size
    assert (whole.last_seq, whole.names, whole.schema_version) == (3, 2, whole.schema_version)
    assert (server.file_bytes, server.last_seq) == (None, None)
    assert asked(path)[0].wal_bytes == 0
