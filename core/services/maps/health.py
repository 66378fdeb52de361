"""A report of what is wrong with embeddings: near copies, outliers, vectors without a direction."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.indexing.segment.segment import RowIds
from core.indexing.views.view import LibraryView
from core.services.maps.sample import Sample

NEAR = 0.99
"""The cosine from which two chunks are near-duplicates."""
MAX_PROBES = 2_000
_MAX_PAIRS = 100
_MAX_OUTLIERS = 20
_MAX_DEGENERATE = 100
_QUERIES_AT_ONCE = 32
_TINY = 1e-3
"""The share of the median norm below which a vector is degenerate."""


@dataclass(frozen=True, slots=True)
class Neighbours:
    """A chunk, the nearest other chunk, and the cosine of their embeddings."""

    chunk_id: str
    nearest_id: str
    similarity: float


@dataclass(frozen=True, slots=True)
class Health:
    """The health of a library's embeddings.

    `probed`: the number of chunks whose nearest neighbour was looked up. `near_duplicates`: pairs
    with a cosine of `NEAR` or more, the nearest first. `outliers`: the probed chunks that are
    farthest from any other. `degenerate`: ids of chunks whose vectors have no length to speak of.
    """

    probed: int
    near_duplicates: tuple[Neighbours, ...]
    outliers: tuple[Neighbours, ...]
    degenerate: tuple[str, ...]


def examine(sample: Sample, probes: Sample) -> Health:
    """Examine the vectors of a sample, and the nearest neighbours of its probes."""
    pairs = sorted(_neighbours(sample.view, probes.row_ids), key=lambda pair: pair.similarity)
    near = [pair for pair in reversed(pairs) if pair.similarity >= NEAR]
    distinct = {frozenset((pair.chunk_id, pair.nearest_id)): pair for pair in reversed(near)}
    nearest_first = sorted(distinct.values(), key=lambda pair: (-pair.similarity, pair.chunk_id))
    outliers = [pair for pair in pairs[:_MAX_OUTLIERS] if pair.similarity < NEAR]
    return Health(
        probed=len(probes),
        near_duplicates=tuple(nearest_first[:_MAX_PAIRS]),
        outliers=tuple(outliers),
        degenerate=_degenerate(sample),
    )


def _neighbours(view: LibraryView, row_ids: RowIds) -> Iterator[Neighbours]:
    for start in range(0, len(row_ids), _QUERIES_AT_ONCE):
        block = row_ids[start : start + _QUERIES_AT_ONCE].tolist()
        queries = np.stack([view.embedding(row_id) for row_id in block])
        for row_id, query, ranking in zip(block, queries, view.search(queries, 2), strict=True):
            others = [other for other in ranking.row_ids.tolist() if other != row_id]
            if not others:
                continue
            similarity = _cosine(query, view.embedding(others[0]))
            if similarity is not None:
                yield Neighbours(view.chunk(row_id).id, view.chunk(others[0]).id, similarity)


def _cosine(one: NDArray[np.float32], other: NDArray[np.float32]) -> float | None:
    """Return the cosine of two vectors, `None` if one is zero."""
    a, b = one.astype(np.float64), other.astype(np.float64)
    norms = float(np.linalg.norm(a) * np.linalg.norm(b))
    return float(a @ b) / norms if norms else None


def _degenerate(sample: Sample) -> tuple[str, ...]:
    norms = sample.norms
    if not len(norms):
        return ()
    tiny = norms <= _TINY * np.median(norms)
    row_ids = sample.row_ids[tiny][:_MAX_DEGENERATE]
    return tuple(chunk.id for chunk in sample.view.chunks_of(row_ids))
