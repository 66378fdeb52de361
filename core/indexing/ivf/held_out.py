"""Rows of an index as queries to it, each sought among the others, and what they should find."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.domain.library import Metric
from core.indexing.kernels.typing import Floats, Ints
from core.indexing.vectors.calibration import K
from core.indexing.vectors.exact import Vectors

_COUNT = 256
_ROWS_AT_ONCE = 8_192


@dataclass(frozen=True, slots=True, eq=False)
class HeldOut:
    """`rows`: `(q,) int64`; `queries`: `(q, d) float32`; `truth`: the nearest ten other rows."""

    rows: Ints
    queries: Floats
    truth: list[Ints]

    def others(self, found: Sequence[Ints]) -> list[Ints]:
        """Of the rows found for each query ten that it is not itself."""
        return [rows[rows != own][:K] for rows, own in zip(found, self.rows, strict=True)]


def hold_out(
    vectors: Vectors,
    rng: np.random.Generator,
    pool: ThreadPoolExecutor,
    check: Callable[[], None],
) -> HeldOut:
    """O(n·d) for each of 256 rows, in products of matrices. `check` may raise."""
    count = len(vectors.matrix)
    own = np.sort(rng.choice(count, min(_COUNT, count), replace=False))
    queries = np.ascontiguousarray(vectors.matrix[own])

    def best_of(start: int) -> tuple[Floats, Ints]:
        check()
        values = _values(vectors, queries, slice(start, start + _ROWS_AT_ONCE))
        width = values.shape[1]
        inside = np.flatnonzero((own >= start) & (own < start + width))
        values[inside, own[inside] - start] = -np.inf
        places = _greatest(values)
        return np.take_along_axis(values, places, axis=1), places + start

    parts = list(pool.map(best_of, range(0, count, _ROWS_AT_ONCE)))
    values, rows = (np.concatenate(arrays, axis=1) for arrays in zip(*parts, strict=True))
    nearest = np.take_along_axis(rows, _greatest(values), axis=1)
    return HeldOut(own, queries, [row[row != mine] for row, mine in zip(nearest, own, strict=True)])


def _values(vectors: Vectors, queries: Floats, part: slice) -> Floats:
    """`(q, p) float32`, such that a greater one is nearer."""
    rows = vectors.matrix[part]
    if vectors.metric is Metric.L2:
        # From near the rows: far from the origin float32 would cancel all that they differ by.
        origin = vectors.matrix[0]
        moved = rows - origin
        return np.asarray((queries - origin) @ moved.T - np.vecdot(moved, moved) / 2)
    values = queries @ rows.T
    if vectors.metric is Metric.COSINE:
        values /= vectors.norms[part].astype(np.float32)
    return np.asarray(values)


def _greatest(values: Floats) -> NDArray[np.int64]:
    """Where the ten greatest of each row are, in no order; all if there are fewer."""
    if values.shape[1] <= K:
        return np.broadcast_to(np.arange(values.shape[1]), values.shape)
    return np.argpartition(-values, K - 1, axis=1)[:, :K]
