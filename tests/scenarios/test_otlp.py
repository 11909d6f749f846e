"""OpenTelemetry from a real proxy: traces of callers go on, nothing that was said goes out."""

import json
from pathlib import Path

import pytest
from tests.dataplane.building import post
from tests.dataplane.caller import calling
from tests.dataplane.scene import run
from tests.protocol.test_trace import CONTEXT, PARENT
from tests.scenarios.processes import a_proxy, an_upstream, rows
from tests.sinks.collector import collecting

CANARY = "canary-4711-0815"


def call(number: int) -> bytes:
    params = {
        "name": "quick",
        "arguments": {CANARY: CANARY, "traceparent": CANARY},
        "_meta": {"traceparent": PARENT, "tracestate": f"a={CANARY}", "baggage": CANARY},
    }
    said = {"jsonrpc": "2.0", "id": f"{CANARY}-{number}", "method": "tools/call", "params": params}
    return post(
        json.dumps(said).encode(),
        b"Authorization: Bearer " + CANARY.encode(),
        b"tracestate: b=" + CANARY.encode(),
        target=b"/mcp?key=" + CANARY.encode(),
    )


def test_every_call_is_a_span_of_its_callers_trace_and_nothing_else_goes_out(
    tmp_path: Path,
) -> None:
    store = tmp_path / "store.db"
    with collecting() as collector, an_upstream(tmp_path) as upstream:
        variables = {"MCPR_OTLP_ENDPOINT": collector.url, "MCPR_OTLP_HEADERS": "X-Key=word"}
        url = f"http://127.0.0.1:{upstream.port}/mcp"
        with a_proxy(url, store, environment=variables) as proxy:

            async def scene() -> None:
                async with calling(proxy.port) as caller:
                    for number in range(40):
                        assert (await caller.call(call(number))).status == 200

            run(scene())
            ended = proxy.stop()
        assert ended.code == 0
        assert "word" not in ended.stderr
    assert len(collector.spans) == 2 * len(rows(store)) == 80
    assert {span.trace_id for span in collector.spans} == {CONTEXT[:16]}
    assert {s.parent_span_id for s in collector.spans if s.kind == 2} == {CONTEXT[16:24]}
    (point,) = collector.points["mcp.server.operation.duration"]
    assert point.count == 40
    assert round(point.sum * 1e6) == sum(row.latency_us for row in rows(store))
    assert CANARY.encode() not in bytes(collector.raw)
    assert CANARY.encode() not in store.read_bytes()


@pytest.mark.parametrize("how", ["gone", "silent", "refusing"])
def test_a_collector_in_trouble_costs_no_call_and_the_proxy_ends_in_time(
    tmp_path: Path, how: str
) -> None:
    store = tmp_path / "store.db"
    with collecting() as collector, an_upstream(tmp_path) as upstream:
        port = 9 if how == "gone" else collector.server_port
        if how == "silent":
            collector.may_answer.clear()
        collector.status = 403
        url = f"http://127.0.0.1:{upstream.port}/mcp"
        variables = {"MCPR_OTLP_ENDPOINT": f"http://127.0.0.1:{port}"}
        with a_proxy(url, store, environment=variables) as proxy:

            async def scene() -> None:
                async with calling(proxy.port) as caller:
                    for number in range(40):
                        assert (await caller.call(call(number))).status == 200

            run(scene())
            ended = proxy.stop()
    assert (ended.code, ended.counts) == (0, (40, 40, 0, 0))
    assert CANARY not in ended.stderr
