"""The cells of inverted lists: mini-batch k-means (Sculley, "Web-scale k-means", WWW 2010).

Cells are seeded in rounds, as in k-means|| (Bahmani et al., "Scalable k-means++", VLDB 2012).
Drawing one row at a time by squared distance would cost a scan of the sample for each cell. Rows
are compared with cells by 8-bit codes, so that sums do not depend on the thread count.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray

from core.indexing.kernels import inverted_layout as layout
from core.indexing.kernels.cells import nearest_cells
from core.indexing.kernels.dot_cells import CELLS_AT_ONCE, NUMBERS_AT_ONCE
from core.indexing.kernels.typing import Floats
from core.indexing.vectors.quantized import QuantizedVectors

_ROWS_AT_ONCE = 2_048
_SEEDS_FROM, _BATCH, SAMPLE = 8, 32, 64
"""Rows for each cell: to seed from, in a batch, and in all."""
_ROUNDS = 8
_SEED_ROUNDS = 32
_ROUNDING = 1e-5
_LEAST_STEP = 1e-9
_LARGEST_NUMBER = 4.0
"""The largest value of a cell's code, in radii; far outliers are clamped."""


def attach_cells(quantized: QuantizedVectors, cells: Floats) -> None:
    """Encode the cells, `(c, D) float32`, and attach them to the block."""
    count, components = cells.shape
    step = min(float(np.abs(cells).max()), _LARGEST_NUMBER) / 127 or 1.0
    codes = np.zeros((-(-count // CELLS_AT_ONCE) * CELLS_AT_ONCE, components))
    codes[:count] = np.clip(np.rint(cells / step), -127, 127)
    halves = (step**2 / 2 * np.vecdot(codes, codes)[:count]).astype(np.float32)
    side_by_side = (
        (codes + 128)
        .astype(np.uint8)
        .reshape(-1, CELLS_AT_ONCE, components // NUMBERS_AT_ONCE, NUMBERS_AT_ONCE)
    )
    quantized.attach(layout.CELL_CODES, np.ascontiguousarray(side_by_side.transpose(0, 2, 1, 3)))
    quantized.attach(layout.CELL_HALVES, halves)
    scales = quantized.arrays[layout.SCALES].copy()
    scales[layout.CELL_STEP] = step
    scales[layout.LEAST_STEP] = max(float(halves.max()) / step / (1 << 29), _LEAST_STEP)
    quantized.attach(layout.SCALES, scales)
    quantized.block[layout.CELLS] = count


def learn_cells(
    quantized: QuantizedVectors,
    sample: Floats,
    count: int,
    rng: np.random.Generator,
    pool: ThreadPoolExecutor,
    check: Callable[[], None],
) -> Floats:
    """Learn at most `count` cells, `(c, D) float32`, fewer if the sample has fewer distinct rows.

    `sample`: `(s, D)`, projected rows in random order.
    """
    cells = _seed(sample[: _SEEDS_FROM * count], count, rng, check)
    learning = _KMeans(quantized, pool, check)
    weights = np.zeros(len(cells))
    size = min(len(sample), _BATCH * count)
    for i in range(_ROUNDS):
        batch = np.arange(i * size, (i + 1) * size) % len(sample)
        cells, weights = learning.move(cells, weights, sample[batch], rng)
    return cells


def _seed(
    points: Floats, count: int, rng: np.random.Generator, check: Callable[[], None]
) -> Floats:
    squares = np.vecdot(points, points).astype(np.float64)
    distances = np.full(len(points), np.inf)
    new = chosen = points[rng.integers(len(points), size=1)]
    while True:
        check()
        to_new = squares[:, np.newaxis] - 2 * (points @ new.T) + np.vecdot(new, new)
        distances = np.minimum(distances, to_new.min(axis=1))
        # Never draw a chosen row again for the rounding error of its distance to itself.
        distances[distances <= _ROUNDING * squares] = 0
        wanted = min(len(chosen), -(-count // _SEED_ROUNDS), count - len(chosen))
        wanted = min(wanted, int(np.count_nonzero(distances)))
        if wanted == 0:
            return chosen
        chances = distances / distances.sum()
        new = points[np.sort(rng.choice(len(points), wanted, replace=False, p=chances))]
        chosen = np.concatenate([chosen, new])


class _KMeans:
    def __init__(
        self, quantized: QuantizedVectors, pool: ThreadPoolExecutor, check: Callable[[], None]
    ) -> None:
        self._coded, self._pool, self._check = quantized, pool, check

    def nearest(self, points: Floats, cells: Floats) -> NDArray[np.int32]:
        attach_cells(self._coded, cells)
        chosen = np.empty(len(points), np.int32)

        def work(start: int) -> None:
            self._check()
            stop = min(start + _ROWS_AT_ONCE, len(points))
            nearest_cells(self._coded.block, points, start, stop, chosen)

        list(self._pool.map(work, range(0, len(points), _ROWS_AT_ONCE)))
        return chosen

    def move(
        self, cells: Floats, weights: NDArray[np.float64], batch: Floats, rng: np.random.Generator
    ) -> tuple[Floats, NDArray[np.float64]]:
        """Move each cell to the mean of its rows; every batch halves the weight of earlier rows."""
        nearest = self.nearest(batch, cells)
        order = np.argsort(nearest, kind="stable")
        sizes = np.bincount(nearest, minlength=len(cells))
        present = np.flatnonzero(sizes)
        starts = np.cumsum(sizes)[present] - sizes[present]
        sums = np.add.reduceat(batch[order], starts, axis=0, dtype=np.float64)
        weights = weights / 2
        moved = cells.astype(np.float64)
        weights[present] += sizes[present]
        share = (sizes[present] / weights[present])[:, np.newaxis]
        moved[present] += share * (sums / sizes[present, np.newaxis] - moved[present])
        empty = np.flatnonzero(sizes == 0)
        # An empty cell moves next to a crowded one.
        crowded = np.argsort(-sizes, kind="stable")[: len(empty)]
        shift = 1e-2 * rng.standard_normal((len(empty), cells.shape[1]))
        moved[empty] = moved[crowded] * (1 + shift)
        return moved.astype(np.float32), weights
