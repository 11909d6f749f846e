"""Watches what sockets processes hold, by Linux's tables, as often as it can.

It sees what is open for some milliseconds; a namespace without a network would see everything.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

_TABLES = ("tcp", "tcp6", "udp", "udp6", "raw", "raw6", "icmp")
_LISTENS = "0A"


class Socket(NamedTuple):
    """One end of a connection. remote: 0 where nobody is at the other end."""

    table: str
    address: str
    port: int
    remote: int
    listens: bool


def sockets(pids: list[int]) -> set[Socket]:
    """The sockets of these processes, those within the machine's file system left out."""
    held: set[Socket] = set()
    for pid in pids:
        inodes = set(_inodes(pid))
        local = _column(pid, "unix", 6)
        known = dict(_known(pid))
        for inode in inodes:
            if inode in known:
                held.add(known[inode])
            elif inode not in local and inode in set(_inodes(pid)):
                # Netlink, packet, or a family that nobody expected.
                held.add(Socket("another", "", 0, 0, listens=False))
    return held


def _inodes(pid: int) -> Iterator[str]:
    for descriptor in Path(f"/proc/{pid}/fd").iterdir():
        with suppress(OSError):
            target = descriptor.readlink().name
            if target.startswith("socket:["):
                yield target[8:-1]


def _lines(pid: int, table: str) -> list[list[str]]:
    path = Path(f"/proc/{pid}/net/{table}")
    return [line.split() for line in path.read_text().splitlines()[1:]] if path.exists() else []


def _column(pid: int, table: str, column: int) -> set[str]:
    return {line[column] for line in _lines(pid, table)}


def _known(pid: int) -> Iterator[tuple[str, Socket]]:
    for table in _TABLES:
        for line in _lines(pid, table):
            address, port = line[1].split(":")
            remote = int(line[2].split(":")[1], 16)
            listens = line[3] == _LISTENS and table.startswith("tcp")
            yield line[9], Socket(table, address, int(port, 16), remote, listens)


class Watch:
    """Looks again and again, in a thread of its own, until it is closed. seen: all sockets."""

    def __init__(self, pids: Callable[[], list[int]]) -> None:
        self.seen: set[Socket] = set()
        #: How often it looked.
        self.looks = 0
        self._pids = pids
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._thread.start()

    def _look(self) -> None:
        while not self._stop.wait(0.002):
            # A process may end while it is looked at.
            with suppress(OSError):
                self.seen |= sockets(self._pids())
                self.looks += 1

    def close(self) -> None:
        """Stop looking."""
        self._stop.set()
        self._thread.join()
