"""proxy/metrics: what Prometheus reads is what was counted, and the reference lists all of it."""

import re
from collections.abc import Callable, Iterable
from pathlib import Path

import msgspec
import pytest
from prometheus_client import Metric
from prometheus_client.openmetrics.parser import text_string_to_metric_families as openmetrics
from prometheus_client.parser import text_string_to_metric_families as plain
from tests.events.building import an_event

from mcpr.proxy.frames import PlaneState, PoolState
from mcpr.proxy.metrics import exposition, families
from mcpr.proxy.status import SchemaState, SinkStatus, Status
from mcpr.sinks import Counts
from mcpr.sinks.prometheus import PrometheusSink, Snapshot

PAGE = Path(__file__).parents[2] / "docs/reference/metrics.md"

SINK = SinkStatus("sqlite", Counts(10, 5, 1, 3), {"lane_full": 2, "pipe_full": 1}, "why")
POOL = PoolState(
    server="weather",
    exchanges=1,
    streams=2,
    waiting=3,
    idle=4,
    in_use=5,
    opened=6,
    reused=7,
    failed=8,
)
PLANE = PlaneState(
    is_draining=False,
    connections=9,
    held_bytes=10,
    cpu_seconds=1.5,
    resident_bytes=2048,
    pools=[POOL],
    reloads=5,
    refused=2,
    is_current=False,
    sessions=11,
    sessions_evicted=12,
)
SCHEMA = SchemaState({("weather", "tools", "breaking"): 2}, 1, 3, 4, 5)
STATUS = Status((SINK,), 1, False, 0.25, 1024, True, PLANE, 0.1, SCHEMA)  # noqa: FBT003 - in its order


def totals() -> Snapshot:
    sink = PrometheusSink()
    sink.write([an_event(), an_event(outcome="tool_error", origin="tool", latency_us=3_000_000)])
    sink.write([an_event(kind="stream", method=None, tool=None, client=None, latency_us=10**10)])
    return sink.snapshot()


def samples(found: Iterable[Metric]) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in found
        for sample in family.samples
    }


@pytest.mark.parametrize(
    ("accept", "kind", "parse"),
    [
        ("", "text/plain; version=0.0.4; charset=utf-8", plain),
        ("*/*", "text/plain; version=0.0.4; charset=utf-8", plain),
        ("text/plain;version=9.9;\x7f", "text/plain; version=0.0.4; charset=utf-8", plain),
        (
            "application/openmetrics-text;version=1.0.0,text/plain;q=0.5",
            "application/openmetrics-text; version=1.0.0; charset=utf-8",
            openmetrics,
        ),
    ],
    ids=["nothing", "anything", "odd", "openmetrics"],
)
def test_a_parser_of_prometheus_reads_what_was_counted(
    accept: str, kind: str, parse: Callable[[str], Iterable[Metric]]
) -> None:
    page, media_type = exposition(accept, STATUS, totals())
    assert media_type.replace(" ", "") == kind.replace(" ", "")
    read = samples(parse(page.decode()))
    assert read == samples(families(STATUS, totals()))
    call = (("method", "tools/call"), ("server", "weather"), ("tool", "get_weather"))
    assert read["mcpr_request_duration_seconds_count", call] == 2
    assert read["mcpr_request_duration_seconds_sum", call] == 3.0452
    assert read["mcpr_request_duration_seconds_bucket", (("le", "0.05"), *call)] == 1
    assert read["mcpr_request_duration_seconds_bucket", (("le", "5.0"), *call)] == 2
    assert read["mcpr_pool_reused_total", (("server", "weather"),)] == 7
    assert read["mcpr_process_cpu_seconds_total", (("process", "proxy"),)] == 1.5
    assert read["mcpr_sink_up", (("sink", "sqlite"),)] == 0
    assert read["mcpr_settings_reloads_total", (("result", "adopted"),)] == 3
    assert read["mcpr_settings_reloads_total", (("result", "refused"),)] == 2
    assert read["mcpr_settings_current", ()] == 0
    assert (read["mcpr_sessions_known", ()], read["mcpr_sessions_evicted_total", ()]) == (11, 12)


def test_only_calls_have_a_duration_and_everything_has_a_count() -> None:
    read = samples(families(STATUS, totals()))
    counted = {
        dict(labels)["kind"]: value
        for (name, labels), value in read.items()
        if name == "mcpr_requests_total"
    }
    assert set(counted) == {"rpc", "stream"}
    durations = [labels for (name, labels), _ in read.items() if name.endswith("seconds_count")]
    assert all(("method", "tools/call") in labels for labels in durations)


def test_a_name_cannot_forge_a_line() -> None:
    """Only the configured server's name can hold such letters at all."""
    sink = PrometheusSink()
    sink.write([an_event(server='a"} 1\nmcpr_forged 7\\')])
    page, _ = exposition("", STATUS, sink.snapshot())
    assert "mcpr_forged" not in {
        line.split("{")[0].split(" ")[0] for line in page.decode().splitlines()
    }
    read = samples(plain(page.decode()))
    assert any(("server", 'a"} 1\nmcpr_forged 7\\') in labels for _, labels in read)


def test_without_a_data_plane_its_numbers_are_absent_and_not_zero() -> None:
    status = msgspec.structs.replace(STATUS, plane=None, resident_bytes=None)
    names = {family.name for family in families(status, None)}
    assert not names & {"mcpr_client_connections", "mcpr_pool_opened", "mcpr_requests"}
    assert samples(families(status, None))["mcpr_ready", ()] == 0


def test_changes_of_lists_are_counted_and_without_a_pin_nothing_is_allowed() -> None:
    found = samples(families(STATUS, None))
    labels = (("list", "tools"), ("server", "weather"), ("verdict", "breaking"))
    assert found["mcpr_schema_changes_total", labels] == 2
    assert found["mcpr_schema_allowed_tools", ()] == 5
    unpinned = msgspec.structs.replace(STATUS, schema=msgspec.structs.replace(SCHEMA, allowed=None))
    assert ("mcpr_schema_allowed_tools", ()) not in samples(families(unpinned, None))


def test_the_reference_lists_every_metric_with_its_kind_and_labels() -> None:
    listed = {
        (found["name"], found["kind"], frozenset(re.findall(r"`(\w+)`", found["labels"])))
        for found in re.finditer(
            r"^\| `(?P<name>mcpr_\w+)` \| (?P<kind>\w+) \|(?P<labels>[^|]*)\|",
            PAGE.read_text(),
            re.MULTILINE,
        )
    }
    there = set()
    for family in families(STATUS, totals()):
        suffix = "_total" if family.type == "counter" else ""
        labels = frozenset(name for sample in family.samples for name in sample.labels) - {"le"}
        there.add((family.name + suffix, family.type, labels))
    assert listed == there
