"""A worker for the no-op workflow, as a process of its own: `… noop_worker TEMPORAL_ADDRESS`."""

import asyncio
import sys

from benchmarks.noop import QUEUE, worker
from cli.processes.health import WORKER_READY
from worker.cluster import polling
from workflows.client import connect


async def main(address: str) -> None:
    """Serves until it is killed."""
    client = await connect(address)
    async with worker(client):
        await polling(client, QUEUE)
        print(WORKER_READY, flush=True)
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
