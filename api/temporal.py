"""The connection to Temporal, opened at the first question; nothing else needs Temporal."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta

from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.enums.v1 import TaskQueueType
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import (
    DeleteWorkflowExecutionRequest,
    DescribeTaskQueueRequest,
)
from temporalio.client import Client, WorkflowExecutionDescription
from temporalio.service import RPCError, RPCStatusCode

from core.domain.errors import NotFound, Unavailable
from core.settings import Settings
from workflows.client import connect
from workflows.registration import register_search_attributes

CALL_S = 5.0
"""Timeout of calls; a healthy cluster is faster, except for long polls."""
CONNECT_S = 2.0
RETRY_AFTER_S = 2.0
HEALTH_S = 1.0

LONG_POLL = timedelta(seconds=70)
"""A worker polls again at least this often; Temporal lists it for minutes after its last poll."""

_TELLING = {RPCStatusCode.NOT_FOUND, RPCStatusCode.ALREADY_EXISTS}
"""Statuses about a question; others are failures of the cluster."""


class Temporal:
    """The app's only Temporal client, connected at the first call."""

    def __init__(self, settings: Settings) -> None:
        self._address = settings.temporal_address
        self._namespace = settings.temporal_namespace
        self._client: Client | None = None
        self._connecting = asyncio.Lock()
        self._wait_until = 0.0

    @property
    def is_connected(self) -> bool:
        """Return whether a call has connected to Temporal."""
        return self._client is not None

    async def client(self) -> Client:
        """Return the connected client.

        Raises:
            Unavailable: Temporal is unreachable, or was a moment ago.
        """
        if self._client is None:
            async with self._connecting:
                if self._client is None:
                    self._client = await self._connect()
        return self._client

    async def _connect(self) -> Client:
        # Callers that queued behind a failed attempt share its outcome.
        if time.monotonic() < self._wait_until:
            raise self._out_of_reach()
        try:
            async with asyncio.timeout(CONNECT_S):
                client = await connect(self._address, self._namespace)
                with suppress(RPCError):  # a worker says what an operator has to do
                    await register_search_attributes(client)
                return client
        except (RuntimeError, TimeoutError) as error:
            self._wait_until = time.monotonic() + RETRY_AFTER_S / 2
            raise self._out_of_reach() from error

    @asynccontextmanager
    async def calls(self, within_s: float = CALL_S) -> AsyncIterator[Client]:
        """Open the client for calls that together take at most `within_s`.

        Raises:
            Unavailable: the cluster does not respond, or fails.
            RPCError: the cluster has no such workflow, or has one with the same id already.
        """
        client = await self.client()
        try:
            async with asyncio.timeout(within_s):
                yield client
        except TimeoutError as error:
            raise self._out_of_reach() from error
        except RPCError as error:
            if error.status in _TELLING:
                raise
            raise Unavailable(
                f"Temporal refused the call: {error.message}", retry_after_s=RETRY_AFTER_S
            ) from error

    async def healthy(self) -> bool:
        """Return whether Temporal responds now."""
        try:
            async with self.calls(HEALTH_S) as client:
                return await client.service_client.check_health()
        except Unavailable:
            return False

    async def has_worker(self, task_queue: str) -> bool:
        """Return whether a worker has polled the queue within a long poll's time.

        Raises:
            Unavailable: Temporal is unreachable.
        """
        async with self.calls(HEALTH_S) as client:
            answer = await client.workflow_service.describe_task_queue(
                DescribeTaskQueueRequest(
                    namespace=client.namespace,
                    task_queue=TaskQueue(name=task_queue),
                    task_queue_type=TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW,
                )
            )
        since = datetime.now(UTC) - LONG_POLL
        return any(p.last_access_time.ToDatetime(UTC) > since for p in answer.pollers)

    def _out_of_reach(self) -> Unavailable:
        return Unavailable(
            f"Temporal at {self._address} is unreachable; questions need it. Retry later.",
            retry_after_s=RETRY_AFTER_S,
        )


async def describe_workflow(
    client: Client, entity: str, workflow_id: str, workflow_type: str
) -> WorkflowExecutionDescription:
    """Return the latest run of a workflow; `entity`: what the API calls such workflows.

    Raises:
        NotFound: no workflow of this type has this id.
    """
    try:
        description = await client.get_workflow_handle(workflow_id).describe()
    except RPCError as error:
        if error.status is RPCStatusCode.NOT_FOUND:
            raise NotFound(entity, workflow_id) from error
        raise
    if description.workflow_type != workflow_type:
        raise NotFound(entity, workflow_id)
    return description


async def delete_run(client: Client, workflow_id: str, run_id: str) -> None:
    """Delete the history of a run; Temporal does so a moment later.

    Raises:
        RPCError: the cluster has no such run.
    """
    execution = WorkflowExecution(workflow_id=workflow_id, run_id=run_id)
    await client.workflow_service.delete_workflow_execution(
        DeleteWorkflowExecutionRequest(namespace=client.namespace, workflow_execution=execution)
    )


def workflow_page(settings: Settings, workflow_id: str, run_id: str) -> str | None:
    """Return the page of a run in Temporal's Web UI, or `None` if the settings name no UI."""
    if settings.temporal_ui_url is None:
        return None
    run = f"namespaces/{settings.temporal_namespace}/workflows/{workflow_id}/{run_id}"
    return f"{settings.temporal_ui_url.rstrip('/')}/{run}/history"
