"""store/questions/servers: how the servers fare, and whose the errors are."""

from pathlib import Path

from tests.events.building import TS_MS, an_event
from tests.store.building import a_store

from mcpr.store import Filter, Window
from mcpr.store.questions import servers
from mcpr.store.sqlite import SqliteEventStore


def test_errors_that_are_not_the_servers_are_told_apart(tmp_path: Path) -> None:
    events = [
        an_event(server="a"),
        an_event(server="a", outcome="tool_error", origin="tool"),
        an_event(server="a", outcome="unreachable", origin="connect"),
        an_event(server="b", outcome="limited", origin="limit"),
        an_event(server="c", kind="http"),
    ]
    with SqliteEventStore(a_store(tmp_path / "s.db", events)) as store:
        rows = servers(store, Filter(window=Window(TS_MS, TS_MS + 1000)))
    assert [(row.server, row.calls, row.errors, row.proxy_errors) for row in rows] == [
        ("a", 3, 2, 1),
        ("b", 1, 1, 1),
    ]
    assert [row.health for row in rows] == ["down", "degraded"]
    assert all(row.health_reason for row in rows)


def test_without_a_window_nothing_is_judged(tmp_path: Path) -> None:
    with SqliteEventStore(a_store(tmp_path / "s.db", [an_event()])) as store:
        (row,) = servers(store, Filter())
    assert row.health is None
