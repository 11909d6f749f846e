"""The access log: one line for each HTTP exchange, JSON or text, to a file or to stdout.

A line says what the public part of the events says and no more: no path, no query, no address, no
header. A batch is one exchange: its rows become one line. The file is opened anew when told to, so
that it can be rotated without a line lost; a full disk is counted, and no end.
"""

import contextlib
import json
import logging
import os
import select
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, Literal, get_args

from mcpr.errors import McprError, UsageError
from mcpr.events import RequestEvent, is_error, to_text

AccessForm = Literal["json", "text"]
FORMS: Final[tuple[AccessForm, ...]] = get_args(AccessForm)
STDOUT: Final = "-"
#: So many batches may wait for their last row; then the oldest is written as far as it is known.
MOST_OPEN: Final = 1_000
BATCH_METHOD: Final = "_batch"

#: Fields of a line, in their order; docs/topics/observability.md explains each.
FIELDS: Final = (
    *("time", "id", "server", "kind", "method", "tool", "rpcs"),
    *("http_status", "outcome", "origin", "rpc_code", "latency_us", "upstream_us"),
    *("bytes_in", "bytes_out", "session", "client", "client_version", "revision"),
)
_MODE: Final = 0o600

_log = logging.getLogger(__name__)


class AccessSink:
    """Writes lines to `target`: a form, a colon, and a path or `-`."""

    name = "access"
    batch_events = 500
    linger_seconds = 0.1
    retry_seconds = 10.0

    def __init__(self, target: str, fd: int = 1) -> None:
        form, _, place = target.partition(":")
        if form not in FORMS or not place:
            raise UsageError(
                f"cannot write an access log as {target!r}",
                "there is no such form",
                f"use one of {', '.join(FORMS)}",
            )
        self._line = as_json if form == "json" else as_text
        self._path = None if place == STDOUT else Path(place)
        self._fd = fd
        self._exchanges = Exchanges()
        # Of a batch that could not be written: its first event's id, its lines, and how much of
        # them is written.
        self._unwritten: tuple[bytes, bytes, int] | None = None
        self._is_torn = False

    def open(self) -> None:
        """Open the file. Raises McprError."""
        if self._path is not None:
            self._fd = _open(self._path)

    def reopen(self) -> None:
        """Open the file anew, which may be another one by now. Raises McprError; the old one stays.

        What is not written yet goes to the new one, a line of which a part is written too.
        """
        if self._path is None:
            return
        old, self._fd = self._fd, _open(self._path)
        if self._unwritten is not None:
            name, lines, done = self._unwritten
            self._unwritten = (name, lines, lines.rfind(b"\n", 0, done) + 1)
        self._is_torn = False
        with contextlib.suppress(OSError):
            # A disk that fails late has nothing more to tell of the old file.
            os.close(old)

    def write(self, batch: Sequence[RequestEvent]) -> int:
        """Write the lines of the exchanges that are complete with these events.

        Raises McprError. A batch that is offered again goes on where it ended.
        """
        name, unwritten = batch[0].id, self._unwritten
        if unwritten is not None and unwritten[0] == name:
            self._put(*unwritten)
        else:
            whole = [rows for event in batch for rows in self._exchanges.add(event)]
            self._put(name, self._lines(whole))
        return len(batch)

    def close(self) -> None:
        """Write what still waited for a row that never came, and let go."""
        try:
            self._put(b"", self._lines(self._exchanges.rest()))
        except McprError as error:
            _log.error("%s (the last lines of batches are missing)", error)
        finally:
            if self._path is not None:
                os.close(self._fd)

    def _lines(self, whole: list[list[RequestEvent]]) -> bytes:
        # What was left of a line whose batch was given up ends here.
        start = b"\n" if self._is_torn and whole else b""
        return start + b"".join([self._line(rows) for rows in whole])

    def _put(self, name: bytes, lines: bytes, done: int = 0) -> None:
        """Write what is not done of the lines of this batch."""
        self._unwritten = None
        try:
            while done < len(lines):
                try:
                    done += self._system_write(memoryview(lines)[done:])
                    self._is_torn = lines[done - 1 : done] != b"\n"
                except BlockingIOError:
                    select.select([], [self._fd], [])
        except OSError as error:
            self._unwritten = (name, lines, done)
            raise McprError(
                "cannot write the access log",
                os.strerror(error.errno or 0),
                "free space, or name another file at [log] access",
            ) from error

    def _system_write(self, data: memoryview) -> int:
        return os.write(self._fd, data)


