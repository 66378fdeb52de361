"""State of a question: from its workflow, and from the cluster's record of the workflow."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
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
from temporalio.service import RPCError

from api.pending_tasks import pending_attempts, waits_for_worker
from api.questions.ownership import Ownership
from api.temporal import CALL_S, Temporal, describe_workflow
from api.wire.questions import QuestionResponse
from core.contracts.names import (
    CONVERSATION_PREFIX,
    DEADLINE_EXCEEDED,
    FOUND_QUERY,
    PROGRESS_QUERY,
    QUERY_WORKFLOW,
    RESULT_QUERY,
)
from core.contracts.query import Progress, QueryResult, QueryStatus, Stage, StageProgress
from core.contracts.rerun import Found
from core.domain.errors import Conflict, NotFound
from workflows import search_attributes
from workflows.failures import sentence

QUERY_MEMO = "query"
"""Name of the memo with the beginning of the question."""

WORKER_S = 2.0
"""Timeout of a workflow query, after which the state has no stages."""

Answer = TypeVar("Answer", Progress, QueryResult, Found)

_STATUSES: dict[WorkflowExecutionStatus | None, QueryStatus] = {
    WorkflowExecutionStatus.COMPLETED: "completed",
    WorkflowExecutionStatus.CANCELED: "cancelled",
    WorkflowExecutionStatus.FAILED: "failed",
    WorkflowExecutionStatus.TERMINATED: "failed",
    WorkflowExecutionStatus.TIMED_OUT: "timed_out",
}


def status_of(execution: WorkflowExecution) -> QueryStatus:
    """Return the status in the cluster; a question past its own deadline is `failed` there."""
    status = _STATUSES.get(execution.status, "running")
    own_status = execution.typed_search_attributes.get(search_attributes.STATUS)
    return "timed_out" if status == "failed" and own_status == "timed_out" else status


async def describe(
    client: Client, ownership: Ownership, workflow_id: str
) -> WorkflowExecutionDescription:
    """Return the description of a question's workflow.

    Raises:
        NotFound: this instance has no question with this id.
    """
    ownership.require_possible(workflow_id)
    description = await describe_workflow(client, "question", workflow_id, QUERY_WORKFLOW)
    ownership.require(description)
    return description


@dataclass(frozen=True, slots=True)
class Outcome:
    """A closed question; `found` is `None` if no worker has answered."""

    execution: WorkflowExecutionDescription
    state: QuestionResponse
    found: Found | None


async def read_outcome(temporal: Temporal, ownership: Ownership, workflow_id: str) -> Outcome:
    """Read all that Temporal and a worker know of a closed question.

    Raises:
        NotFound: there is no such question.
        Conflict: the question still runs.
        Unavailable: Temporal is unreachable.
    """
    async with temporal.calls(CALL_S + WORKER_S) as client:
        description = await describe(client, ownership, workflow_id)
        if status_of(description) == "running":
            raise Conflict("The question is still running.")
        handle = client.get_workflow_handle(
            workflow_id, run_id=description.run_id, result_type=QueryResult
        )
        state, found = await asyncio.gather(
            _closed_state(handle, description), _ask_workflow(handle, FOUND_QUERY, Found)
        )
        query = await query_of(description)
    return Outcome(description, state.model_copy(update={"query": query}), found)


async def query_of(execution: WorkflowExecution) -> str | None:
    """Return the beginning of the question, or `None` for a question of an older release."""
    query: str | None = await execution.memo_value(QUERY_MEMO, default=None)
    return query


async def read_state(
    temporal: Temporal,
    ownership: Ownership,
    workflow_id: str,
    *,
    deleted_at: datetime | None = None,
) -> QuestionResponse:
    """Return the state of a question; none that was asked before `deleted_at`.

    The workflow knows the stages, so they need a worker, even once the workflow has closed. The
    result of a closed workflow is in its history and needs no worker.

    Raises:
        NotFound: there is no such question.
        Unavailable: Temporal is unreachable.
    """
    async with temporal.calls(CALL_S + WORKER_S) as client:
        description = await describe(client, ownership, workflow_id)
        if deleted_at is not None and description.start_time <= deleted_at:
            raise NotFound("question", workflow_id)
        handle = client.get_workflow_handle(
            workflow_id, run_id=description.run_id, result_type=QueryResult
        )
        running = status_of(description) == "running"
        question = await (_running_state if running else _closed_state)(handle, description)
        return question.model_copy(update={"query": await query_of(description)})


async def _running_state(
    handle: WorkflowHandle[Any, QueryResult], description: WorkflowExecutionDescription
) -> QuestionResponse:
    progress, result = await asyncio.gather(
        _ask_workflow(handle, PROGRESS_QUERY, Progress),
        _ask_workflow(handle, RESULT_QUERY, QueryResult),
    )
    if progress is not None and progress.status != "running":
        # The workflow closes at this moment.
        return await _closed_state(handle, description, progress)
    question = _build_state(description, progress)
    now = datetime.now(UTC)
    waits = waits_for_worker(description, now)
    return question.model_copy(
        update={
            "result": result,
            "stages": _with_attempts(question.stages, description, now),
            "waiting_for": "worker" if waits or progress is None else progress.waiting_for,
        }
    )


def _with_attempts(
    stages: Sequence[StageProgress], description: WorkflowExecutionDescription, now: datetime
) -> list[StageProgress]:
    """Return the stages with the attempts of running activities."""
    pending = {attempt.activity: attempt for attempt in pending_attempts(description, now)}
    return [
        stage.model_copy(
            update={
                "attempt": attempt.attempt,
                "last_failure": attempt.last_failure,
                "next_attempt_at": attempt.next_attempt_at,
            }
        )
        if (attempt := pending.get(stage.name))
        else stage
        for stage in stages
    ]


async def _closed_state(
    handle: WorkflowHandle[Any, QueryResult],
    description: WorkflowExecutionDescription,
    progress: Progress | None = None,
) -> QuestionResponse:
    progress = progress or await _ask_workflow(handle, PROGRESS_QUERY, Progress)
    question = _build_state(description, progress)
    try:
        result = await handle.result(follow_runs=False)
    except WorkflowFailureError as failure:
        return question.model_copy(update=_failure_update(failure.cause, question))
    return question.model_copy(update={"status": "completed", "result": result})


def _build_state(
    description: WorkflowExecutionDescription, progress: Progress | None
) -> QuestionResponse:
    stage = description.typed_search_attributes.get(search_attributes.STAGE)
    known = progress or Progress(stage=Stage(stage) if stage else None)
    # The workflow's answer may be newer, but only the cluster knows of a termination.
    status = status_of(description) if known.status == "running" else known.status
    return QuestionResponse(
        workflow_id=description.id,
        status=status,
        library=description.typed_search_attributes.get(search_attributes.LIBRARY),
        conversation_id=_conversation_of(description),
        stage=known.stage,
        stages=_closed_stages(known.stages, status, description),
        error=known.error,
        feedback=known.feedback,
        reviews=known.reviews,
    )


def _conversation_of(description: WorkflowExecutionDescription) -> str | None:
    """Return the id of the conversation that has started a question, or `None`."""
    parent_id = description.parent_id or ""
    return parent_id if parent_id.startswith(CONVERSATION_PREFIX) else None


def _closed_stages(
    stages: Sequence[StageProgress], status: QueryStatus, description: WorkflowExecutionDescription
) -> list[StageProgress]:
    """Return the stages of a closed question, none of which is running.

    A workflow that was terminated or timed out in Temporal has not ended its own stage.
    """
    if status == "running":
        return list(stages)
    ending = {"status": "failed" if status == "failed" else "cancelled"}
    update = {**ending, "ended_at": description.close_time}
    return [
        stage.model_copy(update=update) if stage.status == "running" else stage for stage in stages
    ]


def _failure_update(cause: BaseException, question: QuestionResponse) -> dict[str, object]:
    """Return status and error of a question without a result."""
    status = question.status
    if isinstance(cause, ApplicationError) and cause.type == DEADLINE_EXCEEDED:
        status = "timed_out"
    return {"status": status, "error": question.error or sentence(cause)}


async def _ask_workflow(
    handle: WorkflowHandle[Any, QueryResult], query: str, answer: type[Answer]
) -> Answer | None:
    """Return the workflow's answer to a query, or `None` if no worker answers in time."""
    try:
        async with asyncio.timeout(WORKER_S):
            value: Answer | None = await handle.query(query, result_type=answer)
    except (TimeoutError, RPCError, WorkflowQueryFailedError):
        return None
    return value
