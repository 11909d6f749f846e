"""The answers that are our own: what they say, and that they say who says it."""

import json
from email.utils import parsedate_to_datetime

import pytest
from tests.dataplane.building import CALL, EVENTS, get, post, request
from tests.dataplane.caller import calling
from tests.dataplane.fake_upstream import closed_port
from tests.dataplane.messages import as_message
from tests.dataplane.plane import proxying
from tests.dataplane.scene import run

from mcpr.dataplane.refusals import REFUSALS, render

#: Clients take these for the server's own words, and change their ways.
NEVER = {400, 404, 405}


@pytest.mark.parametrize("ending", REFUSALS)
def test_an_upstreams_trouble_is_never_told_by_a_status_that_clients_act_upon(ending: str) -> None:
    refusal = REFUSALS[ending]  # type: ignore[index]  # the parameters are its own keys
    assert refusal.ending == ending
    assert refusal.status not in NEVER


@pytest.mark.parametrize("ending", REFUSALS)
@pytest.mark.parametrize("keep", [True, False])
def test_a_refusal_is_a_whole_answer_that_names_its_maker(ending: str, *, keep: bool) -> None:
    refusal = REFUSALS[ending]  # type: ignore[index]  # the parameters are its own keys
    said = as_message(render(refusal, b"text/plain", b"words\n", keep=keep, head_only=False))
    assert (said.status, said.value(b"mcpr-error")) == (refusal.status, ending.encode())
    assert (said.value(b"content-length"), said.body) == (b"6", b"words\n")
    assert said.value(b"connection") == (None if keep else b"close")
    assert said.value(b"retry-after") == (b"1" if refusal.status == 503 else None)
    assert said.value(b"cache-control") == b"no-store"
    date = said.value(b"date")
    assert date is not None
    assert parsedate_to_datetime(date.decode()).tzinfo is not None


def test_a_refusal_of_head_has_no_body_and_the_length_of_one() -> None:
    said = as_message(render(REFUSALS["cut"], b"text/plain", b"words\n", keep=True, head_only=True))
    assert (said.value(b"content-length"), said.body) == (b"6", b"")


@pytest.mark.parametrize(
    ("body", "request_id"),
    [
        (CALL, 7),
        (b'{"id":"a\\u0022b","jsonrpc":"2.0","method":"ping"}', 'a"b'),
        (
            b'{"jsonrpc":"2.0","id":12345678901234567890123,"method":"ping"}',
            12345678901234567890123,
        ),
        (b'{"jsonrpc":"2.0","method":"notifications/initialized"}', None),
        (
            b'[{"jsonrpc":"2.0","id":1,"method":"ping"},{"jsonrpc":"2.0","id":2,"method":"ping"}]',
            None,
        ),
        (b"no json", None),
    ],
    ids=["number", "text", "large", "notification", "batch", "no-json"],
)
def test_a_refused_json_rpc_request_is_answered_with_its_own_id(
    body: bytes, request_id: object
) -> None:
    async def scene() -> None:
        async with proxying(closed_port()) as plane, calling(plane.port) as caller:
            for _ in range(2):
                got = await caller.call(post(body))
                assert got.value(b"content-type") == b"application/json"
                said = json.loads(got.body)
                assert (said["jsonrpc"], said["id"]) == ("2.0", request_id)
                assert said["error"]["code"] == -32603
                assert said["error"]["message"].startswith("mcpr: ")

    run(scene())


def test_whoever_speaks_no_json_rpc_is_refused_in_plain_words() -> None:
    async def scene() -> None:
        async with proxying(closed_port()) as plane, calling(plane.port) as caller:
            for asks in (get(), get(b"Accept: text/event-stream"), request(b"DELETE", EVENTS)):
                got = await caller.call(asks)
                assert got.value(b"content-type") == b"text/plain; charset=utf-8"
                assert got.body.startswith(b"mcpr: ")
            got = await caller.call(request(b"HEAD"), bodiless=True)
            assert got.status == 502
            assert (await caller.call(get())).status == 502

    run(scene())
