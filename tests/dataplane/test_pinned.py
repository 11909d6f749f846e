"""The data plane with pinned tools: a denied call never reaches the server, others do."""

import json

import pytest
from tests.dataplane.building import JSON, RESULT, answer, post, request
from tests.dataplane.caller import calling
from tests.dataplane.fake_upstream import answering, playing
from tests.dataplane.plane import Plane, proxying
from tests.dataplane.scene import LOOPS, run

from mcpr.pipeline.pinning import Pin
from mcpr.proxy.handler import ProxyHandler


def call(tool: str) -> bytes:
    asked = {"jsonrpc": "2.0", "id": 7, "method": "tools/call", "params": {"name": tool}}
    return json.dumps(asked).encode()


def pinning(plane: Plane, *tools: str) -> None:
    assert isinstance(plane.handler, ProxyHandler)
    plane.handler.recording.pin = Pin(frozenset(tools))


@pytest.mark.parametrize("loop", LOOPS)
def test_denied_and_allowed_calls_follow_one_another_on_one_connection(loop: str) -> None:
    async def scene() -> None:
        async with (
            playing(answering(answer())) as upstream,
            proxying(upstream.port) as plane,
            calling(plane.port) as caller,
        ):
            pinning(plane, "get")
            # The second and later ones have a head that is known: the way of common calls.
            for tool in ("get", "put", "get", "put", "get"):
                got = await caller.call(post(call(tool)))
                assert got.status == 200
                if tool == "get":
                    assert got.body == RESULT
                else:
                    assert got.value(b"mcpr-error") == b"denied"
                    assert json.loads(got.body)["id"] == 7
            assert [json.loads(seen.body)["params"]["name"] for seen in upstream.requests] == [
                "get"
            ] * 3

    run(scene(), loop)


@pytest.mark.parametrize(
    ("asks", "status"),
    [
        (request(b"POST", b"Content-Type: text/plain", b"Content-Length: 2") + b"{}", 403),
        (request(b"POST", JSON, b"Content-Encoding: gzip", b"Content-Length: 2") + b"{}", 403),
        (request(b"POST", b"Content-Length: 2") + b"{}", 403),
        (request(b"POST", JSON, b"Content-Length: 1") + b"{", 200),
    ],
    ids=["text", "compressed", "untyped", "torn"],
)
def test_what_cannot_be_read_is_denied(asks: bytes, status: int) -> None:
    async def scene() -> None:
        async with (
            playing(answering(answer())) as upstream,
            proxying(upstream.port) as plane,
            calling(plane.port) as caller,
        ):
            pinning(plane, "get")
            got = await caller.call(asks)
            assert (got.status, got.value(b"mcpr-error")) == (status, b"denied")
            assert upstream.requests == []

    run(scene())


def test_sign_in_forms_and_bodiless_requests_pass() -> None:
    async def scene() -> None:
        async with (
            playing(answering(answer())) as upstream,
            proxying(upstream.port) as plane,
            calling(plane.port) as caller,
        ):
            pinning(plane)
            form = b"Content-Type: application/x-www-form-urlencoded"
            for asks in (
                request(b"POST", form, b"Content-Length: 3") + b"a=b",
                request(b"DELETE"),
                request(b"GET"),
            ):
                assert (await caller.call(asks)).body == RESULT
            assert len(upstream.requests) == 3

    run(scene())
