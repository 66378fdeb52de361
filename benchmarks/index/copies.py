"""`make bench ARGS=copies`: recall among near copies and microseconds per query, with peers.

Nalanda's indexes work at the effort that their calibration chooses for the default target. Both
are walked or probed even where an exact scan would be cheaper, as it is for data this small.
"""

import statistics
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from time import perf_counter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.index.datasets import Dataset, Floats, K
from benchmarks.index.near_copies import NearCopies
from benchmarks.index.peers import PEERS, Built, Peer, faiss_metric, table, vectors_of
from benchmarks.index.report import write
from core.domain.library import Metric
from core.indexing.hnsw.build import build_hnsw
from core.indexing.ivf.build import build_ivf
from core.indexing.maintenance.kernel_warmup import call_every_kernel
from core.indexing.vectors.vector_index import SearchParams

CASES = (
    NearCopies(8_000, 64, 200, 0.999),
    NearCopies(8_000, 128, 200, 0.99),
    NearCopies(12_000, 384, 200, 0.99),
    NearCopies(12_000, 384, 200, 0.999),
    NearCopies(40_000, 32, 20, 0.9, metric=Metric.DOT, spread=1.0),
    NearCopies(8_000, 64, 2_000, 0.9999),
    NearCopies(8_000, 64, 2_000, 1.0),
    NearCopies(20_000, 64, 20_000, 0.999),
)
QUERIES, THREADS, ROUNDS = 200, 2, 5
KS = (K, 100)
_TIE = 1e-13
_ROWS_PER_CELL = 39
"""Minimum number of training rows per cell for which faiss gives no warning."""

Scores = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Measured:
    """Recall and microseconds per query in one batch, on one thread, for each of `KS`."""

    recalls: Mapping[int, float]
    microseconds: Mapping[int, float]


async def main() -> None:
    call_every_kernel()
    measured = {}
    for case in CASES:
        name = description(case)
        print(f"\n{name}", flush=True)
        measured[name] = _measure(case)
        _print(measured[name])
    write("copies", {name: _as_json(rows) for name, rows in measured.items()})


def description(case: NearCopies) -> str:
    shape = f"{case.count:,} × {case.dimension} {case.metric.value}"
    lengths = f", σ of the log of norms {case.spread:g}" if case.spread else ""
    kind = "exact copies" if case.cosine == 1 else f"copies at {case.cosine:g}"
    return f"{shape}, {case.size:,} {kind}{lengths}"


def _graph(dataset: Dataset, threads: int) -> Built:
    index = build_hnsw(vectors_of(dataset), threads=threads)

    def search(queries: Floats, effort: SearchParams, k: int = K) -> NDArray[np.int64]:
        return table(index.walk(queries, k, index.calibration.ef(effort.recall, k)), k)

    return Built(search, [SearchParams()])


def _lists(dataset: Dataset, threads: int) -> Built:
    index = build_ivf(vectors_of(dataset), threads=threads)

    def search(queries: Floats, effort: SearchParams, k: int = K) -> NDArray[np.int64]:
        return table(index.probe(queries, k, *index.tuning.of(effort, k)), k)

    return Built(search, [SearchParams()])


def _faiss_ivf(dataset: Dataset, threads: int) -> Built:
    """Build lists that hold the vectors themselves."""
    import faiss

    faiss.omp_set_num_threads(threads)
    cells = min(int(4 * np.sqrt(len(dataset.rows))), len(dataset.rows) // _ROWS_PER_CELL)
    dimension = dataset.rows.shape[1]
    index: Any = faiss.index_factory(dimension, f"IVF{cells},Flat", faiss_metric(dataset))
    index.train(dataset.rows)
    index.add(dataset.rows)
    faiss.omp_set_num_threads(1)

    def search(queries: Floats, nprobe: int, k: int = K) -> NDArray[np.int64]:
        index.nprobe = nprobe
        return np.asarray(index.search(queries, k)[1])

    return Built(search, [8, 64])


OWN = (Peer("Nalanda hnsw", _graph), Peer("Nalanda ivf", _lists))
OTHERS = (
    *(peer for peer in PEERS if peer.name in {"hnswlib", "faiss HNSWFlat", "usearch"}),
    Peer("faiss IVFFlat", _faiss_ivf),
)
EFS = (64, 256)


def _measure(case: NearCopies) -> dict[str, Measured]:
    rows, queries = case.rows(), case.queries(QUERIES)
    dataset = Dataset.of("copies", description(case), case.metric, rows, queries)
    contenders = {}
    for peer in (*OWN, *OTHERS):
        built = peer.build(dataset, THREADS)
        for effort in built.efforts if len(built.efforts) <= len(EFS) else EFS:
            contenders[_label(peer, effort)] = (built, effort)
    scores = scores_of(dataset)
    taken: dict[tuple[str, int], list[float]] = defaultdict(list)
    recalls: dict[str, dict[int, float]] = defaultdict(dict)
    for turn in range(ROUNDS):
        for name in list(contenders)[:: 1 if turn % 2 == 0 else -1]:
            built, effort = contenders[name]
            for k in KS:
                started = perf_counter()
                hits = built.search(queries, effort, k)
                taken[name, k].append(1e6 * (perf_counter() - started) / QUERIES)
                recalls[name][k] = recall(hits, scores, k)
    return {
        name: Measured(recalls[name], {k: statistics.median(taken[name, k]) for k in KS})
        for name in contenders
    }


def _label(peer: Peer, effort: Any) -> str:
    if isinstance(effort, SearchParams):
        return f"{peer.name}, target {effort.recall:g}"
    return f"{peer.name}, {'nprobe' if 'IVF' in peer.name else 'ef'} {effort}"


def scores_of(dataset: Dataset) -> Scores:
    """Return `(q, n) float64`, the scores of all rows; for cosine and inner products."""
    rows = dataset.rows.astype(np.float64)
    if dataset.metric is Metric.COSINE:
        rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    return np.asarray(dataset.queries.astype(np.float64) @ rows.T)


def recall(rows: NDArray[np.int64], scores: Scores, k: int) -> float:
    """Return the mean share of the k nearest that were found; of equal rows any will do."""
    least = np.partition(scores, -k, axis=1)[:, -k, np.newaxis] - _TIE
    reached = np.take_along_axis(scores, np.maximum(rows, 0), axis=1) >= least
    return float(np.mean(reached & (rows >= 0)))


def _print(measured: Mapping[str, Measured]) -> None:
    heads = [f"recall@{k}" for k in KS] + [f"µs @{k}" for k in KS]
    print(f"  {'':30}" + "".join(f"{head:>12}" for head in heads))
    for name, row in measured.items():
        shares = "".join(f"{row.recalls[k]:12.3f}" for k in KS)
        times = "".join(f"{row.microseconds[k]:12,.0f}" for k in KS)
        print(f"  {name:30}{shares}{times}", flush=True)


def _as_json(rows: Mapping[str, Measured]) -> Mapping[str, Sequence[Mapping[str, float]]]:
    return {
        name: [
            {
                "k": k,
                "recall": round(row.recalls[k], 4),
                "microseconds": round(row.microseconds[k], 1),
            }
            for k in KS
        ]
        for name, row in rows.items()
    }
