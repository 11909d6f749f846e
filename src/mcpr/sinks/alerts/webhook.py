"""Tells webhooks: one signed POST for each piece of news, again and again for a while if need be.

Follows no redirect, heeds no proxy of the environment, repeats nothing of what the receiver says.
The signature is `t=SECONDS,v1=HEX`: HMAC-SHA256 of the time, a dot and the body.
"""

import hashlib
import hmac
import http.client
import json
import ssl
import time
from collections import deque
from typing import Final
from urllib.parse import urlsplit

import msgspec

from mcpr.sinks.alerts.watch import News

TIMEOUT_SECONDS: Final = 5.0
MAX_WAITING: Final = 100
#: Seconds after each failure until it is tried again; after the last one it is given up.
PAUSES: Final = (2, 10, 60, 300, 1_800, 7_200, 21_600)


class Delivery(msgspec.Struct):
    """One POST that is on its way. tries: failures so far. due: when it is tried, seconds."""

    url: str
    secret: str
    body: bytes
    tries: int = 0
    due: float = 0.0


class Webhooks:
    """What waits to be delivered. given_up: what never was."""

    def __init__(self) -> None:
        self.waiting: deque[Delivery] = deque()
        self.delivered = 0
        self.given_up = 0

    def add(self, news: News) -> None:
        """Queue it; beyond the bound the oldest is given up."""
        url = news.rule.url
        if url is None:
            return
        if len(self.waiting) >= MAX_WAITING:
            self.waiting.popleft()
            self.given_up += 1
        self.waiting.append(Delivery(url, news.rule.secret, body_of(news)))

    def finish(self, until: float, wall_seconds: int) -> None:
        """Try all of it once more, as long as there is time, and give up the rest."""
        while self.waiting:
            delivery = self.waiting.popleft()
            if time.monotonic() < until and post(delivery, wall_seconds):
                self.delivered += 1
            else:
                self.given_up += 1

    def deliver(self, now: float, wall_seconds: int) -> None:
        """Try what is due. now: of the monotonic clock."""
        for _ in range(len(self.waiting)):
            delivery = self.waiting.popleft()
            if delivery.due > now:
                self.waiting.append(delivery)
            elif post(delivery, wall_seconds):
                self.delivered += 1
            elif delivery.tries >= len(PAUSES):
                self.given_up += 1
            else:
                delivery.due = now + PAUSES[delivery.tries]
                delivery.tries += 1
                self.waiting.append(delivery)


def body_of(news: News) -> bytes:
    """What a webhook is told: metadata alone."""
    rule, firing = news.rule, news.firing
    said = {
        "v": 1,
        "alert": rule.name,
        "state": news.state,
        "metric": rule.metric,
        "limit": rule.limit,
        "value": firing.value,
        "reason": firing.reason,
        "server": rule.server,
        "tool": rule.tool,
        "window_ms": rule.window_ms,
        "at_ms": news.at_ms,
    }
    return json.dumps(said).encode()


def signature(secret: str, body: bytes, seconds: int) -> str:
    """The value of `Mcpr-Signature`."""
    signed = hmac.new(secret.encode(), b"%d." % seconds + body, hashlib.sha256).hexdigest()
    return f"t={seconds},v1={signed}"


def post(delivery: Delivery, wall_seconds: int) -> bool:
    """Whether the receiver took it: any 2xx."""
    parts = urlsplit(delivery.url)
    assert parts.hostname is not None, "settings have looked at it"
    connection: http.client.HTTPConnection
    if parts.scheme == "https":
        context = ssl.create_default_context()
        connection = http.client.HTTPSConnection(
            parts.hostname, parts.port, timeout=TIMEOUT_SECONDS, context=context
        )
    else:
        connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=TIMEOUT_SECONDS)
    headers = {"Content-Type": "application/json"}
    if delivery.secret:
        headers["Mcpr-Signature"] = signature(delivery.secret, delivery.body, wall_seconds)
    try:
        connection.request("POST", parts.path or "/", delivery.body, headers)
        return 200 <= connection.getresponse().status < 300
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
