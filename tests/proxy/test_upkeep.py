"""proxy/upkeep: the store is looked after while the proxy runs, and nobody waits for it."""

import logging
from pathlib import Path

import pytest
from tests.events.building import TS_MS, an_event
from tests.store.building import a_store, rows_of

from mcpr.proxy.upkeep import Upkeep
from mcpr.store.sqlite.retention import Kept

DAY_MS = 86_400_000


def test_what_is_too_old_is_deleted_in_the_first_round(tmp_path: Path) -> None:
    path = a_store(tmp_path / "s.db", [an_event(), an_event(ts_ms=TS_MS + 2 * DAY_MS)])
    upkeep = Upkeep(path, lambda: TS_MS + 2 * DAY_MS, Kept(DAY_MS, 2**40))
    upkeep.look()
    assert rows_of(path, "SELECT count(*) FROM requests") == [(1,)]


def test_what_is_closed_is_summed_up(tmp_path: Path) -> None:
    path = a_store(tmp_path / "s.db", [an_event()])
    upkeep = Upkeep(path, lambda: TS_MS + DAY_MS)
    upkeep.look()
    assert rows_of(path, "SELECT count(*) FROM rollup_span WHERE grain = 3600000") == [(1,)]


def test_a_store_that_is_gone_is_not_made_again(tmp_path: Path) -> None:
    upkeep = Upkeep(tmp_path / "s.db", lambda: TS_MS)
    upkeep.look()
    assert list(tmp_path.iterdir()) == []


def test_what_is_wrong_with_the_file_is_said_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "s.db"
    path.write_text("not a database, but long enough to be looked at as if it were one " * 20)
    upkeep = Upkeep(path, lambda: TS_MS)
    with caplog.at_level(logging.ERROR):
        upkeep.look()
        upkeep.look()
    assert [record.levelname for record in caplog.records] == ["ERROR"]


def test_it_works_by_itself_and_ends_when_told(tmp_path: Path) -> None:
    path = a_store(tmp_path / "s.db", [an_event()])
    upkeep = Upkeep(path, lambda: TS_MS + DAY_MS, every_seconds=0.001)
    upkeep.start()
    spans = "SELECT count(*) FROM rollup_span"
    for _ in range(1_000_000):
        if rows_of(path, spans) != [(0,)]:
            break
    upkeep.stop()
    assert not upkeep._thread.is_alive()
    assert rows_of(path, spans) != [(0,)]
