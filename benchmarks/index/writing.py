"""`make bench ARGS=writing`: searches over HTTP while a writer writes as fast as it is let.

The writer is a process of its own: it adds chunks and deletes others, and segments are built of
what it adds. What it sends is made before, so that it takes as little as can be of the processor
that the server answers with. Each answer is checked: it has k different hits, and none that was
gone before the search began.
"""

import json
import multiprocessing
import statistics
from base64 import b64encode
from contextlib import closing
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
from benchmarks.processes import measured
from cli.processes.stack import Stack

SEARCHES = 3_000
_AT_ONCE = 20
_MOST = 60_000
_TIMEOUT_S = 120
_LIBRARY = "/libraries/written"


async def main(*arguments: str) -> None:
    dataset = MAKERS[(arguments or ("small",))[0]]()

    async def measure(stack: Stack) -> None:
        _measure(stack.settings.api_url, dataset)

    await measured(measure, only=["api"])


def _measure(api_url: str, dataset: Dataset) -> None:
    with httpx.Client(base_url=api_url, trust_env=False, timeout=_TIMEOUT_S) as http:
        _fill(http, dataset)
        quiet = _latencies(http, dataset, None)
        context = multiprocessing.get_context("spawn")
        stop = context.Event()
        counts = context.Value("q", 0), context.Value("q", 0)
        rows = dataset.rows[:2_000]
        writer = context.Process(target=_write, args=(api_url, rows, stop, *counts))
        writer.start()
        while not counts[0].value:
            http.get("/livez")
        started = perf_counter()
        busy = _latencies(http, dataset, counts[1])
        seconds = perf_counter() - started
        stop.set()
        writer.join()
        index = http.get(f"{_LIBRARY}/index").json()
    summaries = {"quiet": _summary(quiet), "while writing": _summary(busy)}
    ratio = summaries["while writing"]["p99_ms"] / summaries["quiet"]["p99_ms"]
    rate = (counts[0].value + counts[1].value) / seconds
    print(f"\n{dataset.description}: {SEARCHES:,} searches over HTTP, one after the other, ms")
    for state, summary in summaries.items():
        print(f"  {state:14} p50 {summary['p50_ms']:6.2f}   p99 {summary['p99_ms']:6.2f}")
    print(f"  p99 {ratio:.2f} x; {counts[0].value:,} chunks added and {counts[1].value:,} deleted")
    print(f"  meanwhile, {rate:,.0f} a second; {index['segments']} segments at the end")
    write("writing", {**summaries, "p99_ratio": ratio, "writes_per_second": rate})


def _fill(http: httpx.Client, dataset: Dataset) -> None:
    body = {"name": "written", "dimension": dataset.rows.shape[1], "metric": dataset.metric}
    http.post("/libraries", json=body).raise_for_status()
    for start in range(0, len(dataset.rows), 1_000):
        chunks = _chunks(dataset.rows[start : start + 1_000], first=start, name="c")
        http.post(f"{_LIBRARY}/documents", json={"chunks": chunks}).raise_for_status()
    while http.get(f"{_LIBRARY}/index").json()["state"] != "ready":
        pass


def _chunks(rows: NDArray[np.float32], *, first: int, name: str) -> list[dict[str, str]]:
    return [
        {
            "id": f"{name}{first + i}",
            "text": f"Chunk {first + i}",
            "embedding": b64encode(row.astype("<f4").tobytes()).decode(),
        }
        for i, row in enumerate(rows)
    ]


def _latencies(
    http: httpx.Client, dataset: Dataset, deleted: "Synchronized[int] | None"
) -> list[float]:
    taken = []
    packed = [b64encode(query.astype("<f4").tobytes()).decode() for query in dataset.queries]
    for i in range(SEARCHES):
        gone = deleted.value if deleted is not None else 0
        body = {"embedding": packed[i % len(packed)], "k": K, "include": []}
        started = perf_counter()
        answer = http.post(f"{_LIBRARY}/search", json=body)
        taken.append(1e3 * (perf_counter() - started))
        ids = {hit["chunk_id"] for hit in answer.raise_for_status().json()["hits"]}
        assert len(ids) == K, "an answer has k different hits"
        stale = {id_ for id_ in ids if id_.startswith("w") and int(id_[1:]) < gone}
        assert not stale, "what was deleted before the search is not found"
    return taken[SEARCHES // 20 :]


def _summary(taken: list[float]) -> dict[str, float]:
    cuts = statistics.quantiles(taken, n=100)
    return {"p50_ms": cuts[49], "p99_ms": cuts[98]}


def _write(
    api_url: str,
    rows: NDArray[np.float32],
    stop: Event,
    added: "Synchronized[int]",
    deleted: "Synchronized[int]",
) -> None:
    """Adds noisy copies of rows, twice as many as it deletes again."""
    host = urlsplit(api_url).netloc
    with closing(HTTPConnection(host, timeout=_TIMEOUT_S)) as http:
        made = _post(http, f"{_LIBRARY}/documents", json.dumps({"title": "written"}))
        path = f"{_LIBRARY}/documents/{json.loads(made)['id']}/chunks"
        for body in _bodies(rows):
            if stop.is_set():
                return
            _post(http, path, body)
            added.value += _AT_ONCE
            if added.value >= 2 * (deleted.value + _AT_ONCE):
                ids = [f"w{number}" for number in range(deleted.value, deleted.value + _AT_ONCE)]
                _post(http, f"{_LIBRARY}/chunks/delete", json.dumps({"ids": ids}))
                deleted.value += _AT_ONCE
    raise RuntimeError("The writer has sent all that it had before the searches were over.")


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
