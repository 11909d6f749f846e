"""Opening a store's file: with the right modes, of the right schema, or an error that helps.

The file is made and migrated in place, each migration in one transaction with its version; any
number of processes may do so at once, and a process that dies leaves nothing half done.
"""

import contextlib
import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

from mcpr.errors import StoreError

SCHEMA_VERSION = 6
APPLICATION_ID = int.from_bytes(b"mcpr", "big")
BUSY_SECONDS = 5.0

_MIGRATIONS = Path(__file__).parent / "migrations"
_IS_DAMAGED = ("store.damaged", "the file is damaged", "move it away; mcpr then starts a new one")
# SQLite's primary result codes, in words: our code, why, and what to do.
_REASONS = {
    sqlite3.SQLITE_FULL: (
        "store.full",
        "the disk is full",
        "free space, or name another file with --db",
    ),
    sqlite3.SQLITE_READONLY: (
        "store.readonly",
        "the file or its folder cannot be written to",
        "allow writing to both, or name another file with --db",
    ),
    sqlite3.SQLITE_CANTOPEN: (
        "store.forbidden",
        "the file or its folder cannot be opened",
        "look at their permissions, or name another file with --db",
    ),
    sqlite3.SQLITE_PERM: (
        "store.forbidden",
        "the file or its folder cannot be opened",
        "look at their permissions, or name another file with --db",
    ),
    sqlite3.SQLITE_BUSY: (
        "store.locked",
        f"another program has locked it for more than {BUSY_SECONDS:.0f} s",
        "end that program, or name another file with --db",
    ),
    sqlite3.SQLITE_IOERR: (
        "store.disk",
        "the disk refuses to read or write",
        "look at the disk and its quota, or name another file with --db",
    ),
    sqlite3.SQLITE_CORRUPT: _IS_DAMAGED,
    sqlite3.SQLITE_NOTADB: (
        "store.foreign",
        "the file is not an SQLite database",
        "move it away, or name another file with --db",
    ),
}


def open_for_writing(path: Path) -> sqlite3.Connection:
    """Open the store, making or migrating it as needed. Raises StoreError.

    The connection does not begin transactions by itself. One thread may use it at a time.
    """
    with explained(f"cannot open the store {path}", path):
        _refuse_folder(path)
        _create(path)
        connection = _connect(path, "rw")
        try:
            _prepare(connection, path)
        except BaseException:
            connection.close()
            raise
        return connection


def open_for_reading(path: Path) -> sqlite3.Connection:
    """Open a store that exists; only an older schema is written to. Raises StoreError."""
    what = f"cannot open the store {path}"
    with explained(what, path):
        _refuse_folder(path)
        if not path.exists():
            raise StoreError(
                what,
                "there is no such file: nothing has been recorded there yet",
                "record something with `mcpr run URL`, or name another file with --db",
                "store.missing",
            )
        try:
            connection, version = _look(path, "ro")
        except sqlite3.OperationalError:
            # Reading needs -wal and -shm beside the file. Where they are not and cannot be made,
            # as on a read-only disk, nobody is writing either.
            if os.access(path.parent, os.W_OK) or path.with_name(f"{path.name}-wal").exists():
                raise
            connection, version = _look(path, "ro&immutable=1")
        if version == SCHEMA_VERSION:
            return connection
        connection.close()
        open_for_writing(path).close()
        return _connect(path, "ro")


def _look(path: Path, mode: str) -> tuple[sqlite3.Connection, int]:
    """A connection, and the schema's version that it sees."""
    connection = _connect(path, mode)
    try:
        return connection, _version(connection, path)
    except BaseException:
        connection.close()
        raise


def wal_bytes(path: Path) -> int:
    """Size of what is beside the store's file and not yet in it; 0 where there is nothing."""
    try:
        return path.with_name(f"{path.name}-wal").stat().st_size
    except FileNotFoundError:
        return 0


