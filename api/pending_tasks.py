"""The tasks of a running workflow, as the cluster lists them: retries, and waits for a worker."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from google.protobuf.timestamp_pb2 import Timestamp
from temporalio.api.enums.v1 import PendingActivityState, PendingWorkflowTaskState
from temporalio.api.failure.v1 import Failure
from temporalio.client import WorkflowExecutionDescription

WAITING_AFTER = timedelta(seconds=2)
"""How long a task that is due may wait before the workflow counts as waiting for a worker."""

_SCHEDULED = PendingActivityState.PENDING_ACTIVITY_STATE_SCHEDULED
_SCHEDULED_WORKFLOW_TASK = PendingWorkflowTaskState.PENDING_WORKFLOW_TASK_STATE_SCHEDULED


@dataclass(frozen=True, slots=True)
class Attempt:
    """The attempt of an activity that runs or is due, and what the last one failed with."""

    activity: str
    attempt: int
    last_failure: str | None
    next_attempt_at: datetime | None


def pending_attempts(description: WorkflowExecutionDescription, now: datetime) -> Iterator[Attempt]:
    """Yield the attempts of the activities that have not ended, which only the server counts."""
    for activity in description.raw_description.pending_activities:
        failed = activity.HasField("last_failure")
        next_at = _instant(activity.scheduled_time) if activity.state == _SCHEDULED else None
        yield Attempt(
            activity.activity_type.name,
            activity.attempt,
            _failure_message(activity.last_failure) if failed else None,
            next_at if next_at is not None and next_at > now else None,
        )


def latest_failed_attempt(
    description: WorkflowExecutionDescription, now: datetime
) -> Attempt | None:
    """Return the most repeated attempt after a failure, or `None` if none is repeated."""
    failed = (a for a in pending_attempts(description, now) if a.last_failure is not None)
    return max(failed, key=lambda attempt: attempt.attempt, default=None)


def waits_for_worker(description: WorkflowExecutionDescription, now: datetime) -> bool:
    """Return whether a task has been due for `WAITING_AFTER`, and no worker has taken it."""
    return any(due + WAITING_AFTER <= now for due in _due_times(description))


def _failure_message(failure: Failure) -> str:
    """Return why an attempt failed, in words for the user who asked."""
    if failure.HasField("application_failure_info"):
        return failure.message or failure.application_failure_info.type
    if failure.HasField("timeout_failure_info"):
        return "The attempt did not end in time."
    return failure.message


def _due_times(description: WorkflowExecutionDescription) -> Iterator[datetime]:
    """Yield the due time of each task that no worker has taken."""
    raw = description.raw_description
    for activity in raw.pending_activities:
        if activity.state == _SCHEDULED:
            yield _instant(activity.scheduled_time)
    if raw.HasField("pending_workflow_task"):
        task = raw.pending_workflow_task
        if task.state == _SCHEDULED_WORKFLOW_TASK:
            yield _instant(task.scheduled_time)


def _instant(timestamp: Timestamp) -> datetime:
    return timestamp.ToDatetime(UTC)
