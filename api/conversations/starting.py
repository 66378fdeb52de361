"""Start of a conversation; an idempotency key always names the same one."""

from dataclasses import dataclass
from datetime import UTC, datetime

from temporalio.client import Client, WorkflowExecutionStatus
from temporalio.common import WorkflowIDReusePolicy
from temporalio.exceptions import WorkflowAlreadyStartedError

from api.temporal import Temporal
from api.workflow_starts import DEAD_WORKER_AFTER, FINGERPRINT_MEMO, name_of, reuse_start
from core.contracts.conversation import ConversationState
from core.contracts.names import CONVERSATION_WORKFLOW, conversation_prefix
from core.domain.errors import Conflict

CREATED_MEMO = "created_at"
"""Key of a conversation's memo for its first start; a continued run starts later."""


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
        Conflict: the conversation that the key has started has ended.
        Unavailable: Temporal is unreachable.
    """
    conversation_id = f"{conversation_prefix(instance_id)}{name_of(key)}"
    created_at = datetime.now(UTC)
    async with temporal.calls() as client:
        try:
            await client.start_workflow(
                CONVERSATION_WORKFLOW,
                state.model_copy(update={"created_at": created_at}),
                id=conversation_id,
                task_queue=task_queue,
                task_timeout=DEAD_WORKER_AFTER,
                id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE,
                static_summary="A conversation",
                memo={FINGERPRINT_MEMO: fingerprint, CREATED_MEMO: created_at.isoformat()},
            )
        except WorkflowAlreadyStartedError:
            return await _reuse(client, conversation_id, fingerprint)
    return StartedConversation(conversation_id, created_at)


async def _reuse(client: Client, conversation_id: str, fingerprint: str) -> StartedConversation:
    """Return the conversation that an earlier request with the same key has started.

    Raises:
        Invalid: that request was another one.
        Conflict: the conversation has ended.
    """
    description = await client.get_workflow_handle(conversation_id).describe()
    await reuse_start(description, fingerprint)
    if description.status is not WorkflowExecutionStatus.RUNNING:
        raise Conflict("The conversation of this key has ended: use a new key.")
    created_at: str = await description.memo_value(CREATED_MEMO)
    return StartedConversation(conversation_id, datetime.fromisoformat(created_at), again=True)
