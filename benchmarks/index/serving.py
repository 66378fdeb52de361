"""`make bench ARGS=serving`: core's search calls, one query per call, compared with hnswlib.

It measures the view's search, with segments, delta and deleted rows, and the whole service's, which
validates a request and returns chunks and a plan. Nalanda chooses degree and effort; hnswlib gets
the ef that reaches the same recall.
"""

import statistics
from collections.abc import Callable
from time import perf_counter

import numpy as np
from numpy.typing import NDArray

from benchmarks.index.curves import recall
from benchmarks.index.datasets import MAKERS, Dataset, K
from benchmarks.index.libraries import LIBRARY, fill, library
from benchmarks.index.peers import PEERS
from benchmarks.index.report import write
from core.indexing.maintenance.kernel_warmup import call_every_kernel
from core.indexing.vectors.vector_index import SearchParams
from core.services.search.request import SearchRequest

QUERIES, ROUNDS = 500, 7
TARGETS = (0.95, 0.99)

Answer = Callable[[int], NDArray[np.int64]]


async def main(*arguments: str) -> None:
    call_every_kernel()
    measured = {}
    for name in arguments or ("clustered", "images", "hard"):
        dataset = MAKERS[name]()
        print(f"\n{dataset.description}: one query a call, µs", flush=True)
        for target in TARGETS:
            measured[f"{name} @ {target}"] = _measure(dataset, target)
    write("serving", measured)


def _measure(dataset: Dataset, target: float) -> dict[str, object]:
    peer = next(peer for peer in PEERS if peer.name == "hnswlib").build(dataset, 2)
    queries = dataset.queries[:QUERIES]
    with library(dataset.metric, dataset.rows.shape[1]) as filled:
        fill(filled, dataset)
        requests = [
            SearchRequest(LIBRARY, embedding=query, k=K, parameters={"target_recall": target})
            for query in queries
        ]

        def mine(i: int) -> NDArray[np.int64]:
            hits = filled.search.search(requests[i]).hits
            return np.array([int(hit.chunk.id) for hit in hits])

        own_recall = _recall(mine, dataset)
        for ef in peer.efforts:
            if recall(peer.search(queries, ef), dataset.truth[:QUERIES]) >= own_recall:
                break

        view = filled.catalog.library(LIBRARY)
        params = SearchParams(target_recall=target)

        def of_view(i: int) -> NDArray[np.int64]:
            return view.search(queries[i : i + 1], K, params=params)[0].row_ids

        def theirs(i: int) -> NDArray[np.int64]:
            return np.asarray(peer.search(queries[i : i + 1], ef)[0])

        calls: dict[str, Answer] = {"service": mine, "view": of_view, "hnswlib": theirs}
        taken: dict[str, list[float]] = {name: [] for name in calls}
        for _ in range(ROUNDS):
            for name, call in calls.items():
                taken[name].append(_us_a_call(call))
    medians = {name: statistics.median(us) for name, us in taken.items()}
    ratios = {name: medians["hnswlib"] / medians[name] for name in ("view", "service")}
    print(
        f"  target {target}: recall {own_recall:.4f}   hnswlib, ef {ef}: {medians['hnswlib']:6.1f}"
        f"   view {medians['view']:6.1f}, {ratios['view']:5.2f} x"
        f"   service {medians['service']:6.1f}, {ratios['service']:5.2f} x",
        flush=True,
    )
    return {"recall": own_recall, "hnswlib_ef": ef, "us": medians, "ratios": ratios}


def _recall(answer: Answer, dataset: Dataset) -> float:
    rows = np.stack([answer(i) for i in range(QUERIES)])
    return recall(rows, dataset.truth[:QUERIES])


def _us_a_call(answer: Answer) -> float:
    started = perf_counter()
    for i in range(QUERIES):
        answer(i)
    return 1e6 * (perf_counter() - started) / QUERIES
