"""How requests are read: whole or in pieces, one after the other, and how they go on upstream."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.dataplane.building import CALL, CHUNKED, JSON, RESULT, answer, get, post, request
from tests.dataplane.caller import calling
from tests.dataplane.fake_upstream import Peer, answering, playing
from tests.dataplane.messages import as_message, chunked, cut_at, is_same
from tests.dataplane.plane import proxying, relaying
from tests.dataplane.scene import LOOPS, run, turn, until
from tests.protocol.size import examples

from mcpr.protocol.limits import Limits

BYTES = bytes(range(256)) * 3
BODIES = {
    "length": request(b"POST", b"Content-Length: %d" % len(BYTES)) + BYTES,
    "chunked": request(b"POST", CHUNKED) + chunked(BYTES[:5], BYTES[5:700], BYTES[700:]),
    "json-length": post(),
    "json-chunked": request(b"POST", JSON, CHUNKED) + chunked(CALL[:9], CALL[9:]),
}


@pytest.mark.parametrize("loop", LOOPS)
@pytest.mark.parametrize("name", BODIES)
def test_a_request_body_arrives_upstream_byte_for_byte(name: str, loop: str) -> None:
    async def scene() -> None:
        async with playing(answering(answer())) as upstream, proxying(upstream.port) as plane:
            async with calling(plane.port) as caller:
                assert (await caller.call(BODIES[name])).body == RESULT
            (seen,) = upstream.requests
            assert seen.is_whole
            assert seen.body == (CALL if "json" in name else BYTES)
            framing = b"transfer-encoding" if "chunked" in name else b"content-length"
            assert seen.value(framing) is not None

    run(scene(), loop)


@examples(25)
@given(
    st.sampled_from(sorted(BODIES)),
    st.lists(st.integers(1, 1100), max_size=4),
    st.lists(st.integers(1, 300), max_size=4),
    st.booleans(),
)
def test_pieces_of_any_size_in_both_directions_change_nothing(
    name: str, request_cuts: list[int], answer_cuts: list[int], answers_chunked: bool
) -> None:
    whole = answer(RESULT, b"Date: Sun, 22 Nov 2026 10:00:00 GMT", b"Set-Cookie: a", b"X-B: c")
    if answers_chunked:
        whole = b"HTTP/1.1 200 OK\r\n" + JSON + b"\r\n" + CHUNKED + b"\r\n\r\n"
        whole += chunked(RESULT[:10], RESULT[10:], trailers=b"X-Sum: 1\r\n")

    async def script(peer: Peer) -> None:
        while await peer.request() is not None:
            await peer.send(*cut_at(whole, *answer_cuts))

    async def scene() -> None:
        async with playing(script) as upstream, proxying(upstream.port) as plane:
            async with calling(plane.port) as caller:
                for _ in range(2):  # The second time the heads are known.
                    got = await caller.call(*cut_at(BODIES[name], *request_cuts))
                    assert is_same(got, as_message(whole))
            assert {seen.body for seen in upstream.requests} == {CALL if "json" in name else BYTES}
            assert is_same(*upstream.requests)

    run(scene())


def test_pipelined_requests_are_answered_in_their_order() -> None:
    async def script(peer: Peer) -> None:
        while (asked := await peer.request()) is not None:
            await peer.send(answer(b'{"was":%d}' % len(asked.start)))

    async def scene() -> None:
        targets = [b"/" + b"x" * n for n in range(9)]
        async with (
            playing(script) as upstream,
            proxying(upstream.port) as plane,
            calling(plane.port) as caller,
        ):
            await caller.send(
                b"".join(post(target=t) if len(t) % 2 else get(target=t) for t in targets)
            )
            got = [(await caller.answer()).body for _ in targets]
            asked = [
                len(b" ".join((b"POST" if len(t) % 2 else b"GET", t, b"HTTP/1.1"))) for t in targets
            ]
            assert got == [b'{"was":%d}' % n for n in asked]
            assert len(upstream.peers) == 1

    run(scene())


def test_far_more_pipelined_requests_than_are_read_ahead_are_all_answered() -> None:
    count = 400
    padding = b"X-Padding: " + b"p" * 1000

    async def scene() -> None:
        async with (
            playing(answering(answer())) as upstream,
            proxying(upstream.port) as plane,
            calling(plane.port) as caller,
        ):
            caller.writer.write(post(CALL, padding) * count)
            for _ in range(count):
                assert (await caller.answer()).status == 200
            assert len(upstream.requests) == count

    run(scene())


def test_empty_lines_before_a_request_are_passed_over() -> None:
    async def scene() -> None:
        async with (
            playing(answering(answer())) as upstream,
            proxying(upstream.port) as plane,
            calling(plane.port) as caller,
        ):
            for _ in range(2):
                assert (await caller.call(b"\r\n\r\n" + post())).status == 200
                assert (await caller.call(b"\r", b"\n" + post())).status == 200
            assert len(upstream.requests) == 4

    run(scene())


def test_a_flood_of_empty_lines_holds_nobody_up() -> None:
    """Linear work: a quarter of a megabyte of them took seconds of everybody's time once."""

    async def scene() -> None:
        async with (
            playing(answering(answer())) as upstream,
            proxying(upstream.port) as plane,
            calling(plane.port) as flooding,
            calling(plane.port) as caller,
        ):
            flooding.writer.write(b"\r\n" * 2_000_000)
            for _ in range(20):
                assert (await caller.call(post())).status == 200
            assert plane.waiting_bytes < 1_000_000

    run(scene())


