"""Health check of a container's worker: `python -m worker.health` exits with 0 if it polls.

A worker has no port, so the check asks the cluster for the pollers of the queue.
"""

import asyncio
import socket
import sys

from core.contracts.names import task_queue_of
from core.settings import Settings
from nalanda import AsyncNalanda, NalandaError
from worker.cluster import wait_until_polling
from worker.stages import client_options
from workflows.client import connect

TIMEOUT_S = 2.0
FIRST_PROCESS = 1


async def check(settings: Settings, process: int) -> bool:
    """Return whether the cluster lists the process of this host as a poller of the queue."""
    identity = f"{process}@{socket.gethostname()}"  # the default identity of Temporal's clients
    try:
        async with asyncio.timeout(TIMEOUT_S):
            queue = await _task_queue(settings)
            client = await connect(settings.temporal_address, settings.temporal_namespace)
            await wait_until_polling(client, queue, identity)
    except (TimeoutError, RuntimeError, NalandaError):  # RuntimeError: no server listens there
        return False
    return True


async def _task_queue(settings: Settings) -> str:
    """Return the settings' task queue, else the one of the API's instance.

    Raises:
        NalandaError: the API does not respond.
    """
    if settings.task_queue is not None:
        return settings.task_queue
    async with AsyncNalanda(settings.api_url, **client_options(settings)) as client:
        return task_queue_of((await client.version()).instance_id)


if __name__ == "__main__":
    sys.exit(not asyncio.run(check(Settings(), FIRST_PROCESS)))
