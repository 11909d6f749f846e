"""The data-plane process's books: where every published event is, or what became of it.

Pure. It is told what was sent, lost and acknowledged, and when a companion ended; it always knows
published = written + rejected + dropped + under way, per sink, over any number of companions.

A digest frame is one published event until the companion has seen what is in it; then it is as
many as it became. One that is lost stays one.
"""

from collections.abc import Sequence

from mcpr.proxy.frames import Ack, Carried, Losses
from mcpr.sinks.counts import Counts, Reason, Tally


class Ledger:
    """The books of `sinks`, a list of names."""

    def __init__(self, sinks: Sequence[str]) -> None:
        self.sinks = tuple(sinks)
        self._never_sent: dict[Reason, int] = {}
        # Over all companions that have ended. What each sink had published is the same number.
        self._closed_published = 0
        self._closed = [Tally() for _ in self.sinks]
        # Of the companion that lives.
        self._sent_events = 0
        self._sent_digests = 0
        self._ack = _nothing(len(self.sinks))

    @property
    def published(self) -> int:
        """All events there ever were, as far as is known."""
        return sum(self._never_sent.values()) + self._closed_published + self._sent

    @property
    def _sent(self) -> int:
        """Events given to the living companion."""
        return self._sent_events + self._sent_digests - self._ack.digests + self._ack.digested

    def send(self, events: int) -> None:
        """Events are on their way to the companion."""
        self._sent_events += events

    def send_digest(self) -> None:
        """A digest frame is on its way to the companion."""
        self._sent_digests += 1

    def lose(self, events: int, reason: Reason) -> None:
        """Events that will never be sent."""
        if events:
            self._never_sent[reason] = self._never_sent.get(reason, 0) + events

    def acknowledge(self, ack: Ack) -> None:
        """The living companion says what it has settled."""
        self._ack = ack

    def end_companion(self) -> int:
        """The companion is gone; what it did not acknowledge is dropped.

        Returns the greatest number of events that one sink lost by this.
        """
        sent = self._sent
        most = 0
        for closed, tally in zip(self._closed, self._ack.tallies, strict=True):
            lost = sent - tally.settled
            closed.add(tally)
            closed.drop(lost, "companion_died")
            most = max(most, lost)
        self._closed_published += sent
        self._sent_events = 0
        self._sent_digests = 0
        self._ack = _nothing(len(self.sinks))
        return most

    def losses(self) -> Losses:
        """What was lost before it was sent."""
        return Losses(dict(self._never_sent))

    def carried(self) -> list[Carried]:
        """What the next companion has to know about the ones before it."""
        return [Carried(self._closed_published, tally.copy()) for tally in self._closed]

    def tallies(self) -> list[Tally]:
        """What is settled, per sink."""
        tallies = []
        for closed, tally in zip(self._closed, self._ack.tallies, strict=True):
            total = closed.copy()
            total.add(tally)
            total.add(Tally(dropped=self._never_sent))
            tallies.append(total)
        return tallies

    def counts(self) -> dict[str, Counts]:
        """The books, per sink."""
        return {
            name: tally.counts(self.published)
            for name, tally in zip(self.sinks, self.tallies(), strict=True)
        }


def _nothing(sinks: int) -> Ack:
    return Ack(0, 0, [Tally() for _ in range(sinks)])
