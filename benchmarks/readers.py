"""`make bench ARGS=readers`: searches over HTTP with 1, 2 and 4 processes on one machine.

The clients are connections with prepared requests, so that they cost little of the CPU.
CPU time is that of all server processes, and memory their proportional set size, in which a shared
page counts once.
"""

import tempfile
import time
from pathlib import Path

import httpx
import numpy as np
import orjson

from benchmarks.connections import (
    Load,
    Server,
    children_of,
    command_of,
    find_server,
    request_of,
    send,
)
from benchmarks.server import serve
from nalanda import ChunkOptions, Nalanda

CHUNKS, PER_DOCUMENT, DIMENSION, HITS = 50_000, 1_000, 384, 10
CONNECTIONS, WARM_S, MEASURED_S, ROUNDS = 16, 2.0, 5.0, 3
PROCESSES = (1, 2, 4)
LIBRARY = "random"
_BUILT_S = 300.0


async def main() -> None:
    rng = np.random.default_rng(0)
    centres = rng.standard_normal((500, DIMENSION), np.float32)
    rows = centres[rng.integers(500, size=CHUNKS)]
    rows += rng.standard_normal(rows.shape, np.float32) / 2
    queries = rows[:256] + rng.standard_normal((256, DIMENSION), np.float32) / 4
    with tempfile.TemporaryDirectory() as folder:
        with serve(Path(folder)) as http:
            _fill(http, rows)
        print(f"{HITS} hits of {CHUNKS:,} × {DIMENSION}, {CONNECTIONS} connections")
        for processes in PROCESSES:
            environment = {"NALANDA_READERS": str(processes)}
            with serve(Path(folder), environment=environment) as http:
                pids = _wait_for_processes(http, Path(folder), processes)
                await _measure(http, queries, pids)


def _fill(http: httpx.Client, rows: np.ndarray) -> None:
    with Nalanda(str(http.base_url)) as client:
        client.libraries.create(LIBRARY, dimension=DIMENSION)
        for start in range(0, len(rows), PER_DOCUMENT):
            part = rows[start : start + PER_DOCUMENT]
            chunks = [ChunkOptions(text=f"Chunk {n}", embedding=row) for n, row in enumerate(part)]
            client.documents.create(LIBRARY, chunks=chunks)
    deadline = time.monotonic() + _BUILT_S
    while http.get(f"/libraries/{LIBRARY}/index").json()["state"] != "ready":
        if time.monotonic() > deadline:
            raise TimeoutError("The index is not built.")
        time.sleep(0.2)


async def _measure(http: httpx.Client, queries: np.ndarray, pids: list[int]) -> None:
    bodies = [orjson.dumps({"embedding": query.tolist(), "k": HITS}) for query in queries]
    server = Server(http.base_url.host, http.base_url.port or 80, pids)
    requests = [request_of(server.host, f"/libraries/{LIBRARY}/search", body) for body in bodies]
    await send(server, requests, CONNECTIONS, WARM_S, Load())
    for _ in range(ROUNDS):
        load = Load()
        await send(server, requests, CONNECTIONS, MEASURED_S, load)
        print(
            f"  {len(pids)} processes   {load.rate:8,.0f} requests a second"
            f"   {load.cpu_us:6.0f} µs of CPU a request"
            f"   {sum(map(_pss_mb, pids)):6.0f} MB",
            flush=True,
        )


def _wait_for_processes(http: httpx.Client, data: Path, count: int) -> list[int]:
    """Wait until each process of the server has served a request, and return their ids."""
    server = find_server()
    deadline = time.monotonic() + _BUILT_S
    while count > 1 and len(list((data / "metrics").glob("counter_*.db"))) < count:
        http.get("/livez", headers={"Connection": "close"}).raise_for_status()
        if time.monotonic() > deadline:
            raise TimeoutError("Not all processes serve.")
        time.sleep(0.1)
    readers = [pid for pid in children_of(server) if b"cli.processes.reader" in command_of(pid)]
    return [server, *readers]


def _pss_mb(pid: int) -> float:
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    [pss] = [line for line in lines if line.startswith("Pss:")]
    return int(pss.split()[1]) / 1024
