"""Failures as sentences without class names."""

import pytest
from temporalio.exceptions import (
    ActivityError,
    ApplicationError,
    CancelledError,
    RetryState,
    TerminatedError,
    TimeoutType,
)
from temporalio.exceptions import TimeoutError as TemporalTimeout

from workflows.failures import reason, sentence


def of_activity(cause: BaseException) -> ActivityError:
    error = ActivityError(
        "Activity task failed",
        scheduled_event_id=1,
        started_event_id=2,
        identity="w",
        activity_type="rerank",
        activity_id="1",
        retry_state=RetryState.TIMEOUT,
    )
    error.__cause__ = cause
    return error


TIMED_OUT = TemporalTimeout("t", type=TimeoutType.START_TO_CLOSE, last_heartbeat_details=[])


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (of_activity(ApplicationError("No key.", type="ProviderRejected")), "No key."),
        (
            of_activity(ApplicationError("", type="KeyError")),
            "The worker failed unexpectedly (KeyError); see its log.",
        ),
        (
            of_activity(TIMED_OUT),
            "The stage rerank timed out: check that a worker is running.",
        ),
        (TIMED_OUT, "The question exceeded Temporal's time limit."),
        (CancelledError("Cancelled"), "The question was cancelled."),
        (TerminatedError("Workflow terminated"), "The question was terminated in Temporal."),
        (TerminatedError("Too slow."), "The question was terminated in Temporal: Too slow."),
    ],
)
def test_the_first_cause_is_said(error: BaseException, said: str) -> None:
    assert sentence(error) == said


def timed_out(kind: TimeoutType, after: BaseException | None = None) -> ActivityError:
    timeout = TemporalTimeout("t", type=kind, last_heartbeat_details=[])
    timeout.__cause__ = after
    return of_activity(timeout)


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (of_activity(ApplicationError("No key.", type="ProviderRejected")), "No key."),
        (timed_out(TimeoutType.START_TO_CLOSE), "The stage rerank did not end in time."),
        (timed_out(TimeoutType.HEARTBEAT), "The worker of the stage rerank stopped responding."),
        (timed_out(TimeoutType.SCHEDULE_TO_CLOSE), "The stage rerank was not done by then."),
        (
            timed_out(TimeoutType.SCHEDULE_TO_CLOSE, ApplicationError("Busy.", type="X")),
            "Busy.",
        ),
    ],
)
def test_the_reason_is_the_last_failure_or_the_limit(error: ActivityError, said: str) -> None:
    assert reason(error) == said
