"""store/sqlite/database: opening, making and migrating a store's file."""

import sqlite3
import tempfile
from contextlib import closing
from pathlib import Path

import pytest
from tests.events.building import TS_MS, an_event
from tests.store.building import a_store, rows_of, schema_of
from tests.store.processes import together

from mcpr.errors import Exit, StoreError
from mcpr.store import Filter
from mcpr.store.questions import tools
from mcpr.store.sqlite import SqliteEventStore, Writer, database
from mcpr.store.sqlite.database import SCHEMA_VERSION, migrate, open_for_reading, open_for_writing

FIXTURES = Path(__file__).parents[1] / "fixtures"
RELEASED = sorted(FIXTURES.glob("schema_v*.sql"))


def from_fixture(fixture: Path, path: Path) -> Path:
    """A store as an older mcpr has left it."""
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(fixture.read_text())
    return path


def test_a_new_store_and_its_folder_are_its_owners_only(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "er" / "store.db"
    with closing(open_for_writing(path)) as connection:
        connection.execute("INSERT INTO meta (key, value) VALUES ('a', 1)")
        modes = {found.name: oct(found.stat().st_mode & 0o777) for found in path.parent.iterdir()}
    assert modes == {"store.db": "0o600", "store.db-wal": "0o600", "store.db-shm": "0o600"}
    assert path.parent.stat().st_mode & 0o777 == 0o700


def test_a_folder_that_was_there_keeps_its_mode(tmp_path: Path) -> None:
    (tmp_path / "shared").mkdir()
    (tmp_path / "shared").chmod(0o755)
    open_for_writing(tmp_path / "shared" / "store.db").close()
    assert (tmp_path / "shared").stat().st_mode & 0o777 == 0o755


@pytest.mark.parametrize(
    ("pragma", "value"),
    [
        ("page_size", 8192),
        ("auto_vacuum", 2),
        ("journal_mode", "wal"),
        ("synchronous", 1),
        ("secure_delete", 1),
        ("busy_timeout", 5000),
        ("user_version", SCHEMA_VERSION),
        ("application_id", int.from_bytes(b"mcpr", "big")),
    ],
)
def test_a_store_is_opened_as_was_decided(tmp_path: Path, pragma: str, value: object) -> None:
    for _ in ("new", "again"):
        with closing(open_for_writing(tmp_path / "store.db")) as connection:
            assert connection.execute(f"PRAGMA {pragma}").fetchone() == (value,)


def test_a_store_is_opened_again_without_waiting_for_its_writer(tmp_path: Path) -> None:
    with closing(Writer(tmp_path / "store.db")) as writer, writer._transaction():
        open_for_writing(tmp_path / "store.db").close()


def test_there_is_a_migration_for_each_version() -> None:
    folder = Path(database.__file__).parent / "migrations"
    numbers = sorted(int(step.name[:4]) for step in folder.glob("*.sql"))
    assert numbers == list(range(1, SCHEMA_VERSION + 1))


def test_there_is_a_stored_file_of_each_released_schema() -> None:
    assert [fixture.name for fixture in RELEASED] == [
        f"schema_v{version}.sql" for version in range(1, SCHEMA_VERSION + 1)
    ]


@pytest.mark.parametrize("fixture", RELEASED, ids=lambda path: path.stem)
def test_a_store_of_each_released_schema_is_brought_to_todays(
    tmp_path: Path, fixture: Path
) -> None:
    old = from_fixture(fixture, tmp_path / "old.db")
    a_store(old)
    assert rows_of(old, "PRAGMA user_version") == [(SCHEMA_VERSION,)]
    assert schema_of(old) == schema_of(a_store(tmp_path / "new.db"))


@pytest.mark.parametrize("fixture", RELEASED, ids=lambda path: path.stem)
def test_what_an_older_mcpr_recorded_can_be_read_and_added_to(
    tmp_path: Path, fixture: Path
) -> None:
    old = from_fixture(fixture, tmp_path / "old.db")
    with SqliteEventStore(old) as store:
        recorded = store.requests(Filter(), 10)
        [row] = tools(store, Filter())
    assert [(found.seq, found.event.tool, found.event.outcome) for found in recorded] == [
        (3, None, "ok"),
        (2, "get_weather", "tool_error"),
        (1, "get_weather", "ok"),
    ]
    detail = recorded[0].event.detail
    assert detail is not None
    assert detail.subject == "file:///forecast"
    assert (row.calls, row.errors, row.max_us, row.last_call_ms) == (2, 1, 91_000, TS_MS + 1)
    with closing(Writer(old)) as writer:
        assert writer.write([recorded[1].event, an_event()]) == 2
    with SqliteEventStore(old) as store:
        assert [found.seq for found in store.requests_after(0, Filter(), 9)][:3] == [1, 2, 3]
        assert len(store.requests(Filter(), 10)) == 4


def test_a_migration_and_its_version_come_together_or_not_at_all(tmp_path: Path) -> None:
    path = a_store(tmp_path / "store.db")
    (tmp_path / "0002_good.sql").write_text("CREATE TABLE good (a);\n")
    (tmp_path / "0003_bad.sql").write_text("CREATE TABLE half (a);\nCREATE TABLE good (a);\n")
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA user_version = 1")
        with pytest.raises(sqlite3.OperationalError, match="good already exists"):
            migrate(connection, path, tmp_path, to=3)
        assert connection.execute("PRAGMA user_version").fetchone() == (2,)
    tables = {name for (name,) in rows_of(path, "SELECT name FROM sqlite_master")}
    assert "good" in tables
    assert "half" not in tables


def test_processes_that_start_at_once_migrate_once(tmp_path: Path) -> None:
    program = "Writer(path).write(many(20)); print(SqliteEventStore(path).last_seq() >= 20)"
    assert together(program, tmp_path / "s.db", count=6) == ["True"] * 6
    # Ids of different processes are alike in these tests, so the batches are one.
    assert rows_of(tmp_path / "s.db", "SELECT count(*) FROM request_event") == [(20,)]


def test_a_store_that_nobody_has_made_is_not_made_by_reading(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="nothing has been recorded there yet") as missing:
        open_for_reading(tmp_path / "none" / "store.db")
    assert "mcpr run" in missing.value.next_step
    assert missing.value.exit is Exit.FAILED
    assert not (tmp_path / "none").exists()


def test_an_empty_file_becomes_a_store(tmp_path: Path) -> None:
    (tmp_path / "store.db").touch()
    with closing(open_for_reading(tmp_path / "store.db")) as connection:
        assert connection.execute("SELECT count(*) FROM requests").fetchone() == (0,)


def make_newer(path: Path) -> None:
    a_store(path)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION + 1}")


