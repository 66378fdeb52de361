"""`make bench ARGS=writing`: searches over HTTP during continuous writes and graph builds.

Quiet and busy rounds alternate, as the machine may change meanwhile. The writer is a separate
process: it adds chunks to the searched library and deletes others, and the server builds segments
from them. Another process keeps rebuilding a second library, so a graph build is always running.
Request bodies are prepared in advance, so that the client leaves the processor to the server. The
client disables garbage collection between searches, which would dominate the tail of a quiet round.
Each response is checked: k distinct hits, none deleted before the search began.
"""

import gc
import json
import multiprocessing
import statistics
import time
from base64 import b64encode
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from http import HTTPStatus
from http.client import HTTPConnection
from multiprocessing.sharedctypes import Synchronized
from multiprocessing.synchronize import Event
from time import perf_counter
from urllib.parse import urlsplit

import httpx
import numpy as np
from numpy.typing import NDArray

from benchmarks.index.datasets import MAKERS, Dataset, K
from benchmarks.index.report import write
from benchmarks.processes import run_measurement
from cli.processes.stack import Stack
from core.indexing.maintenance.build_thread import QUIET_S

ROUNDS, SEARCHES = 7, 1_000
_WARM = SEARCHES // 20
_AT_ONCE = 20
_MOST = 80_000
_SETTLED_AFTER_S = QUIET_S + 1
_TIMEOUT_S = 120
_WRITTEN, _BUILT = "/libraries/written", "/libraries/built"


class _Load:
    """The load during a busy round; `added` and `deleted` count so far."""

    def __init__(self, api_url: str, dataset: Dataset) -> None:
        context = multiprocessing.get_context("spawn")
        self._go, self._stop = context.Event(), context.Event()
        self.added, self.deleted, self.built = (context.Value("q", 0) for _ in range(3))
        rows = dataset.rows[:2_000]
        writing = (api_url, rows, self._go, self._stop, self.added, self.deleted)
        building = (api_url, self._go, self._stop, self.built)
        self._processes = [
            context.Process(target=_write, args=writing),
            context.Process(target=_build, args=building),
        ]
        for process in self._processes:
            process.start()

    @contextmanager
    def at_work(self) -> Iterator[None]:
        before = self.added.value
        self._go.set()
        while self.added.value == before:
            if not all(process.is_alive() for process in self._processes):
                raise RuntimeError("A process that writes has ended by itself.")
            time.sleep(0.01)
        yield
        self._go.clear()

    def close(self) -> None:
        self._stop.set()
        self._go.set()
        for process in self._processes:
            process.join()


async def main(*arguments: str) -> None:
    dataset = MAKERS[(arguments or ("small",))[0]]()

    async def measure(stack: Stack) -> None:
        _measure(stack.settings.api_url, dataset)

    await run_measurement(measure, only=["api"])


def _measure(api_url: str, dataset: Dataset) -> None:
    quiet, busy, seconds = [], [], 0.0
    with httpx.Client(base_url=api_url, trust_env=False, timeout=_TIMEOUT_S) as http:
        for library in (_WRITTEN, _BUILT):
            _fill(http, library, dataset)
        print(f"\n{dataset.description}: searches over HTTP, one after the other, ms")
        with closing(_Load(api_url, dataset)) as load:
            for _ in range(ROUNDS):
                _wait_until_settled(http)
                quiet.append(_summary(_latencies(http, dataset, load)))
                with load.at_work():
                    started = perf_counter()
                    busy.append(_summary(_latencies(http, dataset, load)))
                    seconds += perf_counter() - started
                print(f"  {_shown(quiet[-1])}   while writing {_shown(busy[-1])}", flush=True)
    medians = {"quiet": _medians(quiet), "while writing": _medians(busy)}
    ratio = statistics.median(b["p99_ms"] / q["p99_ms"] for q, b in zip(quiet, busy, strict=True))
    rate = (load.added.value + load.deleted.value) / seconds
    print("  medians of the rounds:")
    for state, summary in medians.items():
        print(f"    {state:14} {_shown(summary)}")
    print(f"  p99 {ratio:.2f} x; {load.added.value:,} chunks added and {load.deleted.value:,}")
    print(f"  deleted, {rate:,.0f} a second; {load.built.value} graphs of as many rows built")
    figures = {"p99_ratio": ratio, "writes_per_second": rate, "graphs_built": load.built.value}
    write("writing", {**medians, **figures})


def _fill(http: httpx.Client, library: str, dataset: Dataset) -> None:
    dimension, name = dataset.rows.shape[1], library.rpartition("/")[2]
    body = {"name": name, "dimension": dimension, "metric": dataset.metric}
    http.post("/libraries", json=body).raise_for_status()
    for start in range(0, len(dataset.rows), 1_000):
        chunks = _chunks(dataset.rows[start : start + 1_000], first=start, name="c")
        http.post(f"{library}/documents", json={"chunks": chunks}).raise_for_status()


