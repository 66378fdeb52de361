"""`make bench ARGS=readers`: searches over HTTP with 1, 2 and 4 processes on one machine.

The clients are connections with prepared requests, so that they cost little of the CPU.
CPU time is that of all server processes, and memory their proportional set size, in which a shared
page counts once.
"""

import asyncio
import os
import tempfile
import time
from pathlib import Path

import httpx
import numpy as np
import orjson

from benchmarks.server import serve
from nalanda import ChunkOptions, Nalanda

CHUNKS, PER_DOCUMENT, DIMENSION, HITS = 50_000, 1_000, 384, 10
CONNECTIONS, WARM_S, MEASURED_S, ROUNDS = 16, 2.0, 5.0, 3
PROCESSES = (1, 2, 4)
LIBRARY = "random"
_BUILT_S = 300.0
_TICKS = os.sysconf("SC_CLK_TCK")


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
    host, port = http.base_url.host, http.base_url.port or 80
    requests = [_request(host, body) for body in bodies]
    await _run(host, port, requests, WARM_S)
    for _ in range(ROUNDS):
        cpu_s, began = _cpu_s(pids), time.perf_counter()
        count = await _run(host, port, requests, MEASURED_S)
        took_s, cpu_s = time.perf_counter() - began, _cpu_s(pids) - cpu_s
        print(
            f"  {len(pids)} processes   {count / took_s:8,.0f} requests a second"
            f"   {cpu_s / count * 1e6:6.0f} µs of CPU a request"
            f"   {sum(map(_pss_mb, pids)):6.0f} MB",
            flush=True,
        )


def _request(host: str, body: bytes) -> bytes:
    head = (
        f"POST /libraries/{LIBRARY}/search HTTP/1.1\r\nHost: {host}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


async def _run(host: str, port: int, requests: list[bytes], seconds: float) -> int:
    """Send requests on all connections, and return the number of answers."""
    until = time.perf_counter() + seconds
    counts = await asyncio.gather(
        *(_connection(host, port, requests[n:] + requests[:n], until) for n in range(CONNECTIONS))
    )
    return sum(counts)


async def _connection(host: str, port: int, requests: list[bytes], until: float) -> int:
    reader, writer = await asyncio.open_connection(host, port)
    count = 0
    while time.perf_counter() < until:
        writer.write(requests[count % len(requests)])
        head = await reader.readuntil(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 200"), head
        length = head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0]
        await reader.readexactly(int(length))
        count += 1
    writer.close()
    return count


def _wait_for_processes(http: httpx.Client, data: Path, count: int) -> list[int]:
    """Wait until each process of the server has served a request, and return their ids."""
    server = next(pid for pid in _children(os.getpid()) if b"serve" in _command(pid))
    deadline = time.monotonic() + _BUILT_S
    while count > 1 and len(list((data / "metrics").glob("counter_*.db"))) < count:
        http.get("/livez", headers={"Connection": "close"}).raise_for_status()
        if time.monotonic() > deadline:
            raise TimeoutError("Not all processes serve.")
        time.sleep(0.1)
    readers = [pid for pid in _children(server) if b"cli.processes.reader" in _command(pid)]
    return [server, *readers]


def _children(pid: int) -> list[int]:
    paths = Path(f"/proc/{pid}/task").glob("*/children")
    return [int(child) for path in paths for child in path.read_text().split()]


def _command(pid: int) -> bytes:
    return Path(f"/proc/{pid}/cmdline").read_bytes()


def _cpu_s(pids: list[int]) -> float:
    ticks = 0
    for pid in pids:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / _TICKS


def _pss_mb(pid: int) -> float:
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    [pss] = [line for line in lines if line.startswith("Pss:")]
    return int(pss.split()[1]) / 1024
