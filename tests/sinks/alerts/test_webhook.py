"""sinks/alerts/webhook: signed, tried again, given up, and counted, with a real receiver."""

import hashlib
import hmac
import json
import socket
import time

from tests.sinks.alerts.receiver import receiving

from mcpr.sinks.alerts.rules import Firing, Rule
from mcpr.sinks.alerts.watch import News
from mcpr.sinks.alerts.webhook import MAX_WAITING, PAUSES, Webhooks


def news(url: str | None, secret: str = "") -> News:
    rule = Rule("slow", "p95", 1.0, 5_000, tool="forecast", url=url, secret=secret)
    return News(rule, "firing", Firing("", 7.0, "p95 is 7"), 1_700_000_000_000)


def test_the_body_is_metadata_and_signed() -> None:
    with receiving() as receiver:
        hooks = Webhooks()
        hooks.add(news(receiver.url, "s3cret"))
        hooks.deliver(0.0, 1_700_000_000)
    ((path, signature, body),) = receiver.got
    assert (path, hooks.delivered, len(hooks.waiting)) == ("/hook", 1, 0)
    assert json.loads(body) == {
        "v": 1,
        "alert": "slow",
        "state": "firing",
        "metric": "p95",
        "limit": 1.0,
        "value": 7.0,
        "reason": "p95 is 7",
        "server": None,
        "tool": "forecast",
        "window_ms": 5_000,
        "at_ms": 1_700_000_000_000,
    }
    expected = hmac.new(b"s3cret", b"1700000000." + body, hashlib.sha256).hexdigest()
    assert signature == f"t=1700000000,v1={expected}"


def test_without_a_secret_nothing_is_signed_and_without_a_url_nothing_is_sent() -> None:
    with receiving() as receiver:
        hooks = Webhooks()
        hooks.add(news(receiver.url))
        hooks.add(news(None))
        hooks.deliver(0.0, 1)
    assert [signature for _, signature, _ in receiver.got] == [None]


def test_what_fails_is_tried_again_later_and_no_redirect_is_followed() -> None:
    with receiving(500, 302, 204) as receiver:
        hooks = Webhooks()
        hooks.add(news(receiver.url))
        hooks.deliver(0.0, 1)
        hooks.deliver(PAUSES[0] - 0.1, 1)
        assert len(receiver.got) == 1, "it is not its time yet"
        hooks.deliver(PAUSES[0], 1)
        hooks.deliver(PAUSES[0] + PAUSES[1], 1)
    assert [path for path, _, _ in receiver.got] == ["/hook"] * 3
    assert (hooks.delivered, hooks.given_up, len(hooks.waiting)) == (1, 0, 0)


def test_what_never_arrives_is_given_up_and_counted() -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        hooks = Webhooks()
        hooks.add(news(f"http://127.0.0.1:{nobody.getsockname()[1]}/"))
        now = 0.0
        for pause in (*PAUSES, 0):
            hooks.deliver(now, 1)
            now += pause
        assert (hooks.delivered, hooks.given_up, len(hooks.waiting)) == (0, 1, 0)


def test_no_more_than_a_bound_waits_and_the_end_takes_no_longer_than_said() -> None:
    hooks = Webhooks()
    for _ in range(MAX_WAITING + 5):
        hooks.add(news("http://127.0.0.1:9/"))
    assert (len(hooks.waiting), hooks.given_up) == (MAX_WAITING, 5)
    hooks.finish(time.monotonic(), 1)
    assert (len(hooks.waiting), hooks.given_up) == (0, MAX_WAITING + 5)
