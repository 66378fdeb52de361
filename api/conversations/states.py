"""State of a conversation, which its workflow has while it runs."""

import asyncio
import re
from typing import Any

from temporalio.client import (
    Client,
    WorkflowExecutionDescription,
    WorkflowExecutionStatus,
    WorkflowHandle,
    WorkflowQueryFailedError,
)
from temporalio.service import RPCError

from api.questions.states import WORKER_S
from api.temporal import CALL_S, RETRY_AFTER_S, Temporal, describe_workflow
from api.wire.conversations import ConversationResponse
from core.contracts.conversation import Conversation
from core.contracts.names import CONVERSATION_QUERY, CONVERSATION_WORKFLOW, conversation_prefix
from core.domain.errors import NotFound, Unavailable

_NO_WORKER = (
    "No worker has answered in time, and only a worker knows the turns. Start one with "
    "`nalanda worker`, or retry later."
)
_NAME = re.compile(r"[0-9a-f-]{1,64}")


async def describe_conversation(
    client: Client, instance_id: str, conversation_id: str
) -> WorkflowExecutionDescription:
    """Return the description of a conversation's workflow.

    Raises:
        NotFound: this instance has no conversation with this id, or it has ended.
    """
    prefix = conversation_prefix(instance_id)
    name = conversation_id.removeprefix(prefix)
    if name == conversation_id or not _NAME.fullmatch(name):
        raise NotFound("conversation", conversation_id)
    description = await describe_workflow(
        client, "conversation", conversation_id, CONVERSATION_WORKFLOW
    )
    if description.status is not WorkflowExecutionStatus.RUNNING:
        raise NotFound("conversation", conversation_id)
    return description


async def read_conversation(
    temporal: Temporal, instance_id: str, conversation_id: str
) -> ConversationResponse:
    """Return a conversation with its turns, in order.

    Raises:
        NotFound: there is no such conversation.
        Unavailable: Temporal is unreachable, or no worker answers.
    """
    async with temporal.calls(CALL_S + WORKER_S) as client:
        await describe_conversation(client, instance_id, conversation_id)
        conversation = await _ask_workflow(client.get_workflow_handle(conversation_id))
    return ConversationResponse.of(conversation_id, conversation)


async def _ask_workflow(handle: WorkflowHandle[Any, Any]) -> Conversation:
    try:
        async with asyncio.timeout(WORKER_S):
            answer: Conversation = await handle.query(CONVERSATION_QUERY, result_type=Conversation)
    except (TimeoutError, RPCError, WorkflowQueryFailedError) as error:
        raise Unavailable(_NO_WORKER, retry_after_s=RETRY_AFTER_S) from error
    return answer
