"""Deletion of a conversation: the histories of all runs of its workflow."""

from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from api.conversations.states import describe_conversation
from api.temporal import Temporal, delete_run


async def delete(temporal: Temporal, instance_id: str, conversation_id: str) -> None:
    """End a conversation, and delete its turns; their questions stay, also one that runs.

    Raises:
        NotFound: there is no such conversation.
        Unavailable: Temporal is unreachable.
    """
    async with temporal.calls() as client:
        await describe_conversation(client, instance_id, conversation_id)
        try:
            # At once for every reader: Temporal deletes a history a moment later.
            await client.get_workflow_handle(conversation_id).terminate("deleted")
            run_id: str | None = None
            while run_id != "":
                run_id = await _delete_run(client, conversation_id, run_id)
        except RPCError as error:  # another call deletes it as well, or the retention has
            if error.status is not RPCStatusCode.NOT_FOUND:
                raise


async def _delete_run(client: Client, conversation_id: str, run_id: str | None) -> str:
    """Delete a run, the last one by default; return the run before it, empty for none."""
    handle = client.get_workflow_handle(conversation_id, run_id=run_id)
    first = await anext(handle.fetch_history_events(page_size=1))
    started = first.workflow_execution_started_event_attributes
    run = run_id or (await handle.describe()).run_id
    await delete_run(client, conversation_id, run)
    return started.continued_execution_run_id
