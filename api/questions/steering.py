"""Cancellation of a question, and feedback on its answer."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import NAMESPACE_URL, uuid4, uuid5

from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.workflowservice.v1 import SignalWorkflowExecutionRequest
from temporalio.client import Client, WorkflowHandle
from temporalio.service import RPCError, RPCStatusCode

from api.questions.ownership import Ownership
from api.questions.states import describe, status_of
from api.temporal import Temporal
from core.contracts.names import FEEDBACK_SIGNAL
from core.contracts.query import Feedback, QueryStatus
from core.domain.errors import Conflict


async def cancel(temporal: Temporal, ownership: Ownership, workflow_id: str) -> None:
    """Request cancellation; the status is `cancelled` once all stages have stopped. Idempotent.

    Raises:
        NotFound: there is no such question.
        Unavailable: Temporal is unreachable.
        Conflict: the question has closed with another status.
    """
    async with _open_workflow(temporal, ownership, workflow_id) as (_, handle, status):
        if status != "cancelled":
            _require_running(status)
            await handle.cancel()


async def give_feedback(
    temporal: Temporal,
    ownership: Ownership,
    workflow_id: str,
    feedback: Feedback,
    *,
    call: str | None = None,
) -> None:
    """Store a reader's feedback with the question; calls with the same name count once.

    Raises:
        NotFound: there is no such question.
        Unavailable: Temporal is unreachable.
        Conflict: the question has closed, so its workflow accepts no feedback.
    """
    async with _open_workflow(temporal, ownership, workflow_id) as (client, handle, status):
        _require_running(status)
        # `handle.signal` would give each call a new request id.
        signal = SignalWorkflowExecutionRequest(
            namespace=client.namespace,
            workflow_execution=WorkflowExecution(workflow_id=handle.id, run_id=handle.run_id or ""),
            signal_name=FEEDBACK_SIGNAL,
            identity=client.identity,
            request_id=str(uuid5(NAMESPACE_URL, call) if call else uuid4()),
        )
        signal.input.payloads.extend(await client.data_converter.encode([feedback]))
        await client.workflow_service.signal_workflow_execution(signal, retry=True)


@asynccontextmanager
async def _open_workflow(
    temporal: Temporal, ownership: Ownership, workflow_id: str
) -> AsyncIterator[tuple[Client, WorkflowHandle[Any, Any], QueryStatus]]:
    async with temporal.calls() as client:
        description = await describe(client, ownership, workflow_id)
        handle = client.get_workflow_handle(workflow_id, run_id=description.run_id)
        try:
            yield client, handle, status_of(description)
        except RPCError as error:
            if error.status is RPCStatusCode.NOT_FOUND:
                raise Conflict("The question has just closed.") from error
            raise


def _require_running(status: QueryStatus) -> None:
    if status != "running":
        raise Conflict(f"The question has already closed: its status is {status}.")
