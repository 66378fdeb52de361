"""A local collector of OTLP over HTTP, which decodes the spans it receives; and one that hangs."""

import socket
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span as SpanMessage

from tests.threaded_server import ThreadedServer


@dataclass(frozen=True)
class CollectedSpan:
    """A span as the collector has received it; ids are in hexadecimal, `parent_id` may be empty."""

    service: str
    name: str
    kind: str
    trace_id: str
    span_id: str
    parent_id: str
    start_ns: int
    end_ns: int
    attributes: dict[str, object]
    failed: bool


class Collector(ThreadedServer):
    """A collector; `status` is what it answers."""

    def __init__(self, status: int = 200) -> None:
        self.status = status
        self.bodies: list[bytes] = []
        super().__init__(_handler(self))

    @property
    def spans(self) -> list[CollectedSpan]:
        return [span for body in list(self.bodies) for span in _decode(body)]

    def of(self, trace_id: str) -> list[CollectedSpan]:
        """Return the spans of a trace."""
        return [span for span in self.spans if span.trace_id == trace_id]


@contextmanager
def hanging_collector() -> Iterator[str]:
    """Listen, and yield a URL at which each request waits for a response that never comes."""
    with socket.create_server(("127.0.0.1", 0), backlog=64) as listener:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"


def _handler(collector: Collector) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if self.headers.get("Content-Encoding") == "gzip":
                body = zlib.decompress(body, 31)
            if self.path == "/v1/traces" and collector.status == 200:
                collector.bodies.append(body)
            self.send_response(collector.status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            """Log nothing: `bodies` has the requests."""

    return Handler


def _decode(body: bytes) -> Iterator[CollectedSpan]:
    for resource_spans in ExportTraceServiceRequest.FromString(body).resource_spans:
        of_resource = {each.key: each.value for each in resource_spans.resource.attributes}
        service = of_resource["service.name"].string_value
        for scope_spans in resource_spans.scope_spans:
            for span in scope_spans.spans:
                yield _read(service, span)


def _read(service: str, span: SpanMessage) -> CollectedSpan:
    return CollectedSpan(
        service=service,
        name=span.name,
        kind=SpanMessage.SpanKind.Name(span.kind).removeprefix("SPAN_KIND_").lower(),
        trace_id=span.trace_id.hex(),
        span_id=span.span_id.hex(),
        parent_id=span.parent_span_id.hex(),
        start_ns=span.start_time_unix_nano,
        end_ns=span.end_time_unix_nano,
        attributes={each.key: _value(each.value) for each in span.attributes},
        failed=span.status.code == span.status.STATUS_CODE_ERROR,
    )


def _value(value: AnyValue) -> object:
    kind = value.WhichOneof("value")
    return None if kind is None else getattr(value, kind)
