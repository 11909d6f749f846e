"""What became of the events: published = written + rejected + dropped, per sink (ADR 0002).

Plain numbers. Who counts, under which lock and in which process is decided elsewhere.
"""

from typing import Literal

import msgspec

Reason = Literal[
    # In the companion process, by one sink's lane:
    "lane_full",  # the sink is slower than the events come
    "sink_failed",  # the sink went on refusing until its patience ended
    "deadline",  # the drain's time was over
    "internal",  # a bug of ours; said on stderr
    "digest_full",  # more large bodies waited than may wait
    "digest_failed",  # a large body could not be digested
    # In the data-plane process, before anything was sent:
    "pipe_full",  # the companion does not read as fast as events come
    "companion_away",  # no companion was there, and no more could be kept for it
    "companion_died",  # sent, never acknowledged; some of these may be stored all the same
    "closing",  # published after the drain began
]


class Counts(msgspec.Struct, frozen=True):
    """The books of one sink. While events are under way the sum is less than `published`."""

    published: int
    written: int
    rejected: int
    dropped: int

    @property
    def under_way(self) -> int:
        """Events of which nothing is known yet; 0 after a drain."""
        return self.published - self.written - self.rejected - self.dropped

    def __str__(self) -> str:
        return (
            f"published={self.published} written={self.written} "
            f"rejected={self.rejected} dropped={self.dropped}"
        )


class Tally(msgspec.Struct, array_like=True):
    """What is settled of one sink's events; only grows.

    written: the sink has them for good.
    rejected: the sink can never hold them (for the store: a number beyond 64 bits).
    dropped: lost, by reason.
    """

    written: int = 0
    rejected: int = 0
    dropped: dict[Reason, int] = {}

    @property
    def settled(self) -> int:
        """Events whose fate is known."""
        return self.written + self.rejected + self.dropped_total

    @property
    def dropped_total(self) -> int:
        """Events lost, for whatever reason."""
        return sum(self.dropped.values())

    def drop(self, events: int, reason: Reason) -> None:
        """Count `events` as lost."""
        if events:
            self.dropped[reason] = self.dropped.get(reason, 0) + events

    def add(self, other: "Tally") -> None:
        """Take another tally's numbers in."""
        self.written += other.written
        self.rejected += other.rejected
        for reason, events in other.dropped.items():
            self.drop(events, reason)

    def copy(self) -> "Tally":
        """The numbers as they are now."""
        return Tally(self.written, self.rejected, dict(self.dropped))

    def counts(self, published: int) -> Counts:
        """The books, given how many events there were."""
        return Counts(published, self.written, self.rejected, self.dropped_total)
