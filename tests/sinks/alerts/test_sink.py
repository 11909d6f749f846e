"""sinks/alerts/sink: rules are looked at while the proxy lives, and a last time at its end."""

import json
import logging
from pathlib import Path
from typing import Any

import pytest
from tests.events.building import TS_MS, an_event
from tests.sinks.alerts.receiver import receiving
from tests.store.building import a_store

from mcpr.sinks.alerts import AlertSink

MINUTE = 60_000
WAIT_SECONDS = 30.0


def sink(path: Path, *rules: dict[str, Any], interval: float = 0.01) -> AlertSink:
    target = {"store": str(path), "rules": rules, "interval": interval}
    return AlertSink(json.dumps(target), lambda: TS_MS)


def rate(url: str | None = None) -> dict[str, Any]:
    return {
        "name": "it fails",
        "metric": "error_rate",
        "limit": 0.1,
        "window_ms": MINUTE,
        "url": url,
        "secret": "s3cret",
    }


def test_an_alert_reaches_the_log_and_the_webhook(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = a_store(tmp_path / "s.db", [an_event(outcome="timeout")])
    with receiving() as receiver:
        alerts = sink(path, rate(receiver.url))
        alerts.open()
        assert receiver.arrived.wait(WAIT_SECONDS)
        alerts.close()
    assert [json.loads(body)["state"] for _, _, body in receiver.got] == ["firing"]
    said = "alert it fails is firing: 100.0 % of 1 calls failed, over 10 %"
    assert [record.getMessage() for record in caplog.records] == [said]


def test_the_end_looks_a_last_time(tmp_path: Path) -> None:
    path = a_store(tmp_path / "s.db", [an_event(outcome="timeout")])
    with receiving() as receiver:
        alerts = sink(path, rate(receiver.url), interval=3_600)
        alerts.open()
        alerts.close()
    assert len(receiver.got) == 1


def test_a_store_that_is_not_there_is_told_once_and_stops_nothing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    alerts = sink(tmp_path / "none.db", rate())
    with caplog.at_level(logging.ERROR):
        alerts.look()
        alerts.look()
    assert len(caplog.records) == 1
    assert "alerts are not evaluated" in caplog.text


def test_events_are_taken_and_not_kept(tmp_path: Path) -> None:
    assert sink(tmp_path / "s.db").write([an_event(), an_event()]) == 2


def test_its_repr_has_no_secret(tmp_path: Path) -> None:
    assert "s3cret" not in repr(sink(tmp_path / "s.db", rate()).target)
