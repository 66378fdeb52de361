"""The space that inverted lists code rows in, and queries are taken to."""

from dataclasses import dataclass

import numpy as np

from core.domain.library import Metric
from core.indexing.exact import Vectors
from core.indexing.kernels.fastscan import TABLES_AT_ONCE
from core.indexing.kernels.typing import Floats

_PADDED_TO = 2 * TABLES_AT_ONCE


@dataclass(frozen=True, slots=True, eq=False)
class Space:
    """Such that `q·x - |x|²/2` ranks rows under l2, and `q·x` under cosine and dot.

    Unit vectors under cosine, less the rows' mean under l2; filled up with zeros to a multiple of
    eight numbers. `center`: `(d,) float32`.
    """

    metric: Metric
    center: Floats

    @classmethod
    def of(cls, vectors: Vectors) -> "Space":
        mean = vectors.matrix.mean(axis=0, dtype=np.float64)
        return cls(vectors.metric, mean.astype(np.float32))

    @property
    def halves(self) -> bool:
        return self.metric is Metric.L2

    @property
    def is_dot(self) -> bool:
        return self.metric is Metric.DOT

    def of_rows(self, vectors: Vectors) -> Floats:
        if self.metric is not Metric.COSINE:
            return self._moved(vectors.matrix)
        norms = np.where(vectors.norms > 0, vectors.norms, 1).astype(np.float32)
        return self._moved(vectors.matrix / norms[:, np.newaxis])

    def of_queries(self, queries: Floats) -> Floats:
        if self.metric is not Metric.COSINE:
            return self._moved(queries)
        wide = queries.astype(np.float64)
        norms = np.sqrt(np.vecdot(wide, wide))[:, np.newaxis]
        return self._moved((wide / np.where(norms > 0, norms, 1)).astype(np.float32))

    def _moved(self, matrix: Floats) -> Floats:
        count, dimension = matrix.shape
        moved = np.zeros((count, -(-dimension // _PADDED_TO) * _PADDED_TO), np.float32)
        moved[:, :dimension] = matrix - self.center if self.halves else matrix
        return moved
