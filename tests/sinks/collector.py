"""An OpenTelemetry collector for tests: OTLP over HTTP, read with the official messages."""

import contextlib
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.proto.metrics.v1.metrics_pb2 import HistogramDataPoint
from opentelemetry.proto.trace.v1.trace_pb2 import Span

WAIT_SECONDS = 30.0


class Collector(ThreadingHTTPServer):
    """Keeps what it takes. status: its answer; rejects: spans it does not take.

    raw: all bytes of all requests, heads included. held: while it is set, nobody is answered.
    """

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.status = 200
        self.rejects = 0
        self.headers: dict[str, str] = {}
        self.raw = bytearray()
        self.requests = 0
        self.spans: list[Span] = []
        self.points: dict[str, list[HistogramDataPoint]] = {}
        self.may_answer = threading.Event()
        self.may_answer.set()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class _Handler(BaseHTTPRequestHandler):
    server: Collector

    def do_POST(self) -> None:
        collector = self.server
        body = self.rfile.read(int(self.headers["Content-Length"]))
        assert self.headers["Content-Type"] == "application/x-protobuf"
        collector.raw += f"{self.path}\n{self.headers}".encode() + body
        collector.requests += 1
        collector.may_answer.wait(WAIT_SECONDS)
        said = b""
        if collector.status == 200:
            said = self._take(body)
        with contextlib.suppress(OSError):
            self.send_response(collector.status)
            for name, value in collector.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(said)))
            self.end_headers()
            self.wfile.write(said)

    def _take(self, body: bytes) -> bytes:
        collector = self.server
        if self.path.endswith("/v1/traces"):
            for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
                for scope in resource.scope_spans:
                    collector.spans += scope.spans
            answer = ExportTraceServiceResponse()
            answer.partial_success.rejected_spans = collector.rejects
            return answer.SerializeToString()
        assert self.path.endswith("/v1/metrics")
        for said in ExportMetricsServiceRequest.FromString(body).resource_metrics:
            for metrics in said.scope_metrics:
                for metric in metrics.metrics:
                    assert metric.unit == "s"
                    collector.points[metric.name] = list(metric.histogram.data_points)
        return b""

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's name
        """Say nothing."""


@contextlib.contextmanager
def collecting() -> Iterator[Collector]:
    """A collector that runs."""
    collector = Collector()
    thread = threading.Thread(target=collector.serve_forever, daemon=True)
    thread.start()
    try:
        yield collector
    finally:
        collector.may_answer.set()
        collector.shutdown()
        collector.server_close()
        thread.join(WAIT_SECONDS)
