"""store/sqlite/steps: work in small transactions, each as large as fits."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from tests.events.building import many
from tests.store.building import a_store, rows_of

from mcpr.store.sqlite.database import open_for_writing
from mcpr.store.sqlite.steps import Steps


def test_work_is_done_in_steps_with_a_pause_after_each(tmp_path: Path) -> None:
    path = a_store(tmp_path / "s.db", many(500))
    pauses: list[float] = []
    with closing(open_for_writing(path)) as connection:
        steps = Steps(connection, pauses.append)
        steps.repeat(_DELETE, 400)
    assert rows_of(path, "SELECT count(*) FROM request_event") == [(101,)]
    assert len(pauses) == steps.done > 1
    assert min(pauses) > 0


_DELETE = (
    "DELETE FROM request_event WHERE seq IN"
    " (SELECT seq FROM request_event WHERE seq < ? ORDER BY seq LIMIT ?)"
)


def test_a_step_that_fails_is_taken_back(tmp_path: Path) -> None:
    path = a_store(tmp_path / "s.db", many(3))
    with closing(open_for_writing(path)) as connection:
        steps = Steps(connection, lambda _: None)
        with pytest.raises(sqlite3.IntegrityError), steps.step():
            connection.executemany("UPDATE request_event SET seq = ?", [(7,), (8,)])
    assert rows_of(path, "SELECT seq FROM request_event") == [(1,), (2,), (3,)]
