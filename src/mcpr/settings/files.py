"""Reading a small file whole: never a pipe, which could keep the reader waiting for ever."""

import os
import stat
from pathlib import Path


def read_file(path: Path, most_bytes: int) -> bytes | None:
    """The content; None if it is longer. Raises OSError, or ValueError for what is no path."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb") as opened:
        mode = os.fstat(descriptor).st_mode
        if stat.S_ISDIR(mode):
            raise IsADirectoryError(21, "Is a directory")
        if not stat.S_ISREG(mode):
            raise OSError(22, "It is a pipe or a device")
        content = opened.read(most_bytes + 1)
    return content if len(content) <= most_bytes else None


def signature_of(path: Path) -> tuple[int, ...] | None:
    """What changes when the file is written or another one takes its name; None without a file."""
    try:
        status = path.stat()
    except (OSError, ValueError):
        return None
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns
