"""Vectors for tests of indexes, and the oracle of their scores."""

import numpy as np
from numpy.typing import NDArray

from core.domain.library import Metric
from core.indexing.vectors.exact import Vectors

Floats = NDArray[np.float32]


def vectors_of(rows: Floats, metric: Metric) -> Vectors:
    """Scale rows as `Rows` does: to a norm in [0.5, 1) under cosine."""
    rows = np.ascontiguousarray(rows, np.float32)
    norms = np.linalg.norm(rows.astype(np.float64), axis=1)
    if metric is Metric.COSINE:
        norms, exponents = np.frexp(norms)
        rows = np.ldexp(rows, -exponents[:, np.newaxis]).astype(np.float32)
    return Vectors(metric, rows, norms)


def scores_of(rows: Floats, query: Floats, metric: Metric) -> NDArray[np.float64]:
    """Compute scores by the metric's definition, in float64."""
    wide, target = rows.astype(np.float64), query.astype(np.float64)
    match metric:
        case Metric.COSINE:
            return np.asarray(wide @ target / np.linalg.norm(wide, axis=1) / np.linalg.norm(target))
        case Metric.DOT:
            return np.asarray(wide @ target)
        case Metric.L2:
            return -np.asarray(np.linalg.norm(wide - target, axis=1))


def clustered(count: int, dimension: int, *, seed: int = 0, clusters: int = 20) -> Floats:
    """Draw `(count, dimension) float32` around random centres."""
    rng = np.random.default_rng(seed)
    centres = rng.standard_normal((clusters, dimension))
    spread = 0.4 * rng.standard_normal((count, dimension))
    return np.asarray(centres[rng.integers(0, clusters, count)] + spread, np.float32)


def best(scores: NDArray[np.float64], k: int, allowed: NDArray[np.bool_] | None = None) -> set[int]:
    if allowed is not None:
        scores = np.where(allowed, scores, -np.inf)
        k = min(k, int(np.count_nonzero(allowed)))
    return set(np.argsort(-scores, kind="stable")[:k].tolist())
