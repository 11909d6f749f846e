"""What the data plane promises to whoever uses it: every exchange is told once, and to its end."""

import pytest
from tests.dataplane.building import CHUNKED, EVENTS, JSON, RESULT, answer, get, head, post, request
from tests.dataplane.caller import calling
from tests.dataplane.fake_upstream import Peer, answering, closed_port, playing
from tests.dataplane.messages import chunked
from tests.dataplane.plain_handler import OURS, PlainHandler, Seen
from tests.dataplane.plane import Plane, relaying
from tests.dataplane.scene import LOOPS, run, until

from mcpr.dataplane import AnswerPlan, Refusal
from mcpr.protocol.limits import Limits


def common(handler: PlainHandler) -> None:
    handler.is_common = True


def streaming(handler: PlainHandler) -> None:
    handler.reads_whole = False


def refusing(handler: PlainHandler) -> None:
    handler.refuses = frozenset({b"/no"})


def last_seen(plane: Plane) -> Seen:
    plane.pool.flush()
    handler = plane.handler
    assert isinstance(handler, PlainHandler)
    return handler.seen[-1]


@pytest.mark.parametrize("loop", LOOPS)
@pytest.mark.parametrize("configure", [lambda _: None, common], ids=["watched", "common"])
def test_an_exchange_is_told_in_full_and_alike_however_it_came(
    configure: "object", loop: str
) -> None:
    async def script(peer: Peer) -> None:
        for cut in (0, 0, 30, 0):
            await peer.request()
            whole = answer()
            await peer.send(*(whole[:cut], whole[cut:]) if cut else (whole,))

    async def scene() -> None:
        assert callable(configure)
        async with (
            playing(script) as upstream,
            relaying(upstream.port, configure=configure) as plane,
            calling(plane.port) as caller,
        ):
            asks = post()
            for pieces in ((asks,), (asks,), (asks,), (asks[:30], asks[30:])):
                assert (await caller.call(*pieces)).body == RESULT
                seen = last_seen(plane)
                assert (seen.target, seen.status, seen.ending) == (b"/mcp", 200, "complete")
                assert (seen.body, seen.answer) == (asks.partition(b"\r\n\r\n")[2], RESULT)
                assert 0 < seen.started_ns <= seen.sent_ns <= seen.first_ns <= seen.ended_ns
                assert seen.told == ["request", "head", "data", "end"]
            assert len(upstream.requests) == 4

    run(scene(), loop)


def test_a_body_that_is_not_read_whole_is_counted_as_it_goes_by() -> None:
    async def scene() -> None:
        async with (
            playing(answering(answer())) as upstream,
            relaying(upstream.port, configure=streaming) as plane,
            calling(plane.port) as caller,
        ):
            body = b"x" * 1000
            await caller.send(request(b"PUT", CHUNKED), chunked(body)[:500])
            await caller.call(chunked(body)[500:])
            seen = last_seen(plane)
            assert (seen.body, seen.streamed, seen.ending) == (None, 1000, "complete")

    run(scene())


def test_an_answer_without_a_body_is_told_without_data() -> None:
    async def scene() -> None:
        async with (
            playing(answering(head(b"HTTP/1.1 204 None"), answer(b""))) as upstream,
            relaying(upstream.port) as plane,
            calling(plane.port) as caller,
        ):
            for status in (204, 200):
                assert (await caller.call(get(), bodiless=True)).status == status
                seen = last_seen(plane)
                assert (seen.status, seen.told) == (status, ["request", "head", "end"])

    run(scene())


@pytest.mark.parametrize("configure", [lambda _: None, common], ids=["watched", "common"])
def test_an_exchange_that_fails_is_told_with_the_status_that_was_answered(
    configure: "object",
) -> None:
    async def scene() -> None:
        assert callable(configure)
        async with (
            relaying(closed_port(), configure=configure) as plane,
            calling(plane.port) as caller,
        ):
            for _ in range(2):
                got = await caller.call(post())
                assert got.body == OURS
                seen = last_seen(plane)
                assert (seen.status, seen.ending, seen.sent_ns) == (502, "unreachable", 0)
                assert seen.told == ["request", "end"]

    run(scene())


def test_a_refused_plan_is_never_sent_on_and_told_once() -> None:
    async def scene() -> None:
        async with (
            playing(answering(answer())) as upstream,
            relaying(upstream.port, configure=refusing) as plane,
            calling(plane.port) as caller,
        ):
            for _ in range(2):
                assert (await caller.call(get(target=b"/no"))).status == 403
                seen = last_seen(plane)
                assert (seen.status, seen.ending, seen.told) == (403, "denied", ["end"])
            assert (await caller.call(post(target=b"/no"))).status == 403
            assert await caller.rest() == b""
            assert upstream.peers == []

    run(scene())


def test_what_is_no_request_is_told_as_a_refusal() -> None:
    async def scene() -> None:
        async with relaying(closed_port()) as plane, calling(plane.port) as caller:
            assert (await caller.call(b"nonsense\r\n\r\n")).status == 400
            seen = last_seen(plane)
            assert (seen.target, seen.status, seen.ending) == (None, 400, "malformed")

    run(scene())


def test_the_handler_is_told_of_time() -> None:
    async def scene() -> None:
        async with relaying(closed_port()) as plane:
            handler = plane.handler
            assert isinstance(handler, PlainHandler)
            assert handler.ticks == 1  # Before the first request.
            await until(lambda: handler.ticks > 1)

    run(scene())


def test_a_stream_over_the_limit_is_told_with_its_refusal() -> None:
    stream = head(b"HTTP/1.1 200 OK", EVENTS, CHUNKED)

    async def scene() -> None:
        async with (
            playing(answering(stream)) as upstream,
            relaying(upstream.port, Limits(streams=0)) as plane,
            calling(plane.port) as caller,
        ):
            assert (await caller.call(get())).status == 503
            seen = last_seen(plane)
            assert (seen.status, seen.ending) == (503, "busy")

    run(scene())


def test_a_plan_without_chunking_keeps_every_other_line() -> None:
    lines = head(b"HTTP/1.1 200 OK", b"X-A: 1", b"transfer-ENCODING:chunked", JSON)[:-2]
    plan = AnswerPlan(facts=None, lines=lines, is_stream=False, is_bounded=False)
    assert plan.without_chunking() == head(b"HTTP/1.1 200 OK", b"X-A: 1", JSON)[:-2]
    assert plan.ended == lines + b"\r\n"


def test_a_refusal_shows_what_it_is() -> None:
    assert repr(Refusal(503, "busy", "too many")) == "<Refusal 503 busy: too many>"
