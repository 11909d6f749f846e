"""store/sqlite/blocks: what rows are found by, said once for many of them."""

from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.events.building import TS_MS, an_event
from tests.store.building import a_store, rows_of

from mcpr.events import RequestEvent
from mcpr.store import Filter
from mcpr.store.sqlite import SqliteEventStore, Writer
from mcpr.store.sqlite.blocks import BLOCK_MS

BLOCKS = "SELECT first_seq, last_seq, min_ts_ms, max_ts_ms FROM block ORDER BY first_seq"
SESSIONS = "SELECT session, first_seq, last_seq FROM session_block ORDER BY session, first_seq"


def numbered(numbers: list[int], **fields: object) -> list[RequestEvent]:
    return [an_event(id=number.to_bytes(16, "big"), **fields) for number in numbers]


def ids_in(path: Path) -> list[int]:
    with SqliteEventStore(path) as store:
        found = store.requests_after(0, Filter(), 10_000)
    return [int.from_bytes(row.event.id, "big") for row in found]


def test_a_batch_whose_ids_follow_one_another_is_one_block(tmp_path: Path) -> None:
    path = a_store(tmp_path / "s.db", numbered(list(range(7, 307))))
    assert rows_of(path, BLOCKS) == [(1, 300, TS_MS, TS_MS)]
    assert ids_in(path) == list(range(7, 307))


def test_a_gap_between_ids_begins_a_block(tmp_path: Path) -> None:
    path = a_store(tmp_path / "s.db", numbered([5, 6, 9, 2]))
    assert [row[:2] for row in rows_of(path, BLOCKS)] == [(1, 2), (3, 3), (4, 4)]


def test_arrivals_far_apart_are_in_blocks_of_their_own(tmp_path: Path) -> None:
    """A stream is recorded when it ends, maybe hours after it began."""
    batch = numbered([1, 2, 3, 4, 5])
    early = numbered([3], ts_ms=TS_MS - BLOCK_MS - 1)
    path = a_store(tmp_path / "s.db", [*batch[:2], *early, *batch[3:]])
    assert rows_of(path, BLOCKS) == [
        (1, 2, TS_MS, TS_MS),
        (3, 3, TS_MS - BLOCK_MS - 1, TS_MS - BLOCK_MS - 1),
        (4, 5, TS_MS, TS_MS),
    ]
    assert ids_in(path) == [1, 2, 3, 4, 5]


def test_arrivals_as_far_apart_as_may_be_are_in_one_block(tmp_path: Path) -> None:
    events = [*numbered([1]), *numbered([2], ts_ms=TS_MS - BLOCK_MS)]
    path = a_store(tmp_path / "s.db", events)
    assert rows_of(path, BLOCKS) == [(1, 2, TS_MS - BLOCK_MS, TS_MS)]


def test_a_session_is_found_in_its_part_of_each_batch(tmp_path: Path) -> None:
    sessions = ["a" * 32, "b" * 32, None, "b" * 32, "a" * 32, None]
    path = tmp_path / "s.db"
    with closing(Writer(path)) as writer:
        writer.write([an_event(session=session) for session in sessions])
        writer.write([an_event(session="b" * 32), an_event(session="b" * 32)])
        writer.write([an_event(session=None)])
    assert rows_of(path, SESSIONS) == [(1, 1, 5), (2, 2, 4), (2, 7, 8)]
    with SqliteEventStore(path) as store:
        seqs = {
            name: [found.seq for found in store.requests(Filter(session=name), 10)]
            for name in ("a", "b", "c")
        }
    assert seqs == {"a": [5, 1], "b": [8, 7, 4, 2], "c": []}


@given(st.lists(st.lists(st.integers(0, 40), max_size=15), max_size=8))
@settings(max_examples=60, deadline=None)
def test_an_id_is_written_once_however_often_it_comes(
    tmp_path_factory: pytest.TempPathFactory, batches: list[list[int]]
) -> None:
    path = tmp_path_factory.mktemp("store") / "s.db"
    with closing(Writer(path)) as writer:
        for batch in batches:
            assert writer.write(numbered(batch)) == len(batch)
    expected = list(dict.fromkeys(number for batch in batches for number in batch))
    assert ids_in(path) == expected
    spans = [row[:2] for row in rows_of(path, BLOCKS)]
    assert sum(last - first + 1 for first, last in spans) == len(expected)
    for number in range(42):
        with SqliteEventStore(path) as store:
            found = store.requests(Filter(id=f"{number:032x}"), 10)
        assert len(found) == (number in expected)


@pytest.mark.parametrize("first", [0, 2**63 - 2, 2**64 - 2, 2**127 - 2, 2**128 - 4])
def test_ids_at_every_border_of_their_bits_are_read_as_they_were_written(
    tmp_path: Path, first: int
) -> None:
    numbers = list(range(first, first + 4))
    path = a_store(tmp_path / "s.db", numbered(numbers))
    assert ids_in(path) == numbers
    shown = [row[0].replace("-", "") for row in rows_of(path, "SELECT id FROM requests")]
    assert shown == [f"{number:032x}" for number in numbers]


def test_an_id_that_was_deleted_does_not_come_back(tmp_path: Path) -> None:
    """We chose that: whoever delivers twice must not undo retention."""
    path = a_store(tmp_path / "s.db", numbered([1, 2, 3]))
    with closing(Writer(path)) as writer:
        writer._connection.execute("DELETE FROM request_event WHERE seq = 2")
        assert writer.write(numbered([2])) == 1
    assert ids_in(path) == [1, 3]
