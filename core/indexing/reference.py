"""A part whose numbers are too great or too small for codes: searched by numpy, in float64."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.domain.library import IndexKind
from core.indexing import exact
from core.indexing.exact import Vectors
from core.indexing.vector_index import Effort, Found, ranked


@dataclass(frozen=True, slots=True, eq=False)
class ReferenceIndex:
    vectors: Vectors

    @property
    def kind(self) -> IndexKind:
        return IndexKind.FLAT

    @property
    def parameters(self) -> Mapping[str, float]:
        return {}

    @property
    def memory_bytes(self) -> int:
        return 0

    def search(
        self,
        queries: NDArray[np.float32],
        k: int,
        effort: Effort,  # noqa: ARG002  # it is as exact as can be
        allowed: NDArray[np.bool_] | None,
    ) -> list[Found]:
        rows = None if allowed is None else np.flatnonzero(allowed)
        strategy = "none" if rows is None else "exact_over_matches"
        return [
            ranked(*exact.with_ties(self.vectors, query, k, rows), k, strategy) for query in queries
        ]
