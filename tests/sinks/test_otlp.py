"""sinks/otlp: spans and histograms by the conventions, and books that close whatever answers."""

import json
import sys

import msgspec
import pytest
from hypothesis import given
from tests.events.building import an_event, events
from tests.sinks.collector import Collector, collecting
from tests.sinks.sinks import Progress

from mcpr.errors import McprError
from mcpr.events import Aside, Detail, RequestEvent
from mcpr.sinks import Bus
from mcpr.sinks.otlp import SESSION_IDLE_MS, OtlpSink
from mcpr.sinks.otlp_messages import BOUNDS, resource, traces
from mcpr.sinks.otlp_post import Target

TRACE, SPAN = bytes(range(1, 17)), bytes(range(1, 9))
PARENT = TRACE + SPAN + b"\1"


def target(port: int, **fields: object) -> str:
    said = {
        "scheme": "http",
        "host": "127.0.0.1",
        "port": port,
        "path": "/base",
        "headers": {"x-key": "word"},
        "timeout": 5.0,
        "interval": 600.0,
        "service_name": "mcpr",
    }
    return json.dumps(said | fields)


def opened(collector: Collector, **fields: object) -> OtlpSink:
    sink = OtlpSink(target(collector.server_port, **fields))
    sink.open()
    return sink


def said(attributes: object) -> dict[str, object]:
    return {
        pair.key: getattr(pair.value, pair.value.WhichOneof("value"))
        for pair in attributes  # type: ignore[attr-defined]  # a repeated field
    }


def test_a_call_is_two_spans_and_two_durations() -> None:
    event = an_event(latency_us=50_000, upstream_us=40_000, aside=Aside(parent=PARENT))
    with collecting() as collector:
        sink = opened(collector)
        assert sink.write([event]) == 1
        sink.close()
    outer, inner = collector.spans
    assert outer.name == inner.name == "tools/call get_weather"
    assert (outer.kind, inner.kind) == (2, 3)  # SERVER, CLIENT
    assert (outer.trace_id, outer.parent_span_id) == (TRACE, SPAN)
    assert (inner.trace_id, inner.parent_span_id) == (TRACE, outer.span_id)
    assert outer.start_time_unix_nano == event.ts_ms * 1_000_000
    assert outer.end_time_unix_nano - outer.start_time_unix_nano == 50_000_000
    assert inner.end_time_unix_nano - inner.start_time_unix_nano == 40_000_000
    assert outer.status.code == inner.status.code == 0
    assert said(outer.attributes) == {
        "mcp.method.name": "tools/call",
        "gen_ai.tool.name": "get_weather",
        "gen_ai.operation.name": "execute_tool",
        "mcp.protocol.version": "2025-11-25",
        "network.transport": "tcp",
        "network.protocol.name": "http",
        "mcpr.server": "weather",
        "mcp.session.id": "0123456789abcdef0123456789abcdef",
        "http.response.status_code": 200,
        "mcpr.client": "claude-code",
        "mcpr.client.version": "2.1.0",
        "mcpr.outcome": "ok",
        "mcpr.bytes_in": 147,
        "mcpr.bytes_out": 312,
    }
    for name, seconds in (("server", 0.05), ("client", 0.04)):
        (point,) = collector.points[f"mcp.{name}.operation.duration"]
        assert (point.count, point.sum) == (1, seconds)
        assert tuple(point.explicit_bounds) == BOUNDS
        assert list(point.bucket_counts).index(1) == 2
    assert b"/base/v1/traces" in collector.raw
    assert b"x-key: word" in collector.raw


@pytest.mark.parametrize(
    ("fields", "error_type", "codes"),
    [
        ({"outcome": "tool_error", "origin": "tool"}, "tool_error", (2, 2)),
        ({"outcome": "rpc_error", "rpc_code": -32602}, "-32602", (0, 2)),
        ({"outcome": "rpc_error", "rpc_code": -32603}, "-32603", (2, 2)),
        ({"outcome": "timeout", "http_status": 504}, "timeout", (2, 2)),
        ({"outcome": "http_error", "http_status": 500}, "500", (2, 2)),
        ({"outcome": "challenge", "http_status": 401}, None, (0, 0)),
        ({"outcome": "cancelled"}, None, (0, 0)),
    ],
)
def test_an_error_has_its_type_and_the_conventions_say_on_whose_span_it_is_one(
    fields: dict[str, object], error_type: str | None, codes: tuple[int, int]
) -> None:
    with collecting() as collector:
        sink = opened(collector)
        sink.write([an_event(**fields)])
        sink.close()
    assert tuple(span.status.code for span in collector.spans) == codes
    assert said(collector.spans[0].attributes).get("error.type") == error_type
    assert not any(span.status.message for span in collector.spans)


def test_a_modern_request_has_no_session_a_head_is_a_link_and_an_unsampled_trace_no_span() -> None:
    link = bytes(range(30, 54)) + b"\1"
    with collecting() as collector:
        sink = opened(collector)
        sink.write([an_event(revision="2026-07-28", aside=Aside(parent=PARENT, link=link))])
        sink.write([an_event(aside=Aside(parent=PARENT[:-1] + b"\0"))])
        sink.write([an_event(kind="http", method=None, tool=None)])
        sink.close()
    assert len(collector.spans) == 2
    outer = collector.spans[0]
    assert "mcp.session.id" not in said(outer.attributes)
    assert [(each.trace_id, each.span_id) for each in outer.links] == [(link[:16], link[16:24])]
    points = collector.points["mcp.server.operation.duration"]
    assert sum(point.count for point in points) == 2


def test_a_batch_that_is_sent_again_has_the_same_spans_and_is_counted_once() -> None:
    batch = [an_event(), an_event()]
    with collecting() as collector:
        collector.status = 503
        sink = opened(collector)
        with pytest.raises(McprError, match="answers with 503"):
            sink.write(batch)
        collector.status = 200
        assert sink.write(batch) == 2
        sink.close()
    assert len({span.span_id for span in collector.spans}) == 4
    (point,) = collector.points["mcp.server.operation.duration"]
    assert point.count == 2
    assert traces(batch, resource("mcpr", "i")) == traces(batch, resource("mcpr", "i"))


@pytest.mark.parametrize("status", [400, 401, 404, 413, 302])
def test_what_the_collector_refuses_for_good_is_rejected_and_said_once(
    status: int, caplog: pytest.LogCaptureFixture
) -> None:
    with collecting() as collector:
        collector.status = status
        collector.headers = {"Location": "http://127.0.0.1:1/"}
        sink = opened(collector)
        assert sink.write([an_event()]) == sink.write([an_event()]) == 0
        sink.close()
    assert caplog.text.count("the spans are refused") == 1
    assert f"answers with {status}" in caplog.text


def test_what_the_collector_takes_only_in_part_is_counted_so() -> None:
    with collecting() as collector:
        collector.rejects = 1
        sink = opened(collector)
        assert sink.write([an_event(), an_event()]) == 1
        sink.close()


def test_who_asks_for_silence_gets_it() -> None:
    with collecting() as collector:
        collector.status, collector.headers = 429, {"Retry-After": "20"}
        sink = opened(collector)
        with pytest.raises(McprError):
            sink.write([an_event()])
        with pytest.raises(McprError, match="silence"):
            sink.write([an_event()])
        assert collector.requests == 1
        collector.status = 200
        sink.close()


def test_a_collector_that_is_gone_costs_spans_that_are_counted() -> None:
    with collecting() as collector:
        port = collector.server_port
    sink = OtlpSink(target(port))
    sink.retry_seconds = 0.2
    progress = Progress()
    bus = Bus([sink], progress)
    bus.start()
    bus.publish([an_event() for _ in range(5)])
    progress.until(lambda: bus.lanes[0].books()[1].dropped_total == 5)
    assert "Connection refused" in str(bus.lanes[0].trouble)
    bus.drain(20)
    counts = bus.counts()["otlp"]
    assert (counts.published, counts.written, counts.dropped) == (5, 0, 5)


def test_a_collector_that_does_not_answer_holds_up_nobody_beyond_the_timeout() -> None:
    with collecting() as collector:
        collector.may_answer.clear()
        sink = opened(collector, timeout=0.2)
        with pytest.raises(McprError, match="did not answer in time"):
            sink.write([an_event()])
        sink.close()


def test_a_session_lasts_from_its_first_request_to_its_last() -> None:
    first = an_event(latency_us=1_000_000)
    later = [
        msgspec.structs.replace(first, ts_ms=first.ts_ms + 60_000),
        msgspec.structs.replace(first, ts_ms=first.ts_ms + 62_000 + SESSION_IDLE_MS),
    ]
    with collecting() as collector:
        sink = opened(collector)
        sink.write([first])
        sink.write([msgspec.structs.replace(later[0], id=bytes(16))])
        sink.write([msgspec.structs.replace(later[1], id=bytes(15) + b"1")])
        sink.close()
    for name in ("server", "client"):
        (point,) = collector.points[f"mcp.{name}.session.duration"]
        # The second one is long over, too: these events are from the past.
        assert (point.count, point.sum) == (2, 62.0)


@given(events)
def test_nothing_that_is_exported_depends_on_the_detail(event: RequestEvent) -> None:
    secret = Detail("subject", "method", "error", "client", "http", "path", "note", 1)
    who = resource("mcpr", "i")
    with_detail = traces([msgspec.structs.replace(event, detail=secret)], who)
    assert with_detail == traces([msgspec.structs.replace(event, detail=None)], who)


def test_without_the_extra_the_error_names_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "mcpr.sinks.otlp_messages", None)
    monkeypatch.delattr("mcpr.sinks.otlp_messages", raising=False)
    with pytest.raises(McprError, match=r"pip install 'mcpr\[otlp\]'"):
        OtlpSink(target(1)).open()


def test_no_header_is_shown() -> None:
    said_target = msgspec.json.decode(target(1).encode(), type=Target)
    assert "word" not in repr(said_target)
