"""The cells of inverted lists: k-means over samples of the rows, which grow as it converges.

Seeded in rounds, as k-means|| does (Bahmani et al., "Scalable k-means++", VLDB 2012): one row
at a time, by chance in proportion to its squared distance, would cost a scan of the sample for
each cell.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray

from core.indexing.kernels.typing import Floats

_AT_ONCE = 1_024
_SEEDED_AT_ONCE = 64
_SAMPLES_A_CELL = (16, 16, 16, 32, 64)
"""Of each iteration, in rows: the first ones need not be exact to bring cells apart."""


def learn_cells(
    rows: Floats,
    count: int,
    rng: np.random.Generator,
    pool: ThreadPoolExecutor,
    cancelled: Callable[[], bool],
) -> Floats:
    """`(c, d) float32`, c ≤ `count`: fewer where there are not so many different rows.

    `rows`: `(n, d) float32`, at least one. O(s·count·d) for s sampled rows, at most
    64 a cell.
    """
    order = rng.permutation(len(rows))[: _SAMPLES_A_CELL[-1] * count]
    sample = rows[order]
    cells = _seeded(sample[: _SAMPLES_A_CELL[0] * count], count, rng)
    for size in _SAMPLES_A_CELL:
        if cancelled():
            break
        part = sample[: size * count]
        cells = _moved(part, cells, assign(part, cells, pool))
    return cells


def assign(rows: Floats, cells: Floats, pool: ThreadPoolExecutor) -> NDArray[np.int32]:
    """The nearest cell of each row."""
    nearest = np.empty(len(rows), np.int32)
    halves = halves_of(cells)

    def assign_part(start: int) -> None:
        part = slice(start, start + _AT_ONCE)
        products = rows[part] @ cells.T
        products -= halves
        nearest[part] = products.argmax(axis=1)

    list(pool.map(assign_part, range(0, len(rows), _AT_ONCE)))
    return nearest


def halves_of(cells: Floats) -> Floats:
    """`|c|²/2`."""
    return np.asarray(np.vecdot(cells, cells) / 2)


def _seeded(sample: Floats, count: int, rng: np.random.Generator) -> Floats:
    chosen = sample[rng.integers(len(sample), size=1)]
    squares = np.vecdot(sample, sample).astype(np.float64)
    distances = np.full(len(sample), np.inf)
    new = chosen
    while True:
        products = (sample @ new.T).astype(np.float64)
        to_new = squares[:, np.newaxis] - 2 * products + np.vecdot(new, new)
        distances = np.minimum(distances, to_new.min(axis=1))
        # What rounding leaves of the distance of a row to itself is not to be drawn.
        distances[distances <= 1e-6 * squares] = 0
        wanted = min(_SEEDED_AT_ONCE, count - len(chosen), len(chosen), int((distances > 0).sum()))
        if wanted == 0:
            return chosen
        chance = distances / distances.sum()
        new = sample[np.sort(rng.choice(len(sample), wanted, replace=False, p=chance))]
        chosen = np.concatenate([chosen, new])


def _moved(sample: Floats, cells: Floats, nearest: NDArray[np.int32]) -> Floats:
    """Each to the mean of its rows; one without any stays."""
    order = np.argsort(nearest, kind="stable")
    present, starts = np.unique(nearest[order], return_index=True)
    sums = np.add.reduceat(sample[order], starts, axis=0)
    sizes = np.diff(np.append(starts, len(sample)))
    moved = cells.copy()
    moved[present] = sums / sizes[:, np.newaxis].astype(np.float32)
    return moved
