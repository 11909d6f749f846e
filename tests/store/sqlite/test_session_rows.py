"""store/sqlite/session_rows: sessions put together from batches, whoever writes them and when."""

import random
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.events.building import an_event
from tests.store.building import a_store, rows_of
from tests.store.sessions import (
    NOBODY,
    at,
    calls,
    deletes,
    loses,
    modern,
    named,
    opens,
)

from mcpr.events import Detail, RequestEvent, SessionEvent
from mcpr.events.batch import LABEL
from mcpr.store import Filter, SessionRecord
from mcpr.store.sqlite import SqliteEventStore, Writer
from mcpr.store.sqlite import session_rows as module


def found(path: Path, where: Filter | None = None) -> list[SessionRecord]:
    with SqliteEventStore(path) as store:
        return store.sessions(where or Filter(), 1_000)


def one(path: Path) -> SessionRecord:
    (record,) = found(path)
    return record


def callers(path: Path) -> list[str | None]:
    """Who made each request, in the order of arrival."""
    return [row[0] for row in rows_of(path, "SELECT client FROM requests ORDER BY ts_ms, seq")]


def write_each(path: Path, *batches: Sequence[RequestEvent]) -> Path:
    """Write each batch with a writer of its own, as if the proxy had been started again."""
    for batch in batches:
        a_store(path, batch)
    return path


def told(path: Path) -> list[tuple[str, str, int]]:
    with SqliteEventStore(path) as store:
        events = [event for _, event in store.session_events_after(0, 1_000)]
    return [(event.state, event.session, event.ts_ms) for event in events]


def test_the_places_of_a_label_are_those_of_its_list() -> None:
    places = {
        "server": module._SERVER,
        "kind": module._KIND,
        "tool": module._TOOL,
        "http_status": module._STATUS,
        "rpc_code": module._CODE,
        "client": module._CLIENT,
        "client_version": module._VERSION,
        "revision": module._REVISION,
        "client_name": module._NAME,
    }
    assert {name: LABEL.index(name) for name in places} == places


def test_a_session_has_its_beginning_its_calls_and_who_took_part(tmp_path: Path) -> None:
    failed = calls(1, 2, outcome="tool_error", origin="tool")
    notified = calls(1, 3, kind="notification", tool=None)
    path = a_store(tmp_path / "s.db", [opens(1), calls(1, 1, tool="b"), failed, notified])
    assert one(path) == SessionRecord(
        session=named(1),
        server="weather",
        is_inferred=False,
        is_shared=False,
        opened_ms=at(0),
        last_ms=at(3),
        ended_ms=None,
        ended_by=None,
        calls=3,
        errors=1,
        tools=2,
        client="claude-code",
        client_version="2.1.0",
        client_name="claude-code",
        server_name="Weather",
        server_version="3.0",
        revision="2025-11-25",
    )


NOT_OPENED = {
    "named by a call": calls(1),
    "initialize without a session of its own": an_event(method="initialize", session=named(1)),
    "initialize refused": opens(1, detail=None, outcome="rpc_error", http_status=400),
}


@pytest.mark.parametrize("event", NOT_OPENED.values(), ids=NOT_OPENED)
def test_only_a_2xx_initialize_begins_a_session(tmp_path: Path, event: RequestEvent) -> None:
    """The SDK for Python names sessions on 4xx answers that it never opened."""
    path = a_store(tmp_path / "s.db", [event, calls(1, 1)])
    assert found(path) == []
    assert [record.opened_ms for record in found(path, Filter(session=named(1)))] == [None]


def test_a_session_keeps_its_client_in_calls_after_a_restart(tmp_path: Path) -> None:
    path = write_each(
        tmp_path / "s.db", [opens(1), calls(1, 1)], [calls(1, 2, **NOBODY), calls(1, 3, **NOBODY)]
    )
    assert callers(path) == ["claude-code"] * 4
    rows = rows_of(path, "SELECT DISTINCT client_version, revision FROM requests")
    assert rows == [("2.1.0", "2025-11-25")]
    assert one(path).calls == 4


def test_a_revision_that_a_request_says_itself_stays(tmp_path: Path) -> None:
    path = write_each(
        tmp_path / "s.db", [opens(1)], [calls(1, 2, **(NOBODY | {"revision": "2025-03-26"}))]
    )
    assert rows_of(path, "SELECT revision FROM requests WHERE seq = 2") == [("2025-03-26",)]


def test_two_proxies_on_one_store_share_what_they_know(tmp_path: Path) -> None:
    path = tmp_path / "s.db"
    with closing(Writer(path)) as one_proxy, closing(Writer(path)) as other:
        other.write([calls(2, 0, **NOBODY)])
        one_proxy.write([opens(1)])
        other.write([calls(1, 1, **NOBODY)])
        one_proxy.write([calls(1, 2), deletes(1, 3)])
    assert (one(path).calls, one(path).ended_by) == (3, "deleted")
    assert callers(path) == [None, *["claude-code"] * 4]


