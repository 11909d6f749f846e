"""One line per event on stderr: `pretty` for people, `json` (envelope v1) for programs.

Both show the public part only. The local detail of an event never comes this way.
"""

import os
import select
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, tzinfo

from mcpr.errors import McprError, UsageError
from mcpr.events import RequestEvent, envelope, is_error

FORMATS = ("pretty", "json")

_GREEN = "\x1b[32m"
_RED = "\x1b[31m"
_YELLOW = "\x1b[33m"
_DIM = "\x1b[2m"
_PLAIN = "\x1b[0m"


class StderrSink:
    """Writes to the file descriptor `fd` in the form `target`, one of FORMATS."""

    name = "stderr"
    batch_events = 500
    # A person is watching: a line appears when its call ends.
    linger_seconds = 0.0
    retry_seconds = 0.0

    def __init__(self, target: str, fd: int = 2) -> None:
        if target not in FORMATS:
            raise UsageError(
                f"cannot log as {target!r}", "there is no such form", "use pretty, json or off"
            )
        self._target = target
        self._fd = fd
        self._format = Pretty(has_colour=False)

    def show_as(self, target: str) -> None:
        """Use another one of FORMATS from the next batch on. From any thread."""
        if target in FORMATS:
            self._target = target

    def open(self) -> None:
        """Find out whether the other end can show colours."""
        self._format = Pretty(wants_colour(self._fd, os.environ))

    def write(self, batch: Sequence[RequestEvent]) -> int:
        """Write one line per event. Raises McprError when nobody can read them."""
        if self._target == "json":
            data = b"".join([envelope.encode(event) + b"\n" for event in batch])
        else:
            line = self._format.line
            data = "".join([line(event) for event in batch]).encode(errors="backslashreplace")
        try:
            _write_all(self._fd, data)
        except OSError as error:
            raise McprError(
                "cannot write the log to stderr",
                os.strerror(error.errno or 0),
                "keep stderr open, or use --log off",
                "stderr.closed",
            ) from error
        return len(batch)

    def close(self) -> None:
        """Nothing is held back, and stderr belongs to the process."""


class Pretty:
    """Formats events as aligned lines.

    zone: whose time of day the lines show; None is the machine's.
    """

    def __init__(self, has_colour: bool, zone: tzinfo | None = None) -> None:
        self._zone = zone
        self._second = -1
        self._clock = ""
        self._green, self._red, self._yellow, self._dim, self._plain = (
            (_GREEN, _RED, _YELLOW, _DIM, _PLAIN) if has_colour else ("",) * 5
        )

    def line(self, event: RequestEvent) -> str:
        """The event as one line, with its line end."""
        return (
            f"{self._dim}{self._time(event.ts_ms)}{self._plain}"
            f"  {shown(event.method or event.kind):<24}"
            f"  {shown(event.tool or '-'):<24}"
            f"  {duration(event.latency_us):>8}"
            f"  {self._colour(event)}{_how(event):<24}{self._plain}"
            f"  {self._dim}{_who(event)}{self._plain}\n"
        )

    def _time(self, ts_ms: int) -> str:
        second, millisecond = divmod(ts_ms, 1000)
        # Many lines share a second, and turning it into a time of day is dear.
        if second != self._second:
            self._second = second
            self._clock = f"{datetime.fromtimestamp(second, UTC).astimezone(self._zone):%H:%M:%S}"
        return f"{self._clock}.{millisecond:03}"

    def _colour(self, event: RequestEvent) -> str:
        if event.outcome == "ok":
            return self._green
        return self._red if is_error(event.outcome) else self._yellow


def wants_colour(fd: int, environment: Mapping[str, str]) -> bool:
    """Whether lines on `fd` may be coloured. Source: no-color.org."""
    return not environment.get("NO_COLOR") and environment.get("TERM") != "dumb" and os.isatty(fd)


def shown(text: str) -> str:
    """The text with everything that could steer a terminal written out."""
    if text.isprintable():
        return text
    return "".join(
        char if char.isprintable() else char.encode("unicode_escape").decode() for char in text
    )


def duration(microseconds: int) -> str:
    """A duration at a width people can compare: 0.3 ms, 45 ms, 1.20 s, 95 s."""
    if microseconds < 10_000:
        return f"{microseconds / 1000:.1f} ms"
    if microseconds < 1_000_000:
        return f"{microseconds / 1000:.0f} ms"
    if microseconds < 10_000_000:
        return f"{microseconds / 1_000_000:.2f} s"
    return f"{microseconds / 1_000_000:.0f} s"


def _how(event: RequestEvent) -> str:
    parts: list[str] = [event.outcome]
    if event.rpc_code is not None:
        parts.append(str(event.rpc_code))
    elif event.http_status is not None and event.http_status >= 400:
        parts.append(str(event.http_status))
    if event.origin is not None:
        parts.append(f"({event.origin})")
    return " ".join(parts)


def _who(event: RequestEvent) -> str:
    if event.client is None:
        return "-"
    if event.client_version is None:
        return shown(event.client)
    return shown(f"{event.client} {event.client_version}")


def _write_all(fd: int, data: bytes) -> None:
    # Not sys.stderr: a terminal that another program made non-blocking takes only a part, and
    # Python's buffered writer would then lose the rest or write it twice.
    if fd == 2:
        sys.stderr.flush()
    rest = memoryview(data)
    while rest:
        try:
            rest = rest[os.write(fd, rest) :]
        except BlockingIOError:
            select.select([], [fd], [])
