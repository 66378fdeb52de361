"""Exact nearest neighbours by a scan of every vector: O(n·d) a query, without an index.

A first pass scores all vectors in float32, by dot products. Rounding errors have a bound, so that
the rows that may be among the k best are known for certain; a second pass scores only these rows in
float64. The second pass also keeps distances between near neighbours far from the origin exact,
which dot products alone would lose to cancellation.
"""

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from core.domain.library import Metric
from core.indexing.vectors.metric import FORMS, MetricForm, Products

Floats: TypeAlias = NDArray[np.float64]
RowNumbers: TypeAlias = NDArray[np.intp]

_EPSILON = float(np.finfo(np.float32).eps)
_GATHER_BELOW = 0.25
_ROWS_AT_ONCE = 2**13


@dataclass(frozen=True, slots=True, eq=False)
class Vectors:
    """Vectors to search.

    `matrix`: `(n, d) float32`. `norms`: `(n,) float64`, the norms of the matrix's rows.
    """

    metric: Metric
    matrix: NDArray[np.float32]
    norms: Floats

    @property
    def form(self) -> MetricForm:
        return FORMS[self.metric]


def nearest_with_ties(
    vectors: Vectors, query: NDArray[np.float32], k: int, eligible: RowNumbers | None
) -> tuple[RowNumbers, Floats]:
    """Return the `min(k, eligible)` best rows, all rows that tie with the last, and their scores.

    The rows are in no order. `query`: `(d,) float32`. `eligible`: the rows to choose from; all if
    `None`. A score is that of the metric's form, see `MetricForm.score`.
    """
    if vectors.form.is_cosine:
        # Scale to a norm in [0.5, 1) by a power of two, which does not change the score.
        _, exponent = np.frexp(np.linalg.norm(query.astype(np.float64)))
        query = np.ldexp(query, -exponent)
    rows = _candidates(vectors, query, k, eligible)
    scores = _scores(vectors, rows, query)
    if k < len(rows):
        # Keep ties at the k-th place: the caller breaks ties by chunk id.
        best = scores >= np.partition(scores, len(scores) - k)[len(scores) - k]
        rows, scores = rows[best], scores[best]
    return rows, scores


def _products(
    vectors: Vectors, query: NDArray[np.float32], eligible: RowNumbers | None
) -> NDArray[np.float32]:
    """Return the dot products, `(eligible,) float32`; not finite where float32 overflows.

    `vecdot` runs on one core and leaves the others to other searches. A matrix product would be
    bound by memory bandwidth, and its threads wait for one another on busy cores.
    """
    with np.errstate(over="ignore", invalid="ignore"):
        if eligible is None:
            return np.asarray(np.vecdot(vectors.matrix, query))
        if len(eligible) < _GATHER_BELOW * len(vectors.matrix):
            return np.asarray(np.vecdot(vectors.matrix[eligible], query))
        return np.asarray(np.vecdot(vectors.matrix, query)[eligible])


def _candidates(
    vectors: Vectors, query: NDArray[np.float32], k: int, eligible: RowNumbers | None
) -> RowNumbers:
    """Return the rows that may be among the k best, with few others.

    The bound is that of a float32 dot product of length d, γ·|x|·|q| with γ = d·ε/2 (Higham,
    Accuracy and Stability of Numerical Algorithms, §3.1), with a margin for the rest.
    """
    everything = np.arange(len(vectors.matrix)) if eligible is None else eligible
    bounds = vectors.form.bounds
    if k >= len(everything) or bounds is None:
        return everything
    products = _products(vectors, query, eligible)
    if not np.isfinite(products).all():
        return everything
    norms = vectors.norms if eligible is None else vectors.norms[eligible]
    length = float(np.linalg.norm(query.astype(np.float64)))
    gamma = (len(query) + 8) * _EPSILON
    values, errors = bounds(Products(products.astype(np.float64), norms, length, len(query), gamma))
    lower, upper = values - errors, values + errors
    threshold = np.partition(lower, len(lower) - k)[len(lower) - k]
    return np.asarray(everything[upper >= threshold])


def _scores(vectors: Vectors, rows: RowNumbers, query: NDArray[np.float32]) -> Floats:
    """Return the scores, `(rows,) float64`, each computed alone, so that equal vectors score
    equally."""
    score, target = vectors.form.score, query.astype(np.float64)
    scores = np.empty(len(rows))
    for start in range(0, len(rows), _ROWS_AT_ONCE):
        part = slice(start, start + _ROWS_AT_ONCE)
        scores[part] = score(vectors.matrix[rows[part]].astype(np.float64), target)
    return scores
