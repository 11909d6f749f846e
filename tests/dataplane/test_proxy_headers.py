"""Which header lines cross the proxy, and what stands in their place where they do not."""

import pytest
from tests.dataplane.building import CALL, EVENTS, JSON, RESULT, answer, get, head, post, request
from tests.dataplane.caller import calling
from tests.dataplane.fake_upstream import answering, playing
from tests.dataplane.messages import Message, as_message, is_same
from tests.dataplane.plane import proxying
from tests.dataplane.scene import run

ODD_LINES = (
    b"X-Two: first",
    b"x-two:second",
    b"Cookie: a=1",
    b"Cookie: b=2",
    b"Authorization: Bearer opaque",
    b"Mcp-Session-Id: s-1",
    b"MCP-Protocol-Version: 2025-11-25",
    b"Mcp-Param-Where: here",
    b"Accept-Encoding: gzip, br",
    b"traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    b"Last-Event-ID: 42",
    b"X-Empty:",
    b"X-Spaces:   kept inside   ",
    b"X-Bytes: \xe9\xff",
)


async def through(asks: bytes, says: bytes, *, bodiless: bool = False) -> tuple[Message, Message]:
    """What the upstream got, and what the client got; the second time the heads are known."""
    async with playing(answering(says)) as upstream, proxying(upstream.port) as plane:
        async with calling(plane.port) as caller:
            first = await caller.call(asks, bodiless=bodiless)
            second = await caller.call(asks, bodiless=bodiless)
        assert is_same(first, second)
        assert is_same(*upstream.requests)
        return upstream.requests[0], first


def test_end_to_end_lines_pass_in_both_directions_as_they_came() -> None:
    """Lines of one name stay in their order, which is all that RFC 9110 section 5.3 asks."""

    async def scene() -> None:
        asks = get(*ODD_LINES, target=b"/mcp/deep%2F?a=1&a=2")
        says = answer(
            RESULT, *ODD_LINES, b"WWW-Authenticate: Bearer", b"Set-Cookie: c", b"Set-Cookie: d"
        )
        sent, got = await through(asks, says)
        ours = (b"host:", b"x-forwarded-")
        kept = [line for line in sent.lines if not line.lower().startswith(ours)]
        expected = as_message(head(b"GET /mcp/deep%2F?a=1&a=2 HTTP/1.1", *ODD_LINES))
        assert is_same(as_message(head(sent.start, *kept)), expected)
        assert is_same(got, as_message(says))

    run(scene())


def test_hop_by_hop_lines_end_here_in_both_directions() -> None:
    hops = (
        b"Connection: keep-alive, X-Private",
        b"X-Private: 1",
        b"Keep-Alive: timeout=30",
        b"Proxy-Connection: keep-alive",
        b"Proxy-Authorization: Basic x",
        b"Proxy-Authenticate: Basic",
        b"TE: trailers",
        b"Upgrade: websocket",
    )

    async def scene() -> None:
        sent, got = await through(get(*hops, b"X-Stays: 1"), answer(RESULT, *hops, b"X-Stays: 1"))
        assert b"X-Stays: 1" in sent.lines
        assert not set(hops) & set(sent.lines)
        assert sent.value(b"connection") is None
        assert got.raw == answer(RESULT, b"X-Stays: 1")

    run(scene())


def test_what_a_connection_line_names_ends_here_also_where_it_changes_from_head_to_head() -> None:
    async def scene() -> None:
        for number in range(3):
            names = (b"X-Request-ID: %d" % number, b"traceparent: 00-%d" % number)
            hop = b"Connection: x-request-id"
            sent, got = await through(get(hop, *names), answer(RESULT, hop, names[0], b"ETag: 1"))
            assert sent.value(b"x-request-id") is None
            assert sent.value(b"traceparent") == b"00-%d" % number
            assert got.raw == answer(RESULT, b"ETag: 1")

    run(scene())


def test_the_upstream_is_called_by_its_own_name_and_told_the_one_that_was_used() -> None:
    async def scene() -> None:
        async with playing(answering(answer())) as upstream, proxying(upstream.port) as plane:
            async with calling(plane.port) as caller:
                await caller.call(
                    b"GET / HTTP/1.1\r\nX-A: 1\r\nhost: LOCALHOST:81\r\nX-B: 2\r\n\r\n"
                )
            (sent,) = upstream.requests
            assert sent.lines == [
                b"X-A: 1",
                b"Host: 127.0.0.1:%d" % upstream.port,
                b"X-B: 2",
                b"X-Forwarded-Proto: http",
                b"X-Forwarded-Host: localhost:81",
                b"X-Forwarded-For: 127.0.0.1",
            ]

    run(scene())


def test_a_request_of_http_1_0_without_host_gets_one() -> None:
    async def scene() -> None:
        async with playing(answering(answer())) as upstream, proxying(upstream.port) as plane:
            async with calling(plane.port) as caller:
                await caller.call(b"GET / HTTP/1.0\r\n\r\n")
            (sent,) = upstream.requests
            assert sent.start == b"GET / HTTP/1.1"
            assert sent.value(b"host") == b"127.0.0.1:%d" % upstream.port
            assert sent.value(b"x-forwarded-host") is None

    run(scene())


