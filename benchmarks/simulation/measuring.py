"""Nodes as real processes on one PostgreSQL: the costs of their requests, and what they serve."""

import asyncio
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np
import orjson

from benchmarks.connections import Load, Server, children_of, request_of, send
from benchmarks.simulation.shared_cores import Costs, Outcome
from core.adapters.postgres import PostgresStore
from core.indexing.views.record import from_record
from nalanda import ChunkOptions, Nalanda
from tests.cluster.nodes import Node
from tests.postgres import PostgresServer, start_server
from tests.waiting import until

CHUNKS, PER_DOCUMENT, DIMENSION, HITS = 20_000, 1_000, 256, 10
NODES, CONNECTIONS, CALIBRATION_CONNECTIONS = (1, 2, 3), 16, 4
WARM_S, MEASURED_S, ROUNDS = 2.0, 5.0, 3
LIBRARY = "simulated"
_READY_S = 300.0

_SPIN = """
import os
os.environ["OPENBLAS_NUM_THREADS"] = "1"
import numpy as np
rows = np.ones((20_000, 256), np.float32)
while True:
    rows @ rows[0]
"""
"""A process that keeps a core as busy as a search does: it reads vectors that no cache holds."""


@dataclass(frozen=True, slots=True)
class Window:
    """A time of requests, and what it used; `other_cores`: by processes of others."""

    outcome: Outcome
    times_s: Sequence[float]
    server_s: float
    client_s: float
    other_cores: float


@dataclass(frozen=True, slots=True)
class Measured:
    """The costs of one node, and what each number of nodes has served.

    `search_s`: the part of `costs.server_s` that the search itself takes. `forward_s`: the CPU time
    of a node that passes a request on. `record_rows_s`: the rows a second that a node reads from
    PostgreSQL into a library's view.
    """

    costs: Costs
    search_s: float
    forward_s: float
    record_rows_s: float
    served: Mapping[int, Window]


class Cluster:
    """Nodes of one database, started one after the other."""

    def __init__(self, folder: Path, postgres: PostgresServer, database_url: str) -> None:
        self._folder = folder
        self._postgres = postgres
        self._database_url = database_url
        self.nodes: list[Node] = []

    def add(self) -> None:
        """Start a node, and wait until it has the library of those before it."""
        node = Node(self._folder / f"node-{len(self.nodes)}", self._database_url)
        self.nodes.append(node)
        node.start()
        if len(self.nodes) == 1:
            node.wait_until_leading()

    def wait_until_built(self) -> None:
        for node in self.nodes:
            with Nalanda(node.url) as client:
                until(partial(_is_built, client), _READY_S)

    def read_record(self) -> float:
        """Return the rows a second that a follower reads of the library."""
        folder = self._folder / "reader"
        store = PostgresStore(self._database_url, folder, follows=True)
        with closing(store), store.read() as snapshot:
            began = time.perf_counter()
            view = from_record(snapshot, snapshot.libraries.get(LIBRARY))
            return view.vectors / (time.perf_counter() - began)

    @property
    def servers(self) -> list[Server]:
        return [_server_of(node) for node in self.nodes]

    def cpu_s(self) -> float:
        """Return the CPU time of all nodes and of PostgreSQL."""
        [postmaster, *_] = (self._postgres.directory / "postmaster.pid").read_text().split()
        pids = [int(postmaster), *children_of(int(postmaster)), *(node.pid for node in self.nodes)]
        return Server("", 0, pids).cpu_s

    def close(self) -> None:
        for node in self.nodes:
            node.kill()


async def measure() -> Measured:
    rng = np.random.default_rng(0)
    rows = rng.standard_normal((CHUNKS, DIMENSION), np.float32)
    bodies = [orjson.dumps({"embedding": row.tolist(), "k": HITS}) for row in rows[:256]]
    path = f"/libraries/{LIBRARY}/search"
    requests = [request_of("127.0.0.1", path, body) for body in bodies]
    with _cluster() as cluster:
        cluster.add()
        _fill(cluster.nodes[0].url, rows)
        cluster.wait_until_built()
        costs = await _calibrate(cluster, requests)
        search_s = _search_s(cluster.nodes[0].url, rows)
        record_rows_s = cluster.read_record()
        served = {}
        for nodes in NODES:
            while len(cluster.nodes) < nodes:
                cluster.add()
            cluster.wait_until_built()
            served[nodes] = await _load(cluster, requests, CONNECTIONS, ROUNDS * MEASURED_S)
        return Measured(costs, search_s, await _forward_s(cluster), record_rows_s, served)


