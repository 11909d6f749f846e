"""proxy/status: the books as the admin pages show them, over all companions."""

from tests.events.building import many
from tests.sinks.sinks import WAIT_SECONDS, Memory, Progress, fail

from mcpr.proxy.frames import Assignment, Carried, Losses
from mcpr.proxy.status import Status, status_of
from mcpr.sinks import Bus, Counts, Tally


def status(bus: Bus, carried: list[Carried], losses: Losses, *, is_ending: bool = False) -> Status:
    names = [(lane.name, "") for lane in bus.lanes]
    assignment = Assignment(names, None, carried, Losses({}), 2)
    return status_of(assignment, losses, bus.lanes, is_ending=is_ending)


def test_the_books_are_the_sum_of_before_here_and_what_never_arrived() -> None:
    bus = Bus([Memory(batch_events=10)], lambda: None)
    bus.start()
    bus.publish(many(10))
    bus.drain(WAIT_SECONDS)
    before = Carried(7, Tally(4, 1, {"companion_died": 2}))
    (sink,) = status(bus, [before], Losses({"pipe_full": 5})).sinks
    assert sink.counts == Counts(22, 14, 1, 7)
    assert sink.dropped == {"companion_died": 2, "pipe_full": 5}


def test_all_is_well_until_there_is_a_reason() -> None:
    bus = Bus([Memory()], lambda: None)
    nothing = [Carried(0, Tally())]
    assert status(bus, nothing, Losses({})).reasons == []
    assert status(bus, nothing, Losses({}), is_ending=True).reasons == ["the proxy is ending"]


def test_a_failing_sink_is_a_reason_in_its_own_words() -> None:
    progress = Progress()
    bus = Bus([Memory(on_write=fail)], progress)
    bus.start()
    bus.publish(many(1))
    progress.until(lambda: bus.lanes[0].trouble is not None)
    (reason,) = status(bus, [Carried(0, Tally())], Losses({})).reasons
    assert reason == "memory: cannot write: the disk is full. Free space."
    bus.drain(WAIT_SECONDS)


def test_it_says_what_the_process_costs() -> None:
    state = status(Bus([], lambda: None), [], Losses({}))
    assert state.cpu_seconds > 0
    assert state.resident_bytes is None or state.resident_bytes > 1_000_000
    assert state.restarts == 2
