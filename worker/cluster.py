"""The worker's connection to the Temporal cluster: connect, register attributes, poll."""

import asyncio

from temporalio.api.enums.v1 import TaskQueueType
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import DescribeTaskQueueRequest
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from core.contracts.names import SEARCH_ATTRIBUTES
from workflows.client import connect
from workflows.registration import register_search_attributes

RETRY_S = 1.0
POLL_S = 0.05
NOT_OURS_TO_DO = (
    RPCStatusCode.PERMISSION_DENIED,
    RPCStatusCode.UNAUTHENTICATED,
    RPCStatusCode.UNIMPLEMENTED,
)


async def connect_with_retry(address: str, namespace: str) -> Client:
    """Return a client of a cluster with the namespace and the search attributes.

    Waits until the cluster responds, and logs the first failure.
    """
    is_reported = False
    while True:
        try:
            client = await connect(address, namespace)
            await ensure_search_attributes(client)
        except (RuntimeError, RPCError) as error:
            if not is_reported:
                print_line(f"waiting for Temporal at {address}, namespace {namespace}: {error}")
                is_reported = True
            await asyncio.sleep(RETRY_S)
        else:
            return client


async def ensure_search_attributes(client: Client) -> None:
    """Register missing search attributes, or log what to do if this is forbidden.

    Raises:
        RPCError: the cluster or the namespace is unavailable.
    """
    try:
        await register_search_attributes(client)
    except RPCError as error:
        if error.status not in NOT_OURS_TO_DO:
            raise
        names = " ".join(f"--name {name} --type Keyword" for name in SEARCH_ATTRIBUTES)
        print_line(
            f"This worker may not register search attributes ({error}). Questions wait until they "
            f"exist; create them with: temporal operator search-attribute create {names}"
        )


async def wait_until_polling(client: Client, task_queue: str, identity: str) -> None:
    """Return once a process with this identity polls the queue for workflows and activities."""
    for kind in (
        TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW,
        TaskQueueType.TASK_QUEUE_TYPE_ACTIVITY,
    ):
        request = DescribeTaskQueueRequest(
            namespace=client.namespace, task_queue=TaskQueue(name=task_queue), task_queue_type=kind
        )
        while True:
            if identity in await _pollers(client, request):
                break
            await asyncio.sleep(POLL_S)


async def _pollers(client: Client, request: DescribeTaskQueueRequest) -> set[str]:
    try:
        answer = await client.workflow_service.describe_task_queue(request)
    except (
        RPCError
    ):  # the server is unavailable for a moment; the worker resumes polling when it returns
        return set()
    return {poller.identity for poller in answer.pollers}


def print_line(line: str) -> None:
    """Print one line, and flush."""
    print(" ".join(line.split()), flush=True)
