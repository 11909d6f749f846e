"""proxy/digests: large bodies, one after another, bounded."""

import threading

import msgspec
import pytest
from tests.events.building import many
from tests.sinks.sinks import WAIT_SECONDS

from mcpr.events import RequestEvent
from mcpr.proxy.digests import Digested, Digests


def unpack(frame: bytes) -> list[RequestEvent]:
    return msgspec.msgpack.decode(frame, type=list[RequestEvent])


def test_every_frame_becomes_its_events_in_order() -> None:
    done: list[Digested] = []
    digests = Digests(unpack, done.append)
    batches = [many(count) for count in (1, 0, 3)]
    for batch in batches:
        assert digests.offer(msgspec.msgpack.encode(batch))
    digests.drain(WAIT_SECONDS)
    assert [result.events for result in done] == batches


def test_a_frame_that_cannot_be_read_repeats_nothing_of_it() -> None:
    def stumble(frame: bytes) -> list[RequestEvent]:
        raise ValueError(frame)

    done: list[Digested] = []
    digests = Digests(stumble, done.append)
    assert digests.offer(b"canary")
    assert digests.offer(b"canary")
    digests.drain(WAIT_SECONDS)
    assert done == [Digested(None, "ValueError")] * 2


def test_no_more_bytes_wait_than_the_bound() -> None:
    begun, go_on = threading.Event(), threading.Event()

    def slow(_frame: bytes) -> list[RequestEvent]:
        begun.set()
        assert go_on.wait(WAIT_SECONDS)
        return []

    done: list[Digested] = []
    digests = Digests(slow, done.append, waiting_bytes=100)
    assert digests.offer(bytes(60))
    assert begun.wait(WAIT_SECONDS)
    assert not digests.offer(bytes(41))
    assert digests.offer(bytes(40))
    go_on.set()
    digests.drain(WAIT_SECONDS)
    assert len(done) == 2


@pytest.mark.parametrize("frames", [0, 1])
def test_after_the_drain_nothing_is_taken(frames: int) -> None:
    digests = Digests(lambda _frame: [], lambda _result: None)
    for _ in range(frames):
        digests.offer(b"")
    digests.drain(WAIT_SECONDS)
    assert not digests.offer(b"")


def test_a_drain_does_not_wait_longer_than_it_is_told() -> None:
    go_on = threading.Event()

    def slow(_frame: bytes) -> list[RequestEvent]:
        assert go_on.wait(WAIT_SECONDS)
        return []

    digests = Digests(slow, lambda _result: None)
    digests.offer(b"")
    digests.drain(0.0)
    assert not digests.offer(b"")
    go_on.set()
