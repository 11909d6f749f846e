"""A small file by which a running program can be found, beside the file that it works on.

The program holds a lock on it as long as it lives, so a file that a killed one left behind is told
from that of a living one without guessing by process numbers. Only its owner may read it.
"""

import contextlib
import dataclasses
import fcntl
import json
import os
import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

_MARK = "-proxy-"
_MOST_BYTES = 16_384


@dataclass(frozen=True, slots=True)
class Presence:
    """A running proxy. since_ms: epoch ms. admin: URL of its admin pages, if there are any."""

    pid: int
    version: str
    since_ms: int
    server: str
    upstream: str
    url: str
    admin: str | None


@contextlib.contextmanager
def announced(beside: Path, presence: Presence) -> Iterator[Callable[[Presence], None]]:
    """Be found as long as it lasts. Raises OSError when the file cannot be made.

    Gives a function that says something else from then on; it raises OSError, too.
    """
    path = beside.with_name(f"{beside.name}{_MARK}{secrets.token_hex(4)}.json")
    # Never replaced by another file: the lock is on this one.
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        longest = 0

        def say(presence: Presence) -> None:
            nonlocal longest
            text = json.dumps(dataclasses.asdict(presence)).encode()
            longest = max(longest, len(text))
            # In one piece, and as long as before: whoever reads finds the old or the new.
            os.pwrite(descriptor, text.ljust(longest), 0)

        say(presence)
        yield say
    finally:
        with contextlib.suppress(OSError):
            path.unlink()
        os.close(descriptor)


def present(beside: Path) -> list[Presence]:
    """Who runs, the oldest first. What is no such file is passed over."""
    found = [
        presence
        for path in _files(beside)
        if (presence := _read(path)) is not None and _is_held(path)
    ]
    return sorted(found, key=lambda presence: (presence.since_ms, presence.pid))


def sweep(beside: Path) -> None:
    """Remove the files that killed programs have left."""
    for path in _files(beside):
        # An empty one may be just coming into being.
        with contextlib.suppress(OSError):
            if path.stat().st_size and not _is_held(path):
                path.unlink()


def _files(beside: Path) -> list[Path]:
    prefix, suffix = f"{beside.name}{_MARK}", ".json"
    try:
        entries = list(beside.parent.iterdir())
    except OSError:
        return []
    return [path for path in entries if path.name.startswith(prefix) and path.suffix == suffix]


def _is_held(path: Path) -> bool:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    else:
        return False
    finally:
        os.close(descriptor)


def _read(path: Path) -> Presence | None:
    try:
        with path.open("rb") as file:
            said = json.loads(file.read(_MOST_BYTES))
        presence = Presence(**said)
    except (OSError, ValueError, TypeError):
        return None
    texts = (presence.version, presence.server, presence.upstream, presence.url)
    is_sound = all(isinstance(text, str) for text in texts) and all(
        isinstance(number, int) for number in (presence.pid, presence.since_ms)
    )
    return presence if is_sound and isinstance(presence.admin, str | None) else None
