"""The Temporal worker, configured for quick stops, cancellations and failover."""

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

from temporalio.client import Client
from temporalio.worker import Interceptor, UnsandboxedWorkflowRunner, Worker

from activities.interceptor import AttemptInterceptor
from activities.tracing import ActivityTracing
from core.contracts.names import ingest_queue_of, task_queue_of
from core.settings import Settings
from core.tracing import spans
from workflows.conversation import ConversationWorkflow
from workflows.ingest import IngestWorkflow
from workflows.query import QueryWorkflow
from workflows.reembed import ReembedWorkflow
from workflows.tracing import WorkflowTracing

# Most activities wait for the API or a provider; computing ones share the CPUs.
CONCURRENT_ACTIVITIES = max(32, 8 * (os.cpu_count() or 1))
CONCURRENT_INGESTIONS = 2
"""Activities of ingestions at once in one worker; further ingestions wait for a turn."""

HEARTBEAT_THROTTLE = timedelta(seconds=1)
"""The shortest time between two heartbeats, whose responses carry cancellations."""

INGESTION_HEARTBEAT_THROTTLE = timedelta(seconds=0.2)
"""Shorter, because a cancelled ingestion removes its documents within a second."""


def build_worker(
    client: Client,
    settings: Settings,
    activities: Sequence[Callable[..., Any]],
    *,
    instance_id: str | None = None,
    interceptors: Sequence[Interceptor] = (),
) -> Worker:
    """Return a worker for the task queue of `settings`, else of the instance.

    `interceptors`: they see the stages as well. In an `async with` the worker polls until the block
    ends, and then drains.
    """
    return _build(
        client,
        settings,
        instance_id,
        task_queue=task_queue_of(instance_id, settings.task_queue),
        workflows=[QueryWorkflow, ConversationWorkflow],
        activities=activities,
        concurrent_activities=CONCURRENT_ACTIVITIES,
        heartbeat_throttle=HEARTBEAT_THROTTLE,
        interceptors=interceptors,
    )


def build_ingest_worker(
    client: Client,
    settings: Settings,
    activities: Sequence[Callable[..., Any]],
    *,
    instance_id: str | None = None,
) -> Worker:
    """Return a worker for the queue of ingestions and model changes.

    Its few activities leave questions room.
    """
    return _build(
        client,
        settings,
        instance_id,
        task_queue=ingest_queue_of(instance_id, settings.task_queue),
        workflows=[IngestWorkflow, ReembedWorkflow],
        activities=activities,
        concurrent_activities=CONCURRENT_INGESTIONS,
        heartbeat_throttle=INGESTION_HEARTBEAT_THROTTLE,
    )


def _build(
    client: Client,
    settings: Settings,
    instance_id: str | None,
    *,
    task_queue: str,
    workflows: Sequence[type],
    activities: Sequence[Callable[..., Any]],
    concurrent_activities: int,
    heartbeat_throttle: timedelta,
    interceptors: Sequence[Interceptor] = (),
) -> Worker:
    tracing = [ActivityTracing(), WorkflowTracing()] if spans.is_on() else []
    return Worker(
        client,
        task_queue=task_queue,
        workflows=workflows,
        workflow_runner=UnsandboxedWorkflowRunner(),  # docs/decisions/0008-sandbox-in-tests.md
        activities=activities,
        activity_executor=ThreadPoolExecutor(concurrent_activities, "activity"),
        max_concurrent_activities=concurrent_activities,
        interceptors=[*tracing, AttemptInterceptor(instance_id), *interceptors],
        max_heartbeat_throttle_interval=heartbeat_throttle,
        # Timeout after which another worker takes over the workflows of a killed one.
        sticky_queue_schedule_to_start_timeout=timedelta(seconds=3),
        graceful_shutdown_timeout=timedelta(seconds=settings.drain_s),
    )