def test_a_client_that_waits_for_100_continue_gets_it_and_the_upstream_is_not_asked() -> None:
    async def scene() -> None:
        async with (
            playing(answering(answer())) as upstream,
            proxying(upstream.port) as plane,
            calling(plane.port) as caller,
        ):
            head, _, body = post(CALL, b"Expect: 100-continue").partition(b"\r\n\r\n")
            interim = await caller.call(head + b"\r\n\r\n", bodiless=True)
            assert interim.raw == b"HTTP/1.1 100 Continue\r\n\r\n"
            assert (await caller.call(body)).body == RESULT
            assert upstream.requests[0].value(b"expect") is None

    run(scene())


def test_a_body_that_did_not_wait_for_100_continue_is_not_told_to_go_on() -> None:
    async def scene() -> None:
        async with (
            playing(answering(answer())) as upstream,
            proxying(upstream.port) as plane,
            calling(plane.port) as caller,
        ):
            assert (await caller.call(post(CALL, b"Expect: 100-continue"))).status == 200

    run(scene())


def test_a_streamed_upload_is_told_to_go_on_before_it_is_sent() -> None:
    async def scene() -> None:
        async with (
            playing(answering(answer())) as upstream,
            proxying(upstream.port) as plane,
            calling(plane.port) as caller,
        ):
            asks = request(b"PUT", CHUNKED, b"Expect: 100-continue")
            assert (await caller.call(asks, bodiless=True)).status == 100
            assert (await caller.call(chunked(BYTES))).status == 200
            assert upstream.requests[0].body == BYTES

    run(scene())


def test_a_body_that_is_not_json_goes_on_as_it_comes() -> None:
    """R2: no piece waits for the next."""

    async def script(peer: Peer) -> None:
        await peer.head()
        assert await peer.reader.readexactly(8) == b"3\r\nabc\r\n"
        await peer.send(answer(b"seen"))
        await peer.gone()

    async def scene() -> None:
        async with (
            playing(script) as upstream,
            proxying(upstream.port) as plane,
            calling(plane.port) as caller,
        ):
            assert (await caller.call(request(b"POST", CHUNKED) + b"3\r\nabc\r\n")).body == b"seen"

    run(scene())


@pytest.mark.parametrize(
    ("version", "lines", "stays"),
    [
        (b"1.1", (), True),
        (b"1.1", (b"Connection: close",), False),
        (b"1.0", (), False),
        (b"1.0", (b"Connection: keep-alive",), True),
    ],
    ids=["1.1", "1.1-close", "1.0", "1.0-keep-alive"],
)
def test_the_connection_lasts_as_long_as_the_client_wants(
    version: bytes, lines: tuple[bytes, ...], stays: bool
) -> None:
    async def scene() -> None:
        async with (
            playing(answering(answer())) as upstream,
            proxying(upstream.port) as plane,
            calling(plane.port) as caller,
        ):
            asks = request(b"GET", *lines, version=version)
            got = await caller.call(asks)
            assert got.body == RESULT
            if stays:
                said = b"keep-alive" if version == b"1.0" else None
                assert got.value(b"connection") == said
                assert (await caller.call(asks)).body == RESULT
            else:
                assert got.value(b"connection") == b"close"
                assert await caller.rest() == b""
            assert upstream.requests[0].start.endswith(b" HTTP/1.1")
            assert upstream.requests[0].value(b"connection") is None

    run(scene())


def test_a_client_of_http_1_0_gets_a_chunked_answer_without_the_chunks() -> None:
    chunks = b"HTTP/1.1 200 OK\r\nX-Before: 1\r\n" + CHUNKED + b"\r\nX-After: 1\r\n\r\n"
    chunks += chunked(b"one", b"two")

    async def scene() -> None:
        async with (
            playing(answering(chunks)) as upstream,
            proxying(upstream.port) as plane,
            calling(plane.port) as caller,
        ):
            got = await caller.call(request(b"GET", b"Connection: keep-alive", version=b"1.0"))
            assert got.body == b"onetwo"
            assert got.lines == [b"X-Before: 1", b"X-After: 1", b"Connection: close"]
            await until(lambda: len(plane.pool.idle) == 1)

    run(scene())


