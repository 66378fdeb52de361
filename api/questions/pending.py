"""The tasks of a running question, as the cluster lists them: retries, and waits for a worker."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta

from google.protobuf.timestamp_pb2 import Timestamp
from temporalio.api.enums.v1 import PendingActivityState, PendingWorkflowTaskState
from temporalio.api.failure.v1 import Failure
from temporalio.api.workflow.v1 import PendingActivityInfo
from temporalio.client import WorkflowExecutionDescription

from core.contracts.query import StageProgress

WAITING_AFTER = timedelta(seconds=2)
"""How long a task that is due may wait before the question counts as waiting for a worker."""

_UNUSED = PendingActivityState.PENDING_ACTIVITY_STATE_SCHEDULED
_UNUSED_WORKFLOW = PendingWorkflowTaskState.PENDING_WORKFLOW_TASK_STATE_SCHEDULED


def with_attempts(
    stages: Sequence[StageProgress], description: WorkflowExecutionDescription, now: datetime
) -> list[StageProgress]:
    """Return the stages with the attempts of running activities, which only the server counts."""
    pending = {
        activity.activity_type.name: activity
        for activity in description.raw_description.pending_activities
    }
    return [
        stage.model_copy(update=_attempt_of(pending[stage.name], now))
        if stage.name in pending
        else stage
        for stage in stages
    ]


def waits_for_worker(description: WorkflowExecutionDescription, now: datetime) -> bool:
    """Return whether a task has been due for `WAITING_AFTER`, and no worker has taken it."""
    return any(due + WAITING_AFTER <= now for due in _due(description))


def _attempt_of(activity: PendingActivityInfo, now: datetime) -> dict[str, object]:
    failed = activity.HasField("last_failure")
    next_at = _instant(activity.scheduled_time) if activity.state == _UNUSED else None
    return {
        "attempt": activity.attempt,
        "last_failure": _words(activity.last_failure) if failed else None,
        "next_attempt_at": next_at if next_at is not None and next_at > now else None,
    }


def _words(failure: Failure) -> str:
    """Return the words of an attempt's failure, which are written for the asker."""
    if failure.HasField("application_failure_info"):
        return failure.message or failure.application_failure_info.type
    if failure.HasField("timeout_failure_info"):
        return "The attempt did not end in time."
    return failure.message


def _due(description: WorkflowExecutionDescription) -> Iterator[datetime]:
    """Yield since when each task that no worker works on has been due."""
    raw = description.raw_description
    for activity in raw.pending_activities:
        if activity.state == _UNUSED:
            yield _instant(activity.scheduled_time)
    if raw.HasField("pending_workflow_task"):
        task = raw.pending_workflow_task
        if task.state == _UNUSED_WORKFLOW:
            yield _instant(task.scheduled_time)


def _instant(timestamp: Timestamp) -> datetime:
    return timestamp.ToDatetime(UTC)
