"""Pages of other sites: what a browser asks, and what it is told, with real sockets."""

import json

import pytest
from tests.dataplane.building import CALL, EVENTS, RESULT, answer, get, post, request
from tests.dataplane.caller import calling
from tests.dataplane.fake_upstream import answering, closed_port, playing
from tests.dataplane.messages import Message
from tests.dataplane.plane import Plane, proxying
from tests.dataplane.scene import run
from tests.dataplane.test_editing import ANSWERS, LIST, policy_in
from tests.dataplane.test_editing import RULES as REWRITES

from mcpr.pipeline.cors import Cors
from mcpr.protocol.limits import Limits

APP = b"https://app.example"
ORIGIN = b"Origin: " + APP
RULES = Cors(frozenset({APP}))
PREFLIGHT = request(
    b"OPTIONS",
    ORIGIN,
    b"Access-Control-Request-Method: POST",
    b"Access-Control-Request-Headers: content-type,mcp-session-id",
)
THEIRS = (
    b"Access-Control-Allow-Origin: *",
    b"Access-Control-Allow-Credentials: true",
    b"Access-Control-Expose-Headers: X-Theirs",
)


def allowed(got: Message) -> bytes | None:
    """Who may read the answer; said at most once."""
    return got.value(b"access-control-allow-origin")


async def asked(
    says: bytes, *asks: bytes, cors: Cors | None = RULES
) -> tuple[list[Message], Plane]:
    """The answers to requests of one connection, each twice: the second time heads are known."""
    async with playing(answering(says)) as upstream, proxying(upstream.port, cors=cors) as plane:
        async with calling(plane.port) as caller:
            got = [await caller.call(each) for one in asks for each in (one, one)]
        plane.rows()
        return got, plane


@pytest.mark.parametrize("kind", ["length", "chunked", "events", "error", "unauthorized"])
def test_every_answer_of_the_server_can_be_read_by_the_page(kind: str) -> None:
    says = {
        "length": answer(RESULT, b"Mcp-Session-Id: s"),
        "chunked": b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
        b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
        "events": answer(b"data: {}\n\n", EVENTS),
        "error": answer(b"{}", status=b"404 Not Found"),
        "unauthorized": answer(b"", b"WWW-Authenticate: Bearer", status=b"401 Unauthorized"),
    }[kind]

    async def scene() -> None:
        for got in (await asked(says, post(CALL, ORIGIN)))[0]:
            assert allowed(got) == APP
            exposed = got.value(b"access-control-expose-headers") or b""
            assert b"Mcp-Session-Id" in exposed.split(b", ")
            assert got.values(b"vary") == [b"Origin"]

    run(scene())


def test_a_client_that_is_no_browser_gets_what_it_always_got() -> None:
    async def scene() -> None:
        for got in (await asked(answer(RESULT), post(CALL)))[0]:
            assert got.body == RESULT
            assert not [line for line in got.lines if line.lower().startswith(b"access-control")]
            # A cache between us must not show this answer to a page.
            usual = answer(RESULT).split(b"\r\n")[1:-2]
            assert sorted(got.lines) == sorted([*usual, b"Vary: Origin"])

    run(scene())


def test_what_the_server_says_of_other_sites_is_replaced_and_not_doubled() -> None:
    async def scene() -> None:
        for got in (await asked(answer(RESULT, *THEIRS), post(CALL, ORIGIN), post(CALL)))[0]:
            assert allowed(got) in {APP, None}
            assert got.value(b"access-control-allow-credentials") is None
            assert b"X-Theirs" not in (got.value(b"access-control-expose-headers") or b"")

    run(scene())


def test_off_everything_passes_both_ways_as_it_came() -> None:
    """CORS off is R1: mcpr has no part in it. The origin is one that the guard lets pass."""

    async def scene() -> None:
        ask = PREFLIGHT.replace(APP, b"http://localhost:5173")
        async with playing(answering(answer(RESULT, *THEIRS))) as upstream:
            async with proxying(upstream.port) as plane, calling(plane.port) as caller:
                got = await caller.call(ask)
            assert got.raw == answer(RESULT, *THEIRS)
            (sent,) = upstream.requests
            assert sent.start.startswith(b"OPTIONS ")
            assert sent.value(b"origin") == b"http://localhost:5173"

    run(scene())


def test_a_question_of_a_browser_is_answered_here_and_the_connection_goes_on() -> None:
    async def scene() -> None:
        async with playing(answering(answer(RESULT))) as upstream:
            async with proxying(upstream.port, cors=RULES) as plane, calling(plane.port) as caller:
                for _ in range(2):
                    got = await caller.call(PREFLIGHT, bodiless=True)
                    assert (got.status, allowed(got)) == (204, APP)
                    assert got.value(b"access-control-allow-methods") is not None
                    assert got.value(b"access-control-max-age") == b"7200"
                    assert got.value(b"content-length") is None
                    assert got.value(b"mcpr-error") is None
                    row = plane.row()
                    assert (row.kind, row.outcome, row.http_status) == ("http", "ok", 204)
                got = await caller.call(post(CALL, ORIGIN))
                assert (got.status, got.body) == (200, RESULT)
            (sent,) = upstream.requests
            assert sent.start.startswith(b"POST ")

    run(scene())


