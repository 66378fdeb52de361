"""A scan by numpy, for few rows and for values that the kernels' float32 arithmetic cannot hold."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from core.domain.library import IndexKind
from core.domain.vectors import MAX_NORM, MIN_NORM
from core.indexing.vectors import exact
from core.indexing.vectors.exact import Vectors
from core.indexing.vectors.vector_index import SearchParams, SegmentHits, rank_hits


def fits_kernels(vectors: Vectors) -> bool:
    """Return whether kernels can rank the rows. O(n).

    They can't if the metric has no form by dot products, or where squared norms and dot products
    come near the ends of float32's range.
    """
    if vectors.form.number is None:
        return False
    if vectors.form.is_cosine:  # rows are scaled to a norm near 1
        return True
    longest = float(np.max(vectors.norms, initial=0.0))
    return longest == 0.0 or MIN_NORM < longest < MAX_NORM


@dataclass(frozen=True, slots=True, eq=False)
class ReferenceIndex:
    """An exact index that compares every row by numpy."""

    vectors: Vectors
    kind: IndexKind = IndexKind.FLAT
    parameters: Mapping[str, float] = field(default_factory=dict)
    memory_bytes: int = 0

    def search(
        self,
        queries: NDArray[np.float32],
        k: int,
        params: SearchParams,  # noqa: ARG002  # always exact
        allowed: NDArray[np.bool_] | None,
    ) -> list[SegmentHits]:
        rows = None if allowed is None else np.flatnonzero(allowed)
        strategy = "none" if rows is None else "exact_over_matches"
        return [
            rank_hits(*exact.nearest_with_ties(self.vectors, query, k, rows), k, strategy)
            for query in queries
        ]
