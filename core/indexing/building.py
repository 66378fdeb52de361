"""Which algorithm a sealed part gets, and its making."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from core.domain.library import IndexKind, IndexSpec, Metric
from core.indexing.coded import encode
from core.indexing.exact import Vectors
from core.indexing.flat import FlatIndex
from core.indexing.hnsw_build import build_hnsw
from core.indexing.reference import ReferenceIndex
from core.indexing.vector_index import VectorIndex

GRAPH_FROM = 5_000
"""Rows from which `auto` takes a graph: below, a scan takes no longer than a walk."""

_CODED_UP_TO = 1e15
"""Lengths beyond which squares and their sums might leave what float32 can hold."""


def build_index(
    vectors: Vectors,
    spec: IndexSpec,
    *,
    threads: int,
    cancelled: Callable[[], bool] = lambda: False,
) -> VectorIndex:
    """`vectors`: at least one row. What `spec` leaves out is chosen by the vectors.

    Raises:
        BuildCancelled: `cancelled` said so.
    """
    if vectors.metric is not Metric.COSINE and not _is_codable(vectors):
        return ReferenceIndex(vectors)
    asked = spec.parameters
    match _kind(spec.kind, len(vectors.matrix)):
        case IndexKind.HNSW:
            return build_hnsw(
                vectors,
                degree=_whole(asked.get("m")),
                ef_construction=_whole(asked.get("ef_construction")),
                ef=_whole(asked.get("ef")),
                target_recall=asked.get("target_recall"),
                threads=threads,
                cancelled=cancelled,
            )
        case _:
            with ThreadPoolExecutor(threads, "build") as pool:
                return FlatIndex(encode(vectors, pool, threads))


def _kind(asked: IndexKind, rows: int) -> IndexKind:
    if asked is IndexKind.AUTO:
        return IndexKind.HNSW if rows >= GRAPH_FROM else IndexKind.FLAT
    return asked


def _is_codable(vectors: Vectors) -> bool:
    longest = float(np.max(vectors.norms, initial=0.0))
    return longest == 0.0 or 1 / _CODED_UP_TO < longest < _CODED_UP_TO


def _whole(value: float | None) -> int | None:
    return None if value is None else int(value)
