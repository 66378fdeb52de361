"""A worker process for the no-op workflow: `… noop_worker TEMPORAL_ADDRESS`."""

import asyncio
import sys

import uvloop

from benchmarks.noop import worker
from cli.processes.supervision.health import WORKER_READY
from workflows.client import connect


async def main(address: str) -> None:
    """Serve until killed."""
    client = await connect(address)
    async with worker(client):
        print(WORKER_READY, flush=True)
        await asyncio.Event().wait()


if __name__ == "__main__":
    uvloop.run(main(sys.argv[1]))
