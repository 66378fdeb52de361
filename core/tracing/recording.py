"""Spans by OpenTelemetry's SDK, which is imported with this module alone."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from importlib.metadata import version

from opentelemetry.context import Context
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.id_generator import RandomIdGenerator
from opentelemetry.trace import Span as OpenTelemetrySpan
from opentelemetry.trace import SpanKind, Status, StatusCode
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from core.tracing.conventions import ERROR_TYPE, SCHEMA_URL, Value
from core.tracing.spans import Attributes, CompletedSpan, Kind, Span, TraceHeaders

_KINDS = {"internal": SpanKind.INTERNAL, "server": SpanKind.SERVER, "client": SpanKind.CLIENT}

# Not OTEL_PROPAGATORS: baggage may hold anything, and would go on to model providers.
_PROPAGATOR = TraceContextTextMapPropagator()

_own_id: ContextVar[int | None] = ContextVar("_own_id", default=None)


class SpanIds(RandomIdGenerator):
    """Random ids, but for spans that have one of their own."""

    def generate_span_id(self) -> int:
        return _own_id.get() or super().generate_span_id()


class SdkRecorder:
    """A recorder whose spans go to the processors of a provider, which has `SpanIds`.

    The provider is not the process's global one: libraries would add spans of their own, with
    query strings and messages of errors.
    """

    def __init__(self, provider: TracerProvider) -> None:
        self._provider = provider
        self._tracer = provider.get_tracer("nalanda", version("nalanda"), schema_url=SCHEMA_URL)

    @contextmanager
    def span(
        self, name: str, kind: Kind, attributes: Attributes, parent: TraceHeaders | None
    ) -> Iterator[Span]:
        with self._tracer.start_as_current_span(
            name,
            None if parent is None else _PROPAGATOR.extract(parent, Context()),
            _KINDS[kind],
            attributes,
            # The message and the stack of an exception may hold a user's text.
            record_exception=False,
            set_status_on_exception=False,
        ) as begun:
            current = _RecordedSpan(begun)
            try:
                yield current
            except BaseException as error:
                current.fail(type(error).__name__)
                raise

    def record(self, span: CompletedSpan) -> None:
        before = _own_id.set(span.span_id)
        try:
            begun = self._tracer.start_span(
                span.name,
                _PROPAGATOR.extract(span.parent, Context()),
                _KINDS[span.kind],
                span.attributes,
                start_time=span.start_ns,
            )
        finally:
            _own_id.reset(before)
        if span.error_type is not None:
            _RecordedSpan(begun).fail(span.error_type)
        begun.end(span.end_ns)

    def headers(self) -> dict[str, str]:
        headers: dict[str, str] = {}
        _PROPAGATOR.inject(headers)
        return headers

    def flush(self, timeout_s: float) -> None:
        # The SDK's own timeout is without effect while it waits for a collector.
        flushing = threading.Thread(target=self._provider.force_flush, daemon=True)
        flushing.start()
        flushing.join(timeout_s)


class _RecordedSpan:
    def __init__(self, span: OpenTelemetrySpan) -> None:
        self._span = span
        self._has_failed = False

    def set(self, name: str, value: Value) -> None:
        self._span.set_attribute(name, value)

    def rename(self, name: str) -> None:
        self._span.update_name(name)

    def fail(self, error_type: str) -> None:
        if not self._has_failed:
            self._has_failed = True
            self._span.set_attribute(ERROR_TYPE, error_type)
            self._span.set_status(Status(StatusCode.ERROR))
