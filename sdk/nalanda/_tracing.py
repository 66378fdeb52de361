"""The trace of the program that uses the client, if that program has one."""

import sys


def trace_headers() -> dict[str, str]:
    """Return the headers that continue the program's current trace, such as `traceparent`.

    OpenTelemetry is no dependency of the client: without it in the program no trace is current.
    """
    if "opentelemetry.trace" not in sys.modules:
        return {}
    from opentelemetry import propagate

    headers: dict[str, str] = {}
    propagate.inject(headers)
    return headers
