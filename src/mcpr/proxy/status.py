"""How the recording stands, as the admin pages tell it: numbers and reasons, no formatting."""

import os
import time
from collections.abc import Sequence
from pathlib import Path

import msgspec

from mcpr.proxy.frames import Assignment, Losses, PlaneState
from mcpr.sinks.counts import Counts, Reason, Tally
from mcpr.sinks.lane import Lane

#: The data plane speaks once a second. After this it is stuck, or stopped.
STALE_SECONDS = 15.0


class SinkStatus(msgspec.Struct, frozen=True):
    """One sink, over all companions of this proxy. trouble: why it takes nothing at present."""

    name: str
    counts: Counts
    dropped: dict[Reason, int]
    trouble: str | None


class SchemaState(msgspec.Struct, frozen=True):
    """What became of the lists that passed since the companion began.

    changes: by server, list and verdict (`first` where there is none).
    lost: that could not be written down. unread: answers that could not be read.
    given_up: passes that never became a list, and pages that belonged to none.
    allowed: tools that may be called; None where tools are not pinned.
    """

    changes: dict[tuple[str, str, str], int]
    lost: int
    unread: int
    given_up: int
    allowed: int | None


class Status(msgspec.Struct, frozen=True):
    """The whole.

    plane: how the data plane stands; None as long as it has not said, or where there is none.
    plane_age_seconds: how long ago it said so.
    restarts: companions that came after the first one.
    cpu_seconds: of the companion process that answers.
    resident_bytes: the same; None where the system does not tell.
    """

    sinks: tuple[SinkStatus, ...]
    restarts: int
    is_ending: bool
    cpu_seconds: float
    resident_bytes: int | None
    has_plane: bool = False
    plane: PlaneState | None = None
    plane_age_seconds: float = 0.0
    schema: SchemaState | None = None

    @property
    def reasons(self) -> list[str]:
        """Why the proxy is not ready; empty when it is."""
        return self._reasons(
            [f"{sink.name}: {sink.trouble}" for sink in self.sinks if sink.trouble]
        )

    @property
    def outline(self) -> list[str]:
        """The same for anybody: without the words of sinks, which name files and hosts."""
        return self._reasons([f"{sink.name} takes nothing" for sink in self.sinks if sink.trouble])

    def _reasons(self, reasons: list[str]) -> list[str]:
        if self.is_ending or (self.plane is not None and self.plane.is_draining):
            reasons.append("the proxy is ending")
        elif self.plane is None and self.has_plane:
            reasons.append("the proxy does not listen yet")
        elif self.plane_age_seconds > STALE_SECONDS:
            age = f"{self.plane_age_seconds:.0f} s"
            reasons.append(f"the process that moves the calls has said nothing for {age}")
        return reasons


class Heard(msgspec.Struct):
    """What the data plane said last of itself, and when, on the monotonic clock."""

    plane: PlaneState | None = None
    at_seconds: float = 0.0


def status_of(
    assignment: Assignment,
    losses: Losses,
    lanes: Sequence[Lane],
    heard: Heard | None = None,
    *,
    is_ending: bool,
) -> Status:
    """Add up what earlier companions left, what the data plane lost and what the lanes say."""
    heard = heard or Heard()
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
        tuple(rows),
        assignment.restarts,
        is_ending,
        time.process_time(),
        resident_bytes(),
        assignment.has_plane,
        heard.plane,
        0.0 if heard.plane is None else time.monotonic() - heard.at_seconds,
    )


def resident_bytes() -> int | None:
    """Memory that this process has in use; None where the system does not tell."""
    try:
        pages = Path("/proc/self/statm").read_text(encoding="ascii").split()[1]
    except OSError:
        return None
    return int(pages) * os.sysconf("SC_PAGE_SIZE")
