"""The deadline of a question, by the workflow's clock."""

from datetime import timedelta

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from core.contracts.query import QueryRequest
    from workflows.policies import STAGE_TIMEOUT

_SHORTEST = timedelta(milliseconds=1)


def seconds_left(request: QueryRequest) -> float | None:
    """Return the seconds until the deadline, which counts from the start of the workflow."""
    if request.deadline_s is None:
        return None
    elapsed = workflow.now() - workflow.info().workflow_start_time
    return request.deadline_s - elapsed.total_seconds()


def stage_timeout(request: QueryRequest) -> timedelta:
    """Return the time for all attempts of a stage that begins now.

    It ends at the deadline, so that Temporal ends the stage there, and says why it was not done:
    only Temporal knows the last failure of an activity that is still tried.
    """
    left = seconds_left(request)
    if left is None:
        return STAGE_TIMEOUT
    return max(min(timedelta(seconds=left), STAGE_TIMEOUT), _SHORTEST)