def test_the_server_never_hears_of_an_origin_that_was_judged_here() -> None:
    """Many servers know only their own name, and would refuse a page that is allowed here."""

    async def scene() -> None:
        async with playing(answering(answer(RESULT))) as upstream:
            async with proxying(upstream.port, cors=RULES) as plane, calling(plane.port) as caller:
                await caller.call(post(CALL, ORIGIN))
            assert upstream.requests[0].value(b"origin") is None

    run(scene())


@pytest.mark.parametrize(
    "ask", [post(CALL, b"Origin: https://evil.test"), PREFLIGHT], ids=["call", "preflight"]
)
def test_a_site_that_is_not_named_is_refused_and_told_nothing(ask: bytes) -> None:
    async def scene() -> None:
        async with playing(answering(answer(RESULT))) as upstream:
            async with proxying(upstream.port, cors=RULES) as plane, calling(plane.port) as caller:
                got = await caller.call(ask.replace(APP, b"https://evil.test"))
                assert (got.status, got.value(b"mcpr-error")) == (403, b"denied")
                assert allowed(got) is None
                assert plane.row().outcome == "denied"
            assert upstream.requests == []

    run(scene())


def test_a_site_of_a_name_that_may_be_called_is_no_site_whose_pages_may_call() -> None:
    """The guard lets loopback pages pass; reading the answer is another question."""

    async def scene() -> None:
        page = b"Origin: http://localhost:8080"
        async with (
            playing(answering(answer(RESULT, *THEIRS))) as upstream,
            proxying(upstream.port, cors=RULES) as plane,
            calling(plane.port) as caller,
        ):
            got = await caller.call(post(CALL, page))
            assert (got.status, allowed(got)) == (200, None)
            got = await caller.call(PREFLIGHT.replace(ORIGIN, page))
            assert (got.status, allowed(got)) == (403, None)
            assert b"[cors] origins" in got.body

    run(scene())


def test_what_mcpr_itself_has_to_say_can_be_read_by_the_page() -> None:
    async def scene() -> None:
        async with proxying(closed_port(), cors=RULES) as plane, calling(plane.port) as caller:
            for _ in range(2):
                got = await caller.call(post(CALL, ORIGIN))
                assert (got.status, allowed(got)) == (502, APP)
                assert b"Mcpr-Error" in (got.value(b"access-control-expose-headers") or b"")
                assert json.loads(got.body)["error"]["code"] == -32603
            # What is said to one page is not said to the next of the same connection.
            assert allowed(await caller.call(post(CALL))) is None

    run(scene())


def test_a_body_that_is_too_large_is_refused_where_the_page_can_read_it() -> None:
    async def scene() -> None:
        limits = Limits(request_bytes=100)
        async with (
            playing(answering(answer(RESULT))) as upstream,
            proxying(upstream.port, limits, cors=RULES) as plane,
            calling(plane.port) as caller,
        ):
            got = await caller.call(post(CALL + b" " * 100, ORIGIN))
            assert (got.status, allowed(got)) == (413, APP)

    run(scene())


def test_broken_http_after_a_page_has_called_is_not_the_pages_answer() -> None:
    async def scene() -> None:
        async with (
            playing(answering(answer(RESULT))) as upstream,
            proxying(upstream.port, cors=RULES) as plane,
            calling(plane.port) as caller,
        ):
            assert allowed(await caller.call(post(CALL, ORIGIN))) == APP
            got = await caller.call(get(b"Content-Length: x"))
            assert (got.status, allowed(got)) == (400, None)

    run(scene())


def test_any_site_may_call_where_the_operator_said_so() -> None:
    async def scene() -> None:
        rules = Cors(frozenset({b"*"}))
        null = b"Origin: null"
        got, _ = await asked(answer(RESULT, *THEIRS), post(CALL, null), cors=rules)
        assert [(allowed(each), each.values(b"vary")) for each in got] == [(b"*", [])] * 2

    run(scene())


def test_a_page_of_any_site_still_needs_a_host_that_is_served_here() -> None:
    """A foreign name that leads to this machine (DNS rebinding) is refused as before."""

    async def scene() -> None:
        rules = Cors(frozenset({b"*"}))
        async with playing(answering(answer(RESULT))) as upstream:
            async with proxying(upstream.port, cors=rules) as plane, calling(plane.port) as caller:
                ask = PREFLIGHT.replace(b"Host: localhost", b"Host: rebound.evil.test")
                assert (await caller.call(ask)).status == 403
            assert upstream.requests == []

    run(scene())


@pytest.mark.parametrize("name", ANSWERS)
def test_an_answer_that_is_changed_on_its_way_can_be_read_by_the_page(name: str) -> None:
    async def scene() -> None:
        async with (
            playing(answering(ANSWERS[name])) as upstream,
            proxying(upstream.port, csp=REWRITES, cors=RULES) as plane,
            calling(plane.port) as caller,
        ):
            got = await caller.call(post(LIST, ORIGIN))
            assert (got.status, allowed(got)) == (200, APP)
            assert policy_in(got.body) == ["https://a.example"]
            assert got.value(b"content-length") == b"%d" % len(got.body)

    run(scene())
