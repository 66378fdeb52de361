"""Timeouts, retries and cancellation of the stages' activities.

`activities/errors.py` names the errors that are never retried.
"""

from datetime import timedelta

from temporalio.common import RetryPolicy
from temporalio.workflow import ActivityCancellationType

HEARTBEAT = timedelta(seconds=5)
"""Heartbeat timeout, after which another worker makes the next attempt."""

STAGE_TIMEOUT = timedelta(hours=1)
"""Total time for all attempts of a stage, including time without any worker. A question with a
deadline ends earlier."""

REQUIRED_RETRY = RetryPolicy(
    initial_interval=timedelta(seconds=0.5), maximum_interval=timedelta(seconds=10)
)
"""Policy of a stage without a fallback: retry until `STAGE_TIMEOUT`."""

FALLBACK_RETRY = RetryPolicy(
    initial_interval=timedelta(seconds=0.5),
    maximum_interval=timedelta(seconds=10),
    maximum_attempts=6,
)
"""Policy of a stage with a fallback: about 15 seconds for its provider, then the fallback."""

UNLIMITED_RETRY = RetryPolicy(
    initial_interval=timedelta(seconds=0.5), maximum_interval=timedelta(seconds=5)
)
"""Policy of ingestions and model changes: retry until it works, as no one waits for an answer."""

STOPPED = ActivityCancellationType.WAIT_CANCELLATION_COMPLETED
"""Cancellation type: the question is cancelled once its activity has stopped."""
