"""The search of rows that have no index: a scan, by kernels once these are compiled."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from core.indexing.segment.delta_codes import DeltaCodes
from core.indexing.vectors.exact import Vectors
from core.indexing.vectors.reference import ReferenceIndex, fits_kernels
from core.indexing.vectors.vector_index import SearchParams, SegmentHits

Scan = Callable[
    [Vectors, DeltaCodes, NDArray[np.float32], int, NDArray[np.bool_] | None], list[SegmentHits]
]


class DeltaSearch:
    """The scan of the deltas of one process: by numpy, then by kernels; both are exact."""

    __slots__ = ("_scan",)

    def __init__(self) -> None:
        self._scan: Scan | None = None

    def use_kernels(self) -> None:
        """Scan by kernels from now on."""
        # Importing numba takes a second; the caller has already imported it.
        from core.indexing.vectors.flat import search_exactly

        def scan(
            vectors: Vectors,
            codes: DeltaCodes,
            queries: NDArray[np.float32],
            k: int,
            allowed: NDArray[np.bool_] | None,
        ) -> list[SegmentHits]:
            return search_exactly(codes.of(vectors), queries, k, allowed)

        self._scan = scan

    def prepare(self, vectors: Vectors, codes: DeltaCodes, size: int) -> None:
        """Encode the rows from `size` on, which no view has yet; called by the writer.

        Without it, the next search would have to encode the rows first.
        """
        if self._scan is not None and fits_kernels(vectors):
            codes.extend(vectors, size)

    def search(
        self,
        vectors: Vectors,
        codes: DeltaCodes,
        queries: NDArray[np.float32],
        k: int,
        allowed: NDArray[np.bool_] | None,
    ) -> list[SegmentHits]:
        """Return the exact k nearest rows of each query, O(n·d) a query."""
        if self._scan is None or not fits_kernels(vectors):
            return ReferenceIndex(vectors).search(queries, k, SearchParams(), allowed)
        return self._scan(vectors, codes, queries, k, allowed)
