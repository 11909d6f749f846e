"""store/sqlite/session_key: one key for each store."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from tests.store.building import a_store
from tests.store.processes import together

from mcpr.errors import StoreError
from mcpr.store.sqlite import session_key


def test_the_key_is_random_and_stays(tmp_path: Path) -> None:
    key = session_key(tmp_path / "one.db")
    assert len(key) == 32
    assert session_key(tmp_path / "one.db") == key
    assert session_key(tmp_path / "two.db") != key


def test_processes_that_start_at_once_make_one_store_and_one_key(tmp_path: Path) -> None:
    program = "print(session_key(path).hex())"
    answers = together(program, tmp_path / "new" / "store.db", count=6)
    assert len(set(answers)) == 1
    assert bytes.fromhex(answers[0]) == session_key(tmp_path / "new" / "store.db")


def test_a_damaged_key_is_not_used(tmp_path: Path) -> None:
    path = a_store(tmp_path / "store.db")
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("INSERT INTO meta (key, value) VALUES ('session_key', x'00')")
        connection.commit()
    with pytest.raises(StoreError, match="key for session ids is damaged"):
        session_key(path)
