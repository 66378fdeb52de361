"""Flat: every row is compared, by its 8-bit code, and the answer is exact all the same.

O(n·d) a search. The codes take a quarter of the vectors' memory, and building them is one pass.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.domain.library import IndexKind
from core.indexing.vectors.quantized import QuantizedVectors
from core.indexing.vectors.quantized_scan import scan_exactly
from core.indexing.vectors.vector_index import SearchParams, SegmentHits, ranked


@dataclass(frozen=True, slots=True, eq=False)
class FlatIndex:
    coded: QuantizedVectors

    @property
    def kind(self) -> IndexKind:
        return IndexKind.FLAT

    @property
    def parameters(self) -> Mapping[str, float]:
        return {}

    @property
    def memory_bytes(self) -> int:
        return self.coded.memory_bytes

    def search(
        self,
        queries: NDArray[np.float32],
        k: int,
        effort: SearchParams,  # noqa: ARG002  # it is as exact as can be
        allowed: NDArray[np.bool_] | None,
    ) -> list[SegmentHits]:
        return search_exactly(self.coded, queries, k, allowed)


def search_exactly(
    coded: QuantizedVectors, queries: NDArray[np.float32], k: int, allowed: NDArray[np.bool_] | None
) -> list[SegmentHits]:
    rows = None if allowed is None else np.flatnonzero(allowed)
    strategy = "none" if rows is None else "exact_over_matches"
    return [ranked(*found, k, strategy) for found in scan_exactly(coded, queries, k, rows)]
