"""How inverted lists are built: the same for a seed, whatever the number of threads."""

import math
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray

from core.domain.library import Metric
from core.indexing.coded import Coded, aligned
from core.indexing.exact import Vectors
from core.indexing.hnsw_build import BuildCancelled
from core.indexing.ivf.cells import SAMPLE, attach_cells, learn_cells
from core.indexing.ivf.effort import Probing, measured
from core.indexing.ivf.index import DEFAULT_RECALL, IvfIndex
from core.indexing.ivf.projection import learn_projection
from core.indexing.ivf.widths import share_out
from core.indexing.kernels import inverted_layout, layout
from core.indexing.kernels.cells import nearest_cells
from core.indexing.kernels.fastscan import BLOCK_ROWS, CHUNK_BYTES, TABLES_AT_ONCE
from core.indexing.kernels.quantizing import (
    POINT_COUNT,
    encode_listed,
    learn_points,
    pack,
    project_rows,
    residuals_of,
)
from core.indexing.kernels.typing import Floats, Ints

_METRICS = {Metric.COSINE: layout.COSINE, Metric.DOT: layout.DOT, Metric.L2: layout.L2}
_CELLS_PER_ROOT = 6.5
_ROWS_PER_CELL = 8
_MOST_CELLS = 1 << 16
_FEWEST_TABLES, _NUMBERS_PER_TABLE = 96, 3
_ROWS_AT_ONCE = 2_048
_POINTS_SAMPLE, _POINTS_ROUNDS = 8_192, 8


def build_ivf(
    vectors: Vectors,
    *,
    nlist: int | None = None,
    nprobe: int | None = None,
    target_recall: float | None = None,
    seed: int = 0,
    threads: int = 1,
    cancelled: Callable[[], bool] = lambda: False,
) -> IvfIndex:
    """`vectors`: at least one row. `nlist` is chosen by their number unless given.

    O(n·c·D) for n rows, c cells and D numbers that are kept of a row.

    Raises:
        BuildCancelled: `cancelled` said so.
    """

    def check() -> None:
        if cancelled():
            raise BuildCancelled

    with ThreadPoolExecutor(threads, "build") as pool:
        build = _Build(vectors, seed, pool, check)
        build.learn_cells(nlist or _cells_for(len(vectors.matrix)))
        build.learn_tables()
        build.list_rows()
        coded = build.coded
        probing = measured(IvfIndex(coded, Probing((1,), (1.0,), 1)), pool, check)
    return IvfIndex(coded, probing, nprobe, target_recall or DEFAULT_RECALL)


def _cells_for(count: int) -> int:
    wanted = min(_CELLS_PER_ROOT * math.sqrt(count), count / _ROWS_PER_CELL, _MOST_CELLS)
    return max(1, round(wanted))


