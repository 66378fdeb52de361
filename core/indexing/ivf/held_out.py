"""Rows of an index used as calibration queries, with their nearest other rows."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.indexing.kernels.typing import Floats, Ints
from core.indexing.vectors.calibration import K
from core.indexing.vectors.exact import Vectors

_COUNT = 256
_ROWS_AT_ONCE = 8_192


@dataclass(frozen=True, slots=True, eq=False)
class HeldOut:
    """Calibration queries.

    `rows`: `(q,) int64`. `queries`: `(q, d) float32`. `truth`: the ten nearest other rows of each.
    """

    rows: Ints
    queries: Floats
    truth: list[Ints]

    def others(self, neighbours: Sequence[Ints]) -> list[Ints]:
        """Return each query's ten nearest neighbours, without its own row."""
        return [rows[rows != own][:K] for rows, own in zip(neighbours, self.rows, strict=True)]


def hold_out(
    vectors: Vectors,
    rng: np.random.Generator,
    pool: ThreadPoolExecutor,
    check: Callable[[], None],
) -> HeldOut:
    """Choose 256 rows and find their true neighbours by matrix products, O(n·d) a row.

    `check` may raise to cancel.
    """
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
    """Return values that order rows as the metric does, greater is nearer, `(q, p) float32`."""
    rows = vectors.matrix[part]
    if vectors.form.is_l2:
        # Move the origin to a row: far from it, float32 would cancel the rows' differences.
        origin = vectors.matrix[0]
        moved = rows - origin
        return np.asarray((queries - origin) @ moved.T - np.vecdot(moved, moved) / 2)
    values = queries @ rows.T
    if vectors.form.is_cosine:
        values /= vectors.norms[part].astype(np.float32)
    return np.asarray(values)


def _greatest(values: Floats) -> NDArray[np.int64]:
    """Return the places of each row's ten greatest values, in no order; all if fewer."""
    if values.shape[1] <= K:
        return np.broadcast_to(np.arange(values.shape[1]), values.shape)
    return np.argpartition(-values, K - 1, axis=1)[:, :K]