def make_foreign(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE notes (text)")


def make_text(path: Path) -> None:
    path.write_text("Dear diary, " * 500)


def make_folder(path: Path) -> None:
    path.mkdir()


@pytest.mark.parametrize("opening", [open_for_reading, open_for_writing])
@pytest.mark.parametrize(
    ("make", "why"),
    [
        (make_newer, "a newer mcpr wrote it"),
        (make_foreign, "it is the SQLite database of another program"),
        (make_text, "the file is not an SQLite database"),
        (make_folder, "it is a folder"),
    ],
)
def test_what_is_no_store_of_ours_is_left_alone(
    tmp_path: Path, make: object, why: str, opening: object
) -> None:
    path = tmp_path / "store.db"
    assert callable(make)
    assert callable(opening)
    make(path)
    before = path.read_bytes() if path.is_file() else b""
    with pytest.raises(StoreError) as refused:
        opening(path)
    assert why in refused.value.why
    assert str(path) in refused.value.what
    assert refused.value.next_step
    assert (path.read_bytes() if path.is_file() else b"") == before


READS_AND_WRITES = """
if os.geteuid() == 0:
    # Root may write everything; nobody owns nothing.
    os.setgroups([])
    os.setgid(65534)
    os.setuid(65534)
with SqliteEventStore(path) as store:
    print(len(store.requests(Filter(), 9)))
try:
    Writer(path)
except StoreError as error:
    print(error.why)
"""


def test_a_store_that_may_only_be_read_can_be_read_and_not_written() -> None:
    # Not in pytest's own folder, into which other users cannot look.
    with tempfile.TemporaryDirectory() as folder:
        path = a_store(Path(folder) / "store.db", [an_event()])
        path.chmod(0o444)
        path.parent.chmod(0o555)
        [answer] = together(READS_AND_WRITES, path)
        path.parent.chmod(0o755)
    assert answer.splitlines() == ["1", "the file or its folder cannot be written to"]
