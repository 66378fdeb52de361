"""Steering of a question: cancellation, new parameters, reviews, and feedback on its answer."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, TypeVar
from uuid import NAMESPACE_URL, uuid4, uuid5

from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.workflowservice.v1 import SignalWorkflowExecutionRequest
from temporalio.client import (
    Client,
    WorkflowExecutionDescription,
    WorkflowHandle,
    WorkflowUpdateFailedError,
    WorkflowUpdateRPCTimeoutOrCancelledError,
)
from temporalio.exceptions import ApplicationError
from temporalio.service import RPCError, RPCStatusCode

from api.questions.ownership import Ownership
from api.questions.states import WORKER_S, describe, status_of
from api.temporal import RETRY_AFTER_S, Temporal
from core.contracts.names import (
    ADJUST,
    FEEDBACK_SIGNAL,
    NOT_AWAITED,
    NOT_OFFERED,
    REVIEW_UPDATE,
)
from core.contracts.query import Feedback, Preview, QueryStatus
from core.contracts.review import Adjustment, Review
from core.domain.errors import Conflict, Invalid, Unavailable
from workflows import search_attributes

Output = TypeVar("Output")

_NO_WORKER = "No worker has taken the change in time. Retry after the seconds in Retry-After."


async def cancel(temporal: Temporal, ownership: Ownership, workflow_id: str) -> None:
    """Request cancellation; the status is `cancelled` once all stages have stopped. Idempotent.

    Raises:
        NotFound: there is no such question.
        Unavailable: Temporal is unreachable.
        Conflict: the question has closed with another status.
    """
    async with _open_workflow(temporal, ownership, workflow_id) as (_, handle, described):
        status = status_of(described)
        if status != "cancelled":
            _require_running(status)
            await handle.cancel()


async def adjust(
    temporal: Temporal,
    ownership: Ownership,
    workflow_id: str,
    adjustment: Adjustment,
    *,
    check: Callable[[str], None],
    call: str | None = None,
) -> None:
    """Change parameters before the stage that reads them; calls with the same name count once.

    `check` refuses what the question's library, of which it gets the id, does not allow. If no
    worker takes the change in time, it waits for one.

    Raises:
        NotFound: there is no such question.
        Unavailable: Temporal is unreachable.
        Conflict: the stage has begun, or the question has closed.
    """
    async with _open_workflow(temporal, ownership, workflow_id) as (_, handle, described):
        _require_running(status_of(described), call)
        library_id = described.typed_search_attributes.get(search_attributes.LIBRARY)
        if library_id is not None:
            check(library_id)
        # Not the model, whose JSON would have the defaults of what is left out.
        given = adjustment.model_dump(exclude_unset=True)
        try:
            async with asyncio.timeout(WORKER_S):
                await _update(handle, ADJUST, given, type(None), call)
        except Unavailable:
            # A worker that comes takes the signal before it begins a stage.
            await handle.signal(ADJUST, given)


async def review(
    temporal: Temporal,
    ownership: Ownership,
    workflow_id: str,
    decided: Review,
    *,
    call: str | None = None,
) -> Preview:
    """Review the hits of a question, and return what is left of them; once for calls of one name.

    Raises:
        NotFound: there is no such question.
        Unavailable: Temporal is unreachable, or no worker takes the review in time.
        Conflict: no review is awaited, or the question has closed.
        Invalid: the review names a chunk that was not offered.
    """
    async with _open_workflow(temporal, ownership, workflow_id) as (_, handle, described):
        _require_running(status_of(described), call)
        return await _update(handle, REVIEW_UPDATE, decided, Preview, call)


async def _update(
    handle: WorkflowHandle[Any, Any],
    name: str,
    given: object,
    output: type[Output],
    call: str | None,
) -> Output:
    """Send an update, whose id is that of the call, and return what the workflow answers."""
    try:
        answer: Output = await handle.execute_update(
            name, given, id=_request_id(call), result_type=output
        )
    except WorkflowUpdateRPCTimeoutOrCancelledError as error:
        raise Unavailable(_NO_WORKER, retry_after_s=RETRY_AFTER_S) from error
    except WorkflowUpdateFailedError as error:
        raise _refusal(error.cause) from error
    return answer


def _refusal(cause: BaseException) -> Exception:
    """Return the domain's error for an update that the workflow has refused."""
    match cause:
        case ApplicationError(type=kind, details=[str(pointer)]) if kind == NOT_OFFERED:
            return Invalid.at(pointer, cause.message)
        case ApplicationError(type=kind) if kind == NOT_AWAITED:
            return Conflict(cause.message)
        case _:
            return Conflict(f"The question does not take this change: {cause}")


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
    async with _open_workflow(temporal, ownership, workflow_id) as (client, handle, described):
        _require_running(status_of(described))
        # `handle.signal` would give each call a new request id.
        signal = SignalWorkflowExecutionRequest(
            namespace=client.namespace,
            workflow_execution=WorkflowExecution(workflow_id=handle.id, run_id=handle.run_id or ""),
            signal_name=FEEDBACK_SIGNAL,
            identity=client.identity,
            request_id=_request_id(call),
        )
        signal.input.payloads.extend(await client.data_converter.encode([feedback]))
        await client.workflow_service.signal_workflow_execution(signal, retry=True)


@asynccontextmanager
async def _open_workflow(
    temporal: Temporal, ownership: Ownership, workflow_id: str
) -> AsyncIterator[tuple[Client, WorkflowHandle[Any, Any], WorkflowExecutionDescription]]:
    async with temporal.calls() as client:
        description = await describe(client, ownership, workflow_id)
        handle = client.get_workflow_handle(workflow_id, run_id=description.run_id)
        try:
            yield client, handle, description
        except RPCError as error:
            if error.status is RPCStatusCode.NOT_FOUND:
                raise Conflict("The question has closed.") from error
            raise


def _request_id(call: str | None) -> str:
    """Return the id under which the cluster takes a message once; a new one without a call."""
    return str(uuid5(NAMESPACE_URL, call) if call else uuid4())


def _require_running(status: QueryStatus, call: str | None = None) -> None:
    """Check that the question runs; the cluster itself answers a call that it has taken before.

    Raises:
        Conflict: the question has closed.
    """
    if status != "running" and call is None:
        raise Conflict(f"The question has already closed: its status is {status}.")
