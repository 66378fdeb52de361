"""The reference for exact search: the best scores of all vectors, computed with plain numpy."""

import numpy as np
from numpy.typing import NDArray

from core.domain.document import Embedding
from core.domain.library import Metric

_BATCH_ROWS = 1_024


def reference_scores(
    rows: NDArray[np.float32], queries: NDArray[np.float32], metric: Metric
) -> NDArray[np.float64]:
    """Return scores `(n, q) float64`, higher is nearer; for l2, the negated squared distance."""
    x, y = rows.astype(np.float64), queries.astype(np.float64)
    match metric:
        case Metric.COSINE:
            return np.asarray(_unit(x) @ _unit(y).T)
        case Metric.DOT:
            return np.asarray(x @ y.T)
        case Metric.L2:
            squares = (x**2).sum(axis=1)[:, None] + (y**2).sum(axis=1)[None]
            return np.asarray(2 * x @ y.T - squares)


class Nearest:
    """The `k` best scores of each of `queries`, `(q, d) float32`, over the vectors taken so far."""

    def __init__(self, queries: NDArray[np.float32], metric: Metric, k: int) -> None:
        self._queries = queries
        self._metric = metric
        self._k = k
        self._waiting: list[Embedding] = []
        self._best = np.empty((len(queries), 0))

    def take(self, embedding: Embedding) -> None:
        if len(self._queries):
            self._waiting.append(embedding)
            if len(self._waiting) == _BATCH_ROWS:
                self._compare()

    def scores(self) -> NDArray[np.float64]:
        """Return `(q, min(k, n)) float64`, best first."""
        if self._waiting:
            self._compare()
        return self._best

    def _compare(self) -> None:
        scores = reference_scores(np.array(self._waiting, np.float32), self._queries, self._metric)
        self._waiting = []
        both = np.concatenate([self._best, scores.T], axis=1)
        self._best = -np.sort(-both, axis=1)[:, : self._k]


def _unit(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    lengths[lengths == 0] = 1
    scaled: NDArray[np.float64] = rows / lengths
    return scaled
