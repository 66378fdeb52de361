"""What can be said to a question while it runs."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from temporalio.client import WorkflowHandle
from temporalio.service import RPCError, RPCStatusCode

from api.questions.states import describe, status_of
from api.temporal import Temporal
from core.contracts.names import FEEDBACK_SIGNAL
from core.contracts.query import Feedback
from core.domain.errors import Conflict


async def cancel(temporal: Temporal, workflow_id: str) -> None:
    """Stop what runs for it; it is `cancelled` once that has stopped.

    Raises:
        NotFound, Unavailable; Conflict: it has closed.
    """
    async with _running(temporal, workflow_id) as handle:
        await handle.cancel()


async def give_feedback(temporal: Temporal, workflow_id: str, feedback: Feedback) -> None:
    """Keep with the question what a reader thought of it.

    Raises:
        NotFound, Unavailable; Conflict: it has closed, and takes in nothing more.
    """
    async with _running(temporal, workflow_id) as handle:
        await handle.signal(FEEDBACK_SIGNAL, feedback)


@asynccontextmanager
async def _running(temporal: Temporal, workflow_id: str) -> AsyncIterator[WorkflowHandle[Any, Any]]:
    async with temporal.calls() as client:
        description = await describe(client, workflow_id)
        status = status_of(description)
        if status != "running":
            raise Conflict(f"The question is {status}: nothing more can be said to it.")
        try:
            yield client.get_workflow_handle(workflow_id, run_id=description.run_id)
        except RPCError as error:
            if error.status is RPCStatusCode.NOT_FOUND:
                raise Conflict("The question has just closed.") from error
            raise