@pytest.mark.parametrize(
    ("asks", "status"),
    [
        (b"nonsense\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\n\r\n", 400),
        (b"GET / HTTP/1.1\nHost: localhost\n\n", 400),
        (b"GET / HTTP/2.0\r\nHost: localhost\r\n\r\n", 400),
        (request(b"POST", b"Content-Length: 3", CHUNKED), 400),
        (request(b"POST", b"Transfer-Encoding: gzip, chunked"), 501),
        (request(b"POST", CHUNKED, JSON) + b"0x3\r\nabc\r\n", 400),
        (request(b"POST", CHUNKED) + b"3\r\nabcd\r\n", 400),
        (request(b"CONNECT", target=b"localhost:80"), 405),
        (request(b"POST", b"Expect: miracles"), 417),
        (get(b"X-Long: " + b"x" * 20_000), 431),
        (get(*[b"X-%d: 1" % n for n in range(200)]), 431),
        (b"GET /" + b"x" * 70_000, 431),
    ],
    ids=str,
)
def test_http_that_is_not_http_is_refused_and_the_connection_closed(
    asks: bytes, status: int
) -> None:
    async def scene() -> None:
        async with (
            playing(answering(answer())) as upstream,
            proxying(upstream.port) as plane,
            calling(plane.port) as caller,
        ):
            got = await caller.call(asks)
            assert (got.status, got.value(b"mcpr-error")) == (status, b"malformed")
            assert got.value(b"connection") == b"close"
            assert await caller.rest() == b""
            assert upstream.requests == []
            row = plane.row()
            assert (row.outcome, row.origin, row.http_status) == ("http_error", "client", status)

    run(scene())


def test_a_request_after_one_that_could_not_be_sent_carries_its_own_body_only() -> None:
    """The body of a refused call must not be left over for the next one."""

    async def scene() -> None:
        async with playing(answering(answer())) as upstream, proxying(upstream.port) as plane:
            limits = plane.pool.limits
            plane.pool.max_exchanges = 0
            plane.pool.limits = Limits(waiters=0)
            async with calling(plane.port) as caller:
                assert (await caller.call(post(b'{"first":1}'))).status == 503
                plane.pool.max_exchanges, plane.pool.limits = limits.exchanges, limits
                assert (await caller.call(post(b'{"second":2}'))).status == 200
            (seen,) = upstream.requests
            assert seen.body == b'{"second":2}'
            assert len(upstream.peers) == 1

    run(scene())


@pytest.mark.parametrize(
    "line",
    [
        b"Authorization: Bearer canary",
        b"Cookie: canary",
        b"X-Api-Key: canary",
        b"Mcp-Param-Place: canary",
        b"traceparent: canary",
        b"Last-Event-ID: canary",
        b"Set-Cookie: canary",
        b"DPoP-Nonce: canary",
    ],
    ids=str,
)
def test_no_memory_of_heads_holds_what_is_secret_or_never_comes_twice(line: bytes) -> None:
    async def scene() -> None:
        async with (
            playing(answering(answer(RESULT, line))) as upstream,
            proxying(upstream.port) as plane,
            calling(plane.port) as caller,
        ):
            for _ in range(3):
                assert (await caller.call(post(CALL, line))).status == 200
                assert (await caller.call(post(CALL, b"X-Trace: 1", line))).status == 200
            for memory in (plane.listener, plane.pool):
                for name, value in vars(memory).items():
                    if isinstance(value, dict):
                        assert not any(b"canary" in key for key in value), name
                for heads in (memory._heads.requests, memory._heads.responses):
                    assert not any(b"canary" in key for key in heads)
                assert not any(b"canary" in key for key in memory._heads._lines)

    run(scene())


def test_a_mistake_of_ours_is_answered_once_and_ends_the_connection() -> None:
    async def scene() -> None:
        async with (
            playing(answering(answer())) as upstream,
            relaying(upstream.port, configure=lambda h: setattr(h, "fails", {b"/bad"})) as plane,
            calling(plane.port) as caller,
        ):
            assert (await caller.call(get(target=b"/good"))).status == 200
            got = await caller.call(get(target=b"/bad") + get(target=b"/good"))
            assert (got.status, got.value(b"mcpr-error")) == (500, b"internal")
            assert await caller.rest() == b""
            await turn()
            assert len(upstream.requests) == 1

    run(scene())
