"""Rows of which many are nearly the same: versions of a page, log lines."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from benchmarks.index.datasets import Floats
from core.domain.library import Metric


@dataclass(frozen=True)
class NearCopies:
    """`clusters` of `size` rows, each at `cosine` to its centre, among `count` random unit vectors.

    `spread`: the standard deviation of the logarithms of the rows' lengths.
    """

    count: int
    dimension: int
    size: int
    cosine: float
    clusters: int = 1
    metric: Metric = Metric.COSINE
    spread: float = 0.0

    def rows(self) -> Floats:
        """`(count, dimension) float32`, in an order by chance."""
        rng = np.random.default_rng(1)
        rows = _units(rng.standard_normal((self.count, self.dimension)))
        for i, centre in enumerate(self._centres()):
            rows[i * self.size : (i + 1) * self.size] = self._around(centre, self.size, rng)
        rows *= np.exp(self.spread * rng.standard_normal(self.count))[:, np.newaxis]
        return np.asarray(rows[rng.permutation(self.count)], np.float32)

    def queries(self, count: int) -> Floats:
        """`(count, dimension) float32`, further copies, as many of each cluster."""
        rng = np.random.default_rng(2)
        each = max(1, count // self.clusters)
        parts = [self._around(centre, each, rng) for centre in self._centres()]
        return np.asarray(np.concatenate(parts)[:count], np.float32)

    def _centres(self) -> NDArray[np.float64]:
        rng = np.random.default_rng(3)
        return _units(rng.standard_normal((self.clusters, self.dimension)))

    def _around(
        self, centre: NDArray[np.float64], count: int, rng: np.random.Generator
    ) -> NDArray[np.float64]:
        away = rng.standard_normal((count, self.dimension))
        away -= np.outer(away @ centre, centre)
        return np.asarray(self.cosine * centre + np.sqrt(1 - self.cosine**2) * _units(away))


def _units(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True))
