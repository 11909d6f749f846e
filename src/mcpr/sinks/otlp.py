"""Events to an OpenTelemetry collector: spans as they come, histograms now and then.

On a lane of its own, so that a collector that is slow, full or gone costs spans and nothing else;
the lane's books tell how many. Histograms are cumulative: what could not be sent is in the next.
"""

import logging
import secrets
import threading
import time
from collections.abc import Sequence
from types import ModuleType
from typing import Final

import msgspec

from mcpr.errors import McprError
from mcpr.events import RequestEvent
from mcpr.sinks.otlp_post import Poster, Refused, Target
from mcpr.sinks.prometheus import Histogram

#: So many series the histograms may have together; then new ones are told of as one.
MOST_SERIES: Final = 2_000
#: So many sessions are followed; then the one that began first counts as over.
MOST_SESSIONS: Final = 10_000
#: A session is over when nothing was heard of it for so long.
SESSION_IDLE_MS: Final = 300_000
_LAST_WORDS_SECONDS: Final = 2.0
_OVERFLOW: Final = (("otel.metric.overflow", "true"),)
_Key = tuple[str, tuple[tuple[str, str | int], ...]]

_log = logging.getLogger(__name__)


class OtlpSink:
    """Exports to `target`, a `Target` as JSON."""

    name = "otlp"
    batch_events = 512
    linger_seconds = 1.0
    retry_seconds = 30.0

    def __init__(self, target: str) -> None:
        self._target = msgspec.json.decode(target.encode(), type=Target)
        self._poster = Poster(self._target)
        self._messages: ModuleType | None = None
        self._instance = secrets.token_hex(16)
        self._began_ns = time.time_ns()
        self._lock = threading.Lock()
        self._series: dict[_Key, Histogram] = {}
        # Name of a session → server, first and last time heard of, in ms.
        self._sessions: dict[str, tuple[str, int, int]] = {}
        self._has_news = False
        self._was_refused: set[str] = set()
        self._ending = threading.Event()
        self._counted: bytes | None = None
        self._thread = threading.Thread(target=self._report, name="otlp metrics", daemon=True)

    def open(self) -> None:
        """Load what the extra brings. Raises McprError without it. Nothing is sent."""
        try:
            from mcpr.sinks import otlp_messages  # noqa: PLC0415 - an extra
        except ImportError as error:
            raise McprError(
                "cannot export to OpenTelemetry",
                "the package opentelemetry-proto is not installed",
                "run: pip install 'mcpr[otlp]'",
                "otlp.missing",
            ) from error
        self._messages = otlp_messages
        self._thread.start()

    def write(self, batch: Sequence[RequestEvent]) -> int:
        """Count the durations, send the spans. Raises McprError when they may be sent again."""
        messages = self._messages
        assert messages is not None, "open() comes first"
        if self._counted != batch[0].id:
            # Not a second time when the batch is offered again.
            self._count(batch)
            self._counted = batch[0].id
        body, spans = messages.traces(batch, self._resource())
        if not spans:
            return len(batch)
        try:
            answer = self._poster.post("/v1/traces", body)
        except Refused as refused:
            self._say_refused("spans", refused)
            return 0
        rejected: int = messages.rejected_spans(answer)
        return len(batch) - min(len(batch), rejected)

    def close(self) -> None:
        """Send the histograms a last time."""
        self._ending.set()
        self._thread.join(self._target.timeout)
        self._send_metrics(_LAST_WORDS_SECONDS)

    def _resource(self) -> object:
        assert self._messages is not None
        return self._messages.resource(self._target.service_name, self._instance)

    # -- histograms ---------------------------------------------------------------------------

    def _count(self, batch: Sequence[RequestEvent]) -> None:
        messages = self._messages
        assert messages is not None
        with self._lock:
            self._has_news = True
            for event in batch:
                if not messages.is_exported(event):
                    continue
                if event.kind == "rpc":
                    attributes = messages.metric_attributes(event)
                    self._add(messages.SERVER_DURATION, attributes, event.latency_us)
                    if event.upstream_us is not None:
                        self._add(messages.CLIENT_DURATION, attributes, event.upstream_us)
                if event.session is not None:
                    self._follow(event, event.session)

    def _add(self, name: str, attributes: tuple[tuple[str, str | int], ...], us: int) -> None:
        messages = self._messages
        assert messages is not None
        found = self._series.get((name, attributes))
        if found is None:
            if len(self._series) >= MOST_SERIES:
                attributes = _OVERFLOW
            found = self._series.setdefault((name, attributes), messages.histogram())
        messages.count(found, us)

    def _follow(self, event: RequestEvent, session: str) -> None:
        ended_ms = event.ts_ms + event.latency_us // 1000
        before = self._sessions.pop(session, None)
        if before is not None and event.ts_ms - before[2] > SESSION_IDLE_MS:
            self._end(before)
            before = None
        first_ms = event.ts_ms if before is None else min(before[1], event.ts_ms)
        last_ms = ended_ms if before is None else max(before[2], ended_ms)
        self._sessions[session] = (event.server, first_ms, last_ms)
        if len(self._sessions) > MOST_SESSIONS:
            self._end(self._sessions.pop(next(iter(self._sessions))))

    def _end(self, session: tuple[str, int, int]) -> None:
        messages = self._messages
        assert messages is not None
        server, first_ms, last_ms = session
        attributes = (("mcpr.server", server),)
        for name in (messages.SERVER_SESSION, messages.CLIENT_SESSION):
            self._add(name, attributes, (last_ms - first_ms) * 1000)
        self._has_news = True

    def _end_idle(self, now_ms: int) -> None:
        for name, session in list(self._sessions.items()):
            if now_ms - session[2] > SESSION_IDLE_MS:
                del self._sessions[name]
                self._end(session)

    def _report(self) -> None:
        while not self._ending.wait(self._target.interval):
            self._send_metrics(None)

    def _send_metrics(self, seconds: float | None) -> None:
        messages = self._messages
        assert messages is not None
        with self._lock:
            self._end_idle(time.time_ns() // 1_000_000)
            if not self._has_news:
                return
            self._has_news = False
            body = messages.metrics(self._series, self._began_ns, self._resource())
        try:
            self._poster.post("/v1/metrics", body, seconds)
        except McprError:
            # The sums are in the next ones.
            with self._lock:
                self._has_news = True
        except Refused as refused:
            self._say_refused("histograms", refused)

    def _say_refused(self, what: str, refused: Refused) -> None:
        if what not in self._was_refused:
            self._was_refused.add(what)
            _log.error("the %s are refused: %s. See [otlp] endpoint and headers.", what, refused)
