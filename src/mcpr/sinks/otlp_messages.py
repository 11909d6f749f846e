"""Events as OpenTelemetry: two spans for each call, and four histograms.

Names and attributes are those of the semantic conventions for MCP (status: development), as far as
the public part of an event knows them: no argument, no result, no URI, no request id, no text of an
error. Imported only where something is exported; needs the extra `otlp`.
"""

import hashlib
import time
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.proto.common.v1.common_pb2 import InstrumentationScope, KeyValue
from opentelemetry.proto.metrics.v1.metrics_pb2 import (
    AGGREGATION_TEMPORALITY_CUMULATIVE,
    HistogramDataPoint,
    Metric,
)
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from mcpr import __version__
from mcpr.events import RequestEvent, is_error
from mcpr.sinks.prometheus import Histogram

Attributes = tuple[tuple[str, str | int], ...]

#: Bounds of the conventions, in seconds.
BOUNDS: Final = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0)
BOUNDS_US: Final = tuple(round(bound * 1e6) for bound in BOUNDS)
SERVER_DURATION: Final = "mcp.server.operation.duration"
CLIENT_DURATION: Final = "mcp.client.operation.duration"
SERVER_SESSION: Final = "mcp.server.session.duration"
CLIENT_SESSION: Final = "mcp.client.session.duration"
_NO_SERVER_ERROR: Final = frozenset((-32700, -32600, -32601, -32602, -32002))
_FIRST_MODERN: Final = "2026-07-28"
_SAMPLED: Final = 0x01
#: What the protocol can say: the year 2554.
_LAST_NS: Final = 2**64 - 1
_SCOPE: Final = InstrumentationScope(name="mcpr", version=__version__)


def key_values(attributes: Iterable[tuple[str, str | int]]) -> Iterator[KeyValue]:
    """Attributes in the protocol's form."""
    for name, value in attributes:
        pair = KeyValue(key=name)
        if isinstance(value, int):
            pair.value.int_value = value
        else:
            pair.value.string_value = value
        yield pair


def resource(service_name: str, instance: str) -> Resource:
    """Who exports. instance: random, new at each start."""
    said = (
        ("service.name", service_name),
        ("service.version", __version__),
        ("service.instance.id", instance),
    )
    return Resource(attributes=list(key_values(said)))


def is_exported(event: RequestEvent) -> bool:
    """Whether an event has spans and durations: a JSON-RPC message that names a method."""
    return event.method is not None


def is_sampled(event: RequestEvent) -> bool:
    """Whether its caller's trace is kept; without one it is."""
    parent = event.aside.parent if event.aside is not None else b""
    return not parent or bool(parent[24] & _SAMPLED)


def metric_attributes(event: RequestEvent) -> Attributes:
    """What durations are told apart by."""
    return tuple(_common(event))


def _common(event: RequestEvent) -> Iterator[tuple[str, str | int]]:
    yield "mcp.method.name", event.method or ""
    if event.tool is not None:
        yield "gen_ai.tool.name", event.tool
    if event.method == "tools/call":
        yield "gen_ai.operation.name", "execute_tool"
    if event.revision is not None:
        yield "mcp.protocol.version", event.revision
    if event.rpc_code is not None:
        yield "rpc.response.status_code", str(event.rpc_code)
    if is_error(event.outcome):
        yield "error.type", _error_type(event)
    yield "network.transport", "tcp"
    yield "network.protocol.name", "http"
    yield "mcpr.server", event.server


def _error_type(event: RequestEvent) -> str:
    if event.rpc_code is not None:
        return str(event.rpc_code)
    if event.outcome == "http_error" and event.http_status is not None:
        return str(event.http_status)
    return event.outcome


