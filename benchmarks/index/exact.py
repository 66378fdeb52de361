"""`make bench ARGS=exact`: exact search of 1 and of 64 queries, compared with numpy and faiss."""

import statistics
from collections import defaultdict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from time import perf_counter

import numpy as np
from numpy.typing import NDArray

from benchmarks.index.curves import recall
from benchmarks.index.datasets import MAKERS, Dataset, Floats, K
from benchmarks.index.peers import vectors_of
from benchmarks.index.report import write
from core.domain.library import Metric
from core.indexing.maintenance.kernel_warmup import call_every_kernel
from core.indexing.vectors.flat import FlatIndex
from core.indexing.vectors.quantized import encode
from core.indexing.vectors.vector_index import SearchParams

ROUNDS = 9

Search = Callable[[Floats], NDArray[np.int64]]


async def main(*arguments: str) -> None:
    from threadpoolctl import threadpool_limits

    call_every_kernel()
    measured = {}
    for name in arguments or ("clustered", "images", "hard"):
        dataset = MAKERS[name]()
        print(f"\n{dataset.description}: exact search, ms a call on one thread", flush=True)
        with threadpool_limits(1):
            measured[name] = {f"{many}": _measure(dataset, many) for many in (1, 64)}
    write("exact", measured)


def _measure(dataset: Dataset, many: int) -> dict[str, dict[str, float]]:
    peers = {"Nalanda flat": _nalanda(dataset), "numpy": _numpy(dataset), "faiss": _faiss(dataset)}
    taken = defaultdict(list)
    shares = defaultdict(list)
    for turn in range(ROUNDS):
        queries = np.ascontiguousarray(dataset.queries[turn * many : (turn + 1) * many])
        truth = dataset.truth[turn * many : (turn + 1) * many]
        for name, search in peers.items():
            started = perf_counter()
            rows = search(queries)
            taken[name].append(1e3 * (perf_counter() - started))
            shares[name].append(recall(rows, truth))
    medians = {name: statistics.median(ms[1:]) for name, ms in taken.items()}
    for name, median in medians.items():
        ratio = median / medians["Nalanda flat"]
        share = statistics.mean(shares[name])
        print(f"  {many:3} queries  {name:14} {median:8.2f}  {ratio:5.2f} x  recall {share:.4f}")
    return {
        name: {"ms": round(medians[name], 3), "recall": statistics.mean(shares[name])}
        for name in peers
    }


def _nalanda(dataset: Dataset) -> Search:
    with ThreadPoolExecutor(1) as pool:
        index = FlatIndex(encode(vectors_of(dataset), pool, 1))
    return lambda queries: np.stack(
        [hits.rows[:K] for hits in index.search(queries, K, SearchParams(), None)]
    )


def _numpy(dataset: Dataset) -> Search:
    """Return a search by matrix product and selection."""
    halves = np.einsum("ij,ij->i", dataset.rows, dataset.rows) / 2

    def search(queries: Floats) -> NDArray[np.int64]:
        scores = queries @ dataset.rows.T
        if dataset.metric is Metric.L2:
            scores -= halves
        return np.argpartition(scores, -K, axis=1)[:, -K:]

    return search


def _faiss(dataset: Dataset) -> Search:
    import faiss

    faiss.omp_set_num_threads(1)
    kind = faiss.IndexFlatL2 if dataset.metric is Metric.L2 else faiss.IndexFlatIP
    index = kind(dataset.rows.shape[1])
    index.add(dataset.rows)
    return lambda queries: np.asarray(index.search(queries, K)[1])
