"""`make bench ARGS=filters`: searches with a selective filter, compared with hnswlib."""

import statistics
from collections.abc import Callable
from time import perf_counter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.index.curves import recall
from benchmarks.index.datasets import MAKERS, Dataset, K, nearest
from benchmarks.index.peers import DEGREE, EF_CONSTRUCTION, vectors_of
from benchmarks.index.report import write
from core.domain.library import Metric
from core.indexing.hnsw.build import build_hnsw
from core.indexing.hnsw.index import HnswIndex
from core.indexing.maintenance.kernel_warmup import call_every_kernel
from core.indexing.vectors.vector_index import SearchParams

QUERIES, ROUNDS, TARGET = 200, 5, 0.95
_EFS = (10, 20, 40, 80, 160, 320, 640)

Allowed = NDArray[np.bool_]
Answer = Callable[[int], NDArray[np.int64]]


async def main(*arguments: str) -> None:
    call_every_kernel()
    measured = {}
    for name in arguments or ("clustered",):
        dataset = MAKERS[name]()
        print(f"\n{dataset.description}: one query a call, recall@{K} of at least {TARGET}, µs")
        mine = build_hnsw(vectors_of(dataset), threads=2)
        theirs = _hnswlib(dataset)
        for label, allowed in _filters(dataset):
            figures = _measure(dataset, allowed, mine, theirs)
            measured[f"{name}, {label}"] = figures
            shown = "   ".join(f"{key} {value:9,.3f}" for key, value in figures.items())
            print(f"  {label:16} {shown}", flush=True)
    write("filters", measured)


def _hnswlib(dataset: Dataset) -> Any:
    import hnswlib

    space = "l2" if dataset.metric is Metric.L2 else "ip"
    index = hnswlib.Index(space, dataset.rows.shape[1])
    index.init_index(len(dataset.rows), M=DEGREE, ef_construction=EF_CONSTRUCTION)
    index.add_items(dataset.rows, num_threads=2)
    return index


def _measure(dataset: Dataset, allowed: Allowed, mine: HnswIndex, theirs: Any) -> dict[str, float]:
    """Compare with hnswlib at the least ef that reaches the target."""
    queries = dataset.queries[:QUERIES]
    truth = nearest(dataset.metric, dataset.rows, queries, allowed)
    params, k = SearchParams(target_recall=TARGET), min(K, int(allowed.sum()))

    def answer(i: int) -> NDArray[np.int64]:
        [hits] = mine.search(queries[i : i + 1], K, params, allowed)
        return _pad(hits.rows[:K])

    def their_answer(i: int) -> NDArray[np.int64]:
        rows, _ = theirs.knn_query(
            queries[i : i + 1], k=k, filter=allowed.__getitem__, num_threads=1
        )
        return _pad(rows[0])

    own_us, own_recall = _measure_answers(answer, truth)
    for ef in _EFS:
        theirs.set_ef(ef)
        us, share = _measure_answers(their_answer, truth)
        if share >= TARGET:
            break
    return {
        "matches": int(allowed.sum()),
        "Nalanda": own_us,
        "recall": own_recall,
        "hnswlib": us,
        "its recall": share,
        "ratio": us / own_us,
    }


def _filters(dataset: Dataset) -> list[tuple[str, Allowed]]:
    chance = np.random.default_rng(3).random(len(dataset.rows))
    near = dataset.rows @ dataset.queries[0]
    return [
        *((f"{100 * share:g} % at random", chance < share) for share in (0.5, 0.1, 0.01, 0.001)),
        ("10 % nearest", near > np.quantile(near, 0.9)),
        ("10 % farthest", near < np.quantile(near, 0.1)),
    ]


def _pad(rows: NDArray[np.int64]) -> NDArray[np.int64]:
    padded = np.full(K, -2, np.int64)
    padded[: len(rows)] = rows
    return padded


def _measure_answers(answer: Answer, truth: NDArray[np.int64]) -> tuple[float, float]:
    """Return the median microseconds per query, and the recall."""
    rows = np.stack([answer(i) for i in range(QUERIES)])
    rounds = []
    for _ in range(ROUNDS):
        started = perf_counter()
        for i in range(QUERIES):
            answer(i)
        rounds.append(1e6 * (perf_counter() - started) / QUERIES)
    return statistics.median(rounds), recall(rows, truth)