def spans(event: RequestEvent) -> Iterator[Span]:
    """The span of the client's side, and within it that of the server's."""
    parent = event.aside.parent if event.aside is not None else b""
    link = event.aside.link if event.aside is not None else b""
    trace_id = parent[:16] or _digest(event.id, b"trace", 16)
    span_id = _digest(event.id, b"server", 8)
    begin = event.ts_ms * 1_000_000
    end = begin + event.latency_us * 1000
    attributes = [*_common(event), *_of_span(event)]
    name = event.method or ""
    span = Span(
        trace_id=trace_id,
        span_id=span_id,
        parent_span_id=parent[16:24],
        name=f"{name} {event.tool}" if event.tool is not None else name,
        kind=Span.SPAN_KIND_SERVER,
        start_time_unix_nano=min(begin, _LAST_NS),
        end_time_unix_nano=min(end, _LAST_NS),
        attributes=list(key_values(attributes)),
    )
    if link:
        span.links.add(trace_id=link[:16], span_id=link[16:24])
    failed = is_error(event.outcome)
    if failed and event.rpc_code not in _NO_SERVER_ERROR:
        span.status.code = Status.STATUS_CODE_ERROR
    yield span
    if event.upstream_us is None:
        return
    inner = Span()
    inner.CopyFrom(span)
    inner.ClearField("links")
    inner.span_id = _digest(event.id, b"client", 8)
    inner.parent_span_id = span_id
    inner.kind = Span.SPAN_KIND_CLIENT
    inner.start_time_unix_nano = min(max(begin, end - event.upstream_us * 1000), _LAST_NS)
    if failed:
        inner.status.code = Status.STATUS_CODE_ERROR
    yield inner


def _of_span(event: RequestEvent) -> Iterator[tuple[str, str | int]]:
    if event.session is not None and (event.revision or "") < _FIRST_MODERN:
        # Its name, a keyed hash: the id itself opens the session on many servers.
        yield "mcp.session.id", event.session
    if event.http_status is not None:
        yield "http.response.status_code", event.http_status
    if event.client is not None:
        yield "mcpr.client", event.client
    if event.client_version is not None:
        yield "mcpr.client.version", event.client_version
    if event.origin is not None:
        yield "mcpr.origin", event.origin
    yield "mcpr.outcome", event.outcome
    yield "mcpr.bytes_in", event.bytes_in
    yield "mcpr.bytes_out", event.bytes_out


def _digest(event_id: bytes, kind: bytes, size: int) -> bytes:
    """An identifier that is the same when a batch is sent again."""
    return hashlib.blake2b(event_id, digest_size=size, person=kind).digest()


def traces(events: Iterable[RequestEvent], said_by: Resource) -> tuple[bytes, int]:
    """The body of a request, and how many spans it holds."""
    request = ExportTraceServiceRequest()
    scope = request.resource_spans.add(resource=said_by).scope_spans.add(scope=_SCOPE)
    for event in events:
        if is_exported(event) and is_sampled(event):
            scope.spans.extend(spans(event))
    return request.SerializeToString(), len(scope.spans)


def rejected_spans(answer: bytes) -> int:
    """How many spans the collector did not take, by its answer."""
    try:
        response = ExportTraceServiceResponse.FromString(answer)
    except ValueError:
        return 0
    return max(0, response.partial_success.rejected_spans)


def histogram() -> Histogram:
    """An empty one with the bounds of the conventions."""
    return Histogram([0] * (len(BOUNDS) + 1))


def count(into: Histogram, duration_us: int) -> None:
    """Count one duration."""
    into.counts[bisect_left(BOUNDS_US, duration_us)] += 1
    into.sum_us += duration_us


def metrics(
    series: Mapping[tuple[str, Attributes], Histogram], began_ns: int, said_by: Resource
) -> bytes:
    """The body of a request with cumulative histograms."""
    request = ExportMetricsServiceRequest()
    scope = request.resource_metrics.add(resource=said_by).scope_metrics.add(scope=_SCOPE)
    found: dict[str, Metric] = {}
    now_ns = time.time_ns()
    for (name, attributes), each in series.items():
        metric = found.get(name)
        if metric is None:
            metric = found[name] = scope.metrics.add(name=name, unit="s")
            metric.histogram.aggregation_temporality = AGGREGATION_TEMPORALITY_CUMULATIVE
        metric.histogram.data_points.append(
            HistogramDataPoint(
                attributes=list(key_values(attributes)),
                start_time_unix_nano=began_ns,
                time_unix_nano=now_ns,
                count=sum(each.counts),
                sum=each.sum_us / 1e6,
                bucket_counts=each.counts,
                explicit_bounds=BOUNDS,
            )
        )
    return request.SerializeToString()