async def _calibrate(cluster: Cluster, requests: Sequence[bytes]) -> Costs:
    """Measure one node: without requests, with one at a time, and busy, alone and next to others.

    The CPU time of a request grows when the other cores are busy, which gives the speeds.
    """
    lone = await _load(cluster, requests, 1, MEASURED_S)
    used_s, began = cluster.cpu_s(), time.perf_counter()
    await asyncio.sleep(MEASURED_S)
    idle_cores = (cluster.cpu_s() - used_s) / (time.perf_counter() - began)
    busy = await _load(cluster, requests, CALIBRATION_CONNECTIONS, 2 * MEASURED_S)
    with _spinning():
        crowded = await _load(cluster, requests, CALIBRATION_CONNECTIONS, 2 * MEASURED_S)
    cores = os.cpu_count() or 1
    own = [each.server_s - idle_cores / each.outcome.requests_s for each in (busy, crowded)]
    slower = min(1.0, own[0] / own[1])
    mean_s = float(np.mean(lone.times_s))
    shape = [each / mean_s for each in lone.times_s]
    speeds = (1.0, *[slower] * (cores - 1))
    return Costs(own[0], busy.client_s, shape, speeds, idle_cores)


@contextmanager
def _spinning() -> Iterator[None]:
    with subprocess.Popen([sys.executable, "-c", _SPIN]) as spinning:
        try:
            yield
        finally:
            spinning.kill()


def _search_s(url: str, rows: np.ndarray) -> float:
    """Return the time that the server says a search took, while others took none of its core.

    The time is one of the clock, so the lowest tenth has least of other processes in it.
    """
    with Nalanda(url) as client:
        took_ms = [client.search(LIBRARY, embedding=row, k=HITS).took_ms for row in rows[:256]]
    return float(np.percentile(took_ms, 10)) / 1e3


async def _forward_s(cluster: Cluster) -> float:
    """Return the CPU time of a follower that passes a request on, as it does those with a key."""
    request = (
        f"GET /libraries/{LIBRARY}/index HTTP/1.1\r\nHost: 127.0.0.1\r\n"
        "Idempotency-Key: measured\r\n\r\n"
    ).encode()
    follower, load = cluster.servers[-1], Load()
    await send(follower, [request], CALIBRATION_CONNECTIONS, WARM_S, Load())
    await send(follower, [request], CALIBRATION_CONNECTIONS, MEASURED_S, load)
    return load.cpu_us / 1e6


async def _load(
    cluster: Cluster, requests: Sequence[bytes], connections: int, seconds: float
) -> Window:
    await _send_to_all(cluster, requests, connections, WARM_S)
    began, before = time.perf_counter(), (cluster.cpu_s(), time.process_time(), _busy_s())
    times_s = await _send_to_all(cluster, requests, connections, seconds)
    after, took_s = (cluster.cpu_s(), time.process_time(), _busy_s()), time.perf_counter() - began
    server_s, client_s, all_s = (b - a for a, b in zip(before, after, strict=True))
    return Window(
        Outcome.of(times_s, took_s),
        times_s,
        server_s / len(times_s),
        client_s / len(times_s),
        max(0.0, all_s - server_s - client_s) / took_s,
    )


async def _send_to_all(
    cluster: Cluster, requests: Sequence[bytes], connections: int, seconds: float
) -> list[float]:
    """Send requests on connections that are dealt to the nodes; return the seconds of each."""
    servers = cluster.servers[:connections]
    loads = [Load() for _ in servers]
    shares = [len(range(first, connections, len(servers))) for first in range(len(servers))]
    await asyncio.gather(
        *(
            send(server, requests, share, seconds, load)
            for server, share, load in zip(servers, shares, loads, strict=True)
        )
    )
    return [each / 1e3 for load in loads for each in load.latencies_ms]


def _server_of(node: Node) -> Server:
    url = urlsplit(node.url)
    return Server(url.hostname or "", url.port or 80, [node.pid])


def _busy_s() -> float:
    """Return the CPU time that all processes of the machine have used since its start."""
    fields = Path("/proc/stat").read_text().split("\n", 1)[0].split()
    user, nice, system, _, _, irq, softirq, steal = map(int, fields[1:9])
    return (user + nice + system + irq + softirq + steal) / os.sysconf("SC_CLK_TCK")


@contextmanager
def _cluster() -> Iterator[Cluster]:
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        directory = Path(tempfile.mkdtemp(prefix="nalanda-simulation-"))
        stack.callback(shutil.rmtree, directory, ignore_errors=True)
        server = start_server(directory)
        stack.callback(server.stop)
        postgres = PostgresServer(directory)
        url = stack.enter_context(postgres.database())
        cluster = Cluster(Path(folder), postgres, url)
        stack.callback(cluster.close)
        yield cluster


def _fill(url: str, rows: np.ndarray) -> None:
    with Nalanda(url) as client:
        client.libraries.create(LIBRARY, dimension=DIMENSION)
        for start in range(0, len(rows), PER_DOCUMENT):
            part = rows[start : start + PER_DOCUMENT]
            chunks = [ChunkOptions(text=f"Chunk {n}", embedding=row) for n, row in enumerate(part)]
            client.documents.create(LIBRARY, chunks=chunks)


def _is_built(client: Nalanda) -> bool:
    index = client.index.get(LIBRARY)
    return index.state == "ready" and index.vectors == CHUNKS
