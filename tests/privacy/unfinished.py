"""Scenes that do not end by themselves, and those that end it all."""

from tests.privacy.messages import (
    CHUNKED,
    EVENTS,
    answer,
    call,
    chunks,
    event,
    notification,
    post,
    request,
)
from tests.privacy.stage import Scene, Stage

_MODERN = b"MCP-Protocol-Version: 2026-07-28"


def streams_stay_open(stage: Stage) -> None:
    plant = stage.plant
    listening = answer(None, CHUNKED, kind=EVENTS)
    told = notification("notifications/resources/updated", {"uri": plant("URI in a stream")})
    target = f"/mcp?s={plant('query of a stream')}"
    asked = request("GET", target, None, b"Accept: text/event-stream")
    stage.hold(stage.begin(asked, listening + _begun(event(told))), "stream ok")
    params = {"filter": plant("filter of a subscription")}
    told = notification("notifications/message", {"data": plant("message of a subscription")})
    asked = post(call("subscriptions/listen", params), _MODERN)
    stage.hold(stage.begin(asked, listening + _begun(event(told))), "stream ok")


def a_call_is_under_way(stage: Stage) -> None:
    plant = stage.plant
    params = {"name": "slow", "arguments": {"x": plant("argument of an unfinished call")}}
    told = notification("notifications/progress", {"message": plant("unfinished progress")})
    half = plant("half an event").encode()
    answered = answer(None, CHUNKED, kind=EVENTS) + _begun(event(told) + half)
    asked = post(call("tools/call", params), stage.in_session)
    connection = stage.begin(asked, answered)
    stage.client.read_until(connection, half)
    stage.hold(connection, "rpc client_gone")


def half_a_body_arrives(stage: Stage) -> None:
    params = {"name": "get_weather", "arguments": stage.plant("argument in half a body")}
    connection = stage.client.connect()
    stage.client.send(connection, post(call("tools/call", params), stage.in_session)[:-2])
    stage.hold(connection, "http client_gone")


def nobody_answers(stage: Stage) -> None:
    """Before a proxy that does not wait long for a first byte."""
    params = {"name": "slow", "arguments": stage.plant("argument of a call that takes too long")}
    stage.exchange(
        post(call("tools/call", params), b"Mcp-Session-Id: 1"), b"HTTP/1.1", rows="rpc timeout"
    )


def nobody_is_there(stage: Stage) -> None:
    """The origin is gone afterwards."""
    stage.origin.close()
    params = {"name": "slow", "arguments": stage.plant("argument of a call that reaches nobody")}
    asked = post(call("tools/call", params), b"Mcp-Session-Id: 1")
    stage.exchange(asked, rows="rpc unreachable")


def _begun(*pieces: bytes) -> bytes:
    """Chunks after which more could come."""
    return chunks(*pieces)[:-5]


SCENES: tuple[Scene, ...] = (streams_stay_open, a_call_is_under_way, half_a_body_arrives)
LAST: tuple[Scene, ...] = (nobody_answers, nobody_is_there)