class _Build:
    def __init__(
        self,
        vectors: Vectors,
        seed: int,
        pool: ThreadPoolExecutor,
        check: Callable[[], None],
    ) -> None:
        self._rng = np.random.default_rng(seed)
        self._pool, self._check = pool, check
        self.coded = coded = _without_codes(vectors)
        projection = learn_projection(vectors, self._rng)
        coded.attach(inverted_layout.SCALES, np.array([1 / projection.radius, 1.0]))
        coded.attach(inverted_layout.CENTER, projection.center)
        coded.attach(inverted_layout.BASIS, projection.basis)
        coded.block[inverted_layout.KEPT] = self._kept = len(projection.basis)
        check()

    def learn_cells(self, count: int) -> None:
        sample = self._projected(SAMPLE * count)
        cells = learn_cells(self.coded, sample, count, self._rng, self._pool, self._check)
        attach_cells(self.coded, cells)

    def learn_tables(self) -> None:
        residuals = self._projected(_POINTS_SAMPLE)
        residuals_of(self.coded.block, residuals)
        wanted = max(_FEWEST_TABLES, self._kept // _NUMBERS_PER_TABLE)
        variances = np.mean(residuals.astype(np.float64) ** 2, axis=0)
        widths = share_out(variances, wanted)
        padding = -(len(widths) - 1) % TABLES_AT_ONCE
        widths = np.concatenate([widths, np.repeat(widths[-1:], padding)])
        points = aligned((self._kept, POINT_COUNT), np.float32)
        points.fill(np.float32(0))

        def learn(table: int) -> None:
            self._check()
            learn_points(residuals, widths, points, table, _POINTS_ROUNDS)

        list(self._pool.map(learn, range(len(widths) - 1)))
        self.coded.attach(inverted_layout.WIDTHS, widths)
        self.coded.attach(inverted_layout.POINTS, points)
        self.coded.block[inverted_layout.TABLES] = len(widths) - 1

    def list_rows(self) -> None:
        coded = self.coded
        count, tables = coded.count, int(coded.block[inverted_layout.TABLES])
        cells, biases = np.empty(count, np.int32), np.empty(count, np.float32)
        codes = np.empty((count, tables), np.uint8)
        points, widths = coded.arrays[inverted_layout.POINTS], coded.arrays[inverted_layout.WIDTHS]

        def encode(start: int) -> None:
            self._check()
            stop = min(start + _ROWS_AT_ONCE, count)
            encode_listed(coded.block, start, stop, points, widths, cells, codes, biases)

        list(self._pool.map(encode, range(0, count, _ROWS_AT_ONCE)))
        starts, rows = _in_blocks(cells, int(coded.block[inverted_layout.CELLS]))
        packed = aligned((len(rows), tables // TABLES_AT_ONCE, CHUNK_BYTES), np.uint8)
        pack(codes, rows, packed)
        coded.attach(inverted_layout.STARTS, starts)
        coded.attach(inverted_layout.LIST_CODES, packed)
        coded.attach(inverted_layout.LIST_ROWS, rows)
        listed = np.where(rows >= 0, biases[rows], np.float32(-np.inf))
        coded.attach(inverted_layout.LIST_BIASES, listed)

    def _projected(self, size: int) -> Floats:
        """So many rows, or all, in an order by chance: `(s, D)`."""
        count = self.coded.count
        rows = self._rng.choice(count, min(size, count), replace=False)
        out = np.empty((len(rows), self._kept), np.float32)

        def work(start: int) -> None:
            self._check()
            project_rows(self.coded.block, rows, start, min(start + _ROWS_AT_ONCE, len(rows)), out)

        list(self._pool.map(work, range(0, len(rows), _ROWS_AT_ONCE)))
        return out


def _without_codes(vectors: Vectors) -> Coded:
    coded = Coded(vectors, 1.0, 0.0, {}, np.zeros(inverted_layout.SIZE, np.int64), np.zeros(4))
    coded.block[layout.COUNT], coded.block[layout.DIMENSION] = vectors.matrix.shape
    coded.block[layout.METRIC] = _METRICS[vectors.metric]
    coded.attach(layout.FLOATS, vectors.matrix)
    coded.attach(layout.NORMS, vectors.norms)
    return coded


def _in_blocks(cells: NDArray[np.int32], count: int) -> tuple[Ints, NDArray[np.int32]]:
    """Where each cell's blocks begin, `(c + 1,)`; the rows in them, `(b, 32)`, -1 for none."""
    sizes = np.bincount(cells, minlength=count)
    starts = np.concatenate([[0], np.cumsum(-(-sizes // BLOCK_ROWS))]).astype(np.int64)
    order = np.argsort(cells, kind="stable")
    within = np.arange(len(order)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    rows = np.full(starts[-1] * BLOCK_ROWS, -1, np.int32)
    rows[starts[cells[order]] * BLOCK_ROWS + within] = order
    return starts, rows.reshape(-1, BLOCK_ROWS)
