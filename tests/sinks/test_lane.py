"""sinks/lane: one sink's queue and worker; every event settled exactly once."""

import logging
import threading
from collections.abc import Callable, Sequence

import pytest
from tests.events.building import many
from tests.sinks.sinks import WAIT_SECONDS, Gate, Memory, Progress, fail

from mcpr.errors import StoreError
from mcpr.events import RequestEvent
from mcpr.sinks.counts import Counts
from mcpr.sinks.lane import Lane


def started(sink: Memory, limit_events: int = 1000) -> tuple[Lane, Progress]:
    progress = Progress()
    lane = Lane(sink, limit_events, progress)
    lane.start()
    lane.opened.result(WAIT_SECONDS)
    return lane, progress


def ended(lane: Lane) -> Counts:
    lane.close()
    assert lane.join(WAIT_SECONDS)
    return counts(lane)


def counts(lane: Lane) -> Counts:
    published, tally = lane.books()
    return tally.counts(published)


def test_events_reach_the_sink_in_order() -> None:
    sink = Memory(batch_events=7)
    lane, _ = started(sink)
    events = many(100)
    for start in range(0, 100, 10):
        lane.offer(events[start : start + 10])
    assert ended(lane) == Counts(100, 100, 0, 0)
    assert sink.written == [event.id for event in events]


def test_no_batch_is_larger_than_the_sink_wants() -> None:
    sink = Memory(batch_events=30)
    lane, _ = started(sink)
    lane.offer(many(100))
    ended(lane)
    assert max(sink.batches) <= 30
    assert sum(sink.batches) == 100


def test_a_lane_waits_for_a_batch_to_fill() -> None:
    sink = Memory(batch_events=50, linger_seconds=WAIT_SECONDS)
    lane, progress = started(sink)
    for _ in range(5):
        lane.offer(many(10))
    progress.until(lambda: sink.batches == [50])
    ended(lane)


def test_a_lane_does_not_wait_longer_than_the_sink_allows() -> None:
    sink = Memory(batch_events=50, linger_seconds=0.02)
    lane, progress = started(sink)
    lane.offer(many(3))
    progress.until(lambda: sum(sink.batches) == 3)
    ended(lane)


def test_what_a_full_lane_cannot_take_is_dropped_and_what_it_has_is_kept() -> None:
    gate = Gate()
    sink = Memory(on_write=gate, batch_events=1)
    lane, _ = started(sink, limit_events=10)
    events = many(100)
    lane.offer(events[:1])
    assert gate.entered.wait(WAIT_SECONDS)
    lane.offer(events[1:])
    gate.open.set()
    assert ended(lane) == Counts(100, 11, 0, 89)
    assert sink.written == [event.id for event in events[:11]]
    assert lane.books()[1].dropped == {"lane_full": 89}


def test_what_the_sink_does_not_want_is_rejected() -> None:
    lane, _ = started(Memory(on_write=lambda batch: len(batch) - 1, batch_events=10))
    lane.offer(many(10))
    assert ended(lane) == Counts(10, 9, 1, 0)


def test_a_batch_that_fails_is_offered_again_until_it_is_taken() -> None:
    attempts = []

    def twice_no(batch: Sequence[RequestEvent]) -> None:
        attempts.append([event.id for event in batch])
        if len(attempts) < 3:
            fail(batch)

    lane, progress = started(Memory(on_write=twice_no, retry_seconds=WAIT_SECONDS))
    lane.offer(many(5))
    progress.until(lambda: counts(lane).written == 5)
    assert attempts[0] == attempts[1] == attempts[2]
    assert ended(lane) == Counts(5, 5, 0, 0)


def test_a_failing_sink_has_a_reason_and_loses_it_when_it_recovers() -> None:
    healthy = threading.Event()

    def until_healthy(batch: Sequence[RequestEvent]) -> None:
        if not healthy.is_set():
            fail(batch)

    lane, progress = started(Memory(on_write=until_healthy, retry_seconds=WAIT_SECONDS))
    assert lane.trouble is None
    lane.offer(many(1))
    progress.until(lambda: "the disk is full" in str(lane.trouble))
    healthy.set()
    progress.until(lambda: lane.trouble is None)
    ended(lane)


def test_a_batch_that_goes_on_failing_is_dropped_and_said_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    lane, progress = started(Memory(on_write=fail, batch_events=10))
    for done in range(10, 60, 10):
        lane.offer(many(10))
        progress.until(lambda done=done: counts(lane).dropped == done)  # type: ignore[misc] # bound
    assert ended(lane) == Counts(50, 0, 0, 50)
    assert lane.books()[1].dropped == {"sink_failed": 50}
    said = [record.getMessage() for record in caplog.records]
    assert len(said) == 1
    assert "cannot write: the disk is full. Free space." in said[0]


def test_the_end_of_an_outage_is_said_with_what_it_cost(caplog: pytest.LogCaptureFixture) -> None:
    healthy = threading.Event()

    def until_healthy(batch: Sequence[RequestEvent]) -> None:
        if not healthy.is_set():
            fail(batch)

    lane, progress = started(Memory(on_write=until_healthy))
    lane.offer(many(3))
    progress.until(lambda: counts(lane).dropped == 3)
    healthy.set()
    lane.offer(many(2))
    assert ended(lane) == Counts(5, 2, 0, 3)
    assert [record.levelno for record in caplog.records] == [logging.ERROR, logging.WARNING]
    assert "takes events again; 3 were dropped" in caplog.messages[1]


