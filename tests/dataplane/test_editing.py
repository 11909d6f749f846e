"""An answer that is changed on its way keeps its framing right, and may still fail well."""

import asyncio
import gzip
import json

import pytest
from tests.dataplane.building import CHUNKED, EVENTS, JSON, answer, get, head, post, request
from tests.dataplane.caller import Caller, calling
from tests.dataplane.fake_upstream import Peer, Script, answering, playing
from tests.dataplane.messages import Message, chunked
from tests.dataplane.plane import Plane, proxying
from tests.dataplane.scene import LOOPS, run

from mcpr.pipeline.csp import CspRules, Sources
from mcpr.protocol.limits import Limits

RULES = CspRules("mcp.internal", {"connect": Sources(("https://a.example",))})
LIST = b'{"jsonrpc":"2.0","id":7,"method":"resources/list"}'
PHP = rb'{"jsonrpc":"2.0","id":7,"method":"resources\/list"}'
CALL = b'{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"a"}}'
WIDGETS = b'{"jsonrpc":"2.0","id":7,"result":{"resources":[{"uri":"ui://a"}]}}'
FILES = b'{"jsonrpc":"2.0","id":7,"result":{"resources":[{"uri":"file:///a"}]}}'
EVENT = b"id: 1\ndata: " + WIDGETS + b"\n\n"
PING = b": ping\n\n"


def policy_in(body: bytes) -> list[str]:
    """The edited policy of the only widget."""
    (item,) = json.loads(body)["result"]["resources"]
    domains: list[str] = item["_meta"]["ui"]["csp"]["connectDomains"]
    return domains


async def ask(script: Script, *requests: bytes, limits: Limits | None = None) -> list[Message]:
    """What a client gets for its requests, one after the other on one connection."""
    async with (
        playing(script) as upstream,
        proxying(upstream.port, limits, csp=RULES) as plane,
        calling(plane.port) as caller,
    ):
        return [await caller.call(one) for one in requests]


ANSWERS = {
    "of stated length": answer(WIDGETS),
    "chunked": head(b"HTTP/1.1 200 OK", JSON, CHUNKED) + chunked(WIDGETS[:9], WIDGETS[9:]),
    "compressed": answer(gzip.compress(WIDGETS), JSON, b"Content-Encoding: gzip", b'ETag: "x"'),
}


@pytest.mark.parametrize("loop", LOOPS)
@pytest.mark.parametrize("name", ANSWERS)
@pytest.mark.parametrize("body", [LIST, PHP], ids=["plain", "escaped"])
def test_a_held_answer_goes_on_with_its_new_length(body: bytes, name: str, loop: str) -> None:
    async def scene() -> None:
        first, second = await ask(answering(*[ANSWERS[name]] * 2), post(body), post(body))
        for message in (first, second):
            assert message.status == 200
            assert policy_in(message.body) == ["https://a.example"]
            assert message.value(b"content-length") == b"%d" % len(message.body)
            for line in (b"transfer-encoding", b"content-encoding", b"etag"):
                assert message.value(line) is None

    run(scene(), loop)


def test_an_answer_that_ends_with_its_connection_goes_on_with_its_length() -> None:
    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.send(head(b"HTTP/1.1 200 OK", JSON), WIDGETS)
        peer.close()

    async def scene() -> None:
        messages = await ask(script, post(LIST), post(LIST))
        assert [policy_in(message.body) for message in messages] == [["https://a.example"]] * 2

    run(scene())


UNCHANGED = {
    "no widget": (LIST, answer(FILES, JSON, b'ETag: "x"')),
    "no widget, compressed": (
        LIST,
        answer(gzip.compress(FILES), JSON, b"Content-Encoding: gzip", b'ETag: "x"'),
    ),
    "a coding we cannot read": (LIST, answer(b"\x8b\x01", JSON, b"Content-Encoding: br")),
    "no JSON": (LIST, answer(b"hello")),
    "a failure": (LIST, answer(WIDGETS, status=b"500 No")),
    "another method": (CALL, answer(WIDGETS)),
}


@pytest.mark.parametrize("name", UNCHANGED)
def test_what_needs_no_change_goes_on_exactly(name: str) -> None:
    body, sent = UNCHANGED[name]

    async def scene() -> None:
        (message,) = await ask(answering(sent), post(body))
        assert sorted(message.raw.split(b"\r\n")) == sorted(sent.split(b"\r\n"))

    run(scene())


def test_the_upstream_is_asked_for_no_coding_and_only_then() -> None:
    lines = [b"Accept-Encoding: gzip, br", b"accept-encoding: zstd"]

    async def scene() -> None:
        async with (
            playing(answering(answer(FILES), answer(FILES))) as upstream,
            proxying(upstream.port, csp=RULES) as plane,
            calling(plane.port) as caller,
        ):
            await caller.call(post(LIST, *lines))
            await caller.call(post(CALL, *lines))
            asked, other = upstream.requests
            assert asked.values(b"accept-encoding") == [b"identity"]
            assert other.values(b"accept-encoding") == [b"gzip, br", b"zstd"]

    run(scene())


@pytest.mark.parametrize("version", [b"1.0", b"1.1"])
def test_a_client_of_http10_gets_a_length_too(version: bytes) -> None:
    asked = request(b"POST", JSON, b"Content-Length: %d" % len(LIST), version=version) + LIST

    async def scene() -> None:
        (message,) = await ask(answering(answer(WIDGETS)), asked)
        assert policy_in(message.body) == ["https://a.example"]
        assert message.value(b"connection") == (b"close" if version == b"1.0" else None)

    run(scene())


