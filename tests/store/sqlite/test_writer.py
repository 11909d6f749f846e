"""store/sqlite/writer: batches into a store, whole or not at all."""

import signal
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.events.building import an_event, events, many
from tests.store.building import a_store, damage, rows_of
from tests.store.processes import SECONDS, let_go, started, together

from mcpr.errors import StoreError
from mcpr.events import Detail, RequestEvent
from mcpr.store import Filter
from mcpr.store.sqlite import SqliteEventStore, Writer

EVERYTHING = Filter()


def recorded(path: Path) -> list[RequestEvent]:
    """All events of a store, in the order of commits."""
    with SqliteEventStore(path) as store:
        return [found.event for found in store.requests_after(0, EVERYTHING, 10_000)]


def counts(path: Path) -> dict[str, int]:
    tables = ("request_event", "label", "session")
    return {table: rows_of(path, f"SELECT count(*) FROM {table}")[0][0] for table in tables}


@given(st.lists(st.lists(events, max_size=12), max_size=6))
@settings(max_examples=40, deadline=None)
def test_what_is_read_is_what_was_written(
    tmp_path_factory: pytest.TempPathFactory, batches: list[list[RequestEvent]]
) -> None:
    path = tmp_path_factory.mktemp("store") / "store.db"
    with closing(Writer(path)) as writer:
        for batch in batches:
            assert writer.write(batch) == len(batch)
    expected = {event.id: event for batch in reversed(batches) for event in reversed(batch)}
    found = recorded(path)
    assert {event.id: as_kept(event, expected[event.id]) for event in found} == {
        key: as_kept(msgspec.structs.replace(event, aside=None), event)
        for key, event in expected.items()
    }
    assert len(found) == len(expected)


def as_kept(event: RequestEvent, written: RequestEvent) -> RequestEvent:
    """No detail, and one that says nothing, are the same; a conversation may have been inferred."""
    detail = None if event.detail == Detail() else event.detail
    return msgspec.structs.replace(event, detail=detail, session=written.session)


@pytest.mark.parametrize("size", [0, 1, 2, 3, 127, 128, 129, 171, 500])
@pytest.mark.parametrize("detail", [None, Detail(error_text="no")], ids=["narrow", "wide"])
def test_batches_of_every_size_are_written_in_their_order(
    tmp_path: Path, size: int, detail: Detail | None
) -> None:
    batch = [an_event(detail=detail, latency_us=at) for at in range(size)]
    assert recorded(a_store(tmp_path / "store.db", batch)) == batch


def test_one_event_with_a_text_makes_no_other_lose_its_place(tmp_path: Path) -> None:
    batch = [*many(40), an_event(detail=None), an_event(detail=Detail(path="/x")), *many(3)]
    assert recorded(a_store(tmp_path / "store.db", batch)) == batch


def test_a_batch_that_comes_again_changes_no_number(tmp_path: Path) -> None:
    batch = many(30)
    path = a_store(tmp_path / "store.db", batch)
    before = rows_of(path, "SELECT * FROM requests")
    a_store(path, [*batch, *batch])
    assert rows_of(path, "SELECT * FROM requests") == before
    a_store(path, [an_event(id=batch[0].id, bytes_in=9), an_event()])
    assert rows_of(path, "SELECT * FROM requests")[:30] == before


def test_a_store_that_was_emptied_gives_out_no_seq_again(tmp_path: Path) -> None:
    """Whoever follows has passed those numbers, and would miss what comes under them."""
    path = a_store(tmp_path / "store.db", many(5))
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("DELETE FROM request_event")
    with SqliteEventStore(a_store(path, many(1))) as store:
        assert [found.seq for found in store.requests_after(5, EVERYTHING, 9)] == [6]


def test_what_many_requests_have_in_common_is_written_once(tmp_path: Path) -> None:
    path = a_store(tmp_path / "store.db", many(100))
    a_store(path, many(100))
    assert counts(path) == {"request_event": 200, "label": 1, "session": 1}