def test_a_mistake_in_a_sink_costs_one_batch_and_repeats_no_recorded_value(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def stumble(batch: Sequence[RequestEvent]) -> None:
        if len(batch) == 1:
            raise KeyError(batch[0].tool)

    lane, progress = started(Memory(on_write=stumble))
    lane.offer(many(1))
    progress.until(lambda: counts(lane).dropped == 1)
    lane.offer(many(2))
    assert ended(lane) == Counts(3, 2, 0, 1)
    assert "KeyError at " in caplog.text
    assert "get_weather" not in caplog.text


def test_an_error_of_opening_is_told_and_nothing_is_written() -> None:
    class Shut(Memory):
        def open(self) -> None:
            raise StoreError("cannot open", "no such folder", "make it")

    lane = Lane(Shut(), 10, lambda: None)
    lane.start()
    with pytest.raises(StoreError):
        lane.opened.result(WAIT_SECONDS)
    lane.offer(many(2))
    assert ended(lane) == Counts(2, 0, 0, 2)


def test_closing_finishes_what_is_queued_and_closes_the_sink() -> None:
    gate = Gate()
    sink = Memory(on_write=gate, batch_events=5)
    lane, _ = started(sink)
    lane.offer(many(50))
    assert gate.entered.wait(WAIT_SECONDS)
    lane.close()
    gate.open.set()
    assert lane.join(WAIT_SECONDS)
    assert counts(lane) == Counts(50, 50, 0, 0)
    assert not sink.is_open


def test_a_lane_that_failed_before_closing_is_not_given_its_patience_again() -> None:
    lane, progress = started(Memory(on_write=fail, batch_events=1, retry_seconds=3600.0))
    lane.offer(many(20))
    progress.until(lambda: lane.trouble is not None)
    assert ended(lane) == Counts(20, 0, 0, 20)


def test_events_that_come_after_closing_are_counted() -> None:
    lane, _ = started(Memory())
    ended(lane)
    lane.offer(many(3))
    assert counts(lane) == Counts(3, 0, 0, 3)


def test_after_abandoning_a_late_answer_changes_nothing() -> None:
    gate = Gate()
    lane, _ = started(Memory(on_write=gate, batch_events=5))
    lane.offer(many(12))
    assert gate.entered.wait(WAIT_SECONDS)
    lane.close()
    assert not lane.join(0.0)
    lane.abandon()
    assert counts(lane) == Counts(12, 0, 0, 12)
    gate.open.set()
    assert lane.join(WAIT_SECONDS)
    assert counts(lane) == Counts(12, 0, 0, 12)
    assert lane.books()[1].dropped == {"deadline": 12}


def test_abandoning_ends_the_patience_with_a_failing_sink() -> None:
    lane, progress = started(Memory(on_write=fail, retry_seconds=3600.0))
    lane.offer(many(4))
    progress.until(lambda: lane.trouble is not None)
    lane.abandon()
    assert lane.join(WAIT_SECONDS)
    assert counts(lane) == Counts(4, 0, 0, 4)


def test_events_that_exist_but_cannot_be_had_are_counted() -> None:
    lane, _ = started(Memory())
    lane.refuse(2, "digest_failed")
    assert ended(lane) == Counts(2, 0, 0, 2)
    assert lane.books()[1].dropped == {"digest_failed": 2}


def test_a_lane_shows_its_books_to_the_debugger() -> None:
    lane, _ = started(Memory())
    lane.offer(many(1))
    ended(lane)
    assert repr(lane) == "<Lane memory published=1 written=1 rejected=0 dropped=0 queued=0>"


class Rotated(Memory):
    """A sink whose file is opened anew."""

    def __init__(self, on_write: Callable[[Sequence[RequestEvent]], int | None]) -> None:
        super().__init__("rotated", on_write, retry_seconds=WAIT_SECONDS)
        self.reopened: list[int] = []
        self.fails = False

    def reopen(self) -> None:
        self.reopened.append(len(self.written))
        if self.fails:
            raise StoreError("cannot open it anew", "the folder is gone", "make it")


def test_a_file_is_opened_anew_at_once_and_before_what_comes_later() -> None:
    sink = Rotated(lambda _batch: None)
    lane, progress = started(sink)
    lane.reopen()
    progress.until(lambda: sink.reopened == [0])
    lane.offer(many(3))
    progress.until(lambda: len(sink.written) == 3)
    lane.reopen()
    lane.offer(many(2))
    progress.until(lambda: len(sink.written) == 5)
    assert sink.reopened == [0, 3]
    assert ended(lane).written == 5


def test_a_file_that_cannot_be_opened_anew_is_said_and_costs_nothing(
    caplog: pytest.LogCaptureFixture,
) -> None:
    sink = Rotated(lambda _batch: None)
    sink.fails = True
    lane, progress = started(sink)
    lane.reopen()
    progress.until(lambda: sink.reopened == [0])
    lane.offer(many(2))
    assert ended(lane) == Counts(2, 2, 0, 0)
    assert "the folder is gone" in caplog.text


def test_a_batch_that_fails_is_offered_to_the_file_opened_anew() -> None:
    """A full disk, and somebody rotates the log to another one."""
    sink: Rotated

    def refuse_until_reopened(batch: Sequence[RequestEvent]) -> None:
        if not sink.reopened:
            fail(batch)

    sink = Rotated(refuse_until_reopened)
    lane, progress = started(sink)
    lane.offer(many(2))
    progress.until(lambda: lane.trouble is not None)
    lane.reopen()
    progress.until(lambda: len(sink.written) == 2)
    assert ended(lane) == Counts(2, 2, 0, 0)


def test_a_sink_without_a_file_is_left_alone() -> None:
    sink = Memory()
    lane, progress = started(sink)
    lane.reopen()
    lane.offer(many(1))
    progress.until(lambda: len(sink.written) == 1)
    assert ended(lane) == Counts(1, 1, 0, 0)