class Exchanges:
    """Brings together the rows that are of one exchange. most_open: so many may be incomplete."""

    def __init__(self, most_open: int = MOST_OPEN) -> None:
        self._most_open = most_open
        self._open: dict[int, list[RequestEvent]] = {}

    def add(self, event: RequestEvent) -> list[list[RequestEvent]]:
        """The exchanges that need not wait any longer, each with its rows."""
        aside = event.aside
        if aside is None or aside.rows == 1:
            return [[event]]
        rows = self._open.setdefault(aside.exchange, [])
        rows.append(event)
        if len(rows) == aside.rows:
            return [self._open.pop(aside.exchange)]
        if len(self._open) > self._most_open:
            return [self._open.pop(next(iter(self._open)))]
        return []

    def rest(self) -> list[list[RequestEvent]]:
        """What is incomplete, and stays so."""
        rest = list(self._open.values())
        self._open = {}
        return rest


def entry(rows: Sequence[RequestEvent]) -> dict[str, str | int | None]:
    """What a line says of an exchange, in the order of FIELDS."""
    first = rows[0]
    # Of several requests the one to tell of is one that failed.
    told = next((row for row in rows if is_error(row.outcome)), first)
    upstream = [row.upstream_us for row in rows if row.upstream_us is not None]
    is_batch = len(rows) > 1
    return {
        "time": _time(min(row.ts_ms for row in rows)),
        "id": to_text(first.id),
        "server": first.server,
        "kind": first.kind,
        "method": BATCH_METHOD if is_batch else first.method,
        "tool": None if is_batch else first.tool,
        "rpcs": sum(row.kind == "rpc" for row in rows),
        "http_status": told.http_status,
        "outcome": told.outcome,
        "origin": told.origin,
        "rpc_code": told.rpc_code,
        "latency_us": max(row.latency_us for row in rows),
        "upstream_us": max(upstream) if upstream else None,
        "bytes_in": sum(row.bytes_in for row in rows),
        "bytes_out": sum(row.bytes_out for row in rows),
        "session": first.session,
        "client": first.client,
        "client_version": first.client_version,
        "revision": first.revision,
    }


def as_json(rows: Sequence[RequestEvent]) -> bytes:
    """An exchange as one JSON object of ASCII; what is not known is left out."""
    said = {name: value for name, value in entry(rows).items() if value is not None}
    return json.dumps(said, separators=(",", ":")).encode() + b"\n"


def as_text(rows: Sequence[RequestEvent]) -> bytes:
    """An exchange as words with a space between; what is not known is a dash.

    A value that is no plain word of ASCII is written as a JSON string.
    """
    return " ".join(map(_word, entry(rows).values())).encode() + b"\n"


def _word(value: str | int | None) -> str:
    if value is None:
        return "-"
    if isinstance(value, int):
        return str(value)
    is_plain = value.isascii() and value.isprintable() and value not in {"", "-"}
    return value if is_plain and not set(value) & set(' "\\') else json.dumps(value)


def _time(ts_ms: int) -> str:
    second, millisecond = divmod(ts_ms, 1000)
    return f"{datetime.fromtimestamp(second, UTC):%Y-%m-%dT%H:%M:%S}.{millisecond:03}Z"


def _open(path: Path) -> int:
    try:
        # For its owner, as the store; never through a terminal that it would then belong to.
        return os.open(path, os.O_CREAT | os.O_APPEND | os.O_WRONLY | os.O_NOCTTY, _MODE)
    except OSError as error:
        raise McprError(
            f"cannot open the access log {path}",
            os.strerror(error.errno or 0),
            "name another file at [log] access, or make its folder",
        ) from error
