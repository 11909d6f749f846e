"""The sink of alerts: it keeps no event, but looks at the store every now and then.

It stands among the sinks because it lives as they do: opened, closed, and apart from every other.
It looks in a thread of its own, so that silence is noticed, and a slow webhook holds up nothing.
"""

import logging
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec

from mcpr.errors import StoreError
from mcpr.events import RequestEvent
from mcpr.sinks.alerts.rules import Rule, firings
from mcpr.sinks.alerts.watch import News, Watch
from mcpr.sinks.alerts.webhook import TIMEOUT_SECONDS, Webhooks
from mcpr.store.sqlite import SqliteEventStore

#: How long the end may take, for all that still waits.
_LAST_SECONDS = 3.0

_log = logging.getLogger(__name__)


class Target(msgspec.Struct, frozen=True):
    """What the sink is told. interval: seconds from one look to the next."""

    store: str
    rules: list[Rule]
    interval: float

    def __repr__(self) -> str:
        return f"<Target {len(self.rules)} rules>"


class AlertSink:
    """Watches over one store. target: a Target as JSON. wall_ms: the time, epoch ms."""

    name = "alerts"
    batch_events = 10_000
    linger_seconds = 0.5
    retry_seconds = 0.0

    def __init__(
        self, target: str, wall_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000
    ) -> None:
        self.target = msgspec.json.decode(target, type=Target)
        self.watch = Watch()
        self.webhooks = Webhooks()
        self._wall_ms = wall_ms
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="alerts", daemon=True)
        self._is_blind = False

    def open(self) -> None:
        """Begin to look."""
        self._thread.start()

    def write(self, batch: Sequence[RequestEvent]) -> int:
        """Nothing is kept: the store has it."""
        return len(batch)

    def close(self) -> None:
        """Look a last time, try what waits once more, and give the rest up."""
        self._ended.set()
        self._thread.join(_LAST_SECONDS + TIMEOUT_SECONDS)

    def _run(self) -> None:
        while not self._ended.wait(self.target.interval):
            self.look()
            self.webhooks.deliver(time.monotonic(), self._wall_ms() // 1000)
        self.look()
        self.webhooks.finish(time.monotonic() + _LAST_SECONDS, self._wall_ms() // 1000)
        if self.webhooks.given_up:
            _log.warning("%d alerts reached no webhook", self.webhooks.given_up)

    def look(self) -> None:
        """Evaluate every rule once."""
        now_ms = self._wall_ms()
        try:
            with SqliteEventStore(Path(self.target.store)) as store:
                found = [(rule, firings(rule, store, now_ms)) for rule in self.target.rules]
        except StoreError as error:
            if not self._is_blind:
                _log.error("%s (alerts are not evaluated)", error)
            self._is_blind = True
            return
        self._is_blind = False
        for rule, firing in found:
            for news in self.watch.news(rule, firing, now_ms):
                _say(news)
                self.webhooks.add(news)


def _say(news: News) -> None:
    _log.warning("alert %s is %s: %s", news.rule.name, news.state, news.firing.reason)
