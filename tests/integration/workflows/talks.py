"""Conversations of the tests, and of the recorder of histories."""

import uuid
from datetime import UTC, datetime
from typing import Any

from temporalio.client import Client, WorkflowHandle

from core.contracts.conversation import (
    Conversation,
    ConversationState,
    StartedTurn,
    Turn,
    TurnRequest,
)
from core.contracts.names import ASK_UPDATE
from tests.integration.workflows.stages import REQUEST, until
from workflows.conversation import ConversationWorkflow

Talk = WorkflowHandle[ConversationWorkflow, None]

STATE = ConversationState(idle_s=3600)
THEN = datetime(2026, 1, 1, tzinfo=UTC)


async def begin(client: Client, queue: str, state: ConversationState = STATE) -> Talk:
    return await client.start_workflow(
        ConversationWorkflow.run, state, id=f"conversation-{uuid.uuid4()}", task_queue=queue
    )


async def turns_of(talk: Talk) -> list[Turn]:
    conversation: Conversation = await talk.query(ConversationWorkflow.conversation)
    return conversation.turns


def turn(query: str = "How?", name: str | None = None, **changes: Any) -> TurnRequest:
    return TurnRequest(
        workflow_id=name or f"query-{uuid.uuid4()}",
        question=REQUEST.model_copy(update={"query": query, **changes}),
        memo={"query": query},
        summary=query[:10],
    )


async def ask(talk: Talk, request: TurnRequest) -> StartedTurn:
    started: StartedTurn = await talk.execute_update(ASK_UPDATE, request, result_type=StartedTurn)
    return started


async def until_ended(talk: Talk, turns: int) -> list[Turn]:
    """Wait until the last of this number of turns has ended."""

    async def ended() -> bool:
        known = await turns_of(talk)
        return len(known) == turns and known[-1].status != "running"

    await until(ended)
    return await turns_of(talk)
