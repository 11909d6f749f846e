"""The shipped companion with a few more sinks: real ones, small, and made to be troublesome.

Run by the tests as the recorder's command.
"""

import fcntl
import os
from collections.abc import Sequence
from pathlib import Path

import msgspec

from mcpr.errors import StoreError
from mcpr.events import RequestEvent
from mcpr.proxy import companion
from mcpr.sinks import SINKS


class Lines:
    """Appends one line per event, its id, to the file `target`: one write per batch."""

    name = "lines"
    batch_events = 500
    linger_seconds = 0.0
    retry_seconds = 0.0

    def __init__(self, target: str) -> None:
        self._target = target
        self._fd = -1

    def open(self) -> None:
        try:
            self._fd = os.open(self._target, os.O_CREAT | os.O_APPEND | os.O_WRONLY, 0o600)
        except OSError as error:
            raise StoreError(
                "cannot open the lines", os.strerror(error.errno or 0), "name another file"
            ) from error

    def write(self, batch: Sequence[RequestEvent]) -> int:
        data = "".join(f"{event.id.hex()}\n" for event in batch).encode()
        assert os.write(self._fd, data) == len(data)
        return len(batch)

    def close(self) -> None:
        os.close(self._fd)


class Gate(Lines):
    """Blocks in `write` while somebody else holds the lock of the file `target`."""

    name = "gate"

    def write(self, batch: Sequence[RequestEvent]) -> int:
        fcntl.flock(self._fd, fcntl.LOCK_EX)
        fcntl.flock(self._fd, fcntl.LOCK_UN)
        return len(batch)


class Moody(Lines):
    """Fails as long as the file `target` + ".bad" exists."""

    name = "moody"
    retry_seconds = 0.2

    def write(self, batch: Sequence[RequestEvent]) -> int:
        if Path(f"{self._target}.bad").exists():
            raise StoreError("cannot write the lines", "the mood is bad", "wait")
        return super().write(batch)


def complete(frame: bytes) -> list[RequestEvent]:
    """A digest frame of the tests is a list of events, or is bad."""
    return msgspec.msgpack.decode(frame, type=list[RequestEvent])


if __name__ == "__main__":
    for sink in (Lines, Gate, Moody):
        SINKS[sink.name] = f"__main__:{sink.__name__}"
    companion.main(complete)
