"""The turns of a conversation, each of which its workflow starts as a question."""

import asyncio

from temporalio.client import (
    Client,
    WorkflowUpdateFailedError,
    WorkflowUpdateRPCTimeoutOrCancelledError,
)
from temporalio.exceptions import ApplicationError
from temporalio.service import RPCError, RPCStatusCode

from api.conversations.states import describe_conversation
from api.questions.ownership import Ownership
from api.questions.starting import QuestionStart
from api.questions.states import describe, status_of
from api.temporal import RETRY_AFTER_S, Temporal
from api.workflow_starts import StartedWorkflow, reuse_start
from core.contracts.conversation import StartedTurn, TurnRequest
from core.contracts.names import ASK_UPDATE, TURN_RUNS, WRONG_LIBRARY
from core.domain.errors import Conflict, Invalid, NotFound, Unavailable

AGAIN_S = 0.05
"""The time until the next try while the conversation does not know yet that its turn has ended."""

_ENDED_MEANWHILE = "AcceptedUpdateCompletedWorkflow"
"""The failure type that Temporal gives an update whose workflow ends before it has a result."""

_NO_WORKER = (
    "No worker has taken the turn in time. Start one with `nalanda worker`, or retry later; under "
    "the same Idempotency-Key the turn counts once."
)


async def start_turn(
    temporal: Temporal, ownership: Ownership, conversation_id: str, start: QuestionStart
) -> StartedWorkflow:
    """Start a question as the next turn of a conversation, or find what its key has started.

    Raises:
        NotFound: there is no such conversation.
        Conflict: another turn is still running.
        Invalid: another question has used the key, or the conversation is about another library.
        Unavailable: Temporal is unreachable, or no worker takes the turn in time.
    """
    request = TurnRequest(
        workflow_id=start.workflow_id,
        question=start.request,
        memo=start.memo,
        summary=start.summary,
    )
    async with temporal.calls() as client:
        while True:
            await describe_conversation(client, ownership.instance_id, conversation_id)
            started = await _try(client, ownership, conversation_id, request)
            if started is None:
                await asyncio.sleep(AGAIN_S)
            elif started.run_id is not None:
                return StartedWorkflow(start.workflow_id, started.run_id)
            else:
                description = await describe(client, ownership, start.workflow_id)
                return await reuse_start(description, start.fingerprint)


async def _try(
    client: Client, ownership: Ownership, conversation_id: str, request: TurnRequest
) -> StartedTurn | None:
    """Send the update; return `None` if the conversation takes the turn in a moment.

    Raises:
        Conflict: another turn is still running.
        Unavailable: no worker takes the turn in time.
    """
    handle = client.get_workflow_handle(conversation_id)
    try:
        started: StartedTurn = await handle.execute_update(
            ASK_UPDATE, request, result_type=StartedTurn
        )
    except WorkflowUpdateRPCTimeoutOrCancelledError as error:
        raise Unavailable(_NO_WORKER, retry_after_s=RETRY_AFTER_S) from error
    except WorkflowUpdateFailedError as error:
        if isinstance(error.cause, ApplicationError) and error.cause.type == _ENDED_MEANWHILE:
            return None  # the next try finds no conversation
        running_id = _running_id(error.cause)
        if running_id == request.workflow_id:
            return None  # the same request, which is being started
        if await _is_running(client, ownership, running_id):
            detail = f"The turn {running_id} of this conversation is still running."
            raise Conflict(f"{detail} Wait for its end, or cancel it.") from error
        return None
    except RPCError as error:
        # The workflow continues as new, or was deleted, which the next try finds.
        if error.status not in (RPCStatusCode.NOT_FOUND, RPCStatusCode.ABORTED):
            raise
        return None
    return started


async def _is_running(client: Client, ownership: Ownership, workflow_id: str) -> bool:
    """Return whether a turn has started and runs; a moment before its start Temporal has none."""
    try:
        return status_of(await describe(client, ownership, workflow_id)) == "running"
    except NotFound:
        return False


def _running_id(cause: BaseException) -> str:
    """Return the workflow id of the running turn, for which the turn was refused.

    Raises:
        Invalid: the conversation is about another library.
        Conflict: the conversation has refused the turn for another reason.
    """
    match cause:
        case ApplicationError(type=kind, details=[str(running_id)]) if kind == TURN_RUNS:
            return running_id
        case ApplicationError(type=kind) if kind == WRONG_LIBRARY:
            raise Invalid.at("/library", cause.message) from cause
        case _:
            raise Conflict(f"The conversation does not take this turn: {cause}") from cause
