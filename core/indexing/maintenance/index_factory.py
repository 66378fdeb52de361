"""Chooses and builds the index of a sealed segment."""

from collections.abc import Callable

from core.domain.library import IndexKind, IndexSpec
from core.indexing.hnsw.build import build_hnsw
from core.indexing.ivf.build import build_ivf
from core.indexing.vectors.build_threads import BuildThreads
from core.indexing.vectors.exact import Vectors
from core.indexing.vectors.flat import FlatIndex
from core.indexing.vectors.quantized import encode
from core.indexing.vectors.reference import ReferenceIndex, fits_kernels
from core.indexing.vectors.search_activity import SearchActivity
from core.indexing.vectors.vector_index import VectorIndex

GRAPH_FROM = 5_000
"""The row count from which `auto` builds a graph; below, a scan takes no longer than a walk."""


def build_index(
    vectors: Vectors,
    spec: IndexSpec,
    *,
    threads: int,
    is_cancelled: Callable[[], bool] = lambda: False,
    activity: SearchActivity | None = None,
) -> VectorIndex:
    """Build an index over at least one vector; parameters missing from `spec` are chosen by data.

    `activity`: the searches that the build yields to.

    Raises:
        BuildCancelled: `is_cancelled` returned true.
    """
    if not fits_kernels(vectors):
        return ReferenceIndex(vectors)
    parameters = spec.parameters
    match _kind(spec.kind, len(vectors.matrix)):
        case IndexKind.HNSW:
            return build_hnsw(
                vectors,
                degree=_whole(parameters.get("m")),
                ef_construction=_whole(parameters.get("ef_construction")),
                threads=threads,
                is_cancelled=is_cancelled,
                activity=activity,
            )
        case IndexKind.IVF:
            nlist = _whole(parameters.get("nlist"))
            return build_ivf(
                vectors, nlist=nlist, threads=threads, is_cancelled=is_cancelled, activity=activity
            )
        case _:
            with BuildThreads(threads, activity) as pool:
                return FlatIndex(encode(vectors, pool, threads))


def _kind(kind: IndexKind, rows: int) -> IndexKind:
    if kind is IndexKind.AUTO:
        return IndexKind.HNSW if rows >= GRAPH_FROM else IndexKind.FLAT
    return kind


def _whole(value: float | None) -> int | None:
    return None if value is None else int(value)
