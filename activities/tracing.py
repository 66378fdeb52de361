"""Spans of activities, and the trace in the headers of Temporal's calls.

The header and the names of spans are those of the Temporal SDKs' own interceptors.
"""

from collections.abc import Mapping
from typing import Any

from temporalio import activity
from temporalio.api.common.v1 import Payload
from temporalio.converter import PayloadConverter
from temporalio.exceptions import ApplicationError
from temporalio.worker import ActivityInboundInterceptor, ExecuteActivityInput, Interceptor

from core.tracing.conventions import ACTIVITY_ID, RUN_ID, WORKFLOW_ID
from core.tracing.spans import TraceHeaders, span

HEADER = "_tracer-data"


def read_trace(headers: Mapping[str, Payload]) -> TraceHeaders:
    """Return the trace headers that a call of Temporal carries; none if they are malformed."""
    if HEADER not in headers:
        return {}
    try:
        carried = PayloadConverter.default.from_payload(headers[HEADER])
    except (RuntimeError, ValueError):
        return {}
    if not isinstance(carried, dict):
        return {}
    return {str(name): value for name, value in carried.items() if isinstance(value, str)}


def with_trace(headers: Mapping[str, Payload], trace: TraceHeaders) -> Mapping[str, Payload]:
    """Return the headers of a call, with those of a trace if there is one."""
    if not trace:
        return headers
    return {**headers, HEADER: PayloadConverter.default.to_payload(dict(trace))}


class ActivityTracing(Interceptor):
    """An interceptor that records each attempt of an activity whose workflow is traced."""

    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:  # noqa: A002 (the base class names it so)
        return _TracedActivity(next)


class _TracedActivity(ActivityInboundInterceptor):
    async def execute_activity(self, input: ExecuteActivityInput) -> Any:  # noqa: A002 (as above)
        trace = read_trace(input.headers)
        if not trace:
            return await super().execute_activity(input)
        info = activity.info()
        attributes = {
            WORKFLOW_ID: info.workflow_id or "",
            RUN_ID: info.workflow_run_id or "",
            ACTIVITY_ID: info.activity_id,
        }
        name = f"RunActivity:{info.activity_type}"
        with span(name, "server", attributes, parent=trace) as current:
            try:
                return await super().execute_activity(input)
            except ApplicationError as error:
                current.fail(error.type or "ApplicationError")
                raise
