"""Whether a container's worker does its work: `python -m worker.health` ends with 0 if it does.

A worker has no port to ask at; the cluster is asked whether the container's first process polls.
"""

import asyncio
import socket
import sys

from core.contracts.names import task_queue_of
from core.settings import Settings
from nalanda import AsyncNalanda, NalandaError
from worker.cluster import polling
from worker.stages import client_options
from workflows.client import connect

TIMEOUT_S = 2.0
FIRST_PROCESS = 1


async def check(settings: Settings, process: int) -> bool:
    """Whether the cluster knows the process of this host as one that polls the queue."""
    identity = f"{process}@{socket.gethostname()}"  # as Temporal's clients name themselves
    try:
        async with asyncio.timeout(TIMEOUT_S):
            queue = await _task_queue(settings)
            client = await connect(settings.temporal_address, settings.temporal_namespace)
            await polling(client, queue, identity)
    except (TimeoutError, RuntimeError, NalandaError):  # RuntimeError: nothing listens there
        return False
    return True


async def _task_queue(settings: Settings) -> str:
    """Raises: NalandaError: the queue is the API's to say, and it does not answer."""
    if settings.task_queue is not None:
        return settings.task_queue
    async with AsyncNalanda(settings.api_url, **client_options(settings)) as client:
        return task_queue_of((await client.version()).instance_id)


if __name__ == "__main__":
    sys.exit(not asyncio.run(check(Settings(), FIRST_PROCESS)))
