"""What can be said to a question while it runs."""

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
    """Stop what runs for it; it is `cancelled` once that has stopped, and may be told so again.

    Raises:
        NotFound, Unavailable; Conflict: it has closed otherwise.
    """
    async with _reached(temporal, ownership, workflow_id) as (_, handle, status):
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
    """Keep with the question what a reader thought of it; calls of one name count once.

    Raises:
        NotFound, Unavailable; Conflict: it has closed, and takes in nothing more itself.
    """
    async with _reached(temporal, ownership, workflow_id) as (client, handle, status):
        _require_running(status)
        # `handle.signal` would name each call anew.
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
async def _reached(
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
        raise Conflict(f"The question is over: it is {status}.")
