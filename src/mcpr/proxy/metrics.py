"""The numbers of /metrics: every family, its meaning, and where its values come from.

docs/reference/metrics.md lists them, and a test holds the two together. The official library puts
them into words; what they are is decided here. Imported when the first page is asked for.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from platform import python_version

from prometheus_client import CollectorRegistry
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from prometheus_client.exposition import generate_latest as as_text
from prometheus_client.openmetrics.exposition import CONTENT_TYPE_LATEST as OPENMETRICS_TYPE
from prometheus_client.openmetrics.exposition import generate_latest as as_openmetrics
from prometheus_client.registry import Collector

from mcpr import __version__
from mcpr.proxy.frames import PlaneState
from mcpr.proxy.status import SchemaState, SinkStatus, Status
from mcpr.sinks.prometheus import (
    BOUNDS,
    Histogram,
    RequestKey,
    Snapshot,
    SubjectKey,
    Sums,
    cumulative,
)

#: Labels, and their value.
Row = tuple[Sequence[str], float]

_BUCKETS = (*map(str, BOUNDS), "+Inf")
_SUBJECT = SubjectKey._fields
_CALL = ("server", "method", "tool")


def exposition(accept: str, status: Status, totals: Snapshot | None) -> tuple[bytes, str]:
    """The page and its media type, in the form that the visitor's `Accept` asks for."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Once(families(status, totals)))
    if _wants_openmetrics(accept):
        page: bytes = as_openmetrics(registry)  # type: ignore[no-untyped-call]  # theirs
        return page, OPENMETRICS_TYPE
    return as_text(registry), CONTENT_TYPE_PLAIN_0_0_4


def _wants_openmetrics(accept: str) -> bool:
    kinds = {part.partition(";")[0].strip().lower() for part in accept.split(",")}
    return "application/openmetrics-text" in kinds


class _Once(Collector):
    def __init__(self, found: Iterable[Metric]) -> None:
        self._found = found

    def collect(self) -> Iterable[Metric]:
        return self._found


def families(status: Status, totals: Snapshot | None) -> Iterator[Metric]:
    """Every family with its values."""
    if totals is not None:
        yield from _of_requests(totals)
    if status.plane is not None:
        yield from _of_plane(status.plane)
    yield from _of_sinks(status.sinks)
    if status.schema is not None:
        yield from _of_schema(status.schema)
    yield from _of_processes(status)


def _of_requests(totals: Snapshot) -> Iterator[Metric]:
    yield _counter(
        "mcpr_requests",
        "JSON-RPC requests, and every other exchange, by how they ended.",
        RequestKey._fields,
        totals.requests.items(),
    )
    calls = [(key, sums) for key, sums in totals.sums.items() if key.kind == "rpc"]
    yield _histogram(
        "mcpr_request_duration_seconds",
        "Arrival of a request to the last byte of its answer; kind rpc only.",
        ((key, sums.latency) for key, sums in calls),
    )
    yield _histogram(
        "mcpr_upstream_duration_seconds",
        "The part of it from the request sent to the server to the last byte of its answer.",
        ((key, sums.upstream) for key, sums in calls),
    )
    yield _counter(
        "mcpr_request_bytes", "Bytes of requests.", _SUBJECT, _sizes(totals, lambda s: s.bytes_in)
    )
    yield _counter(
        "mcpr_response_bytes", "Bytes of answers.", _SUBJECT, _sizes(totals, lambda s: s.bytes_out)
    )
    yield _counter(
        "mcpr_requests_folded",
        "Requests that lost their tool or client in these metrics to the bound on series.",
        (),
        [((), totals.folded)],
    )


def _sizes(totals: Snapshot, of: Callable[[Sums], int]) -> list[Row]:
    return [(key, of(sums)) for key, sums in totals.sums.items()]


def _of_plane(plane: PlaneState) -> Iterator[Metric]:
    yield _gauge("mcpr_client_connections", "Open connections of clients.", plane.connections)
    yield _gauge(
        "mcpr_held_bytes", "Bytes of large bodies kept until they are read.", plane.held_bytes
    )
    yield _gauge("mcpr_sessions_known", "Sessions whose caller is remembered.", plane.sessions)
    yield _counter(
        "mcpr_sessions_evicted",
        "Sessions that were forgotten for later ones; the store still knows them.",
        (),
        [((), plane.sessions_evicted)],
    )
    yield _counter(
        "mcpr_settings_reloads",
        "How often the settings were read again, by what came of it.",
        ("result",),
        [(("adopted",), plane.reloads - plane.refused), (("refused",), plane.refused)],
    )
    yield _gauge(
        "mcpr_settings_current",
        "Whether the settings in force are the last ones that were read.",
        int(plane.is_current),
    )
    yield _gauge("mcpr_draining", "Whether the proxy is ending.", int(plane.is_draining))
    pools = plane.pools
    gauges = (
        ("mcpr_exchanges", "Exchanges under way at the server, without streams.", "exchanges"),
        ("mcpr_streams", "Open streams.", "streams"),
        ("mcpr_waiting_exchanges", "Exchanges that wait for a place at the server.", "waiting"),
        ("mcpr_pool_idle_connections", "Connections to the server without an exchange.", "idle"),
        ("mcpr_pool_used_connections", "Connections to the server with an exchange.", "in_use"),
    )
    for name, meaning, field in gauges:
        family = GaugeMetricFamily(name, meaning, labels=("server",))
        for pool in pools:
            family.add_metric((pool.server,), getattr(pool, field))
        yield family
    counters = (
        ("mcpr_pool_opened", "Exchanges that began on a new connection.", "opened"),
        ("mcpr_pool_reused", "Exchanges that began on a connection that was there.", "reused"),
        ("mcpr_pool_failed", "Connections to the server that did not come about.", "failed"),
    )
    for name, meaning, field in counters:
        rows = [((pool.server,), float(getattr(pool, field))) for pool in pools]
        yield _counter(name, meaning, ("server",), rows)