def _wait_until_settled(http: httpx.Client) -> None:
    """Wait until no build is running or due before the next write."""
    time.sleep(_SETTLED_AFTER_S)
    for library in (_WRITTEN, _BUILT):
        _ready(http, library)


def _ready(http: httpx.Client, library: str) -> None:
    while http.get(f"{library}/index").json()["state"] != "ready":
        time.sleep(0.1)


def _chunks(rows: NDArray[np.float32], *, first: int, name: str) -> list[dict[str, str]]:
    return [
        {
            "id": f"{name}{first + i}",
            "text": f"Chunk {first + i}",
            "embedding": b64encode(row.astype("<f4").tobytes()).decode(),
        }
        for i, row in enumerate(rows)
    ]


def _latencies(http: httpx.Client, dataset: Dataset, load: _Load) -> list[float]:
    taken = []
    packed = [b64encode(query.astype("<f4").tobytes()).decode() for query in dataset.queries]
    with _disable_garbage_collection():
        for i in range(SEARCHES):
            gone = load.deleted.value
            body = {"embedding": packed[i % len(packed)], "k": K, "include": []}
            started = perf_counter()
            answer = http.post(f"{_WRITTEN}/search", json=body)
            taken.append(1e3 * (perf_counter() - started))
            ids = {hit["chunk_id"] for hit in answer.raise_for_status().json()["hits"]}
            assert len(ids) == K, "an answer has k different hits"
            stale = {id_ for id_ in ids if id_.startswith("w") and int(id_[1:]) < gone}
            assert not stale, "what was deleted before the search is not found"
    return taken[_WARM:]


@contextmanager
def _disable_garbage_collection() -> Iterator[None]:
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def _summary(taken: list[float]) -> dict[str, float]:
    cuts = statistics.quantiles(taken, n=100)
    return {"p50_ms": cuts[49], "p99_ms": cuts[98]}


def _medians(rounds: Sequence[Mapping[str, float]]) -> dict[str, float]:
    return {name: statistics.median(of_round[name] for of_round in rounds) for name in rounds[0]}


def _shown(summary: Mapping[str, float]) -> str:
    return f"p50 {summary['p50_ms']:6.2f}   p99 {summary['p99_ms']:6.2f}"


def _write(
    api_url: str,
    rows: NDArray[np.float32],
    go: Event,
    stop: Event,
    added: "Synchronized[int]",
    deleted: "Synchronized[int]",
) -> None:
    """Add noisy copies of rows, and delete half as many again."""
    host = urlsplit(api_url).netloc
    with closing(HTTPConnection(host, timeout=_TIMEOUT_S)) as http:
        made = _post(http, f"{_WRITTEN}/documents", json.dumps({"title": "written"}))
        path = f"{_WRITTEN}/documents/{json.loads(made)['id']}/chunks"
        for body in _bodies(rows):
            if not go.is_set():
                http.close()  # the server would close it after a while; the next request reopens it
                go.wait()
            if stop.is_set():
                return
            _post(http, path, body)
            added.value += _AT_ONCE
            if added.value >= 2 * (deleted.value + _AT_ONCE):
                ids = [f"w{number}" for number in range(deleted.value, deleted.value + _AT_ONCE)]
                _post(http, f"{_WRITTEN}/chunks/delete", json.dumps({"ids": ids}))
                deleted.value += _AT_ONCE
    raise RuntimeError("The writer has sent all that it had before the searches were over.")


def _build(api_url: str, go: Event, stop: Event, built: "Synchronized[int]") -> None:
    """Request another index whenever the last one is built."""
    with httpx.Client(base_url=api_url, trust_env=False, timeout=_TIMEOUT_S) as http:
        while go.wait() and not stop.is_set():
            index = {"kind": "hnsw", "ef_construction": 200 + built.value % 2}
            http.put(f"{_BUILT}/index", json=index).raise_for_status()
            _ready(http, _BUILT)
            built.value += 1


def _bodies(rows: NDArray[np.float32]) -> list[str]:
    rng = np.random.default_rng(4)
    bodies = []
    for first in range(0, _MOST, _AT_ONCE):
        near = rows[rng.integers(0, len(rows), _AT_ONCE)]
        noisy = np.asarray(near + 0.01 * rng.standard_normal(near.shape), np.float32)
        bodies.append(json.dumps({"chunks": _chunks(noisy, first=first, name="w")}))
    return bodies


def _post(http: HTTPConnection, path: str, body: str) -> bytes:
    http.request("POST", path, body, {"Content-Type": "application/json"})
    answer = http.getresponse()
    content = answer.read()
    assert answer.status < HTTPStatus.BAD_REQUEST, content
    return content
