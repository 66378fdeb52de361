"""State of a model change: from the record, and from the cluster's record of its workflow."""

from contextlib import suppress
from datetime import UTC, datetime

from fastapi.concurrency import run_in_threadpool
from temporalio.client import Client, WorkflowExecutionDescription, WorkflowFailureError

from api.model_changes.starting import ModelChangeStarts, describe, is_running
from api.pending_tasks import latest_failed_attempt, waits_for_worker
from api.temporal import Temporal
from api.wire.model_changes import ModelChangeResponse
from core.bootstrap import Core
from core.domain.errors import Unavailable
from core.domain.model_change import ModelChange
from core.services.positioned import Positioned
from workflows.failures import sentence

_GONE = "The workflow of the change is gone. Start the change again."


async def model_change_state(
    core: Core, temporal: Temporal, starts: ModelChangeStarts, library: str
) -> Positioned[ModelChangeResponse]:
    """Return the state of a library's last change.

    Without Temporal in reach, a change in progress lacks what only the cluster knows.

    Raises:
        NotFound: there is no such library.
    """
    current, position = await _read(core, library)
    if current is not None and current.state.in_progress:
        with suppress(Unavailable):
            async with starts.lock:
                return await _in_progress(core, temporal, library)
    return Positioned(ModelChangeResponse.of(current), position)


async def _in_progress(
    core: Core, temporal: Temporal, library: str
) -> Positioned[ModelChangeResponse]:
    """Return the state with what the cluster knows; a change without its workflow has failed.

    Raises:
        Unavailable: Temporal is unreachable.
    """
    change, _ = await _read(core, library)
    known: dict[str, object] = {}
    if change is not None and change.state.in_progress:
        async with temporal.calls() as client:
            description = await describe(client, change.workflow_id)
            if description is None:
                known = {"state": "failed", "error": _GONE}
            elif is_running(description):
                known = _waits(description)
            else:
                known = {"state": "failed", "error": await _why_closed(client, description)}
    last, position = await _read(core, library)  # the change may have ended while we looked
    response = ModelChangeResponse.of(last)
    if last is None or not last.state.in_progress:
        known = {}
    return Positioned(response.model_copy(update=known), position)


async def _read(core: Core, library: str) -> tuple[ModelChange | None, int]:
    current = await run_in_threadpool(core.model_changes.get, library)
    return current.value[1], current.position


def _waits(description: WorkflowExecutionDescription) -> dict[str, object]:
    now = datetime.now(UTC)
    failed = latest_failed_attempt(description, now)
    return {
        "waiting_for": "worker" if waits_for_worker(description, now) else None,
        "last_failure": failed and failed.last_failure,
        "next_attempt_at": failed and failed.next_attempt_at,
    }


async def _why_closed(client: Client, description: WorkflowExecutionDescription) -> str:
    handle = client.get_workflow_handle(description.id, run_id=description.run_id)
    try:
        await handle.result()
    except WorkflowFailureError as failure:
        return f"{sentence(failure.cause, 'change')} Start it again."
    return _GONE
