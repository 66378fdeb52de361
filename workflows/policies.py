"""How long a stage waits for its activity, how often it tries again, and when it has stopped.

Which errors are never tried again is for `activities/errors.py` to say.
"""

from datetime import timedelta

from temporalio.common import RetryPolicy
from temporalio.workflow import ActivityCancellationType

HEARTBEAT = timedelta(seconds=5)
"""A worker that is silent for so long is dead, and another attempt is made elsewhere."""

STAGE_TIMEOUT = timedelta(hours=1)
"""All attempts of a stage together, the time without any worker included. Whoever can't wait
that long gives a deadline with the question."""

REQUIRED_RETRY = RetryPolicy(
    initial_interval=timedelta(seconds=0.5), maximum_interval=timedelta(seconds=10)
)
"""For a stage that nothing can stand in for: again until `STAGE_TIMEOUT` ends."""

FALLBACK_RETRY = RetryPolicy(
    initial_interval=timedelta(seconds=0.5),
    maximum_interval=timedelta(seconds=10),
    maximum_attempts=6,
)
"""For a stage that has a lesser way out: about 15 seconds for its provider, then that."""

STOPPED = ActivityCancellationType.WAIT_CANCELLATION_COMPLETED
"""A question is cancelled when its activity has stopped, not when it was told to."""
