"""Which requests pass while tools are pinned: those of approved tools, and what calls none."""

import pytest
from tests.pipeline.messages import batch, call_tool, initialize, notification, request, result
from tests.pipeline.playbook import Playbook

from mcpr.pipeline.exchange import DECODE_LIMIT
from mcpr.pipeline.pinning import NOT_APPROVED, TOO_LARGE, UNREADABLE, Pin

CALL = call_tool("get")


def objection(body: bytes, pin: Pin | None = None, *, in_companion: bool = True) -> str | None:
    play = Playbook(in_companion=in_companion)
    play.recording.pin = pin if pin is not None else Pin(frozenset(["get"]))
    return play.post(body).exchange.objection


@pytest.mark.parametrize(
    "body",
    [
        CALL,
        batch(call_tool("get", id=1), request("tools/list", id=2)),
        request("tools/list"),
        request("resources/read", {"uri": "u"}),
        request("what/ever"),
        initialize(),
        notification("notifications/initialized"),
        result(1),
    ],
)
def test_approved_tools_and_what_calls_none_pass(body: bytes) -> None:
    assert objection(body) is None


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (call_tool("put"), NOT_APPROVED),
        (call_tool("Get"), NOT_APPROVED),
        (call_tool("get "), NOT_APPROVED),
        (request("tools/call"), NOT_APPROVED),
        (request("tools/call", {"name": 5}), NOT_APPROVED),
        (batch(call_tool("get", id=1), call_tool("put", id=2)), NOT_APPROVED),
        (b'{"id":1,"method":"tools/call","method":"ping","params":{"name":"put"}}', UNREADABLE),
        (b'{"id":1,"method":"ping","Method":"tools/call","params":{"name":"put"}}', UNREADABLE),
        (b'{"id":1,"method":"tools/call","params":{"name":"put","Name":"get"}}', UNREADABLE),
        (b'{"id":1', UNREADABLE),
        (b"", UNREADABLE),
        ('{"id":1,"method":"tools/call","params":{"name":"put"}}'.encode("utf-16"), UNREADABLE),
        (call_tool("get", text="x" * DECODE_LIMIT), TOO_LARGE),
    ],
)
def test_what_is_not_approved_or_not_certain_does_not(body: bytes, why: str) -> None:
    assert objection(body) == why


def test_a_call_without_an_id_is_a_call() -> None:
    body = b'{"method":"tools/call","params":{"name":"put"}}'
    assert objection(body) == NOT_APPROVED


def test_until_somebody_has_looked_nothing_passes() -> None:
    assert objection(CALL, Pin()) == NOT_APPROVED


def test_where_nothing_was_ever_approved_everything_passes() -> None:
    pin = Pin()
    pin.allow(None)
    assert objection(call_tool("put"), pin) is None
    pin.allow([])
    assert objection(CALL, pin) == NOT_APPROVED


def test_without_a_pin_nothing_is_asked() -> None:
    play = Playbook()
    assert play.post(call_tool("put")).exchange.objection is None


def test_a_denied_call_is_recorded_as_our_doing() -> None:
    play = Playbook()
    play.recording.pin = Pin(frozenset())
    play.post(CALL, sent=None).refused("denied", 200)
    row = play.take_one()
    assert (row.tool, row.outcome, row.origin, row.http_status) == ("get", "denied", "policy", 200)
