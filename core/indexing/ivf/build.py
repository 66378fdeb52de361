"""Builds inverted lists; for a seed, any number of threads gives one result."""

import math
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from core.indexing.ivf.cells import SAMPLE, attach_cells, learn_cells
from core.indexing.ivf.held_out import hold_out
from core.indexing.ivf.index import IvfIndex
from core.indexing.ivf.projection import learn_projection
from core.indexing.ivf.tuning import Tuning, tune
from core.indexing.ivf.widths import share_out
from core.indexing.kernels import inverted_layout as layout
from core.indexing.kernels.fastscan import BLOCK_ROWS, CHUNK_BYTES, POINT_COUNT, TABLES_AT_ONCE
from core.indexing.kernels.quantizing import (
    encode_list_rows,
    learn_points,
    pack,
    project_rows,
    residuals_of,
)
from core.indexing.kernels.typing import Floats, Ints
from core.indexing.vectors.build_threads import BuildThreads
from core.indexing.vectors.calibration import K
from core.indexing.vectors.exact import Vectors
from core.indexing.vectors.quantized import empty_aligned, unquantized
from core.indexing.vectors.search_activity import SearchActivity
from core.indexing.vectors.vector_index import BuildCancelled

_CELLS_PER_ROOT = 6.5
_ROWS_PER_CELL = 8
_MOST_CELLS = 1 << 16
_FEWEST_TABLES, _NUMBERS_PER_TABLE = 96, 3
_ROWS_AT_ONCE = 2_048
_QUERIES_AT_ONCE = 64
_POINTS_SAMPLE, _POINTS_ROUNDS = 8_192, 8


def build_ivf(
    vectors: Vectors,
    *,
    nlist: int | None = None,
    seed: int = 0,
    threads: int = 1,
    is_cancelled: Callable[[], bool] = lambda: False,
    activity: SearchActivity | None = None,
) -> IvfIndex:
    """Build inverted lists over at least one vector; `nlist`: the most cells, by default 6.5·√n.

    O(n·c·D) for n rows, c cells and D components of a row. `activity`: the searches that the build
    yields to.

    Raises:
        BuildCancelled: `is_cancelled` returned true.
    """

    def check() -> None:
        if is_cancelled():
            raise BuildCancelled

    with BuildThreads(threads, activity) as pool:
        build = _Build(vectors, seed, pool, check)
        build.learn_cells(nlist or _cells_for(len(vectors.matrix)))
        build.learn_tables()
        build.list_rows()
        return build.tune()


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
        self.quantized = quantized = unquantized(vectors, layout.SIZE)
        projection = learn_projection(vectors, self._rng)
        scales = np.ones(layout.SCALE_COUNT)
        scales[layout.INVERSE_RADIUS] = 1 / projection.radius
        quantized.attach(layout.SCALES, scales)
        quantized.attach(layout.CENTER, projection.center)
        quantized.attach(layout.BASIS, projection.basis)
        quantized.block[layout.COMPONENTS] = self._components = len(projection.basis)
        check()

    def learn_cells(self, count: int) -> None:
        sample = self._project(SAMPLE * count)
        cells = learn_cells(self.quantized, sample, count, self._rng, self._pool, self._check)
        attach_cells(self.quantized, cells)

    def learn_tables(self) -> None:
        residuals = self._project(_POINTS_SAMPLE)
        residuals_of(self.quantized.block, residuals)
        wanted = max(_FEWEST_TABLES, self._components // _NUMBERS_PER_TABLE)
        variances = np.mean(residuals.astype(np.float64) ** 2, axis=0)
        widths = share_out(variances, wanted)
        padding = -(len(widths) - 1) % TABLES_AT_ONCE
        widths = np.concatenate([widths, np.repeat(widths[-1:], padding)])
        points = np.zeros((self._components, POINT_COUNT), np.float32)

        def learn(table: int) -> None:
            self._check()
            learn_points(residuals, widths, points, table, _POINTS_ROUNDS)

        list(self._pool.map(learn, range(len(widths) - 1)))
        self._widths, self._points = widths, points
        self.quantized.attach(layout.WIDTHS, widths)
        self.quantized.attach(layout.POINTS, points)
        self.quantized.block[layout.TABLES] = len(widths) - 1

    def list_rows(self) -> None:
        quantized = self.quantized
        count, tables = quantized.count, int(quantized.block[layout.TABLES])
        cells, biases = np.empty(count, np.int32), np.empty(count, np.float32)
        codes = np.empty((count, tables), np.uint8)

        def encode(start: int) -> None:
            self._check()
            stop = min(start + _ROWS_AT_ONCE, count)
            encode_list_rows(
                quantized.block, start, stop, self._points, self._widths, cells, codes, biases
            )

        list(self._pool.map(encode, range(0, count, _ROWS_AT_ONCE)))
        starts, rows = _in_blocks(cells, int(quantized.block[layout.CELLS]))
        shape = len(rows), tables // TABLES_AT_ONCE, CHUNK_BYTES
        packed = empty_aligned(shape, np.uint8).view(np.uint8)
        pack(codes, rows, packed)
        quantized.attach(layout.STARTS, starts)
        quantized.attach(layout.LIST_CODES, packed)
        quantized.attach(layout.LIST_ROWS, rows)
        listed = np.where(rows >= 0, biases[rows], np.float32(-np.inf))
        quantized.attach(layout.LIST_BIASES, listed)

    def tune(self) -> IvfIndex:
        index = IvfIndex(self.quantized, Tuning.untried(int(self.quantized.block[layout.CELLS])))
        held_out = hold_out(self.quantized.vectors, self._rng, self._pool, self._check)
        starts = range(0, len(held_out.rows), _QUERIES_AT_ONCE)

        def search(nprobe: int, depth: int) -> list[Ints]:
            def part(start: int) -> list[Ints]:
                self._check()
                queries = held_out.queries[start : start + _QUERIES_AT_ONCE]
                return [hits.rows for hits in index.probe(queries, K + 1, nprobe, depth)]

            parts = self._pool.map(part, starts)
            return held_out.others([rows for part in parts for rows in part])

        cell_rows = self.quantized.count / index.cells
        return replace(index, tuning=tune(search, held_out.truth, index.cells, cell_rows))

    def _project(self, size: int) -> Floats:
        """Project `size` random rows, or all if there are fewer: `(s, D)`."""
        count = self.quantized.count
        rows = self._rng.choice(count, min(size, count), replace=False)
        out = np.empty((len(rows), self._components), np.float32)

        def work(start: int) -> None:
            self._check()
            project_rows(
                self.quantized.block, rows, start, min(start + _ROWS_AT_ONCE, len(rows)), out
            )

        list(self._pool.map(work, range(0, len(rows), _ROWS_AT_ONCE)))
        return out


def _in_blocks(cells: NDArray[np.int32], count: int) -> tuple[Ints, NDArray[np.int32]]:
    """Return where each cell's blocks begin, `(c + 1,)`, and the rows in blocks, `(b, 32)`.

    A cell's last block is padded with -1.
    """
    sizes = np.bincount(cells, minlength=count)
    starts = np.concatenate([[0], np.cumsum(-(-sizes // BLOCK_ROWS))]).astype(np.int64)
    order = np.argsort(cells, kind="stable")
    within = np.arange(len(order)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    rows = np.full(starts[-1] * BLOCK_ROWS, -1, np.int32)
    rows[starts[cells[order]] * BLOCK_ROWS + within] = order
    return starts, rows.reshape(-1, BLOCK_ROWS)
