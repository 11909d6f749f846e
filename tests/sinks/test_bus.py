"""sinks/bus: all lanes together."""

import random
from collections.abc import Callable, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.events.building import an_event, many
from tests.sinks.sinks import WAIT_SECONDS, Gate, Memory, Progress, fail

from mcpr.events import RequestEvent
from mcpr.sinks import Bus, Counts


def started(*sinks: Memory, lane_events: int = 1000) -> tuple[Bus, Progress]:
    progress = Progress()
    bus = Bus(sinks, progress, lane_events)
    bus.start()
    for lane in bus.lanes:
        lane.opened.result(WAIT_SECONDS)
    return bus, progress


def test_every_sink_gets_every_event() -> None:
    one, other = Memory("one"), Memory("other", batch_events=3)
    bus, _ = started(one, other)
    events = many(20)
    bus.publish(events)
    bus.drain(WAIT_SECONDS)
    assert one.written == other.written == [event.id for event in events]
    assert bus.counts() == {"one": Counts(20, 20, 0, 0), "other": Counts(20, 20, 0, 0)}


def test_a_stuck_sink_does_not_delay_another() -> None:
    gate = Gate()
    quick = Memory("quick")
    bus, progress = started(Memory("stuck", gate), quick)
    bus.publish(many(5))
    assert gate.entered.wait(WAIT_SECONDS)
    bus.publish(many(5))
    progress.until(lambda: len(quick.written) == 10)
    assert bus.counts()["stuck"].written == 0
    gate.open.set()
    bus.drain(WAIT_SECONDS)


def test_a_failing_sink_does_not_cost_another_anything() -> None:
    bus, _ = started(Memory("failing", fail), Memory("healthy"))
    bus.publish(many(5))
    bus.drain(WAIT_SECONDS)
    assert bus.counts() == {"failing": Counts(5, 0, 0, 5), "healthy": Counts(5, 5, 0, 0)}


def test_what_is_not_written_at_the_deadline_is_dropped() -> None:
    gate = Gate()
    bus, _ = started(Memory("stuck", gate), Memory("quick"))
    bus.publish(many(5))
    assert gate.entered.wait(WAIT_SECONDS)
    bus.drain(0.05)
    assert bus.counts()["stuck"] == Counts(5, 0, 0, 5)
    assert bus.counts()["quick"].under_way == 0
    gate.open.set()


def test_refused_events_are_in_the_books_of_every_sink() -> None:
    bus, _ = started(Memory("one"), Memory("other"))
    bus.refuse(3, "digest_full")
    bus.drain(WAIT_SECONDS)
    assert set(bus.counts().values()) == {Counts(3, 0, 0, 3)}


def test_a_bus_without_sinks_takes_events_and_ends() -> None:
    bus = Bus([], lambda: None)
    bus.start()
    bus.publish([an_event()])
    bus.drain(0.0)
    assert bus.counts() == {}


def moody(seed: int) -> Callable[[Sequence[RequestEvent]], int | None]:
    """Works, fails, stumbles, or takes a part, by chance."""
    chance = random.Random(seed)

    def on_write(batch: Sequence[RequestEvent]) -> int | None:
        mood = chance.randrange(4)
        if mood == 0:
            fail(batch)
        if mood == 1:
            raise RuntimeError
        return len(batch) if mood == 2 else chance.randint(0, len(batch))

    return on_write


@pytest.mark.filterwarnings("ignore::hypothesis.errors.HypothesisWarning")
@settings(max_examples=30, deadline=None)
@given(
    batches=st.lists(st.integers(1, 40), max_size=15),
    seeds=st.lists(st.integers(0, 2**16), min_size=1, max_size=3),
    lane_events=st.integers(1, 60),
    drain_seconds=st.sampled_from((0.0, 0.01, WAIT_SECONDS)),
)
def test_published_is_written_and_rejected_and_dropped_whatever_the_sinks_do(
    batches: list[int], seeds: list[int], lane_events: int, drain_seconds: float
) -> None:
    """Under failing, stumbling and choosy sinks, full lanes and expired deadlines."""
    sinks = [
        Memory(f"sink {number}", moody(seed), batch_events=1 + seed % 50)
        for number, seed in enumerate(seeds)
    ]
    bus, _ = started(*sinks, lane_events=lane_events)
    for size in batches:
        bus.publish(many(size))
    bus.drain(drain_seconds)
    for counts in bus.counts().values():
        assert counts.published == sum(batches)
        assert counts.published == counts.written + counts.rejected + counts.dropped
    for sink, counts in zip(sinks, bus.counts().values(), strict=True):
        # More may be kept than was counted: by a write that was under way at the deadline.
        assert len(sink.written) >= counts.written
