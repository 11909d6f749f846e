"""proxy/ledger: the books close, over any number of companions and however they end."""

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from mcpr.proxy.frames import Ack
from mcpr.proxy.ledger import Ledger
from mcpr.sinks import Counts, Tally

SINKS = ("sqlite", "stderr")


class Companion:
    """What a companion knows, told as simply as possible."""

    def __init__(self) -> None:
        self.events = 0
        self.digests: list[int] = []
        self.digests_done = 0
        self.digested = 0
        self.tallies = [Tally() for _ in SINKS]

    @property
    def in_lanes(self) -> list[int]:
        return [self.events + self.digested - tally.settled for tally in self.tallies]


class Books(RuleBasedStateMachine):
    """Everything that may happen, in any order; the test keeps its own sum."""

    def __init__(self) -> None:
        super().__init__()
        self.ledger = Ledger(SINKS)
        self.companion = Companion()
        self.published = 0
        self.settled = [0 for _ in SINKS]

    @rule(events=st.integers(1, 300))
    def send(self, events: int) -> None:
        self.ledger.send(events)
        self.companion.events += events
        self.published += events

    @rule(becomes=st.integers(0, 5))
    def send_digest(self, becomes: int) -> None:
        self.ledger.send_digest()
        self.companion.digests.append(becomes)
        self.published += 1

    @rule(events=st.integers(0, 300))
    def lose(self, events: int) -> None:
        self.ledger.lose(events, "pipe_full")
        self.published += events

    @rule()
    def companion_digests(self) -> None:
        companion = self.companion
        if companion.digests_done < len(companion.digests):
            companion.digested += companion.digests[companion.digests_done]
            companion.digests_done += 1

    @rule(
        share=st.floats(0, 1),
        sink=st.sampled_from(range(len(SINKS))),
        fate=st.sampled_from(("written", "rejected", "dropped")),
    )
    def companion_settles(self, share: float, sink: int, fate: str) -> None:
        events = int(self.companion.in_lanes[sink] * share)
        tally = self.companion.tallies[sink]
        if fate == "written":
            tally.written += events
        elif fate == "rejected":
            tally.rejected += events
        else:
            tally.drop(events, "lane_full")

    @rule()
    def companion_acknowledges(self) -> None:
        companion = self.companion
        known_before = self.ledger.published
        self.ledger.acknowledge(
            Ack(
                companion.digests_done,
                companion.digested,
                [tally.copy() for tally in companion.tallies],
            )
        )
        # What was one is now known to be as many as it became.
        self.published += self.ledger.published - known_before

    @rule()
    def companion_dies(self) -> None:
        self.ledger.end_companion()
        self.companion = Companion()
        for counts in self.ledger.counts().values():
            assert counts.under_way == 0

    @invariant()
    def every_event_is_in_the_books(self) -> None:
        for counts in self.ledger.counts().values():
            assert counts.published == self.published
            assert counts.under_way >= 0

    @invariant()
    def what_is_settled_never_shrinks(self) -> None:
        settled = [tally.settled for tally in self.ledger.tallies()]
        assert all(now >= before for now, before in zip(settled, self.settled, strict=True))
        self.settled = settled

    def teardown(self) -> None:
        self.ledger.end_companion()
        for counts in self.ledger.counts().values():
            assert counts.published == counts.written + counts.rejected + counts.dropped


Books.TestCase.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
TestBooks = Books.TestCase


def test_a_digest_counts_as_one_until_it_is_known_what_it_became() -> None:
    ledger = Ledger(["sqlite"])
    ledger.send_digest()
    ledger.send_digest()
    assert ledger.published == 2
    ledger.acknowledge(Ack(1, 3, [Tally(written=3)]))
    assert ledger.counts() == {"sqlite": Counts(4, 3, 0, 0)}
    ledger.end_companion()
    assert ledger.counts() == {"sqlite": Counts(4, 3, 0, 1)}


def test_a_dead_companions_sinks_lose_each_what_they_had_not_settled() -> None:
    ledger = Ledger(SINKS)
    ledger.send(10)
    ledger.acknowledge(Ack(0, 0, [Tally(written=9), Tally(written=2)]))
    assert ledger.end_companion() == 8
    assert ledger.counts() == {"sqlite": Counts(10, 9, 0, 1), "stderr": Counts(10, 2, 0, 8)}
    assert ledger.tallies()[1].dropped == {"companion_died": 8}


def test_the_next_companion_is_told_what_was_before_it() -> None:
    ledger = Ledger(["sqlite"])
    ledger.send(5)
    ledger.lose(2, "companion_away")
    ledger.acknowledge(Ack(0, 0, [Tally(written=4)]))
    ledger.end_companion()
    (carried,) = ledger.carried()
    assert (carried.published, carried.tally) == (5, Tally(4, 0, {"companion_died": 1}))
    assert ledger.losses().dropped == {"companion_away": 2}
