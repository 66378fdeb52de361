"""The Temporal worker, configured for quick stops, cancellations and failover."""

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

from temporalio.client import Client
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from activities.interceptor import AttemptInterceptor
from core.contracts.names import task_queue_of
from core.settings import Settings
from workflows.query import QueryWorkflow

# Most activities wait for the API or a provider; computing ones share the CPUs.
CONCURRENT_ACTIVITIES = max(32, 8 * (os.cpu_count() or 1))


def build_worker(
    client: Client,
    settings: Settings,
    activities: Sequence[Callable[..., Any]],
    *,
    instance_id: str | None = None,
) -> Worker:
    """Return a worker for the task queue of `settings`, else of the instance.

    In an `async with` the worker polls until the block ends, and then drains.
    """
    return Worker(
        client,
        task_queue=task_queue_of(instance_id, settings.task_queue),
        workflows=[QueryWorkflow],
        workflow_runner=UnsandboxedWorkflowRunner(),  # docs/decisions/0008-sandbox-in-tests.md
        activities=activities,
        activity_executor=ThreadPoolExecutor(CONCURRENT_ACTIVITIES, "activity"),
        max_concurrent_activities=CONCURRENT_ACTIVITIES,
        interceptors=[AttemptInterceptor(instance_id)],
        # Responses to heartbeats carry cancellations, so the throttle is short.
        max_heartbeat_throttle_interval=timedelta(seconds=1),
        # Timeout after which another worker takes over the workflows of a killed one.
        sticky_queue_schedule_to_start_timeout=timedelta(seconds=3),
        graceful_shutdown_timeout=timedelta(seconds=settings.drain_s),
    )
