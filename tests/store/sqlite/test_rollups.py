"""store/sqlite/rollups: what is summed up, when, and what takes it away again."""

from contextlib import closing
from pathlib import Path

import pytest
from tests.events.building import an_event
from tests.store.building import a_store, rows_of
from tests.store.sqlite.test_rolled import BEGIN, END, rolled

from mcpr.store.sqlite import Writer, rebuild
from mcpr.store.sqlite.database import open_for_writing
from mcpr.store.sqlite.rollups import DAY_MS, GRAINS, HOUR_MS, roll


def test_what_comes_late_marks_its_spans_until_they_are_summed_up_again(tmp_path: Path) -> None:
    path = a_store(tmp_path / "s.db", [an_event(ts_ms=BEGIN + at * DAY_MS) for at in range(7)])
    rolled(path, END)
    with closing(Writer(path)) as writer:
        writer.write([an_event(ts_ms=BEGIN + 5)])
    spans = "SELECT grain, count(*) FROM rollup_span GROUP BY grain"
    assert rows_of(path, spans) == [(HOUR_MS, 6), (DAY_MS, 6)]
    assert rows_of(path, "SELECT grain, start_ms FROM rollup_mark") == [
        (grain, BEGIN) for grain in GRAINS
    ]
    assert rolled(path, END) == dict.fromkeys(GRAINS, 1)
    assert rows_of(path, "SELECT calls FROM rollup WHERE grain = 604800000") == [(8,)]


def test_the_open_hour_is_not_summed_up(tmp_path: Path) -> None:
    path = a_store(tmp_path / "s.db", [an_event(ts_ms=BEGIN)])
    assert rolled(path, BEGIN + HOUR_MS)[HOUR_MS] == 0
    assert rolled(path, BEGIN + HOUR_MS + 120_000)[HOUR_MS] == 1


def test_what_changes_while_it_is_summed_up_is_left_for_the_next_time(tmp_path: Path) -> None:
    path = a_store(tmp_path / "s.db", [an_event(ts_ms=BEGIN + 1_800_000)])
    with closing(Writer(path)) as writer, closing(open_for_writing(path)) as connection:
        # The first pause is after the marks, the second after the first sums.
        pauses = iter([False, True])

        def pause(_seconds: float) -> None:
            if next(pauses, False):
                writer.write([an_event(ts_ms=BEGIN + 7)])

        assert roll(connection, END, pause).spans == dict.fromkeys(GRAINS, 0)
    assert rows_of(path, "SELECT count(*) FROM rollup") == [(0,)]
    assert rolled(path, END) == dict.fromkeys(GRAINS, 1)
    assert rows_of(path, "SELECT DISTINCT calls FROM rollup") == [(2,)]


def test_what_is_ended_halfway_is_gone_on_with(tmp_path: Path) -> None:
    path = a_store(tmp_path / "s.db", [an_event(ts_ms=BEGIN + at * HOUR_MS) for at in range(48)])

    class EndedError(Exception):
        pass

    def pause(_seconds: float) -> None:
        left.pop()
        if not left:
            raise EndedError

    for steps in range(1, 12):
        left = [None] * steps
        with closing(open_for_writing(path)) as connection, pytest.raises(EndedError):
            roll(connection, END, pause)
    rolled(path, END)
    assert rows_of(path, "SELECT grain, count(*) FROM rollup_span GROUP BY 1") == [
        (HOUR_MS, 48),
        (DAY_MS, 2),
        (GRAINS[2], 1),
    ]


def test_a_rebuild_mends_sums_that_were_changed_by_hand(tmp_path: Path) -> None:
    path = a_store(tmp_path / "s.db", [an_event(ts_ms=BEGIN)])
    rolled(path, END)
    with closing(open_for_writing(path)) as connection:
        connection.execute("UPDATE rollup SET calls = 99")
    assert rebuild(path, END).spans == dict.fromkeys(GRAINS, 1)
    assert rows_of(path, "SELECT DISTINCT calls FROM rollup") == [(1,)]
