"""store/sqlite/vacuum: old events and unused names go, the bytes too, and no writer waits long."""

import re
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from tests.events.building import TS_MS, an_event
from tests.store.building import a_store, rows_of
from tests.store.processes import let_go, started

from mcpr.errors import StoreError
from mcpr.events import Ids, RequestEvent
from mcpr.events.schema import items_of
from mcpr.store import Filter, Window
from mcpr.store.sqlite import SqliteEventStore, Writer, survey, vacuum
from mcpr.store.sqlite.schema_book import SchemaBook, Seen
from mcpr.store.sqlite.vacuum import AGED, INTERNED

OLD = "canary-of-an-old-tool"


def a_history(path: Path, days: int = 10, of_each: int = 200) -> Path:
    """A store with events of some days, each with its own tool and session."""
    events: list[RequestEvent] = []
    for day in range(days):
        fields: dict[str, object] = {
            "ts_ms": TS_MS + day * 86_400_000,
            "tool": OLD if day == 0 else f"tool{day}",
            "session": f"{day:032x}",
        }
        events += [an_event(**fields) for _ in range(of_each)]
    return a_store(path, events)


def after(day: int) -> int:
    return TS_MS + day * 86_400_000


def test_without_an_age_nothing_is_deleted_that_is_used(tmp_path: Path) -> None:
    path = a_history(tmp_path / "s.db")
    done = vacuum(path)
    assert done.before.events == done.after.events == 2_000
    assert (done.after.names, done.after.sessions) == (10, 10)


def test_what_is_older_goes_with_its_names_and_the_rest_stays(tmp_path: Path) -> None:
    path = a_history(tmp_path / "s.db")
    done = vacuum(path, after(4))
    assert (done.after.events, done.after.names, done.after.sessions) == (1_200, 6, 6)
    assert done.after.file_bytes < done.before.file_bytes
    assert done.after.free_bytes == 0
    assert rows_of(path, "SELECT min(ts_ms), count(*) FROM requests") == [(after(4), 1_200)]


def test_blocks_go_with_their_rows_and_those_that_are_cut_begin_at_the_edge(tmp_path: Path) -> None:
    path = tmp_path / "s.db"
    with closing(Writer(path)) as writer:
        for at in range(3):
            batch = [
                an_event(
                    id=bytes([1, at] + [0] * 13 + [row]),
                    ts_ms=TS_MS + at * 1_000 + row * 100,
                    session=("ab" if row < 5 else "cd") * 16,
                )
                for row in range(10)
            ]
            writer.write(batch)
    vacuum(path, TS_MS + 1_500)
    assert rows_of(path, "SELECT seq FROM request_event") == [(seq,) for seq in range(16, 31)]
    assert rows_of(path, "SELECT first_seq, last_seq, min_ts_ms FROM block") == [
        (11, 20, TS_MS + 1_500),
        (21, 30, TS_MS + 2_000),
    ]
    kept = "SELECT session, first_seq, last_seq FROM session_block"
    assert rows_of(path, kept) == [(1, 21, 25), (2, 16, 20), (2, 26, 30)]
    with SqliteEventStore(path) as store:
        found = store.requests(Filter(window=Window(0, TS_MS + 2_000)), 100)
        assert [row.seq for row in found] == [20, 19, 18, 17, 16]
        assert [row.event.id[-1] for row in found] == [9, 8, 7, 6, 5]


def test_what_was_deleted_is_gone_from_every_byte_beside_a_running_writer(tmp_path: Path) -> None:
    """P19's means: secure deletion, and a log that is emptied. The writer keeps the file open."""
    path = a_history(tmp_path / "s.db")
    with closing(Writer(path)) as writer:
        writer.write([an_event(ts_ms=after(9))])
        assert any(OLD.encode() in file.read_bytes() for file in tmp_path.iterdir())
        done = vacuum(path, after(1))
        assert done.is_wal_emptied
        assert not any(OLD.encode() in file.read_bytes() for file in tmp_path.iterdir())
        assert path.stat().st_size == done.after.file_bytes


def test_a_name_that_a_writer_remembers_and_that_was_forgotten_is_written_anew(
    tmp_path: Path,
) -> None:
    path = tmp_path / "s.db"
    with closing(Writer(path)) as writer:
        writer.write([an_event(tool="a"), an_event(tool="b", ts_ms=after(2))])
        vacuum(path, after(1))
        writer.write([an_event(tool="a", ts_ms=after(2))])
    assert rows_of(path, "SELECT tool FROM requests ORDER BY tool") == [("a",), ("b",)]


