"""store/sqlite/retention: what is too old or too much goes, from the bytes of the files too."""

import json
from pathlib import Path

import pytest
from tests.events.building import an_event
from tests.store.building import a_store, rows_of

from mcpr.errors import StoreError
from mcpr.events import Detail
from mcpr.store.sqlite import rebuild
from mcpr.store.sqlite.retention import Kept, retain

NOW_MS = 1_767_225_600_000
HOUR_MS, DAY_MS = 3_600_000, 86_400_000
ALL = Kept(90 * DAY_MS, 2**40)
CANARY = "canary-of-an-old-tool"


def no_pause(_seconds: float) -> None:
    pass


def a_history(path: Path, days: int = 120) -> Path:
    """A store with some events of each day, the last one of now."""
    events = [
        an_event(
            ts_ms=NOW_MS - day * DAY_MS,
            tool=CANARY if day > 90 else "tool",
            session=f"{day:032x}",
            detail=Detail(error_text=CANARY if day > 90 else "text"),
        )
        for day in range(days)
        for _ in range(20)
    ]
    return a_store(path, events)


def test_events_older_than_90_days_are_gone_from_the_bytes_of_the_files(tmp_path: Path) -> None:
    path = a_history(tmp_path / "s.db")
    rebuild(path, NOW_MS)
    assert any(CANARY.encode() in file.read_bytes() for file in tmp_path.iterdir())
    done = retain(path, ALL, NOW_MS, no_pause)
    assert done is not None
    assert rows_of(path, "SELECT min(ts_ms) FROM requests") == [(NOW_MS - 90 * DAY_MS,)]
    assert not any(CANARY.encode() in file.read_bytes() for file in tmp_path.iterdir())
    assert rows_of(path, "SELECT count(*) FROM rollup WHERE start_ms < 1758844800000") == [(0,)]


def test_what_was_deleted_is_written_down_with_its_date(tmp_path: Path) -> None:
    path = a_history(tmp_path / "s.db")
    retain(path, ALL, NOW_MS, no_pause)
    [(record,)] = rows_of(path, "SELECT value FROM meta WHERE key = 'retention'")
    assert json.loads(record) == {
        "at_ms": NOW_MS,
        "before_ms": NOW_MS - 90 * DAY_MS,
        "events": 29 * 20,
    }
    assert retain(path, ALL, NOW_MS, no_pause) is None


def test_what_is_too_much_goes_oldest_first_and_the_last_hour_stays(tmp_path: Path) -> None:
    path = a_history(tmp_path / "s.db", days=10)
    retain(path, Kept(90 * DAY_MS, 1), NOW_MS, no_pause)
    assert rows_of(path, "SELECT DISTINCT ts_ms FROM requests") == [(NOW_MS,)]


def test_a_store_that_is_neither_old_nor_large_stays(tmp_path: Path) -> None:
    path = a_history(tmp_path / "s.db", days=10)
    assert retain(path, ALL, NOW_MS, no_pause) is None
    assert retain(a_store(tmp_path / "empty.db"), ALL, NOW_MS, no_pause) is None


def test_a_store_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="there is no such file"):
        retain(tmp_path / "s.db", ALL, NOW_MS, no_pause)
    assert list(tmp_path.iterdir()) == []