def test_a_call_that_is_written_before_its_sessions_beginning_gets_its_client(
    tmp_path: Path,
) -> None:
    """Another proxy was a moment faster with its batch."""
    early = [calls(1, 0.001, **NOBODY), calls(1, 0.002, tool="b", **NOBODY)]
    path = write_each(tmp_path / "s.db", early, [calls(2, 1, **NOBODY)], [opens(1)])
    assert callers(path) == ["claude-code"] * 3 + [None]
    assert (one(path).calls, one(path).tools) == (3, 2)


def test_an_id_that_two_clients_were_given_tells_nobodys_name(tmp_path: Path) -> None:
    stranger = opens(1, 1, client="cursor", detail=Detail(link='{"opens":true}'))
    path = write_each(
        tmp_path / "s.db", [opens(1)], [stranger], [calls(1, 2, **NOBODY)], [opens(1, 3)]
    )
    assert callers(path) == ["claude-code", "cursor", None, "claude-code"]
    assert one(path).is_shared


def test_an_id_that_was_given_anew_after_its_end_belongs_to_the_new_client(tmp_path: Path) -> None:
    again = opens(1, 2, client="cursor", detail=Detail(link='{"opens":true}'))
    path = write_each(
        tmp_path / "s.db", [opens(1), deletes(1, 1)], [again], [calls(1, 3, **NOBODY)]
    )
    assert callers(path)[-1] == "cursor"
    record = one(path)
    assert (record.is_shared, record.opened_ms, record.ended_ms) == (False, at(2), None)


ENDS = {"deleted": deletes(1, 5), "lost": loses(1, 5)}


@pytest.mark.parametrize("how", ENDS)
@pytest.mark.parametrize("is_one_batch", [True, False])
def test_a_session_ends_when_its_client_or_its_server_says_so(
    tmp_path: Path, how: str, is_one_batch: bool
) -> None:
    batches = [[opens(1), calls(1, 1)], [ENDS[how]]]
    path = write_each(
        tmp_path / "s.db", *([[*batches[0], *batches[1]]] if is_one_batch else batches)
    )
    assert (one(path).ended_ms, one(path).ended_by) == (at(5), how)


def test_a_lost_session_that_is_called_again_and_again_ended_when_it_was_lost(
    tmp_path: Path,
) -> None:
    path = write_each(tmp_path / "s.db", [opens(1)], [loses(1, 5)], [loses(1, 6), loses(1, 7)])
    assert (one(path).ended_ms, one(path).last_ms) == (at(5), at(7))
    assert [state for state, _, _ in told(path)] == ["active", "ended"]


def test_a_session_that_only_one_replica_lost_lives_on(tmp_path: Path) -> None:
    path = write_each(tmp_path / "s.db", [opens(1)], [loses(1, 5)], [calls(1, 6)])
    assert one(path).ended_ms is None


NO_LOSS = {
    "an unknown method of the modern wire": loses(1, 5, revision="2026-07-28"),
    "an unknown method": loses(1, 5, outcome="rpc_error", rpc_code=-32601),
    "another session": loses(2, 5),
}


@pytest.mark.parametrize("event", NO_LOSS.values(), ids=NO_LOSS)
def test_not_every_404_is_a_lost_session(tmp_path: Path, event: RequestEvent) -> None:
    path = a_store(tmp_path / "s.db", [opens(1), event])
    assert one(path).ended_ms is None


def test_requests_of_the_stateless_wire_make_a_conversation_that_is_marked(tmp_path: Path) -> None:
    path = write_each(tmp_path / "s.db", [modern(0), modern(10)], [modern(20, tool="b")])
    record = one(path)
    assert (record.is_inferred, record.calls, record.tools) == (True, 3, 2)
    assert (record.opened_ms, record.last_ms, record.client) == (at(0), at(20), "claude-code")
    assert rows_of(path, "SELECT DISTINCT session FROM requests") == [(record.session,)]


OTHERS = {
    "another client": {"client": "cursor"},
    "another version": {"client_version": "2.2.0"},
    "another name": {"client": "other", "detail": Detail(client_name="mine")},
    "another server": {"server": "maps"},
    "half an hour later": {"ts_ms": at(30.01)},
}


@pytest.mark.parametrize("fields", OTHERS.values(), ids=OTHERS)
@pytest.mark.parametrize("is_one_batch", [True, False])
def test_what_differs_is_another_conversation(
    tmp_path: Path, fields: dict[str, object], is_one_batch: bool
) -> None:
    batches = [[modern(0)], [modern(0, **fields)]]
    path = write_each(
        tmp_path / "s.db", *([[*batches[0], *batches[1]]] if is_one_batch else batches)
    )
    assert [record.calls for record in found(path)] == [1, 1]


@pytest.mark.parametrize(
    "event",
    [modern(0, client=None), modern(0, kind="oauth"), calls(None, 0)],
    ids=["says no client", "is no request", "of the legacy wire"],
)
def test_what_says_nothing_of_itself_is_in_no_conversation(
    tmp_path: Path, event: RequestEvent
) -> None:
    path = a_store(tmp_path / "s.db", [event])
    assert found(path) == []
    assert rows_of(path, "SELECT session FROM requests") == [(None,)]


