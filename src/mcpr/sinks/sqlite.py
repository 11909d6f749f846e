"""Events into the local store: one transaction per batch, by `store/sqlite/writer`."""

import contextlib
import os
from collections.abc import Sequence
from pathlib import Path

from mcpr.errors import StoreError
from mcpr.events import RequestEvent
from mcpr.store.sqlite.writer import Writer


class SqliteSink:
    """Writes to the store file `target`, and opens it anew after an error or when it was moved."""

    name = "sqlite"
    batch_events = 500
    # After 20 ms in which common calls are read together and the recorder's 10 ms: an event is in
    # the file at most 100 ms after its call ended.
    linger_seconds = 0.06
    retry_seconds = 10.0

    def __init__(self, target: str) -> None:
        self._path = Path(target)
        self._writer: Writer | None = None
        self._identity: tuple[int, int] | None = None

    def open(self) -> None:
        """Open or create the store. Raises StoreError."""
        self._open()

    def write(self, batch: Sequence[RequestEvent]) -> int:
        """Write the batch in one transaction. Raises StoreError when nothing was written."""
        writer = self._writer
        # Somebody may have moved or removed the file; SQLite would go on writing to what has
        # no name any more, and nobody would ever see those rows.
        if writer is not None and _identity(self._path) != self._identity:
            self._discard()
            writer = None
        if writer is None:
            writer = self._open()
        try:
            return writer.write(batch)
        except StoreError:
            self._discard()
            raise

    def close(self) -> None:
        """Close the store."""
        if self._writer is not None:
            self._writer.close()
            self._writer = None

    def _open(self) -> Writer:
        writer = Writer(self._path)
        self._writer = writer
        self._identity = _identity(self._path)
        return writer

    def _discard(self) -> None:
        # The error that led here is the one to tell, not a second one from closing.
        with contextlib.suppress(StoreError):
            self.close()
        self._writer = None


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        status = os.stat(path)  # noqa: PTH116 - once per batch; Path.stat builds objects
    except OSError:
        return None
    return status.st_dev, status.st_ino
