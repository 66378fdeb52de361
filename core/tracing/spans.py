"""Spans of the current trace, which cost next to nothing while nothing records them.

A span never holds what a user wrote: no question, text, filter, prompt, answer or key.
"""

from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from typing import Literal, Protocol, TypeAlias

from core.tracing.conventions import Value

Kind = Literal["internal", "server", "client"]
Attributes: TypeAlias = Mapping[str, Value]

TraceHeaders: TypeAlias = Mapping[str, str]
"""The headers of W3C's Trace Context: `traceparent`, and `tracestate` where there is one."""


class Span(Protocol):
    """A span that has begun."""

    def set(self, name: str, value: Value) -> None:
        """Set an attribute, by its name in `conventions.py`."""
        ...

    def rename(self, name: str) -> None: ...

    def fail(self, error_type: str) -> None:
        """Mark the span as failed; the first type of an error stays."""
        ...


@dataclass(frozen=True, slots=True)
class CompletedSpan:
    """A span with an id and times of its own, in nanoseconds since 1970."""

    name: str
    kind: Kind
    parent: TraceHeaders
    span_id: int
    start_ns: int
    end_ns: int
    attributes: Attributes = field(default_factory=dict)
    error_type: str | None = None


class Recorder(Protocol):
    """A recorder of the spans of a process."""

    def span(
        self, name: str, kind: Kind, attributes: Attributes, parent: TraceHeaders | None
    ) -> AbstractContextManager[Span]: ...

    def record(self, span: CompletedSpan) -> None: ...

    def headers(self) -> dict[str, str]: ...

    def flush(self, timeout_s: float) -> None: ...


class _NoSpan:
    """A span that nothing records."""

    def set(self, name: str, value: Value) -> None: ...

    def rename(self, name: str) -> None: ...

    def fail(self, error_type: str) -> None: ...


NO_SPAN: Span = _NoSpan()
_NOTHING = nullcontext(NO_SPAN)

_recorder: Recorder | None = None


def install(recorder: Recorder | None) -> Recorder | None:
    """Record the spans of this process from now on; return what recorded them before."""
    global _recorder
    before, _recorder = _recorder, recorder
    return before


def is_on() -> bool:
    return _recorder is not None


def span(
    name: str,
    kind: Kind = "internal",
    attributes: Attributes | None = None,
    *,
    parent: TraceHeaders | None = None,
) -> AbstractContextManager[Span]:
    """Begin a span that ends with the block, and fails with it.

    It is a child of the current span, or of the sender of the headers `parent`. Without a
    `traceparent` in them a trace begins.
    """
    if _recorder is None:
        return _NOTHING
    return _recorder.span(name, kind, attributes or {}, parent)


def record(completed: CompletedSpan) -> None:
    """Record a span that has begun and ended."""
    if _recorder is not None:
        _recorder.record(completed)


def trace_headers() -> dict[str, str]:
    """Return the headers that make the receiver's spans children of the current one."""
    return {} if _recorder is None else _recorder.headers()


def flush(timeout_s: float) -> None:
    """Send the spans that have ended, for at most `timeout_s`."""
    if _recorder is not None:
        _recorder.flush(timeout_s)