@pytest.mark.parametrize("loop", LOOPS)
def test_a_stream_is_edited_event_by_event_and_none_waits_for_the_next(loop: str) -> None:
    go_on = asyncio.Event()

    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.send(head(b"HTTP/1.1 200 OK", EVENTS, CHUNKED), chunk(PING))
        await go_on.wait()
        await peer.send(chunk(EVENT[:20]), chunk(EVENT[20:]), b"0\r\n\r\n")
        await peer.gone()

    async def scene() -> None:
        async with (
            playing(script) as upstream,
            proxying(upstream.port, csp=RULES) as plane,
            calling(plane.port) as caller,
        ):
            await caller.send(post(LIST))
            begun = await caller.reader.readuntil(PING + b"\r\n")
            assert b"\r\nTransfer-Encoding: chunked\r\n" in begun
            go_on.set()
            rest = await caller.reader.readuntil(b"0\r\n\r\n")
            assert b'"connectDomains":["https://a.example"]' in rest
            assert plane.row().outcome == "ok"

    run(scene(), loop)


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


def test_a_stream_of_stated_length_goes_on_in_chunks() -> None:
    async def scene() -> None:
        messages = await ask(answering(*[answer(EVENT, EVENTS)] * 2), post(LIST), get_stream())
        for message in messages:
            assert message.value(b"content-length") is None
            assert message.is_whole
            data = message.body.partition(b"data: ")[2].strip()
            assert policy_in(data) == ["https://a.example"]

    run(scene())


def get_stream() -> bytes:
    """A stream may bring an answer that an earlier one was cut off before."""
    return get(b"Accept: text/event-stream", b"Last-Event-ID: 1")


def test_a_client_of_http10_reads_a_stream_to_the_end_of_its_connection() -> None:
    asked = request(b"POST", JSON, b"Content-Length: %d" % len(LIST), version=b"1.0") + LIST

    async def scene() -> None:
        async with (
            playing(answering(answer(EVENT + PING, EVENTS))) as upstream,
            proxying(upstream.port, csp=RULES) as plane,
            calling(plane.port) as caller,
        ):
            await caller.send(asked)
            whole = await caller.rest()
            assert b"chunked" not in whole
            assert whole.endswith(PING)
            assert b'"connectDomains"' in whole

    run(scene())


CUT = {
    "cut": (head(b"HTTP/1.1 200 OK", JSON, b"Content-Length: 99") + b'{"j', 502),
    "cut in a chunk": (head(b"HTTP/1.1 200 OK", JSON, CHUNKED) + b'9\r\n{"j', 502),
    "garbage in a chunk": (head(b"HTTP/1.1 200 OK", JSON, CHUNKED) + b"zz\r\n", 502),
    "too large": (head(b"HTTP/1.1 200 OK", JSON, CHUNKED) + b"fff\r\n" + b"x" * 4095, 502),
}


@pytest.mark.parametrize("name", CUT)
def test_a_held_answer_that_breaks_is_an_error_the_client_can_read(name: str) -> None:
    """Without editing the client would see its answer cut off."""
    sent, status = CUT[name]

    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.send(sent)
        peer.close()

    async def scene() -> None:
        limits = Limits(answer_bytes=2000)
        (message,) = await ask(script, post(LIST), limits=limits)
        assert message.status == status
        assert b'"id":7' in message.body

    run(scene())


def test_a_stream_that_cannot_be_read_is_cut() -> None:
    sent = head(b"HTTP/1.1 200 OK", EVENTS, CHUNKED, b"Content-Encoding: gzip")

    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.send(sent, chunk(b"not compressed"))
        await peer.gone()

    async def scene() -> None:
        async with (
            playing(script) as upstream,
            proxying(upstream.port, csp=RULES) as plane,
            calling(plane.port) as caller,
        ):
            await caller.send(post(LIST))
            assert not (await caller.rest()).endswith(b"0\r\n\r\n")
            assert plane.row().outcome == "broken"

    run(scene())


def test_a_client_that_leaves_a_held_answer_takes_its_upstream_with_it() -> None:
    begun, gone = asyncio.Event(), asyncio.Event()

    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.send(head(b"HTTP/1.1 200 OK", JSON, b"Content-Length: 99"), b'{"j')
        begun.set()
        await peer.gone()
        gone.set()

    async def scene() -> None:
        async with (
            playing(script) as upstream,
            proxying(upstream.port, csp=RULES) as plane,
            calling(plane.port) as caller,
        ):
            await caller.send(post(LIST))
            await begun.wait()
            caller.close()
            await gone.wait()
            assert plane.is_at_rest()
            assert plane.row().outcome == "client_gone"

    run(scene())


def test_the_row_says_when_widgets_could_not_be_read() -> None:
    async def scene() -> None:
        async with (
            playing(answering(answer(b'{"result":{"resources":[}'))) as upstream,
            proxying(upstream.port, csp=RULES) as plane,
            calling(plane.port) as caller,
        ):
            await caller.call(post(LIST))
            assert note(plane) == "csp_unread"

    run(scene())


def note(plane: Plane) -> str | None:
    detail = plane.row().detail
    return None if detail is None else detail.note


def test_other_calls_on_the_same_connection_take_their_usual_way() -> None:
    async def exchange(caller: Caller) -> list[bytes]:
        return [(await caller.call(post(body))).body for body in (CALL, LIST, CALL, PHP, CALL)]

    async def scene() -> None:
        async with (
            playing(answering(*[answer(WIDGETS)] * 5)) as upstream,
            proxying(upstream.port, csp=RULES) as plane,
            calling(plane.port) as caller,
        ):
            bodies = await exchange(caller)
            assert [body == WIDGETS for body in bodies] == [True, False, True, False, True]
            assert [row.outcome for row in plane.rows()] == ["ok"] * 5

    run(scene())