def test_what_a_client_says_of_forwarding_is_not_believed() -> None:
    forged = (
        b"X-Forwarded-For: 10.0.0.1",
        b"X-Forwarded-For: 10.0.0.2",
        b"X-Forwarded-Host: bank.example",
        b"X-Forwarded-Proto: https",
        b"X-Forwarded-Port: 443",
        b"X-Real-IP: 10.0.0.3",
        b"Forwarded: for=10.0.0.4",
    )

    async def scene() -> None:
        sent, _ = await through(get(*forged), answer())
        assert not set(forged) & set(sent.lines)
        assert sent.value(b"x-forwarded-for") == b"127.0.0.1"
        assert sent.value(b"x-forwarded-proto") == b"http"
        assert sent.value(b"x-forwarded-host") == b"localhost"

    run(scene())


def test_an_absolute_target_is_sent_on_as_a_path() -> None:
    async def scene() -> None:
        sent, _ = await through(get(target=b"http://localhost/mcp?x=1"), answer())
        assert sent.start == b"GET /mcp?x=1 HTTP/1.1"

    run(scene())


@pytest.mark.parametrize(
    "method", [b"GET", b"POST", b"PUT", b"DELETE", b"OPTIONS", b"PATCH", b"X-OWN"]
)
def test_every_method_passes(method: bytes) -> None:
    async def scene() -> None:
        sent, got = await through(
            request(method), answer(b"Method Not Allowed", b"Allow: GET", status=b"405 No")
        )
        assert sent.start.startswith(method + b" /mcp")
        assert got.status == 405
        assert got.value(b"allow") == b"GET"

    run(scene())


def test_options_for_the_whole_server_pass() -> None:
    async def scene() -> None:
        sent, _ = await through(request(b"OPTIONS", target=b"*"), answer())
        assert sent.start == b"OPTIONS * HTTP/1.1"

    run(scene())


@pytest.mark.parametrize(
    "status",
    [
        b"202 Accepted",
        b"400 Bad",
        b"401 Unauthorized",
        b"404 Lost",
        b"418 T\xe9",
        b"599 Odd",
        b"200 ",
    ],
)
def test_every_status_passes_with_its_reason_and_its_body(status: bytes) -> None:
    async def scene() -> None:
        _, got = await through(post(), answer(b"words", b"Content-Type: text/plain", status=status))
        assert got.start == b"HTTP/1.1 " + status
        assert got.body == b"words"

    run(scene())


def test_a_status_line_of_http_1_0_becomes_one_of_1_1() -> None:
    async def scene() -> None:
        async with (
            playing(answering(b"HTTP/1.0 200 Fine\r\nContent-Length: 2\r\n\r\nok")) as upstream,
            proxying(upstream.port) as plane,
            calling(plane.port) as caller,
        ):
            for _ in range(2):
                assert (
                    await caller.call(get())
                ).raw == b"HTTP/1.1 200 Fine\r\nContent-Length: 2\r\n\r\nok"
            assert len(upstream.peers) == 2  # HTTP/1.0 without keep-alive: not used again

    run(scene())


def test_an_event_stream_is_marked_as_not_to_be_buffered_once() -> None:
    async def scene() -> None:
        for said in ((), (b"X-Accel-Buffering: no",), (b"x-accel-buffering: yes",)):
            _, got = await through(post(CALL), answer(b"data: 1\n\n", EVENTS, *said))
            expected = said[0].rpartition(b" ")[2] if said else b"no"
            assert got.value(b"x-accel-buffering") == expected
        _, got = await through(post(CALL), answer(RESULT, JSON))
        assert got.value(b"x-accel-buffering") is None

    run(scene())


def test_a_foreign_host_or_origin_is_refused_on_every_request_of_a_connection() -> None:
    """Not on the first only: a connection may be shared by a page and by whom it attacks."""

    async def scene() -> None:
        async with (
            playing(answering(answer())) as upstream,
            proxying(upstream.port) as plane,
            calling(plane.port) as caller,
        ):
            foreign = post().replace(b"Host: localhost", b"Host: evil.example")
            for _ in range(2):
                assert (await caller.call(post())).status == 200
                assert (
                    await caller.call(post(CALL, b"Origin: http://localhost:6274"))
                ).status == 200
                got = await caller.call(get(b"Origin: https://evil.example"))
                assert (got.status, got.value(b"mcpr-error")) == (403, b"denied")
                assert got.value(b"connection") is None
            outcomes = sorted(row.outcome for row in plane.rows())
            assert outcomes == ["denied", "denied", "ok", "ok", "ok", "ok"]
            got = await caller.call(foreign)
            assert got.status == 403
            assert await caller.rest() == b""
            assert len(upstream.requests) == 4
            row = plane.row()
            assert (row.outcome, row.origin, row.http_status) == ("denied", "policy", 403)

    run(scene())


@pytest.mark.parametrize("status", [b"204 No Content", b"304 Not Modified"])
def test_answers_that_never_have_a_body_pass_without_one(status: bytes) -> None:
    async def scene() -> None:
        says = head(b"HTTP/1.1 " + status, b"ETag: x")
        _, got = await through(get(), says, bodiless=True)
        assert got.raw == says

    run(scene())


def test_an_answer_to_head_has_the_headers_of_the_body_and_not_the_body() -> None:
    async def scene() -> None:
        says = head(b"HTTP/1.1 200 OK", JSON, b"Content-Length: 99999999")
        _, got = await through(request(b"HEAD"), says, bodiless=True)
        assert got.raw == says

    run(scene())
