"""Inverted lists of 4-bit codes: each row in the cell nearest to it, coded by what it differs."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.domain.library import Metric
from core.indexing.exact import Vectors
from core.indexing.ivf.cells import assign, learn_cells
from core.indexing.kernels.fastscan import BLOCK_ROWS, CHUNK_BYTES, TABLES_AT_ONCE
from core.indexing.kernels.quantizing import POINTS, encode_cells, learn_points
from core.indexing.kernels.typing import Floats, Ints

_PADDED_TO = 2 * TABLES_AT_ONCE
_CODEBOOK_SAMPLE = 8_192
_CODEBOOK_ROUNDS = 8
_BLOCKS_AT_ONCE = 256


@dataclass(frozen=True, slots=True, eq=False)
class Space:
    """Where rows are coded: such that `q·x - |x|²/2` (l2) or `q·x` (cosine, dot) ranks them.

    Unit vectors under cosine, less the rows' mean under l2; filled up with zeros to a multiple of
    eight numbers. `center`: `(d,) float32`.
    """

    metric: Metric
    center: Floats

    @property
    def halves(self) -> bool:
        return self.metric is Metric.L2

    def of_rows(self, vectors: Vectors, rows: NDArray[np.intp]) -> Floats:
        matrix = vectors.matrix[rows]
        if self.metric is Metric.COSINE:
            matrix /= vectors.norms[rows, np.newaxis]
        return self._moved(matrix)

    def of_queries(self, queries: Floats) -> Floats:
        if self.metric is not Metric.COSINE:
            return self._moved(queries)
        wide = queries.astype(np.float64)
        norms = np.sqrt(np.vecdot(wide, wide))[:, np.newaxis]
        return self._moved((wide / np.where(norms > 0, norms, 1)).astype(np.float32))

    def _moved(self, matrix: Floats) -> Floats:
        count, dimension = matrix.shape
        moved = np.zeros((count, -(-dimension // _PADDED_TO) * _PADDED_TO), np.float32)
        moved[:, :dimension] = matrix - self.center if self.halves else matrix
        return moved


def space_of(vectors: Vectors) -> Space:
    return Space(vectors.metric, vectors.matrix.mean(axis=0, dtype=np.float64).astype(np.float32))


@dataclass(frozen=True, slots=True, eq=False)
class Lists:
    """`D` is the dimension filled up to a multiple of eight.

    `cells`: `(c, D) float32`. `codebook`: `(D/2, 2, 16) float32`. `blocks`: `(c + 1,) int64`, where
    each cell's blocks of 32 rows begin. `rows`: `(b, 32) int32`, -1 where there is none. `codes`:
    `(b, 8·D) uint8`. `biases`: `(b, 32) float32`, what is added to a row's estimate.
    """

    space: Space
    cells: Floats
    codebook: Floats
    blocks: Ints
    rows: NDArray[np.int32]
    codes: NDArray[np.uint8]
    biases: Floats

    @property
    def memory_bytes(self) -> int:
        arrays = (self.cells, self.codebook, self.blocks, self.rows, self.codes, self.biases)
        return self.space.center.nbytes + sum(array.nbytes for array in arrays)


def build_lists(
    vectors: Vectors,
    cell_count: int,
    *,
    pull: float,
    seed: int,
    threads: int,
    cancelled: Callable[[], bool],
) -> Lists:
    """O(c·s·d + n·c·d): s rows are sampled, and each of n compared with c cells."""
    rng = np.random.default_rng(seed)
    space = space_of(vectors)
    points = space.of_rows(vectors, np.arange(len(vectors.matrix)))
    cells = learn_cells(points, cell_count, rng, cancelled)
    nearest = assign(points, cells)
    blocks, rows = _in_blocks(nearest, len(cells))
    with ThreadPoolExecutor(threads) as pool:
        codebook = _codebook(points, cells, nearest, rng, pool, threads)
        codes = np.empty((len(rows), CHUNK_BYTES * points.shape[1] // _PADDED_TO), np.uint8)
        biases = np.empty(rows.shape, np.float32)
        cell_of_block = np.repeat(np.arange(len(cells), dtype=np.int32), np.diff(blocks))

        def encode(start: int) -> None:
            stop = min(start + _BLOCKS_AT_ONCE, len(rows))
            if cancelled():
                return
            encode_cells(
                rows, points[rows[start:stop].ravel()], cells, cell_of_block, codebook,
                space.halves, pull, codes, biases, start, stop,
            )  # fmt: skip

        list(pool.map(encode, range(0, len(rows), _BLOCKS_AT_ONCE)))
    return Lists(space, cells, codebook, blocks, rows, codes, biases)


def _in_blocks(nearest: NDArray[np.int32], cell_count: int) -> tuple[Ints, NDArray[np.int32]]:
    sizes = np.bincount(nearest, minlength=cell_count)
    blocks = np.concatenate([[0], np.cumsum(-(-sizes // BLOCK_ROWS))]).astype(np.int64)
    order = np.argsort(nearest, kind="stable")
    within = np.arange(len(order)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    rows = np.full(blocks[-1] * BLOCK_ROWS, -1, np.int32)
    rows[blocks[nearest[order]] * BLOCK_ROWS + within] = order
    return blocks, rows.reshape(-1, BLOCK_ROWS)


def _codebook(
    points: Floats,
    cells: Floats,
    nearest: NDArray[np.int32],
    rng: np.random.Generator,
    pool: ThreadPoolExecutor,
    threads: int,
) -> Floats:
    size = min(len(points), _CODEBOOK_SAMPLE)
    sample = np.sort(rng.choice(len(points), size, replace=False))
    residuals = points[sample] - cells[nearest[sample]]
    pairs = points.shape[1] // 2
    codebook = np.zeros((pairs, 2, POINTS), np.float32)
    bounds = np.linspace(0, pairs, 4 * threads + 1).astype(int).tolist()

    def learn(i: int) -> None:
        learn_points(residuals, codebook, bounds[i], bounds[i + 1], _CODEBOOK_ROUNDS)

    list(pool.map(learn, range(4 * threads)))
    return codebook
