"""`make bench ARGS=filters`: searches that a filter leaves few rows to, beside hnswlib's callback."""

import statistics
from collections.abc import Callable, Sequence
from time import perf_counter

import numpy as np
from numpy.typing import NDArray

from benchmarks.index.curves import recall
from benchmarks.index.datasets import MAKERS, Dataset, K, nearest
from benchmarks.index.peers import DEGREE, EF_CONSTRUCTION, vectors_of
from benchmarks.index.report import write
from core.domain.library import Metric
from core.indexing.hnsw_build import build_hnsw
from core.indexing.vector_index import Effort
from core.indexing.warming import call_every_kernel

QUERIES, ROUNDS, TARGET = 200, 5, 0.95
_EFS = (10, 20, 40, 80, 160, 320, 640)

Allowed = NDArray[np.bool_]
Answer = Callable[[int], NDArray[np.int64]]


async def main(arguments: Sequence[str] = ()) -> None:
    import hnswlib

    call_every_kernel()
    measured = {}
    for name in arguments or ("clustered",):
        dataset = MAKERS[name]()
        print(f"\n{dataset.description}: one query a call, recall@{K} of at least {TARGET}")
        mine = build_hnsw(vectors_of(dataset), threads=2)
        theirs = hnswlib.Index("l2" if dataset.metric is Metric.L2 else "ip", mine.coded.block[3])
        theirs.init_index(len(dataset.rows), M=DEGREE, ef_construction=EF_CONSTRUCTION)
        theirs.add_items(dataset.rows, num_threads=2)
        for label, allowed in _filters(dataset):
            truth = nearest(dataset.metric, dataset.rows, dataset.queries[:QUERIES], allowed)

            def answer(i: int, allowed: Allowed = allowed) -> NDArray[np.int64]:
                query = dataset.queries[i : i + 1]
                [found] = mine.search(query, K, Effort(target_recall=TARGET), allowed)
                return _padded(found.rows[:K])

            def their_answer(i: int, allowed: Allowed = allowed) -> NDArray[np.int64]:
                ask = {"k": min(K, int(allowed.sum())), "num_threads": 1}
                query = dataset.queries[i : i + 1]
                return _padded(theirs.knn_query(query, filter=allowed.__getitem__, **ask)[0][0])

            own_us, own_recall = _timed(answer, truth)
            for ef in _EFS:
                theirs.set_ef(ef)
                us, share = _timed(their_answer, truth)
                if share >= TARGET:
                    break
            matches = int(allowed.sum())
            print(
                f"  {label:12} {matches:7,} matches  Nalanda {own_us:7.0f} µs, recall "
                f"{own_recall:.3f}   hnswlib {us:9.0f} µs, recall {share:.3f}   {us / own_us:6.1f} x",
                flush=True,
            )
            measured[f"{name}, {label}"] = {
                "matches": matches,
                "nalanda": {"us": own_us, "recall": own_recall},
                "hnswlib": {"us": us, "recall": share, "ef": ef},
            }
    write("filters", measured)


def _filters(dataset: Dataset) -> list[tuple[str, Allowed]]:
    chance = np.random.default_rng(3).random(len(dataset.rows))
    near = dataset.rows @ dataset.queries[0]
    return [
        *((f"{100 * share:g} % at random", chance < share) for share in (0.5, 0.1, 0.01, 0.001)),
        ("10 % nearest", near > np.quantile(near, 0.9)),
        ("10 % farthest", near < np.quantile(near, 0.1)),
    ]


def _padded(rows: NDArray[np.int64]) -> NDArray[np.int64]:
    padded = np.full(K, -2, np.int64)
    padded[: len(rows)] = rows
    return padded


def _timed(answer: Answer, truth: NDArray[np.int64]) -> tuple[float, float]:
    """µs a query, the median of the rounds; recall."""
    found = np.stack([answer(i) for i in range(QUERIES)])
    rounds = []
    for _ in range(ROUNDS):
        started = perf_counter()
        for i in range(QUERIES):
            answer(i)
        rounds.append(1e6 * (perf_counter() - started) / QUERIES)
    return statistics.median(rounds), recall(found, truth)
