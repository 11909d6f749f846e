"""How the recording stands, as the admin pages tell it: numbers and reasons, no formatting."""

import os
import time
from collections.abc import Sequence
from pathlib import Path

import msgspec

from mcpr.proxy.frames import Assignment, Losses
from mcpr.sinks.counts import Counts, Reason, Tally
from mcpr.sinks.lane import Lane


class SinkStatus(msgspec.Struct, frozen=True):
    """One sink, over all companions of this proxy. trouble: why it takes nothing at present."""

    name: str
    counts: Counts
    dropped: dict[Reason, int]
    trouble: str | None


class Status(msgspec.Struct, frozen=True):
    """The whole.

    restarts: companions that came after the first one.
    cpu_seconds: of the companion process that answers.
    resident_bytes: the same; None where the system does not tell.
    """

    sinks: tuple[SinkStatus, ...]
    restarts: int
    is_ending: bool
    cpu_seconds: float
    resident_bytes: int | None

    @property
    def reasons(self) -> list[str]:
        """Why the recording is not ready; empty when it is."""
        reasons = [f"{sink.name}: {sink.trouble}" for sink in self.sinks if sink.trouble]
        if self.is_ending:
            reasons.append("the proxy is ending")
        return reasons


def status_of(
    assignment: Assignment, losses: Losses, lanes: Sequence[Lane], *, is_ending: bool
) -> Status:
    """Add up what earlier companions left, what the data plane lost and what the lanes say."""
    lost = Tally(dropped=losses.dropped)
    rows = []
    for lane, carried in zip(lanes, assignment.carried, strict=True):
        published, tally = lane.books()
        tally.add(carried.tally)
        tally.add(lost)
        counts = tally.counts(published + carried.published + lost.settled)
        trouble = None if lane.trouble is None else str(lane.trouble)
        rows.append(SinkStatus(lane.name, counts, tally.dropped, trouble))
    return Status(
        tuple(rows), assignment.restarts, is_ending, time.process_time(), _resident_bytes()
    )


def _resident_bytes() -> int | None:
    try:
        pages = Path("/proc/self/statm").read_text(encoding="ascii").split()[1]
    except OSError:
        return None
    return int(pages) * os.sysconf("SC_PAGE_SIZE")
