"""Exact nearest neighbours: every vector is compared. O(n·d) a query, and no memory of its own.

A first pass scores all vectors in float32, by their dot products. Its rounding errors have a
bound, so that what may be among the k best is known for certain; a second pass scores only
that in float64. So distances between near neighbours far from the origin, which products
alone would lose to cancellation, come out right as well.
"""

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from core.domain.library import Metric

Floats: TypeAlias = NDArray[np.float64]
RowNumbers: TypeAlias = NDArray[np.intp]

_EPSILON = float(np.finfo(np.float32).eps)
_TINY = float(np.finfo(np.float32).smallest_normal)
_GATHER_BELOW = 0.25
_ROWS_AT_ONCE = 2**13


@dataclass(frozen=True, slots=True, eq=False)
class Vectors:
    """`matrix`: `(n, d) float32`; `norms`: `(n,) float64`, those of its rows."""

    metric: Metric
    matrix: NDArray[np.float32]
    norms: Floats


def with_ties(
    vectors: Vectors, query: NDArray[np.float32], k: int, eligible: RowNumbers | None
) -> tuple[RowNumbers, Floats]:
    """The `min(k, eligible)` best rows in no order, and all that tie with the last; their scores.

    `query`: `(d,) float32`. `eligible`: the rows that may be found, all if `None`. A score is the
    similarity for cosine and dot, and the negative distance for l2.
    """
    if vectors.metric is Metric.COSINE:
        # To a norm in [0.5, 1) by a power of two, which leaves the score as it is.
        _, exponent = np.frexp(np.linalg.norm(query.astype(np.float64)))
        query = np.ldexp(query, -exponent)
    products = _products(vectors, query, eligible)
    norms = vectors.norms if eligible is None else vectors.norms[eligible]
    candidates = _candidates(vectors.metric, products, norms, query, k)
    rows = candidates if eligible is None else eligible[candidates]
    scores = _scores(vectors, rows, query)
    if k < len(rows):
        # Ties at the k-th place stay, as it is their ids that decide.
        kept = scores >= np.partition(scores, len(scores) - k)[len(scores) - k]
        rows, scores = rows[kept], scores[kept]
    return rows, scores


def _products(
    vectors: Vectors, query: NDArray[np.float32], eligible: RowNumbers | None
) -> NDArray[np.float32]:
    """`(eligible,) float32`; not finite where float32 overflows.

    By `vecdot`, which leaves the other cores to other searches: a product of a matrix is
    bound by memory, and its threads wait for one another where the cores are busy.
    """
    with np.errstate(over="ignore", invalid="ignore"):
        if eligible is None:
            return np.asarray(np.vecdot(vectors.matrix, query))
        if len(eligible) < _GATHER_BELOW * len(vectors.matrix):
            return np.asarray(np.vecdot(vectors.matrix[eligible], query))
        return np.asarray(np.vecdot(vectors.matrix, query)[eligible])


def _candidates(
    metric: Metric,
    products: NDArray[np.float32],
    norms: Floats,
    query: NDArray[np.float32],
    k: int,
) -> RowNumbers:
    """Where among the products the k best are for certain, and as little else as may be.

    The bound is that of a float32 dot product of length d, γ·|x|·|q| with γ = d·ε/2 (Higham,
    Accuracy and Stability of Numerical Algorithms, §3.1), with a margin for the rest.
    """
    everything = np.arange(len(products))
    if k >= len(products) or not np.isfinite(products).all():
        return everything
    gamma = (len(query) + 8) * _EPSILON
    length = float(np.linalg.norm(query.astype(np.float64)))
    approximate = products.astype(np.float64)
    match metric:
        case Metric.COSINE:
            approximate /= norms
            slack = np.full_like(norms, gamma * length)
        case Metric.DOT:
            slack = gamma * length * norms + len(query) * _TINY
        case Metric.L2:
            approximate = 2 * approximate - norms**2
            slack = gamma * (norms + length) ** 2 + len(query) * _TINY
    lower, upper = approximate - slack, approximate + slack
    threshold = np.partition(lower, len(lower) - k)[len(lower) - k]
    return np.flatnonzero(upper >= threshold)


def _scores(vectors: Vectors, rows: RowNumbers, query: NDArray[np.float32]) -> Floats:
    """`(rows,) float64`, each worked out by itself, so that equal vectors score equally."""
    target = query.astype(np.float64)
    scores = np.empty(len(rows))
    for start in range(0, len(rows), _ROWS_AT_ONCE):
        part = slice(start, start + _ROWS_AT_ONCE)
        scores[part] = _score(vectors.metric, vectors.matrix[rows[part]].astype(np.float64), target)
    return scores


def _score(metric: Metric, rows: Floats, query: Floats) -> Floats:
    match metric:
        case Metric.COSINE:
            lengths = np.sqrt((rows * rows).sum(axis=1) * (query * query).sum())
            return np.asarray((rows * query).sum(axis=1) / lengths + 0.0)  # no -0.0
        case Metric.DOT:
            return np.asarray((rows * query).sum(axis=1) + 0.0)
        case Metric.L2:
            return np.asarray(0.0 - np.sqrt(((rows - query) ** 2).sum(axis=1)))
