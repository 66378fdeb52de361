"""Spans that a test records in memory, and their check against the pinned conventions."""

import importlib
import pkgutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache

from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.sampling import ALWAYS_ON, ParentBased
from opentelemetry.semconv import attributes as stable
from opentelemetry.semconv._incubating import attributes as incubating

from core.tracing import conventions, spans
from core.tracing.recording import SdkRecorder, SpanIds

REQUIRED = {
    "http.request.method": {"http.request.method", "url.scheme"},
    "http.route": {"http.route", "url.path", "http.response.status_code"},
    "db.operation.name": {"db.system.name"},
    "gen_ai.operation.name": {"gen_ai.provider.name", "gen_ai.request.model"},
}
"""The attributes that the conventions require with each of these."""

TEMPORAL = {conventions.WORKFLOW_ID, conventions.RUN_ID, conventions.ACTIVITY_ID}


class RecordedSpans:
    """The spans that have ended, in the order of their ends."""

    def __init__(self, exporter: InMemorySpanExporter) -> None:
        self._exporter = exporter

    @property
    def all(self) -> Sequence[ReadableSpan]:
        return self._exporter.get_finished_spans()

    @property
    def names(self) -> list[str]:
        return [each.name for each in self.all]

    def one(self, name: str) -> ReadableSpan:
        """Return the only span of a name."""
        [found] = self.named(name)
        return found

    def named(self, name: str) -> list[ReadableSpan]:
        return [each for each in self.all if each.name == name]

    def parent_of(self, span: ReadableSpan) -> str | None:
        """Return the name of a span's parent, or `None` if it is not among the recorded ones."""
        if span.parent is None:
            return None
        parents = [each for each in self.all if id_of(each) == span.parent.span_id]
        return parents[0].name if parents else None

    @property
    def content(self) -> str:
        """Return all that a collector gets to read of the spans."""
        return "\n".join(each.to_json() for each in self.all)

    def clear(self) -> None:
        self._exporter.clear()


@contextmanager
def record_spans() -> Iterator[RecordedSpans]:
    """Record the spans of this process until the end of the block."""
    exporter = InMemorySpanExporter()
    provider = TracerProvider(
        sampler=ParentBased(ALWAYS_ON), id_generator=SpanIds(), shutdown_on_exit=False
    )
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    before = spans.install(SdkRecorder(provider))
    try:
        yield RecordedSpans(exporter)
    finally:
        spans.install(before)
        provider.shutdown()


def id_of(span: ReadableSpan) -> int:
    assert span.context is not None
    return int(span.context.span_id)


def trace_of(span: ReadableSpan) -> int:
    assert span.context is not None
    return int(span.context.trace_id)


def attributes_of(span: ReadableSpan) -> Mapping[str, object]:
    return dict(span.attributes or {})


def check_conventions(name: str, attributes: Mapping[str, object]) -> None:
    """Check that a span has attributes of the pinned version alone, and those that it requires."""
    unknown = set(attributes) - registry() - TEMPORAL
    assert not unknown, f"{name} has attributes that no convention knows: {unknown}"
    for attribute, required in REQUIRED.items():
        if attribute in attributes:
            missing = required - set(attributes)
            assert not missing, f"{name} lacks {missing}"


@cache
def registry() -> frozenset[str]:
    """Return the names of all attributes of the conventions in the installed package."""
    names: set[str] = set()
    for package in (stable, incubating):
        for module in pkgutil.iter_modules(package.__path__, package.__name__ + "."):
            constants = vars(importlib.import_module(module.name))
            names |= {value for value in constants.values() if isinstance(value, str)}
    return frozenset(names)
