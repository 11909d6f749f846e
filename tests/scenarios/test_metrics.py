"""Metrics of a real proxy under load: what is scraped and what is stored are the same calls."""

import asyncio
import http.client
import json
import re
import signal
from collections import Counter
from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families
from tests.dataplane.building import get, post
from tests.dataplane.caller import calling
from tests.dataplane.scene import run, until
from tests.scenarios.load import call_of
from tests.scenarios.processes import Program, Row, a_proxy, an_upstream, rows, wait_until
from tests.scenarios.upstream_program import EVENT

Page = dict[tuple[str, frozenset[tuple[str, str]]], float]


def ask(port: int, path: str) -> tuple[int, str]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    finally:
        connection.close()


def admin_port(proxy: Program) -> int:
    found = re.search(rb"admin +http://127\.0\.0\.1:([0-9]+)", proxy.said)
    assert found is not None
    return int(found[1])


def scrape(port: int) -> Page:
    status, page = ask(port, "/metrics")
    assert status == 200
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(page)
        for sample in family.samples
    }


def total(values: Page, name: str, *labels: tuple[str, str]) -> float:
    wanted = frozenset(labels)
    return sum(value for (found, has), value in values.items() if found == name and wanted <= has)


UNKNOWN = b'{"jsonrpc":"2.0","id":1,"method":"nobody/knows","params":{"name":"somewhere"}}'


async def load(port: int, name: str, calls: int) -> None:
    """So many calls, one after the other, on one connection."""
    async with calling(port) as caller:
        for number in range(calls):
            assert (await caller.call(call_of(f"{name}-{number % 3}"))).status == 200


def test_what_is_scraped_is_what_is_stored(tmp_path: Path) -> None:
    store = tmp_path / "store.db"
    with (
        an_upstream(tmp_path) as upstream,
        a_proxy(f"http://127.0.0.1:{upstream.port}/mcp", store, "--admin", "127.0.0.1:0") as proxy,
    ):
        port = admin_port(proxy)
        growing: list[float] = []

        async def scene() -> None:
            async with asyncio.TaskGroup() as clients, calling(proxy.port) as reader:
                for number in range(6):
                    clients.create_task(load(proxy.port, f"quick-{number}", 60))
                # A method that nobody knows, and a stream.
                await reader.call(post(UNKNOWN))
                for _ in range(5):
                    page = await asyncio.to_thread(scrape, port)
                    growing.append(total(page, "mcpr_requests_total"))
                await reader.send(get(b"Accept: text/event-stream"))
                await reader.reader.readuntil(EVENT)
                await until(lambda: total(scrape(port), "mcpr_streams") == 1)

        run(scene())
        wait_until(lambda: total(scrape(port), "mcpr_requests_total") == 362)
        wait_until(lambda: total(scrape(port), "mcpr_events_under_way") == 0)
        wait_until(lambda: total(scrape(port), "mcpr_client_connections") == 0)
        page = scrape(port)
        assert ask(port, "/ready") == (200, '{"ready": true, "reasons": []}\n')
        recorded = rows(store)
        ended = proxy.stop(signal.SIGTERM)
    assert growing == sorted(growing)
    assert ended.counts == (362, 362, 0, 0)
    assert len(recorded) == 362
    assert_agree(page, recorded)
    assert total(page, "mcpr_pool_opened_total") + total(page, "mcpr_pool_reused_total") == 362
    assert total(page, "mcpr_events_written_total", ("sink", "sqlite")) == 362
    assert total(page, "mcpr_events_written_total", ("sink", "prometheus")) == 362
    assert total(page, "mcpr_exchanges") == total(page, "mcpr_streams") == 0
    for process in ("proxy", "companion"):
        assert total(page, "mcpr_process_cpu_seconds_total", ("process", process)) > 0


def assert_agree(page: Page, recorded: list[Row]) -> None:
    """Counts, durations and bytes by tool are those of the rows, to the last microsecond."""
    for (kind, tool), count in Counter((row.kind, row.tool or "") for row in recorded).items():
        mine = [row for row in recorded if (row.kind, row.tool or "") == (kind, tool)]
        said = ("kind", kind), ("tool", tool)
        assert total(page, "mcpr_requests_total", *said) == count
        assert total(page, "mcpr_request_bytes_total", *said) == sum(r.bytes_in for r in mine)
        assert total(page, "mcpr_response_bytes_total", *said) == sum(r.bytes_out for r in mine)
        if kind != "rpc":
            continue
        for name, spent in (
            ("request", [row.latency_us for row in mine]),
            ("upstream", [row.upstream_us for row in mine if row.upstream_us is not None]),
        ):
            family = f"mcpr_{name}_duration_seconds"
            assert total(page, f"{family}_count", said[1]) == len(spent)
            assert round(total(page, f"{family}_sum", said[1]) * 1e6) == sum(spent)
            within = sum(us <= 5_000 for us in spent)
            assert total(page, f"{family}_bucket", said[1], ("le", "0.005")) == within


def test_a_proxy_that_drains_is_not_ready_and_says_why(tmp_path: Path) -> None:
    with (
        an_upstream(tmp_path) as upstream,
        a_proxy(
            f"http://127.0.0.1:{upstream.port}/mcp", tmp_path / "s.db", "--admin", "127.0.0.1:0"
        ) as proxy,
    ):
        port = admin_port(proxy)

        async def scene() -> None:
            async with calling(proxy.port) as caller:
                await caller.send(call_of("hold"))
                await until(lambda: total(scrape(port), "mcpr_exchanges") == 1)
                proxy.send(signal.SIGTERM)
                await until(lambda: ask(port, "/ready")[0] == 503)
                assert json.loads(ask(port, "/ready")[1]) == {
                    "ready": False,
                    "reasons": ["the proxy is ending"],
                }
                page = scrape(port)
                assert (total(page, "mcpr_draining"), total(page, "mcpr_ready")) == (1, 0)
                proxy.send(signal.SIGTERM)

        run(scene())
        assert proxy.wait().counts == (1, 1, 0, 0)
