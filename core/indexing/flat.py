"""The flat index: no structure at all, every vector is compared. Exact, O(n·d) a query.

To take where a library is small, or where no neighbour may ever be missed.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from core.domain.library import IndexKind
from core.indexing import exact
from core.indexing.exact import Vectors
from core.indexing.vector_index import Effort, Found


@dataclass(frozen=True, slots=True, eq=False)
class FlatIndex:
    vectors: Vectors
    kind: IndexKind = IndexKind.FLAT
    parameters: Mapping[str, float] = field(default_factory=dict)
    memory_bytes: int = 0

    def search(
        self,
        queries: NDArray[np.float32],
        k: int,
        effort: Effort,  # noqa: ARG002  # there is but one way
        allowed: NDArray[np.bool_] | None,
    ) -> list[Found]:
        eligible = None if allowed is None else np.flatnonzero(allowed)
        return [exact.search(self.vectors, query, k, eligible=eligible) for query in queries]
