"""Inverted lists of 4-bit codes: each row in the cell nearest to it, coded by what it differs."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.indexing.coded import aligned
from core.indexing.ivf.cells import assign, halves_of, learn_cells
from core.indexing.ivf.space import Space
from core.indexing.kernels.fastscan import BLOCK_ROWS, POINTS
from core.indexing.kernels.quantizing import encode_cells, learn_points
from core.indexing.kernels.typing import Floats, Ints

_CODEBOOK_SAMPLE = 8_192
_CODEBOOK_ROUNDS = 8
_BLOCKS_AT_ONCE = 256
_BYTES_A_NUMBER = BLOCK_ROWS // 4
"""A block's codes take: half a byte a row for two numbers."""


@dataclass(frozen=True, slots=True, eq=False)
class Lists:
    """`D` is the dimension filled up to a multiple of eight; a block has 32 rows.

    `cells`: `(c, D) float32`. `halves`: `(c,) float32`, taken off their products with a query to
    rank them. `codebook`: `(D/2, 2, 16) float32`. `blocks`: `(c + 1,) int64`, where each cell's
    blocks begin. `rows`: `(b, 32) int32`, -1 where there is none. `codes`: `(b, 8·D) uint8`.
    `biases`: `(b, 32) float32`, what is added to a row's estimate.
    """

    space: Space
    cells: Floats
    halves: Floats
    codebook: Floats
    blocks: Ints
    rows: NDArray[np.int32]
    codes: NDArray[np.uint8]
    biases: Floats

    @property
    def memory_bytes(self) -> int:
        arrays: tuple[NDArray[np.generic], ...] = (
            self.space.center,
            self.cells,
            self.halves,
            self.codebook,
            self.blocks,
            self.rows,
            self.codes,
            self.biases,
        )
        return sum(array.nbytes for array in arrays)


def build_lists(
    space: Space,
    points: Floats,
    cell_count: int,
    *,
    pull: float,
    rng: np.random.Generator,
    pool: ThreadPoolExecutor,
    threads: int,
    cancelled: Callable[[], bool],
) -> Lists:
    """`points`: `(n, D) float32`, the rows in the space. O(n·c·d).

    Of no use if `cancelled` said so.
    """
    cells = learn_cells(points, cell_count, rng, pool, cancelled)
    nearest = assign(points, cells, pool)
    blocks, rows = _in_blocks(nearest, len(cells))
    codes = aligned((len(rows), points.shape[1] * _BYTES_A_NUMBER), np.uint8).view(np.uint8)
    biases = np.empty(rows.shape, np.float32)
    cell_of_block = np.repeat(np.arange(len(cells), dtype=np.int32), np.diff(blocks))
    codebook = _codebook(points, cells, nearest, rng, pool, threads)

    def encode(start: int) -> None:
        stop = min(start + _BLOCKS_AT_ONCE, len(rows))
        if not cancelled():
            encode_cells(
                rows,
                points,
                cells,
                cell_of_block,
                codebook,
                space.halves,
                pull,
                codes,
                biases,
                start,
                stop,
            )

    list(pool.map(encode, range(0, len(rows), _BLOCKS_AT_ONCE)))
    # A product's order is the same for a query of any length, and so must be that of the cells.
    halves = np.zeros(len(cells), np.float32) if space.is_dot else halves_of(cells)
    return Lists(space, cells, halves, codebook, blocks, rows, codes, biases)


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
