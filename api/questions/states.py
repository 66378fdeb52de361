"""Where a question is: from the workflow itself, and from what the cluster knows of it."""

import asyncio
from collections.abc import Sequence
from typing import Any, TypeVar

from temporalio.client import (
    Client,
    WorkflowExecution,
    WorkflowExecutionDescription,
    WorkflowExecutionStatus,
    WorkflowFailureError,
    WorkflowHandle,
    WorkflowQueryFailedError,
)
from temporalio.exceptions import ApplicationError
from temporalio.service import RPCError, RPCStatusCode

from api.questions.ownership import Ownership
from api.temporal import CALL_S, Temporal
from api.wire.questions import QuestionAnswer
from core.contracts.names import (
    DEADLINE_EXCEEDED,
    PROGRESS_QUERY,
    QUERY_WORKFLOW,
    RESULT_QUERY,
    Stage,
)
from core.contracts.query import Progress, QueryResult, QueryStatus, StageProgress
from core.domain.errors import NotFound
from workflows import search_attributes
from workflows.failures import sentence

QUERY_MEMO = "query"
"""The memo that has the beginning of the question."""

WORKER_S = 2.0
"""How long a worker has to answer a query, before the question is told without it."""

Answer = TypeVar("Answer", Progress, QueryResult)

_STATUSES: dict[WorkflowExecutionStatus | None, QueryStatus] = {
    WorkflowExecutionStatus.COMPLETED: "completed",
    WorkflowExecutionStatus.CANCELED: "cancelled",
    WorkflowExecutionStatus.FAILED: "failed",
    WorkflowExecutionStatus.TERMINATED: "failed",
    WorkflowExecutionStatus.TIMED_OUT: "timed_out",
}


def status_of(execution: WorkflowExecution) -> QueryStatus:
    """As the cluster knows it; a question that ran out of its own time has failed there."""
    status = _STATUSES.get(execution.status, "running")
    said = execution.typed_search_attributes.get(search_attributes.STATUS)
    return "timed_out" if status == "failed" and said == "timed_out" else status


async def describe(
    client: Client, ownership: Ownership, workflow_id: str
) -> WorkflowExecutionDescription:
    """Raises: NotFound: this instance has no question of this id, though maybe the cluster has
    another workflow or another instance's question.
    """
    ownership.require_possible(workflow_id)
    try:
        description = await client.get_workflow_handle(workflow_id).describe()
    except RPCError as error:
        if error.status is RPCStatusCode.NOT_FOUND:
            raise NotFound("question", workflow_id) from error
        raise
    if description.workflow_type != QUERY_WORKFLOW:
        raise NotFound("question", workflow_id)
    ownership.require(description)
    return description


async def query_of(execution: WorkflowExecution) -> str | None:
    """Return the beginning of the question; those of older releases have none."""
    query: str | None = await execution.memo_value(QUERY_MEMO, default=None)
    return query


async def state(temporal: Temporal, ownership: Ownership, workflow_id: str) -> QuestionAnswer:
    """All that can be told now.

    Stages are the workflow's to tell, so they need a worker, also once it has closed; the
    result of a closed one is in its history and needs none.

    Raises:
        NotFound: there is no such question.
        Unavailable: no Temporal in reach.
    """
    async with temporal.calls(CALL_S + WORKER_S) as client:
        description = await describe(client, ownership, workflow_id)
        handle = client.get_workflow_handle(
            workflow_id, run_id=description.run_id, result_type=QueryResult
        )
        running = status_of(description) == "running"
        told = await (_running if running else _closed)(handle, description)
        return told.model_copy(update={"query": await query_of(description)})


async def _running(
    handle: WorkflowHandle[Any, QueryResult], description: WorkflowExecutionDescription
) -> QuestionAnswer:
    progress, result = await asyncio.gather(
        _asked(handle, PROGRESS_QUERY, Progress), _asked(handle, RESULT_QUERY, QueryResult)
    )
    if progress is not None and progress.status != "running":
        # It closes at this moment.
        return await _closed(handle, description, progress)
    told = _told(description, progress)
    return told.model_copy(
        update={"result": result, "stages": _with_attempts(told.stages, description)}
    )


async def _closed(
    handle: WorkflowHandle[Any, QueryResult],
    description: WorkflowExecutionDescription,
    progress: Progress | None = None,
) -> QuestionAnswer:
    progress = progress or await _asked(handle, PROGRESS_QUERY, Progress)
    told = _told(description, progress)
    try:
        result = await handle.result(follow_runs=False)
    except WorkflowFailureError as failure:
        return told.model_copy(update=_why(failure.cause, told))
    return told.model_copy(update={"status": "completed", "result": result})


def _told(description: WorkflowExecutionDescription, progress: Progress | None) -> QuestionAnswer:
    stage = description.typed_search_attributes.get(search_attributes.STAGE)
    known = progress or Progress(stage=Stage(stage) if stage else None)
    # What the workflow says may be newer; that it was terminated only the cluster knows.
    status = status_of(description) if known.status == "running" else known.status
    return QuestionAnswer(
        workflow_id=description.id,
        status=status,
        library=description.typed_search_attributes.get(search_attributes.LIBRARY),
        stage=known.stage,
        stages=_ended(known.stages, status, description),
        error=known.error,
        feedback=known.feedback,
    )


def _ended(
    stages: Sequence[StageProgress], status: QueryStatus, description: WorkflowExecutionDescription
) -> list[StageProgress]:
    """The stages of a closed question, none of which runs.

    The workflow cannot end its stage itself if it was terminated or ran out of Temporal's time.
    """
    if status == "running":
        return list(stages)
    ending = {"status": "failed" if status == "failed" else "cancelled"}
    update = {**ending, "ended_at": description.close_time}
    return [
        stage.model_copy(update=update) if stage.status == "running" else stage for stage in stages
    ]


def _why(cause: BaseException, told: QuestionAnswer) -> dict[str, object]:
    """Status and error of a question without a result."""
    status = told.status
    if isinstance(cause, ApplicationError) and cause.type == DEADLINE_EXCEEDED:
        status = "timed_out"
    return {"status": status, "error": told.error or sentence(cause)}


def _with_attempts(
    stages: Sequence[StageProgress], description: WorkflowExecutionDescription
) -> list[StageProgress]:
    """With the attempts of activities that run, which only the server counts."""
    attempts = {
        pending.activity_type.name: pending.attempt
        for pending in description.raw_description.pending_activities
    }
    return [
        stage.model_copy(update={"attempt": attempts.get(stage.name, stage.attempt)})
        for stage in stages
    ]


async def _asked(
    handle: WorkflowHandle[Any, QueryResult], query: str, answer: type[Answer]
) -> Answer | None:
    """The workflow's answer to a query; `None` if no worker gives one in time."""
    try:
        async with asyncio.timeout(WORKER_S):
            answered: Answer | None = await handle.query(query, result_type=answer)
    except (TimeoutError, RPCError, WorkflowQueryFailedError):
        return None
    return answered
