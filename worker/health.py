"""Whether a container's worker does its work: `python -m worker.health` ends with 0 if it does.

A worker has no port to ask at; the cluster is asked whether the container's first process polls.
"""

import asyncio
import socket
import sys

from core.settings import Settings
from worker.cluster import polling
from workflows.client import connect

TIMEOUT_S = 2.0
FIRST_PROCESS = 1


async def check(settings: Settings, process: int) -> bool:
    """Whether the cluster knows the process of this host as one that polls the queue."""
    identity = f"{process}@{socket.gethostname()}"  # as Temporal's clients name themselves
    try:
        async with asyncio.timeout(TIMEOUT_S):
            client = await connect(settings.temporal_address, settings.temporal_namespace)
            await polling(client, settings.task_queue, identity)
    except (TimeoutError, RuntimeError):  # RuntimeError: nothing listens there
        return False
    return True


if __name__ == "__main__":
    sys.exit(not asyncio.run(check(Settings(), FIRST_PROCESS)))
