"""store/questions/sessions: what state a session is in, which are found, by how much of a hash."""

import sqlite3
from contextlib import closing
from pathlib import Path
from time import process_time

import pytest
from tests.store.building import a_store
from tests.store.sessions import at, calls, deletes, loses, modern, named, opens

from mcpr.errors import UsageError
from mcpr.events import Detail, RequestEvent
from mcpr.store import Filter, Window
from mcpr.store.questions import SessionRow, session, sessions
from mcpr.store.sqlite import SqliteEventStore

DAY = 24 * 60


def asked(path: Path, minutes: float, where: Filter | None = None) -> list[SessionRow]:
    with SqliteEventStore(path) as store:
        return sessions(store, where or Filter(), 100, at(minutes))


STATES = {
    "just now": ([opens(1)], 0, "active", None, None),
    "five minutes ago": ([opens(1), calls(1, 1)], 6, "active", None, None),
    "longer ago": ([opens(1), calls(1, 1)], 6.001, "idle", None, None),
    "a day ago": ([opens(1), calls(1, 1)], 1 + DAY, "idle", None, None),
    "more than a day ago": ([opens(1), calls(1, 1)], 1.001 + DAY, "ended", at(1), "idle"),
    "deleted": ([opens(1), deletes(1, 1)], 1, "ended", at(1), "deleted"),
    "lost": ([opens(1), loses(1, 1)], 1, "ended", at(1), "lost"),
    "inferred": ([modern(0)], 30, "idle", None, None),
    "inferred and over": ([modern(0)], 30.001, "ended", at(0), "idle"),
}


@pytest.mark.parametrize(
    ("events", "minutes", "state", "ended_ms", "ended_by"), STATES.values(), ids=STATES
)
def test_a_session_is_active_idle_or_ended(
    tmp_path: Path,
    events: list[RequestEvent],
    minutes: float,
    state: str,
    ended_ms: int | None,
    ended_by: str | None,
) -> None:
    (row,) = asked(a_store(tmp_path / "s.db", events), minutes)
    assert (row.state, row.ended_ms, row.ended_by) == (state, ended_ms, ended_by)


def test_the_last_seen_stands_first(tmp_path: Path) -> None:
    events = [opens(1), opens(2, 1), opens(3, 2), calls(1, 5)]
    rows = asked(a_store(tmp_path / "s.db", events), 6)
    assert [row.session for row in rows] == [named(1), named(3), named(2)]


FILTERS = {
    "window": (Filter(window=Window(at(10), at(20))), [2, 3]),
    "server": (Filter(server="maps"), [3]),
    "client": (Filter(client="cursor"), [4]),
    "its own name": (Filter(client="claude-code"), [1, 2, 3]),
    "nobody": (Filter(client="zed"), []),
}


@pytest.mark.parametrize(("where", "expected"), FILTERS.values(), ids=FILTERS)
def test_a_filter_leaves_what_it_says(tmp_path: Path, where: Filter, expected: list[int]) -> None:
    events = [
        *(opens(1, 0), calls(1, 9)),
        *(opens(2, 5), calls(2, 12)),
        opens(3, 19, server="maps"),
        opens(4, 20, client="cursor", detail=Detail(link='{"opens":true}')),
    ]
    rows = asked(a_store(tmp_path / "s.db", events), 30, where)
    assert sorted(row.session for row in rows) == [named(number) for number in expected]


def test_only_those_that_live_are_shown_when_asked_for(tmp_path: Path) -> None:
    events = [opens(1), opens(2, 8), opens(3, 9), deletes(3, 9.5)]
    with SqliteEventStore(a_store(tmp_path / "s.db", events)) as store:
        rows = sessions(store, Filter(), 100, at(10), only_active=True)
    assert [row.session for row in rows] == [named(2)]


def test_one_session_is_found_by_its_beginning(tmp_path: Path) -> None:
    alike = ["ab" + "0" * 30, "ab1" + "0" * 29, "cd" + "0" * 30]
    events = [opens(int(hash_, 16)) for hash_ in alike]
    with SqliteEventStore(a_store(tmp_path / "s.db", events)) as store:
        assert session(store, "CD", at(0)).session == alike[2]
        assert session(store, "ab1", at(0)).session == alike[1]
        with pytest.raises(UsageError, match="several begin so: ab1000, ab0000"):
            session(store, "ab", at(0))
        with pytest.raises(UsageError, match="no session in the store"):
            session(store, "ef", at(0))
        with pytest.raises(UsageError, match="hex digits"):
            session(store, "x", at(0))


def test_a_session_that_nobody_saw_begin_can_be_asked_about(tmp_path: Path) -> None:
    with SqliteEventStore(a_store(tmp_path / "s.db", [calls(7, 1)])) as store:
        row = session(store, named(7), at(2))
    assert (row.started_ms, row.last_seen_ms, row.state) == (None, at(1), "active")


def test_a_hundred_thousand_sessions_are_asked_in_a_fifth_of_a_second(tmp_path: Path) -> None:
    """CPU time, which neighbours on the machine do not change; no request is looked at for it."""
    path = a_store(tmp_path / "s.db", [opens(1)])
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.executemany(
            "INSERT INTO session (hash, server, client, client_version, client_name, revision,"
            " server_name, opened_ms, last_ms, good_ms, calls) VALUES"
            " (?, 'weather', 'claude-code', '2.1.0', 'claude-code', '2025-11-25', 'Weather', ?,"
            " ?, ?, 10)",
            ((number.to_bytes(16, "big"), at(0), at(1), at(1)) for number in range(2, 100_002)),
        )
        connection.execute("DROP TABLE request_event")
    for where in (Filter(), Filter(window=Window(at(0), at(9))), Filter(client="claude-code")):
        began = process_time()
        assert len(asked(path, 2, where)) == 100
        assert process_time() - began <= 0.2