@contextlib.contextmanager
def explained(what: str, path: Path) -> Iterator[None]:
    """Turn what SQLite or the system says into a StoreError: why, and what to do."""
    try:
        yield
    except sqlite3.Error as exc:
        code = getattr(exc, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF
        unknown = ("store.failed", str(exc), f"look at {path}, or move it away")
        name, why, step = _REASONS.get(code, unknown)
        raise StoreError(what, why, step, name) from exc
    except OSError as exc:
        why = exc.strerror or str(exc)
        raise StoreError(
            what,
            why,
            "look at the folder's permissions, or name another file with --db",
            "store.forbidden",
        ) from exc


def _refuse_folder(path: Path) -> None:
    if path.is_dir():
        raise StoreError(
            f"cannot open the store {path}",
            "it is a folder",
            "name a file with --db",
            "store.folder",
        )


def _create(path: Path) -> None:
    """Make the file, for its owner only; SQLite gives its companions -wal and -shm that mode."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    # Never opened when it exists: closing any descriptor of a file drops all POSIX locks that this
    # process has on it, those of other SQLite connections too.
    with contextlib.suppress(FileExistsError):
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_CLOEXEC, 0o600))


def _connect(path: Path, mode: str) -> sqlite3.Connection:
    uri = f"file:{quote(os.fspath(path.absolute()))}?mode={mode}"
    return sqlite3.connect(
        uri, uri=True, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False
    )


def _prepare(connection: sqlite3.Connection, path: Path) -> None:
    version = _version(connection, path)
    if version == 0:
        # Both work in an empty file only.
        connection.execute("PRAGMA page_size = 8192")
        connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
    if version < SCHEMA_VERSION:
        migrate(connection, path)
    if version == 0:
        # A new file begins without the pages of what migrations replaced; one page at a time.
        (free,) = connection.execute("PRAGMA freelist_count").fetchone()
        for _ in range(free):
            connection.execute("PRAGMA incremental_vacuum")
    (mode,) = connection.execute("PRAGMA journal_mode = WAL").fetchone()
    if mode != "wal":
        raise StoreError(
            f"cannot use the store {path}",
            "its file system has no shared memory, which SQLite needs to write while others read",
            "name a file on a local disk with --db",
            "store.no_wal",
        )
    connection.execute("PRAGMA synchronous = NORMAL")
    connection.execute("PRAGMA secure_delete = ON")


def migrate(
    connection: sqlite3.Connection, path: Path, folder: Path = _MIGRATIONS, to: int = SCHEMA_VERSION
) -> None:
    """Bring the schema forward, one transaction for each step and its version."""
    steps = {int(step.name[:4]): step for step in folder.glob("[0-9]*.sql")}
    while True:
        connection.execute("BEGIN IMMEDIATE")
        try:
            # Asked again: another process may have done it while this one waited.
            version = _version(connection, path, newest=to)
            if version >= to:
                return
            for statement in _statements(steps[version + 1].read_text(encoding="utf-8")):
                connection.execute(statement)
            connection.execute(f"PRAGMA user_version = {version + 1}")
            connection.execute("COMMIT")
        finally:
            if connection.in_transaction:
                connection.execute("ROLLBACK")


def _statements(script: str) -> Iterator[str]:
    """The statements of a script, each on its own line or lines.

    Not `executescript`: that commits before it begins.
    """
    statement = ""
    for line in script.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""


def _version(connection: sqlite3.Connection, path: Path, newest: int = SCHEMA_VERSION) -> int:
    """Version of the schema, 0 in an empty file. Raises StoreError for what we cannot use."""
    # One statement, hence one moment: another process may be making the schema.
    application_id, version, tables = connection.execute(
        "SELECT application_id, user_version, (SELECT count(*) FROM sqlite_master)"
        " FROM pragma_application_id, pragma_user_version"
    ).fetchone()
    if application_id != APPLICATION_ID:
        if application_id or version or tables:
            raise StoreError(
                f"cannot use {path} as a store",
                "it is the SQLite database of another program",
                "name another file with --db",
                "store.foreign",
            )
        return 0
    if version > newest:
        raise StoreError(
            f"cannot use the store {path}",
            f"a newer mcpr wrote it (schema {version}, this one knows {newest})",
            "update mcpr, or name another file with --db",
            "store.newer",
        )
    return int(version)
