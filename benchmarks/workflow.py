"""Temporal's cost per question: four trivial activities in sequence, on a local server.

The peers are the default server, the server with a raised limit, and Nalanda's configuration
(raised limit, WAL mode, every commit synced).
"""

import asyncio
import statistics
import tempfile
import time
import uuid
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from temporalio.client import Client

from benchmarks.noop import QUEUE, FourActivities, worker
from cli.processes.ports import first_free
from cli.temporal_server import DYNAMIC_CONFIG, command, find_binary

ROUNDS, PER_ROUND = 6, 8


def servers(folder: Path) -> dict[str, tuple[int, Sequence[str]]]:
    """Return each peer's port and command line."""
    ports: list[int] = []
    for _ in range(4):
        ports.append(first_free(27233, promised=ports))
    plain = [str(find_binary()), "server", "start-dev", "--headless", "--log-level", "never"]
    raised = [f"--dynamic-config-value={name}={value}" for name, value in DYNAMIC_CONFIG.items()]
    file = ["--db-filename", str(folder / "as-it-comes.db")]
    return {
        "as it comes, in memory": (ports[0], [*plain, "--port", str(ports[0])]),
        "as it comes, file": (ports[1], [*plain, "--port", str(ports[1]), *file]),
        "limit raised, in memory": (ports[2], [*plain, "--port", str(ports[2]), *raised]),
        "Nalanda's (limit, file, WAL, FULL)": (
            ports[3],
            command(port=ports[3], ui_port=None, file=folder / "nalanda.db"),
        ),
    }


@asynccontextmanager
async def run_server(port: int, line: Sequence[str]) -> AsyncIterator[Client]:
    """Run a server with a worker."""
    server = await asyncio.create_subprocess_exec(
        *line, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL
    )
    try:
        client = await _connect(f"127.0.0.1:{port}")
        async with worker(client):
            yield client
    finally:
        server.terminate()
        await server.wait()


async def one_round(client: Client) -> list[float]:
    """Return the seconds of each of a few workflows, in sequence."""
    taken = []
    for _ in range(PER_ROUND):
        started = time.perf_counter()
        await client.execute_workflow(
            FourActivities.run, id=f"benchmark-{uuid.uuid4()}", task_queue=QUEUE
        )
        taken.append(time.perf_counter() - started)
    return taken


async def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        async with AsyncExitStack() as stack:
            clients = {
                name: await stack.enter_async_context(run_server(port, line))
                for name, (port, line) in servers(Path(folder)).items()
            }
            taken: dict[str, list[float]] = {name: [] for name in clients}
            for _ in range(ROUNDS):
                for name, client in clients.items():
                    taken[name] += await one_round(client)
    _print(taken)


def _print(taken: dict[str, list[float]]) -> None:
    medians = {name: statistics.median(values) * 1000 for name, values in taken.items()}
    ours = medians[next(reversed(medians))]
    print(f"Four trivial activities in sequence, {ROUNDS * PER_ROUND} workflows each, p50:")
    for name, median in medians.items():
        print(f"  {name:36} {median:7.1f} ms   {median / ours:5.2f} x Nalanda's")


async def _connect(address: str, *, within_s: float = 30) -> Client:
    deadline = time.monotonic() + within_s
    while True:
        try:
            return await Client.connect(address)
        except RuntimeError:
            if time.monotonic() > deadline:
                raise
            await asyncio.sleep(0.1)
