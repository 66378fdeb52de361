"""The measured libraries behind one interface of three calls."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from benchmarks.index.datasets import Dataset, Floats, K
from core.domain.library import Metric
from core.indexing.hnsw.build import build_hnsw
from core.indexing.ivf.build import build_ivf
from core.indexing.vectors.exact import Vectors
from core.indexing.vectors.vector_index import SearchParams, SegmentHits

DEGREE, EF_CONSTRUCTION = 16, 200


class Search(Protocol):
    def __call__(self, queries: Floats, effort: Any, k: int = K, /) -> NDArray[np.int64]: ...


@dataclass(frozen=True, slots=True, eq=False)
class Built:
    """A built index; `search(queries, effort, k)` returns `(q, k)` row numbers, on one thread."""

    search: Search
    efforts: Sequence[Any]
    note: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Peer:
    """A library; `build(dataset, threads)` builds its index."""

    name: str
    build: Callable[[Dataset, int], Built]


EFS = (10, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256, 384, 512, 768)


def vectors_of(dataset: Dataset) -> Vectors:
    norms = np.linalg.norm(dataset.rows.astype(np.float64), axis=1)
    return Vectors(dataset.metric, dataset.rows, norms)


def table(answers: Sequence[SegmentHits], k: int) -> NDArray[np.int64]:
    """Return row numbers in the peers' format; stacking a single row would cost a sixth of its
    search.
    """
    if len(answers) == 1:
        return answers[0].rows[np.newaxis, :k]
    return np.stack([hits.rows[:k] for hits in answers])


def _nalanda(dataset: Dataset, threads: int) -> Built:
    index = build_hnsw(vectors_of(dataset), ef_construction=EF_CONSTRUCTION, threads=threads)

    def search(queries: Floats, ef: int, k: int = K) -> NDArray[np.int64]:
        return table(index.walk(queries, k, ef), k)

    return Built(search, EFS, f"M {index.degree}, chosen by the data")


def _nalanda_ivf(dataset: Dataset, threads: int) -> Built:
    index = build_ivf(vectors_of(dataset), threads=threads)

    def search(queries: Floats, nprobe: int, k: int = K) -> NDArray[np.int64]:
        return table(index.search(queries, k, SearchParams(nprobe=nprobe), None), k)

    cells = int(index.parameters["nlist"])
    efforts = [probed for probed in (*_PROBES, 512, 1_024, 2_048) if probed <= cells]
    return Built(search, efforts, f"{cells} cells")


def _hnswlib(degree: int) -> Callable[[Dataset, int], Built]:
    def build(dataset: Dataset, threads: int) -> Built:
        import hnswlib

        space = "l2" if dataset.metric is Metric.L2 else "ip"
        index = hnswlib.Index(space, dataset.rows.shape[1])
        index.init_index(len(dataset.rows), M=degree, ef_construction=EF_CONSTRUCTION)
        index.add_items(dataset.rows, num_threads=threads)
        index.set_num_threads(1)

        def search(queries: Floats, ef: int, k: int = K) -> NDArray[np.int64]:
            index.set_ef(max(ef, k))
            return np.asarray(index.knn_query(queries, k, num_threads=1)[0], np.int64)

        return Built(search, EFS, f"M {degree}")

    return build


def _faiss_hnsw(dataset: Dataset, threads: int) -> Built:
    import faiss

    faiss.omp_set_num_threads(threads)
    index = faiss.IndexHNSWFlat(dataset.rows.shape[1], DEGREE, faiss_metric(dataset))
    index.hnsw.efConstruction = EF_CONSTRUCTION
    index.add(dataset.rows)
    faiss.omp_set_num_threads(1)

    def search(queries: Floats, ef: int, k: int = K) -> NDArray[np.int64]:
        index.hnsw.efSearch = max(ef, k)
        return np.asarray(index.search(queries, k)[1])

    return Built(search, EFS, f"M {DEGREE}")


def faiss_metric(dataset: Dataset) -> int:
    import faiss

    l2, product = faiss.METRIC_L2, faiss.METRIC_INNER_PRODUCT
    return int(l2 if dataset.metric is Metric.L2 else product)


def _usearch(dataset: Dataset, threads: int) -> Built:
    import usearch.index

    metric = "l2sq" if dataset.metric is Metric.L2 else "ip"
    index: Any = usearch.index.Index(
        ndim=dataset.rows.shape[1],
        metric=metric,
        dtype="f32",
        connectivity=DEGREE,
        expansion_add=EF_CONSTRUCTION,
    )
    index.add(np.arange(len(dataset.rows)), dataset.rows, threads=threads)

    def search(queries: Floats, ef: int, k: int = K) -> NDArray[np.int64]:
        index.expansion_search = max(ef, k)
        keys = index.search(queries, k, threads=1).keys
        return np.asarray(keys, np.int64).reshape(len(queries), k)

    return Built(search, EFS, f"M {DEGREE}")


def _faiss_ivf_pq(dataset: Dataset, threads: int) -> Built:
    """4-bit product quantisation with fast-scan, and the vectors to re-rank."""
    import faiss

    faiss.omp_set_num_threads(threads)
    dimension = dataset.rows.shape[1]
    cells = int(4 * np.sqrt(len(dataset.rows)))
    name = f"IVF{cells},PQ{dimension // 2}x4fs,RFlat"
    index: Any = faiss.index_factory(dimension, name, faiss_metric(dataset))
    index.train(dataset.rows[:: max(1, len(dataset.rows) // 65_536)])
    index.add(dataset.rows)
    faiss.omp_set_num_threads(1)
    inner: Any = faiss.downcast_index(index.base_index)

    def search(queries: Floats, effort: tuple[int, int], k: int = K) -> NDArray[np.int64]:
        inner.nprobe, index.k_factor = effort
        return np.asarray(index.search(queries, k)[1])

    return Built(search, list(_probes()), name)


_PROBES = (1, 2, 4, 8, 16, 24, 32, 48, 64, 96, 128, 256)


def _probes() -> Iterator[tuple[int, int]]:
    for nprobe in _PROBES:
        for factor in (2, 4, 8, 16):
            yield nprobe, factor


def _scann(dataset: Dataset, threads: int) -> Built:
    import scann

    metric = "squared_l2" if dataset.metric is Metric.L2 else "dot_product"
    leaves = int(2 * np.sqrt(len(dataset.rows)))
    builder = scann.scann_ops_pybind.builder(dataset.rows, K, metric)
    builder = builder.tree(leaves, leaves // 10, training_sample_size=len(dataset.rows))
    builder = builder.score_ah(2, anisotropic_quantization_threshold=0.2).reorder(100)
    index = builder.set_n_training_threads(threads).build()

    def search(queries: Floats, effort: tuple[int, int], k: int = K) -> NDArray[np.int64]:
        leaves_, reordered = effort
        rows, _ = index.search_batched(
            queries, k, leaves_to_search=leaves_, pre_reorder_num_neighbors=reordered
        )
        return np.asarray(rows, np.int64)

    efforts = [
        (leaves_, reordered)
        for leaves_ in (2, 4, 8, 16, 24, 32, 48, 64, 96, 128, 256)
        for reordered in (30, 60, 120, 240)
    ]
    return Built(search, efforts, f"{leaves} leaves")


PEERS = [
    Peer("Nalanda hnsw", _nalanda),
    Peer("Nalanda ivf", _nalanda_ivf),
    Peer("hnswlib", _hnswlib(DEGREE)),
    Peer("hnswlib M 32", _hnswlib(2 * DEGREE)),
    Peer("faiss HNSWFlat", _faiss_hnsw),
    Peer("usearch", _usearch),
    Peer("faiss IVF-PQ fast-scan", _faiss_ivf_pq),
    Peer("ScaNN", _scann),
]
