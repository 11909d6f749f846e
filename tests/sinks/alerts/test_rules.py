"""sinks/alerts/rules: what fires, out of a real store."""

from pathlib import Path

import pytest
from tests.events.building import TS_MS, an_event
from tests.store.building import a_store

from mcpr.events import Detail, RequestEvent
from mcpr.sinks.alerts.rules import Firing, Metric, Rule, firings
from mcpr.store.sqlite import SqliteEventStore

MINUTE = 60_000
NOW = TS_MS + 60 * MINUTE


def found(path: Path, rule: Rule, events: list[RequestEvent]) -> list[Firing]:
    with SqliteEventStore(a_store(path / "s.db", events)) as store:
        return firings(rule, store, NOW)


def rule(metric: Metric, limit: float | str, **fields: object) -> Rule:
    return Rule("r", metric, limit, 5 * MINUTE, **fields)  # type: ignore[arg-type]  # as the case says


def ago(minutes: float, **fields: object) -> RequestEvent:
    return an_event(ts_ms=NOW - round(minutes * MINUTE), **fields)


def test_a_rate_fires_above_its_limit_and_with_enough_calls(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    events = [ago(1, outcome="timeout"), *(ago(1) for _ in range(9)), ago(6, outcome="timeout")]
    (firing,) = found(tmp_path / "a", rule("error_rate", 0.09), events)
    assert firing == Firing("", 0.1, "10.0 % of 10 calls failed, over 9 %")
    assert found(tmp_path / "b", rule("error_rate", 0.1), events) == []
    assert found(tmp_path / "b", rule("error_rate", 0.09, min_calls=11), events) == []


@pytest.mark.parametrize("metric", ["p95", "p99"])
def test_a_latency_fires_above_its_limit(tmp_path: Path, metric: Metric) -> None:
    events = [ago(1, latency_us=600_000), ago(1, latency_us=600_000, tool="other")]
    (firing,) = found(tmp_path, rule(metric, 500_000), events)
    assert firing.reason == f"{metric} is 606 ms, over 500 ms, in 2 calls"
    assert found(tmp_path, rule(metric, 700_000), events) == []


def test_only_the_named_server_and_tool_count(tmp_path: Path) -> None:
    events = [ago(1, outcome="timeout", tool="a"), ago(1, tool="b")]
    assert found(tmp_path, rule("error_rate", 0.5, tool="a"), events)
    assert not found(tmp_path, rule("error_rate", 0.5, tool="b"), events)
    assert not found(tmp_path, rule("error_rate", 0.1, server="none"), events)


def test_silence_fires_when_what_was_there_is_gone(tmp_path: Path) -> None:
    for name in "abc":
        (tmp_path / name).mkdir()
    (firing,) = found(tmp_path / "a", rule("silence", 0), [ago(9)])
    assert firing.reason == "no call for 300 s"
    assert found(tmp_path / "b", rule("silence", 0), [ago(9), ago(4)]) == []
    assert found(tmp_path / "c", rule("silence", 0), [ago(2, kind="http")]) == []


def test_a_new_error_fires_and_a_known_one_does_not(tmp_path: Path) -> None:
    def failure(minutes: float, text: str) -> RequestEvent:
        return ago(minutes, outcome="rpc_error", detail=Detail(error_text=text))

    events = [failure(20, "known 1"), failure(1, "known 2"), failure(1, "new"), failure(2, "new")]
    (firing,) = found(tmp_path, rule("new_error", 1.0), events)
    assert firing.value == 2
    assert firing.reason.startswith("a new error of get_weather: rpc_error (")


@pytest.mark.parametrize("metric", ["error_rate", "p95", "silence", "new_error", "schema"])
def test_an_empty_store_fires_nothing(tmp_path: Path, metric: Metric) -> None:
    limit: float | str = "breaking" if metric == "schema" else 0.0
    assert found(tmp_path, rule(metric, limit), []) == []
