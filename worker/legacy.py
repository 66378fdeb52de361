"""Questions from before task queues per instance, which wait on the shared queue."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

from temporalio.client import Client
from temporalio.service import RPCError

from core.contracts.names import INSTANCE_MARK, QUERY_WORKFLOW, SHARED_TASK_QUEUE
from core.settings import Settings
from nalanda import AsyncNalanda, NalandaError, NotFoundError
from worker.cluster import print_line
from worker.stages import client_options
from worker.temporal_worker import build_worker
from workflows import search_attributes

CHECK_S = 2.0
_RUNNING = (
    f"WorkflowType = '{QUERY_WORKFLOW}' AND ExecutionStatus = 'Running'"
    f" AND TaskQueue = '{SHARED_TASK_QUEUE}' AND WorkflowId NOT STARTS_WITH '{INSTANCE_MARK}'"
)


async def serve_old_questions(
    client: Client,
    settings: Settings,
    activities: Sequence[Callable[..., Any]],
    instance_id: str | None,
) -> None:
    """Poll the shared queue until no question of the API's libraries runs there."""
    if settings.task_queue is not None or instance_id is None:
        return
    async with AsyncNalanda(settings.api_url, **client_options(settings)) as api:
        if not await _has_running_questions(client, api):
            return
        print_line(
            f"Also polling the task queue {SHARED_TASK_QUEUE} for questions from before an upgrade."
        )
        shared = settings.model_copy(update={"task_queue": SHARED_TASK_QUEUE})
        async with build_worker(client, shared, activities, instance_id=instance_id):
            left = True
            while left:
                await asyncio.sleep(CHECK_S)
                left = await _has_running_questions(client, api)


async def _has_running_questions(client: Client, api: AsyncNalanda) -> bool:
    """Return whether old questions still run; True while the cluster or the API is unavailable."""
    try:
        libraries = {
            question.typed_search_attributes.get(search_attributes.LIBRARY)
            async for question in client.list_workflows(_RUNNING)
        }
        return any([await _has_library(api, library) for library in libraries if library])
    except (RPCError, NalandaError):
        return True


async def _has_library(api: AsyncNalanda, library_id: str) -> bool:
    try:
        await api.libraries.get(library_id)
    except NotFoundError:
        return False
    return True