@pytest.mark.parametrize("day", [None, 0, 4, 100])
def test_a_survey_counts_what_a_vacuum_then_does_and_changes_nothing(
    tmp_path: Path, day: int | None
) -> None:
    path = a_history(tmp_path / "s.db")
    before = path.read_bytes()
    edge = None if day is None else after(day)
    said = survey(path, edge)
    assert path.read_bytes() == before
    done = vacuum(path, edge)
    assert said.before == done.before
    for name in ("events", "names", "sessions"):
        assert getattr(said.after, name) == getattr(done.after, name)


def test_a_reader_that_stays_keeps_the_log_and_the_answer_says_so(tmp_path: Path) -> None:
    path = a_history(tmp_path / "s.db")
    with closing(sqlite3.connect(path, isolation_level=None)) as reader, closing(Writer(path)):
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM requests").fetchone()
        assert not vacuum(path, after(4)).is_wal_emptied
        assert reader.execute("SELECT count(*) FROM requests").fetchone() == (2_000,)
    assert vacuum(path).is_wal_emptied


def test_a_store_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    for ask in (vacuum, survey):
        with pytest.raises(StoreError, match="nothing has been recorded there yet"):
            ask(tmp_path / "none.db")
    assert list(tmp_path.iterdir()) == []


def test_lists_that_were_not_seen_for_so_long_go_with_their_definitions(tmp_path: Path) -> None:
    """What is approved stays: without it nothing would be pinned."""
    path = a_store(tmp_path / "s.db")
    with closing(SchemaBook(path, Ids(lambda _bits: 0).mint)) as book:
        for day in range(4):
            items = items_of("tools", [b'{"name":"always"}', b'{"name":"now","x":%d}' % day])
            book.take(Seen("weather", "tools", b"a", items, 1, after(day)))
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE schema_version SET approved_ms = 1 WHERE version = 1")
    vacuum(path, after(2))
    assert rows_of(path, "SELECT version FROM schema_version") == [(1,), (3,), (4,)]
    assert rows_of(path, "SELECT count(*) FROM schema_item") == [(4,)]
    assert rows_of(path, "SELECT version FROM schema_change") == [(3,), (4,)]
    assert not any(b'"now","x":1' in file.read_bytes() for file in tmp_path.iterdir())
    with closing(SchemaBook(path, Ids(lambda _bits: 0).mint)) as book:
        items = items_of("tools", [b'{"name":"new"}'])
        assert book.take(Seen("weather", "tools", b"a", items, 1, after(5))).version == 5


WRITING = """
import contextlib, secrets
from mcpr.events import Ids
ids = Ids(secrets.randbits)  # Those of the tests would begin again in this process.
with contextlib.closing(Writer(path)) as writer:
    print("begun", flush=True)
    os.set_blocking(0, False)
    count = 0
    while not sys.stdin.read(1):
        event = {"id": ids.mint(1_800_000_000_000), "ts_ms": 1_800_000_000_000}
        assert writer.write([an_event(tool=f"new{count % 7}", **event)]) == 1
        count += 1
    print(count, flush=True)
"""


def test_writers_go_on_beside_it_and_lose_nothing(tmp_path: Path) -> None:
    path = a_history(tmp_path / "s.db", of_each=1_000)
    with started(WRITING, path) as [process]:
        let_go(process)
        assert process.stdout is not None
        assert process.stdout.readline() == "begun\n"
        done = vacuum(path, after(5))
        let_go(process)
        written = int(process.communicate(timeout=60)[0])
    assert written > 0
    assert done.longest_hold_us > 0
    with SqliteEventStore(path) as store:
        assert store.last_seq() == 10_000 + written
    kept = rows_of(path, "SELECT count(*), sum(tool LIKE 'new%') FROM requests")
    assert kept == [(5_000 + written, written)]


def test_every_table_with_an_age_is_aged_and_every_use_of_a_name_is_known(tmp_path: Path) -> None:
    """A migration that adds one has to say here what becomes of it."""
    path = a_store(tmp_path / "s.db")
    statements = rows_of(path, "SELECT name, sql FROM sqlite_master WHERE type = 'table'")
    aged = {name for name, sql in statements if re.search(r"\bts_ms\b", sql)}
    uses = {
        (name, column, used)
        for name, _ in statements
        for _, _, used, column, *_ in rows_of(path, f"PRAGMA foreign_key_list({name})")
    }
    assert aged == set(AGED)
    assert uses == {(table, column, name) for name, (table, column) in INTERNED.items()}