def test_two_writers_agree_on_labels_and_sessions(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    batches = [[an_event(tool=f"tool_{at % 4}")] for at in range(12)]
    with closing(Writer(path)) as one, closing(Writer(path)) as two:
        for at, batch in enumerate(batches):
            (one, two)[at % 2].write(batch)
    assert [event.tool for event in recorded(path)] == [batch[0].tool for batch in batches]
    assert counts(path) == {"request_event": 12, "label": 4, "session": 1}


def test_a_writer_notices_that_labels_and_sessions_were_removed(tmp_path: Path) -> None:
    """As retention does with those that no event needs any more."""
    path = tmp_path / "store.db"
    with closing(Writer(path)) as writer:
        writer.write(many(3))
        with closing(sqlite3.connect(path)) as other, other:
            for table in ("request_event", "label", "session"):
                other.execute(f"DELETE FROM {table}")
            # Their numbers now belong to somebody else.
            other.execute("INSERT INTO session (hash) VALUES (zeroblob(16))")
            other.execute(
                "INSERT INTO label (server, kind, outcome) VALUES ('other', 'http', 'broken')"
            )
        batch = many(2)
        writer.write(batch)
    assert recorded(path) == batch


def test_a_writer_remembers_nothing_of_a_batch_that_was_not_written(tmp_path: Path) -> None:
    path = a_store(tmp_path / "store.db")
    batch = [an_event(tool="new", session="f" * 32)]
    with closing(Writer(path)) as writer:
        connection = writer._connection
        connection.execute(
            "CREATE TEMP TRIGGER no BEFORE INSERT ON main.request_event "
            "BEGIN SELECT raise(ABORT, 'no'); END"
        )
        with pytest.raises(StoreError):
            writer.write(batch)
        connection.execute("DROP TRIGGER no")
        assert counts(path) == {"request_event": 0, "label": 0, "session": 0}
        writer.write(batch)
    assert recorded(path) == batch


@pytest.mark.parametrize(
    "bad",
    [
        {"rpc_code": 10**30},
        {"latency_us": 2**63},
        {"session": "not hex"},
        {"server": "\ud800"},
        {"detail": Detail(error_text="\udfff")},
    ],
    ids=str,
)
def test_an_event_that_sqlite_cannot_hold_takes_no_other_with_it(
    tmp_path: Path, bad: dict[str, object]
) -> None:
    good = many(7)
    batch: Sequence[RequestEvent] = [*good[:3], an_event(**bad), *good[3:]]
    with closing(Writer(tmp_path / "store.db")) as writer:
        assert writer.write(batch) == 7
        assert writer.write(many(1)) == 1
    assert recorded(tmp_path / "store.db")[:7] == good


def test_many_labels_and_sessions_are_written_and_not_all_remembered(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    with closing(Writer(path)) as writer:
        for start in range(0, 24_000, 2_000):
            writer.write([an_event(session=f"{n:032x}") for n in range(start, start + 2_000)])
            assert len(writer._sessions) <= 22_000
    assert counts(path) == {"request_event": 24_000, "label": 1, "session": 24_000}


KILLED = """
writer = Writer(path)
number = 0
while True:
    batch = [an_event(id=(number * 1_000 + at).to_bytes(16, "big")) for at in range(50)]
    writer.write(batch)
    print(number, flush=True)
    number += 1
"""


def test_a_writer_that_is_killed_leaves_whole_batches_and_none_missing(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    for kill in range(10):
        program = KILLED.replace("number = 0", f"number = {kill * 1_000}")
        with started(program, path) as [process]:
            let_go(process)
            assert process.stdout is not None
            for _ in range(kill + 1):
                last = int(process.stdout.readline())
            process.send_signal(signal.SIGKILL)
            last = max([last, *map(int, process.communicate(timeout=SECONDS)[0].split())])
        ids = [int.from_bytes(event.id, "big") for event in recorded(path)]
        numbers = {number // 1_000 for number in ids}
        assert len(ids) == 50 * len(numbers), "a torn batch"
        assert set(range(kill * 1_000, last + 1)) <= numbers, "an acknowledged batch is missing"
        assert rows_of(path, "PRAGMA integrity_check") == [("ok",)]


def test_two_processes_write_one_store_at_once(tmp_path: Path) -> None:
    program = """
writer = Writer(path)
for number in range(60):
    ids = [os.getpid().to_bytes(8, "big") + (number * 9 + at).to_bytes(8, "big") for at in range(9)]
    tools = [f"tool_{(number + at) % 5}" for at in range(9)]
    writer.write([an_event(id=id, tool=tool) for id, tool in zip(ids, tools)])
writer.close()
print("done")
"""
    path = tmp_path / "store.db"
    assert together(program, path, count=2) == ["done", "done"]
    assert counts(path) == {"request_event": 1_080, "label": 5, "session": 1}
    assert rows_of(path, "PRAGMA foreign_key_check") == []


def test_a_reader_is_not_kept_waiting_by_a_writer(tmp_path: Path) -> None:
    path = a_store(tmp_path / "store.db", many(3))
    with closing(Writer(path)) as writer, SqliteEventStore(path) as store:
        store._connection.execute("PRAGMA busy_timeout = 0")
        with writer._transaction():
            writer._insert(many(500))
            assert len(store.requests(EVERYTHING, 1_000)) == 3
        assert len(store.requests(EVERYTHING, 1_000)) == 503


def test_a_writer_is_not_kept_waiting_by_a_reader(tmp_path: Path) -> None:
    path = a_store(tmp_path / "store.db", many(3))
    with closing(Writer(path)) as writer, SqliteEventStore(path) as store:
        writer._connection.execute("PRAGMA busy_timeout = 0")
        reading = store._connection.execute("SELECT * FROM requests")
        reading.fetchone()
        assert writer.write(many(500)) == 500
        assert len(reading.fetchall()) == 2


def test_a_full_disk_is_an_error_and_then_over(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    with closing(Writer(path)) as writer:
        writer.write(many(10))
        connection = writer._connection
        (pages,) = connection.execute("PRAGMA page_count").fetchone()
        connection.execute(f"PRAGMA max_page_count = {pages}")
        with pytest.raises(StoreError) as full:
            writer.write(many(2_000))
        assert full.value.why == "the disk is full"
        assert "free space" in full.value.next_step
        connection.execute("PRAGMA max_page_count = 100000")
        assert writer.write(many(2_000)) == 2_000
    assert counts(path)["request_event"] == 2_010


def test_a_file_that_may_not_grow_is_an_error_and_then_over(tmp_path: Path) -> None:
    """As a quota: the system itself refuses the write."""
    program = """
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
writer = Writer(path)
writer.write(many(10))
limits = resource.getrlimit(resource.RLIMIT_FSIZE)
resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, limits[1]))
try:
    for _ in range(20):
        writer.write(many(500))
except StoreError as error:
    print(error.why)
resource.setrlimit(resource.RLIMIT_FSIZE, limits)
print(writer.write(many(500)))
"""
    [answer] = together(program, tmp_path / "store.db")
    why, written = answer.splitlines()
    assert why in {"the disk refuses to read or write", "the disk is full"}
    assert written == "500"
    assert rows_of(tmp_path / "store.db", "PRAGMA integrity_check") == [("ok",)]
    assert counts(tmp_path / "store.db")["request_event"] % 500 == 10


def test_a_damaged_file_is_an_error_that_says_so(tmp_path: Path) -> None:
    path = a_store(tmp_path / "store.db", many(2_000))
    damage(path)
    with closing(Writer(path)) as writer, pytest.raises(StoreError) as damaged:
        writer.write(many(10))
    assert damaged.value.why == "the file is damaged"
    assert "move it away" in damaged.value.next_step


def test_a_locked_file_is_an_error_that_says_so(tmp_path: Path) -> None:
    path = a_store(tmp_path / "store.db")
    with closing(Writer(path)) as writer, closing(Writer(path)) as other:
        writer._connection.execute("PRAGMA busy_timeout = 0")
        with other._transaction(), pytest.raises(StoreError, match="another program has locked it"):
            writer.write(many(1))
        assert writer.write(many(1)) == 1
