"""State of an ingestion: from its workflow, and from the cluster's record of the workflow."""

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from temporalio.client import (
    Client,
    WorkflowExecutionDescription,
    WorkflowExecutionStatus,
    WorkflowFailureError,
    WorkflowHandle,
    WorkflowQueryFailedError,
)
from temporalio.service import RPCError

from api.pending_tasks import latest_failed_attempt, waits_for_worker
from api.temporal import CALL_S, Temporal, describe_workflow
from api.wire.ingestions import IngestionResponse
from core.contracts.ingest import FileCounts, FileOutcome, IngestProgress, IngestStatus
from core.contracts.names import (
    INGEST_WORKFLOW,
    OUTCOMES_QUERY,
    PROGRESS_QUERY,
    ingestion_prefix,
)
from core.domain.errors import NotFound, Unavailable
from workflows import search_attributes
from workflows.failures import sentence

WORKER_S = 2.0
"""Timeout of a workflow query, after which the state has no counts."""

TOTAL_MEMO = "total"

_CLOSED: Mapping[WorkflowExecutionStatus | None, IngestStatus] = {
    WorkflowExecutionStatus.COMPLETED: "completed",
    WorkflowExecutionStatus.CANCELED: "cancelled",
    WorkflowExecutionStatus.FAILED: "failed",
    WorkflowExecutionStatus.TERMINATED: "failed",
    WorkflowExecutionStatus.TIMED_OUT: "failed",
}


@dataclass(frozen=True, slots=True)
class IngestionExecution:
    """An ingestion's workflow, as the cluster describes its latest run."""

    handle: WorkflowHandle[Any, IngestProgress]
    description: WorkflowExecutionDescription

    @property
    def closed_status(self) -> IngestStatus | None:
        """Return the status of a closed workflow, or `None` for a running one."""
        return _CLOSED.get(self.description.status)

    @property
    def library_id(self) -> str | None:
        return self.description.typed_search_attributes.get(search_attributes.LIBRARY)


async def find_ingestion(client: Client, instance_id: str, workflow_id: str) -> IngestionExecution:
    """Return an ingestion of this instance.

    Raises:
        NotFound: this instance has no ingestion with this id.
    """
    if not workflow_id.startswith(ingestion_prefix(instance_id)):
        raise NotFound("ingestion", workflow_id)
    description = await describe_workflow(client, "ingestion", workflow_id, INGEST_WORKFLOW)
    handle = client.get_workflow_handle(
        workflow_id, run_id=description.run_id, result_type=IngestProgress
    )
    return IngestionExecution(handle, description)


async def ingestion_state(
    temporal: Temporal, instance_id: str, workflow_id: str
) -> IngestionResponse:
    """Return the state of an ingestion; without a worker, one that runs has no counts.

    Raises:
        NotFound: there is no such ingestion.
        Unavailable: Temporal is unreachable.
    """
    async with temporal.calls(CALL_S + WORKER_S) as client:
        return await _state(await find_ingestion(client, instance_id, workflow_id))


async def state_and_outcomes(
    temporal: Temporal, instance_id: str, workflow_id: str, after: int
) -> tuple[IngestionResponse, list[FileOutcome]]:
    """Return the state of an ingestion, and the outcomes of files after the first `after` ones.

    The outcomes are those of the state or later; none while no worker responds.

    Raises:
        NotFound: there is no such ingestion.
        Unavailable: Temporal is unreachable.
    """
    async with temporal.calls(CALL_S + 2 * WORKER_S) as client:
        ingestion = await find_ingestion(client, instance_id, workflow_id)
        state = await _state(ingestion)
        if state.files.ended <= after:
            return state, []
        return state, await _ask(ingestion, OUTCOMES_QUERY, list[FileOutcome], after) or []


async def wait_until_closed(temporal: Temporal, workflow_id: str) -> None:
    """Return once the ingestion has closed, or Temporal can't tell."""
    with suppress(RPCError, WorkflowFailureError, Unavailable):
        client = await temporal.client()
        await client.get_workflow_handle(workflow_id).result()


async def _state(ingestion: IngestionExecution) -> IngestionResponse:
    known, error = await _query_progress(ingestion)
    progress = known or await _estimate_progress(ingestion)
    description, now = ingestion.description, datetime.now(UTC)
    is_running = ingestion.closed_status is None
    failed = latest_failed_attempt(description, now) if is_running else None
    waits = is_running and known is None and waits_for_worker(description, now)
    return IngestionResponse(
        workflow_id=description.id,
        status=ingestion.closed_status or _status_of_running(progress),
        library=ingestion.library_id,
        files=progress.files,
        chunks=progress.chunks,
        failures=progress.failures,
        waiting_for="worker" if waits else None,
        last_failure=failed and failed.last_failure,
        next_attempt_at=failed and failed.next_attempt_at,
        error=progress.error or error,
        started_at=description.start_time,
        ended_at=description.close_time,
    )


def _status_of_running(progress: IngestProgress) -> IngestStatus:
    """Return the status until the cluster closes the workflow, which may know its end before."""
    return "paused" if progress.status == "paused" else "running"


async def _query_progress(
    ingestion: IngestionExecution,
) -> tuple[IngestProgress | None, str | None]:
    """Return the progress, `None` if no worker answers, and why a closed ingestion failed."""
    error = None
    if ingestion.closed_status is not None:
        try:
            return await ingestion.handle.result(follow_runs=False), None
        except WorkflowFailureError as failure:
            error = sentence(failure.cause) if ingestion.closed_status == "failed" else None
    return await _ask(ingestion, PROGRESS_QUERY, IngestProgress), error


async def _estimate_progress(ingestion: IngestionExecution) -> IngestProgress:
    total: int = await ingestion.description.memo_value(TOTAL_MEMO, default=0)
    status_attribute = ingestion.description.typed_search_attributes.get(search_attributes.STATUS)
    return IngestProgress(
        status="paused" if status_attribute == "paused" else "running",
        files=FileCounts(total=total),
    )


async def _ask(
    ingestion: IngestionExecution, query: str, answer: type[Any], *arguments: object
) -> Any:
    """Return the workflow's answer to a query, or `None` if no worker answers in time."""
    try:
        async with asyncio.timeout(WORKER_S):
            return await ingestion.handle.query(query, args=arguments, result_type=answer)
    except (TimeoutError, RPCError, WorkflowQueryFailedError):
        return None