def _of_sinks(sinks: Sequence[SinkStatus]) -> Iterator[Metric]:
    yield _counter(
        "mcpr_events_published",
        "Events that were to be recorded: published = written + rejected + dropped + under way.",
        ("sink",),
        [((sink.name,), sink.counts.published) for sink in sinks],
    )
    yield _counter(
        "mcpr_events_written",
        "Events that the sink has for good.",
        ("sink",),
        [((sink.name,), sink.counts.written) for sink in sinks],
    )
    yield _counter(
        "mcpr_events_rejected",
        "Events that the sink cannot hold.",
        ("sink",),
        [((sink.name,), sink.counts.rejected) for sink in sinks],
    )
    yield _counter(
        "mcpr_events_dropped",
        "Events that were lost, by reason.",
        ("sink", "reason"),
        [
            ((sink.name, reason), events)
            for sink in sinks
            for reason, events in sorted(sink.dropped.items())
        ],
    )
    under_way = GaugeMetricFamily(
        "mcpr_events_under_way", "Events in a lane or in a sink's hands.", labels=("sink",)
    )
    up = GaugeMetricFamily("mcpr_sink_up", "Whether the sink takes events.", labels=("sink",))
    for sink in sinks:
        under_way.add_metric((sink.name,), sink.counts.under_way)
        up.add_metric((sink.name,), int(sink.trouble is None))
    yield from (under_way, up)


def _of_processes(status: Status) -> Iterator[Metric]:
    yield _gauge("mcpr_ready", "Whether /ready says so.", int(not status.reasons))
    yield _counter(
        "mcpr_companion_restarts",
        "Companion processes that were started after one had died.",
        (),
        [((), status.restarts)],
    )
    cpu: list[Row] = [(("companion",), status.cpu_seconds)]
    memory = [("companion", status.resident_bytes)]
    if status.plane is not None:
        cpu.append((("proxy",), status.plane.cpu_seconds))
        memory.append(("proxy", status.plane.resident_bytes))
    yield _counter("mcpr_process_cpu_seconds", "CPU time of each process.", ("process",), cpu)
    resident = GaugeMetricFamily(
        "mcpr_process_resident_memory_bytes", "Memory in use by each process.", labels=("process",)
    )
    for process, size in memory:
        if size is not None:
            resident.add_metric((process,), size)
    yield resident
    build = GaugeMetricFamily(
        "mcpr_build_info", "Always 1; what runs is in the labels.", labels=("version", "python")
    )
    build.add_metric((__version__, python_version()), 1)
    yield build


def _of_schema(schema: SchemaState) -> Iterator[Metric]:
    yield _counter(
        "mcpr_schema_changes",
        "Lists of servers that became another version, by verdict.",
        ("server", "list", "verdict"),
        schema.changes.items(),
    )
    yield _counter(
        "mcpr_schema_lost", "Lists that could not be written down.", (), [((), schema.lost)]
    )
    yield _counter(
        "mcpr_schema_unread",
        "Answers with lists that could not be read.",
        (),
        [((), schema.unread)],
    )
    yield _counter(
        "mcpr_schema_given_up",
        "Passes through pages that never became a list, and pages that belonged to none.",
        (),
        [((), schema.given_up)],
    )
    if schema.allowed is not None:
        yield _gauge(
            "mcpr_schema_allowed_tools", "Tools that may be called while pinned.", schema.allowed
        )


def _counter(
    name: str, meaning: str, labels: Sequence[str], rows: Iterable[Row]
) -> CounterMetricFamily:
    """A counter; `_total` is added to its name."""
    family = CounterMetricFamily(name, meaning, labels=labels)
    for values, value in rows:
        family.add_metric(values, value)
    return family


def _gauge(name: str, meaning: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(name, meaning, value=value)


def _histogram(
    name: str, meaning: str, rows: Iterable[tuple[SubjectKey, Histogram]]
) -> HistogramMetricFamily:
    family = HistogramMetricFamily(name, meaning, labels=_CALL)
    for key, histogram in rows:
        buckets = list(zip(_BUCKETS, cumulative(histogram.counts), strict=True))
        family.add_metric((key.server, key.method, key.tool), buckets, histogram.sum_us / 1e6)
    return family