def test_several_proxies_put_one_conversation_together(tmp_path: Path) -> None:
    path = tmp_path / "s.db"
    with closing(Writer(path)) as one_proxy, closing(Writer(path)) as other:
        for minutes in range(0, 100, 20):
            one_proxy.write([modern(minutes)])
            other.write([modern(minutes + 10)])
    assert one(path).calls == 10


def test_a_call_that_comes_late_moves_the_beginning_of_its_conversation(tmp_path: Path) -> None:
    path = write_each(tmp_path / "s.db", [modern(10)], [modern(5)])
    assert (one(path).opened_ms, one(path).last_ms) == (at(5), at(10))


def test_beginnings_and_ends_are_told_once_in_the_order_of_commits(tmp_path: Path) -> None:
    events = [opens(1), calls(1, 1), deletes(1, 2)]
    path = write_each(tmp_path / "s.db", events[:2], events, [modern(3)])
    session = found(path)[0].session
    assert told(path) == [
        ("active", named(1), at(0)),
        ("ended", named(1), at(2)),
        ("active", session, at(3)),
    ]
    with SqliteEventStore(path) as store:
        [(seq, event), *_] = store.session_events_after(0, 1)
        assert len(store.session_events_after(seq, 10)) == 2
    assert isinstance(event, SessionEvent)
    assert (event.server, event.client, event.client_version) == ("weather", "claude-code", "2.1.0")
    assert event.revision == "2025-11-25"
    # An id of its own, of the right kind.
    assert event.id != events[0].id
    assert (event.id[6] >> 4, event.id[8] >> 6) == (7, 2)


def test_what_is_offered_twice_counts_once(tmp_path: Path) -> None:
    batch = [opens(1), calls(1, 1), calls(1, 2, outcome="timeout"), modern(3)]
    path = write_each(tmp_path / "s.db", batch, batch, [batch[1], calls(1, 4), batch[1]])
    counted = {record.is_inferred: (record.calls, record.errors) for record in found(path)}
    assert counted == {False: (4, 1), True: (1, 0)}


def test_a_batch_that_failed_leaves_nothing_of_its_sessions(tmp_path: Path) -> None:
    path = tmp_path / "s.db"
    with closing(Writer(path)) as writer:
        writer.write([opens(1)])
        unwritable = calls(1, 2, latency_us=2**70)
        assert writer.write([calls(1, 1), unwritable, modern(1)]) == 2
    assert {record.is_inferred: record.calls for record in found(path)} == {False: 2, True: 1}


def test_what_a_writer_remembers_is_bounded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mcpr.store.sqlite.writer._MOST_REMEMBERED", 50)
    path = tmp_path / "s.db"
    with closing(Writer(path)) as writer:
        for number in range(300):
            writer.write([opens(number), calls(number, 1), modern(0, client=f"c{number}")])
        assert writer._sessions.remembered <= 50 + 10
        writer.write([calls(3, 2, **NOBODY)])
    assert len(found(path)) == 600
    assert callers(path)[-1] == "claude-code"


@st.composite
def histories(draw: st.DrawFn) -> list[RequestEvent]:
    """Sessions of two clients, all mixed, each with a beginning."""
    events = []
    for number in range(draw(st.integers(1, 4))):
        client = draw(st.sampled_from(["claude", "cursor"]))
        events.append(opens(number, 0, client=client, detail=Detail(link='{"opens":true}')))
        for _ in range(draw(st.integers(0, 4))):
            minutes = draw(st.integers(1, 4))
            who: dict[str, object] = draw(st.sampled_from([dict(NOBODY), {"client": client}]))
            outcome = draw(st.sampled_from(["ok", "timeout"]))
            tool = draw(st.sampled_from(["a", "b", None]))
            events.append(calls(number, minutes, outcome=outcome, tool=tool, **who))
        if draw(st.booleans()):
            events.append(deletes(number, 5, client=client))
    return events


@given(histories(), st.randoms(use_true_random=False), st.integers(1, 5))
@settings(max_examples=40, deadline=None)
def test_order_and_writers_make_no_difference(
    tmp_path_factory: pytest.TempPathFactory,
    history: list[RequestEvent],
    chance: random.Random,
    size: int,
) -> None:
    """Truncated, doubled, interleaved, out of order: nobody gets another one's calls."""
    folder = tmp_path_factory.mktemp("stores")
    straight = a_store(folder / "straight.db", history)
    mixed = [*history, *chance.sample(history, len(history) // 2)]
    chance.shuffle(mixed)
    path = folder / "mixed.db"
    with closing(Writer(path)) as one_proxy, closing(Writer(path)) as other:
        for start in range(0, len(mixed), size):
            chance.choice([one_proxy, other]).write(mixed[start : start + size])

    def sessions(store: Path) -> dict[str, SessionRecord]:
        return {record.session: record for record in found(store)}

    expected = {event.session: event.client for event in history if event.method == "initialize"}
    assert sessions(path) == sessions(straight)
    query = "SELECT session, client FROM requests"
    assert set(rows_of(path, query)) == set(expected.items())
