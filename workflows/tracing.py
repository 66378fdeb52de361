"""Spans of workflows, which no replay records again and a killed worker's successor goes on with.

A workflow outlives the process that runs it, so no process can hold its span. The ids of a run's
spans are computed from the id of the run. Each span is recorded when it ends, with the times of the
history. So the worker that takes over knows the ids that the killed one has given to activities.
"""

from asyncio import CancelledError, Future
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from hashlib import sha256
from re import compile as compile_pattern
from typing import Any, NoReturn

from temporalio import client, worker, workflow
from temporalio.exceptions import ApplicationError, FailureError
from temporalio.workflow import ActivityHandle, ChildWorkflowHandle

with workflow.unsafe.imports_passed_through():
    from activities.tracing import read_trace, with_trace
    from core.tracing.conventions import RUN_ID, WORKFLOW_ID
    from core.tracing.spans import CompletedSpan, Kind, TraceHeaders, record, span, trace_headers

_RECORD = "__nalanda_record_span"
_TRACEPARENT = compile_pattern(r"([0-9a-f]{2}-[0-9a-f]{32})-[0-9a-f]{16}-([0-9a-f]{2})")


class ClientTracing(client.Interceptor):
    """An interceptor that records starts and updates of workflows, and passes the trace on."""

    def intercept_client(self, next: client.OutboundInterceptor) -> client.OutboundInterceptor:  # noqa: A002 (the base class names it so)
        return _TracedClient(next)


class _TracedClient(client.OutboundInterceptor):
    async def start_workflow(
        self,
        input: client.StartWorkflowInput,  # noqa: A002 (as above)
    ) -> client.WorkflowHandle[Any, Any]:
        with span(f"StartWorkflow:{input.workflow}", "client", {WORKFLOW_ID: input.id}):
            input.headers = with_trace(input.headers, trace_headers())
            return await super().start_workflow(input)

    async def start_workflow_update(
        self,
        input: client.StartWorkflowUpdateInput,  # noqa: A002 (as above)
    ) -> client.WorkflowUpdateHandle[Any]:
        with span(f"StartWorkflowUpdate:{input.update}", "client", {WORKFLOW_ID: input.id}):
            input.headers = with_trace(input.headers, trace_headers())
            return await super().start_workflow_update(input)


class WorkflowTracing(worker.Interceptor):
    """An interceptor that records the runs of traced workflows, and what they start."""

    def workflow_interceptor_class(
        self,
        input: worker.WorkflowInterceptorClassInput,  # noqa: A002 (as above)
    ) -> type[worker.WorkflowInboundInterceptor]:
        input.unsafe_extern_functions[_RECORD] = record
        return _TracedWorkflow


@dataclass(frozen=True, slots=True)
class _Step:
    """A span of a workflow that has begun: its ids, and when it began."""

    name: str
    kind: Kind
    parent: TraceHeaders
    key: str
    start_ns: int

    @property
    def span_id(self) -> int:
        """Return an id that is the same in each execution of the workflow's code."""
        key = f"{workflow.info().run_id}/{self.name}/{self.key}"
        return int.from_bytes(sha256(key.encode()).digest()[:8]) or 1

    @property
    def trace(self) -> TraceHeaders:
        """Return the headers of what the step starts."""
        match = _TRACEPARENT.fullmatch(self.parent.get("traceparent", ""))
        if match is None:
            return {}
        return {**self.parent, "traceparent": f"{match[1]}-{self.span_id:016x}-{match[2]}"}

    def end_with(self, call: Future[Any]) -> None:
        """Record the step that has made a call, unless the call was given up with its workflow."""
        if not call.cancelled():
            error = call.exception()
            if error is None or isinstance(error, Exception):
                self.end(error)

    def end(self, error: BaseException | None = None) -> None:
        """Record the step, unless an earlier execution of the workflow's code has done so."""
        if workflow.unsafe.is_replaying_history_events():
            return
        info = workflow.info()
        workflow.extern_functions()[_RECORD](
            CompletedSpan(
                self.name,
                self.kind,
                self.parent,
                self.span_id,
                self.start_ns,
                workflow.time_ns(),
                {WORKFLOW_ID: info.workflow_id, RUN_ID: info.run_id},
                None if error is None else _type_of(error),
            )
        )


_current: ContextVar[TraceHeaders] = ContextVar("_current")
"""The headers of what the current task of a workflow starts; each handler has a task of its own."""


class _TracedWorkflow(worker.WorkflowInboundInterceptor):
    def init(self, outbound: worker.WorkflowOutboundInterceptor) -> None:
        super().init(_TracedCalls(outbound))

    async def execute_workflow(self, input: worker.ExecuteWorkflowInput) -> Any:  # noqa: A002 (as above)
        name = f"RunWorkflow:{workflow.info().workflow_type}"
        with _running(name, read_trace(input.headers)):
            return await super().execute_workflow(input)

    async def handle_update_handler(self, input: worker.HandleUpdateInput) -> Any:  # noqa: A002 (as above)
        with _running(f"HandleUpdate:{input.update}", read_trace(input.headers), input.id):
            return await super().handle_update_handler(input)


@contextmanager
def _running(name: str, trace: TraceHeaders, key: str = "") -> Iterator[None]:
    """Record the block as a span of a trace, with what the block starts below it.

    A block that ends because its workflow leaves this worker's cache has not ended.
    """
    if not trace:
        yield
        return
    step = _Step(name, "server", trace, key, workflow.time_ns())
    _current.set(step.trace)
    try:
        yield
    except workflow.ContinueAsNewError:
        step.end()
        raise
    except (Exception, CancelledError) as error:
        if workflow.is_failure_exception(error) or workflow.cancellation_reason() is not None:
            step.end(error)
        raise
    else:
        step.end()


class _TracedCalls(worker.WorkflowOutboundInterceptor):
    _calls = 0

    def start_activity(self, input: worker.StartActivityInput) -> ActivityHandle[Any]:  # noqa: A002 (as above)
        step = self._begin(f"StartActivity:{input.activity}")
        if step is None:
            return super().start_activity(input)
        input.headers = with_trace(input.headers, step.trace)
        handle = super().start_activity(input)
        handle.add_done_callback(step.end_with)
        return handle

    async def start_child_workflow(
        self,
        input: worker.StartChildWorkflowInput,  # noqa: A002 (as above)
    ) -> ChildWorkflowHandle[Any, Any]:
        step = self._begin(f"StartChildWorkflow:{input.workflow}")
        if step is None:
            return await super().start_child_workflow(input)
        input.headers = with_trace(input.headers, step.trace)
        handle = await super().start_child_workflow(input)
        step.end()
        return handle

    def continue_as_new(self, input: worker.ContinueAsNewInput) -> NoReturn:  # noqa: A002 (as above)
        input.headers = with_trace(input.headers, read_trace(workflow.info().headers))
        super().continue_as_new(input)

    def _begin(self, name: str) -> _Step | None:
        """Begin a step of the current task, if the task is traced."""
        trace = _current.get({})
        self._calls += 1
        if not trace:
            return None
        return _Step(name, "client", trace, f"{self._calls}", workflow.time_ns())


def _type_of(error: BaseException) -> str:
    """Return the type of what has failed in the end, such as an activity's own error."""
    while isinstance(error, FailureError) and error.cause is not None:
        error = error.cause
    own = error.type if isinstance(error, ApplicationError) else None
    return own or type(error).__name__
