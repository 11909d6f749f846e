"""Instructions of running processes from the CPU's own counters, where the machine has them.

perf_event_open(2) by hand: a few lines instead of a tool, and the counters can be read at an
exact point between two requests. Virtual machines often have no counters; then `open_counters`
returns None.
"""

import contextlib
import ctypes
import os
import platform
import struct
from dataclasses import dataclass
from pathlib import Path

_SYSCALL = {"x86_64": 298, "aarch64": 241}
_TYPE_HARDWARE = 0
_COUNT_INSTRUCTIONS = 1
_ATTR_BYTES = 112
_INHERIT = 1 << 1  # threads that start later count as well
_EXCLUDE_KERNEL = 1 << 5
_EXCLUDE_HV = 1 << 6


@dataclass(frozen=True, slots=True)
class Event:
    """What to count, in the terms of perf_event_open(2)."""

    kind: int
    config: int


USER_INSTRUCTIONS = Event(_TYPE_HARDWARE, _COUNT_INSTRUCTIONS)


class Counters:
    """One counter per thread of some processes; close it."""

    def __init__(self, descriptors: dict[int, list[int]]) -> None:
        """`descriptors`: pid → the open counters of its threads."""
        self._descriptors = descriptors

    def read(self) -> dict[int, int]:
        """The counts since the start, by process."""
        return {
            pid: sum(int.from_bytes(os.read(descriptor, 8), "little") for descriptor in opened)
            for pid, opened in self._descriptors.items()
        }

    def close(self) -> None:
        """Ends the counting."""
        for opened in self._descriptors.values():
            for descriptor in opened:
                os.close(descriptor)
        self._descriptors = {}


def open_counters(pids: list[int], event: Event = USER_INSTRUCTIONS) -> Counters | None:
    """Counters for all threads of `pids`; None when the machine or the kernel refuses."""
    opened: dict[int, list[int]] = {}
    try:
        for pid in pids:
            opened[pid] = []
            for thread in Path(f"/proc/{pid}/task").iterdir():
                opened[pid].append(_open(int(thread.name), event))
    except OSError:
        with contextlib.closing(Counters(opened)):
            return None
    return Counters(opened)


def _open(thread: int, event: Event) -> int:
    number = _SYSCALL.get(platform.machine())
    if number is None:
        raise OSError(f"perf_event_open has no number here for {platform.machine()}")
    flags = _INHERIT | _EXCLUDE_KERNEL | _EXCLUDE_HV
    # struct perf_event_attr: type, size, config, period, sample_type, read_format, flags, zeros
    head = struct.pack("<IIQQQQQ", event.kind, _ATTR_BYTES, event.config, 0, 0, 0, flags)
    attributes = ctypes.create_string_buffer(head, _ATTR_BYTES)
    libc = ctypes.CDLL(None, use_errno=True)
    descriptor: int = libc.syscall(number, ctypes.byref(attributes), thread, -1, -1, 0)
    if descriptor < 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))
    return descriptor
