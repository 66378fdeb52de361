"""Flat index: an exact scan of all rows by their 8-bit codes.

O(n·d) a search. Codes take a quarter of the vectors' memory, and one pass builds them. The other
indexes scan too, where only a scan finds what a search asks for.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.domain.library import IndexKind
from core.indexing.vectors.quantized import QuantizedVectors
from core.indexing.vectors.quantized_scan import scan_exactly
from core.indexing.vectors.vector_index import SearchParams, SegmentHits, rank_hits

_UNREACHABLE = 0.01
"""The distance of an index's best recall below the target from which a scan answers instead."""


@dataclass(frozen=True, slots=True, eq=False)
class FlatIndex:
    """An exact index that scans every row's code."""

    quantized: QuantizedVectors

    @property
    def kind(self) -> IndexKind:
        return IndexKind.FLAT

    @property
    def parameters(self) -> Mapping[str, float]:
        return {}

    @property
    def memory_bytes(self) -> int:
        return self.quantized.memory_bytes

    def search(
        self,
        queries: NDArray[np.float32],
        k: int,
        params: SearchParams,  # noqa: ARG002  # always exact
        allowed: NDArray[np.bool_] | None,
    ) -> list[SegmentHits]:
        return search_exactly(self.quantized, queries, k, allowed)


def search_exactly(
    quantized: QuantizedVectors,
    queries: NDArray[np.float32],
    k: int,
    allowed: NDArray[np.bool_] | None,
) -> list[SegmentHits]:
    """Return the exact k nearest rows of each query among the allowed rows, `(n,) bool`."""
    rows = None if allowed is None else np.flatnonzero(allowed)
    strategy = "none" if rows is None else "exact_over_matches"
    return [rank_hits(*hits, k, strategy) for hits in scan_exactly(quantized, queries, k, rows)]


def count_matches(quantized: QuantizedVectors, allowed: NDArray[np.bool_] | None) -> int:
    """Return the number of rows that a search chooses from."""
    return quantized.count if allowed is None else int(np.count_nonzero(allowed))


def needs_scan(params: SearchParams, max_recall: float, matches: int, k: int) -> bool:
    """Return whether an index can't answer, and a scan must.

    `max_recall`: the best recall of the index. `matches`: see `count_matches`.
    """
    out_of_reach = not params.is_fixed and params.recall > max_recall + _UNREACHABLE
    return params.exact or out_of_reach or matches <= k
