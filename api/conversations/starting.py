"""Start of a conversation; an idempotency key always names the same one."""

from dataclasses import dataclass
from datetime import datetime

from temporalio.common import WorkflowIDReusePolicy
from temporalio.exceptions import WorkflowAlreadyStartedError

from api.temporal import Temporal
from api.workflow_starts import DEAD_WORKER_AFTER, FINGERPRINT_MEMO, name_of, reuse_start
from core.contracts.conversation import ConversationState
from core.contracts.names import CONVERSATION_WORKFLOW, conversation_prefix


@dataclass(frozen=True, slots=True)
class StartedConversation:
    """A started conversation; `again`: an earlier request with the same key started it."""

    id: str
    created_at: datetime
    again: bool = False


async def start_conversation(
    temporal: Temporal,
    instance_id: str,
    task_queue: str,
    state: ConversationState,
    *,
    key: str | None,
    fingerprint: str,
) -> StartedConversation:
    """Start the conversation's workflow, or find the one that the key has started.

    Raises:
        Invalid: another request has used the key.
        Unavailable: Temporal is unreachable.
    """
    conversation_id = f"{conversation_prefix(instance_id)}{name_of(key)}"
    again = False
    async with temporal.calls() as client:
        try:
            await client.start_workflow(
                CONVERSATION_WORKFLOW,
                state,
                id=conversation_id,
                task_queue=task_queue,
                task_timeout=DEAD_WORKER_AFTER,
                id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE,
                static_summary="A conversation",
                memo={FINGERPRINT_MEMO: fingerprint},
            )
        except WorkflowAlreadyStartedError:
            again = True
        description = await client.get_workflow_handle(conversation_id).describe()
        if again:
            await reuse_start(description, fingerprint)
    return StartedConversation(conversation_id, description.start_time, again)
