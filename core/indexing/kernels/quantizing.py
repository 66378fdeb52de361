"""Product quantisation: pairs of numbers as the nearest of 16 points, learnt for each pair.

Jégou, Douze and Schmid, "Product quantization for nearest neighbor search" (PAMI 2011).
"""

import numpy as np
from numpy.typing import NDArray

from core.indexing.kernels.fastscan import (
    BLOCK_ROWS,
    CHUNK_BYTES,
    POINTS,
    ROW_STRIDE,
    TABLE_STRIDE,
    TABLES_AT_ONCE,
    multiply_points,
    narrow,
)
from core.indexing.kernels.jit import kernel
from core.indexing.kernels.typing import Floats

_HALF = BLOCK_ROWS // 2


@kernel
def nearest_point(points: Floats, x: float, y: float) -> int:
    """`points`: `(2, 16)`."""
    best, found = np.float32(np.inf), 0
    for i in range(POINTS):
        distance = (points[0, i] - x) ** 2 + (points[1, i] - y) ** 2
        if distance < best:
            best, found = distance, i
    return found


@kernel
def learn_points(residuals: Floats, codebook: Floats, start: int, stop: int, rounds: int) -> None:
    """Lloyd's algorithm for the pairs from `start` on: `residuals (s, d)`, `codebook (d/2, 2, 16)`.

    It starts from points at even ranks along the first number, half of them at each half of the
    second.
    """
    count = len(residuals)
    for pair in range(start, stop):
        points = codebook[pair]
        xs, ys = residuals[:, 2 * pair].copy(), residuals[:, 2 * pair + 1].copy()
        order = np.argsort(xs)
        for i in range(8):
            part = order[i * count // 8 : max((i + 1) * count // 8, i * count // 8 + 1)]
            middle = np.sort(ys[part])
            points[0, 2 * i] = points[0, 2 * i + 1] = xs[part[len(part) // 2]]
            points[1, 2 * i] = middle[len(part) // 4]
            points[1, 2 * i + 1] = middle[(3 * len(part)) // 4]
        totals = np.empty((3, POINTS), np.float64)
        for _ in range(rounds):
            totals[:] = 0
            for i in range(count):
                point = nearest_point(points, xs[i], ys[i])
                totals[0, point] += xs[i]
                totals[1, point] += ys[i]
                totals[2, point] += 1
            for point in range(POINTS):
                if totals[2, point] > 0:
                    points[0, point] = totals[0, point] / totals[2, point]
                    points[1, point] = totals[1, point] / totals[2, point]


@kernel
def encode_cells(
    rows: NDArray[np.int32],
    vectors: Floats,
    cells: Floats,
    cell_of_block: NDArray[np.int32],
    codebook: Floats,
    halves: bool,
    pull: float,
    codes: NDArray[np.uint8],
    biases: Floats,
    start: int,
    stop: int,
) -> None:
    """The codes of blocks from `start` on, and what is added to the estimate of each row.

    `rows`: `(b, 32)`, -1 where there is none. `vectors`: `(n, d)`. `halves`: the estimate is of
    `q·x - |x|²/2`, not of `q·x`. The error that codes leave in a product with a query is on
    average `pull` times that in the product of the row with itself: so much is known beforehand,
    and made up for.
    """
    pairs = len(codebook)
    for block in range(start, stop):
        cell = cells[cell_of_block[block]]
        codes[block] = 0
        for i in range(BLOCK_ROWS):
            if rows[block, i] < 0:
                biases[block, i] = -np.inf
                continue
            vector = vectors[rows[block, i]]
            error, square = 0.0, 0.0
            for pair in range(pairs):
                x0, x1 = vector[2 * pair], vector[2 * pair + 1]
                r0, r1 = x0 - cell[2 * pair], x1 - cell[2 * pair + 1]
                points = codebook[pair]
                point = nearest_point(points, r0, r1)
                at = (pair // TABLES_AT_ONCE) * CHUNK_BYTES
                at += (pair % TABLES_AT_ONCE) * TABLE_STRIDE + (i % _HALF) * ROW_STRIDE
                codes[block, at] |= point << (0 if i < _HALF else 4)
                error += x0 * (r0 - points[0, point]) + x1 * (r1 - points[1, point])
                square += x0 * x0 + x1 * x1
            biases[block, i] = pull * error - (square / 2 if halves else 0.0)


@kernel
def fill_tables(
    query: Floats, codebook: Floats, limit: float, values: Floats, tables: NDArray[np.uint8]
) -> tuple[float, float]:
    """A query's products with all points, in 8 bits: `Σ products ≈ scale·Σ entries + offset`.

    `values`: scratch, `(d/2, 16)`. Returns scale and offset; no sum of entries exceeds `limit`.
    """
    offset, widest, whole = 0.0, 0.0, 0.0
    points, at = codebook.ctypes.data, values.ctypes.data
    for pair in range(len(codebook)):
        x, y = query[2 * pair], query[2 * pair + 1]
        low, range_ = multiply_points(points + pair * 8 * POINTS, x, y, at + pair * 4 * POINTS)
        offset += low
        widest = max(widest, range_)
        whole += range_
    scale = max(widest / 255, whole / limit)
    inverse = np.float32(0)
    if scale > 0:
        # A little less, so that nothing is rounded up beyond a byte.
        inverse = np.float32((1 - 1e-6) / scale)
    out = tables.ctypes.data
    for pair in range(len(codebook)):
        narrow(at + pair * 4 * POINTS, inverse, out + pair * POINTS)
    return scale, offset
