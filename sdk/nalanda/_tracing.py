"""The trace of the program that uses the client, if that program has one."""

import sys


def trace_headers() -> dict[str, str]:
    """Return the headers of W3C's Trace Context that continue the program's current trace.

    OpenTelemetry is no dependency of the client: without it in the program no trace is current. A
    server reads no other form of these headers, whatever OTEL_PROPAGATORS says.
    """
    if "opentelemetry.trace" not in sys.modules:
        return {}
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

    headers: dict[str, str] = {}
    TraceContextTextMapPropagator().inject(headers)
    return headers
