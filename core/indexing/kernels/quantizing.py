"""Product quantisation: a few values become the nearest of 16 points, learnt for each table.

Jégou, Douze and Schmid, "Product quantization for nearest neighbor search" (PAMI 2011). Tables may
differ in width: table t has the values from `widths[t]` to before `widths[t + 1]`.
"""

import numpy as np
from numpy.typing import NDArray

from core.indexing.kernels.cells import cell_number, greatest, value_cells
from core.indexing.kernels.dots import dot_floats
from core.indexing.kernels.fastscan import (
    BLOCK_ROWS,
    POINT_COUNT,
    ROW_STRIDE,
    TABLE_STRIDE,
    TABLES_AT_ONCE,
)
from core.indexing.kernels.inverted_layout import (
    BASIS,
    CELLS,
    CENTER,
    COMPONENTS,
    INVERSE_RADIUS,
    SCALES,
    TABLES,
)
from core.indexing.kernels.jit import kernel
from core.indexing.kernels.layout import DIMENSION, FLOATS
from core.indexing.kernels.memory import load_f32, load_f64
from core.indexing.kernels.metric import is_l2, unit_factor
from core.indexing.kernels.scoring import length
from core.indexing.kernels.typing import Floats, Ints

_HALF = BLOCK_ROWS // 2
_FARTHEST = 1e6
"""The distance, in radii, from which a query's direction alone ranks the rows."""


@kernel
def _onto_basis(block: Ints, moved: Floats, out: Floats) -> None:
    dimension = block[DIMENSION]
    for i in range(block[COMPONENTS]):
        direction = block[BASIS] + i * dimension * 4
        out[i] = dot_floats(direction, moved.ctypes.data, dimension)


@kernel
def project_row(block: Ints, row: int, moved: Floats, out: Floats) -> float:
    """Project a row less the center, in radii, and return its squared length.

    Under cosine the row is scaled to unit length first. The squared length includes the dropped
    components. `moved`: `(d,)`; `out`: `(D,)`.
    """
    source = block[FLOATS] + row * block[DIMENSION] * 4
    square = _move(block, source, unit_factor(block, row), moved)
    _onto_basis(block, moved, out)
    return square


@kernel
def _move(block: Ints, source: int, factor: float, moved: Floats) -> float:
    inverse, square = load_f64(block[SCALES], INVERSE_RADIUS), 0.0
    for i in range(block[DIMENSION]):
        value = (load_f32(source, i) * factor - load_f32(block[CENTER], i)) * inverse
        moved[i] = value
        square += value * value
    return square


@kernel
def project_query(block: Ints, query: int, moved: Floats, out: Floats) -> None:
    """Project a query to `q` such that `q·x`, under l2 `q·x - |x|²/2`, ranks projected rows."""
    dimension = block[DIMENSION]
    if is_l2(block):
        far = np.sqrt(_move(block, query, 1.0, moved)) / _FARTHEST
        if far > 1:
            inverse = load_f64(block[SCALES], INVERSE_RADIUS) / far
            for i in range(dimension):
                moved[i] = (load_f32(query, i) - load_f32(block[CENTER], i)) * inverse
    else:
        norm = length(query, dimension)
        inverse = 1 / norm if norm > 0 else 0.0
        for i in range(dimension):
            moved[i] = load_f32(query, i) * inverse
    _onto_basis(block, moved, out)


@kernel
def project_rows(block: Ints, rows: Ints, start: int, stop: int, out: Floats) -> None:
    moved = np.empty(block[DIMENSION], np.float32)
    for i in range(start, stop):
        project_row(block, rows[i], moved, out[i])


@kernel
def residuals_of(block: Ints, points: Floats) -> None:
    """Replace projected rows, `(n, D)`, by their residuals from the nearest cell's code."""
    code, values = np.empty(block[COMPONENTS], np.int8), np.empty(block[CELLS] + 16, np.int32)
    for point in points:
        value_cells(block, point.ctypes.data, True, code, values)
        cell = greatest(values, block[CELLS])
        for i in range(block[COMPONENTS]):
            point[i] -= cell_number(block, cell, i)


@kernel
def nearest_point(points: Floats, numbers: Floats, start: int, stop: int, distances: Floats) -> int:
    """Return the nearest point of the table with the values from `start` to before `stop`.

    `points`: `(D, 16)`; `distances`: scratch.
    """
    distances[:] = 0
    for i in range(start, stop):
        value = numbers[i]
        for point in range(POINT_COUNT):
            difference = points[i, point] - value
            distances[point] += difference * difference
    best = 0
    for point in range(1, POINT_COUNT):
        if distances[point] < distances[best]:
            best = point
    return best


@kernel
def learn_points(residuals: Floats, widths: Ints, points: Floats, table: int, rounds: int) -> None:
    """Run Lloyd's algorithm for one table, seeded at even ranks of the table's first value.

    `residuals`: `(s, D)`; `points`: `(D, 16)`.
    """
    count, start, stop = len(residuals), widths[table], widths[table + 1]
    if start == stop:
        return
    order = np.argsort(residuals[:, start])
    for point in range(POINT_COUNT):
        row = order[(2 * point + 1) * count // (2 * POINT_COUNT)]
        points[start:stop, point] = residuals[row, start:stop]
    distances = np.empty(POINT_COUNT, np.float32)
    sums, sizes = np.empty((stop - start, POINT_COUNT)), np.empty(POINT_COUNT)
    for _ in range(rounds):
        sums[:], sizes[:] = 0, 0
        for row in range(count):
            point = nearest_point(points, residuals[row], start, stop, distances)
            sizes[point] += 1
            for i in range(start, stop):
                sums[i - start, point] += residuals[row, i]
        for point in range(POINT_COUNT):
            if sizes[point] > 0:
                for i in range(start, stop):
                    points[i, point] = sums[i - start, point] / sizes[point]


@kernel
def encode_list_rows(
    block: Ints,
    start: int,
    stop: int,
    points: Floats,
    widths: Ints,
    cells: NDArray[np.int32],
    codes: NDArray[np.uint8],
    biases: Floats,
) -> None:
    """Compute each row's cell, its codes, `(n, t)`, and the bias of its estimates."""
    components = block[COMPONENTS]
    moved, projected = np.empty(block[DIMENSION], np.float32), np.empty(components, np.float32)
    code, values = np.empty(components, np.int8), np.empty(block[CELLS] + 16, np.int32)
    distances = np.empty(POINT_COUNT, np.float32)
    for row in range(start, stop):
        square = project_row(block, row, moved, projected)
        value_cells(block, projected.ctypes.data, True, code, values)
        cell = greatest(values, block[CELLS])
        for i in range(components):
            projected[i] -= cell_number(block, cell, i)
        for table in range(block[TABLES]):
            codes[row, table] = nearest_point(
                points, projected, widths[table], widths[table + 1], distances
            )
        cells[row] = cell
        biases[row] = -square / 2 if is_l2(block) else 0.0


@kernel
def pack(codes: NDArray[np.uint8], rows: NDArray[np.int32], packed: NDArray[np.uint8]) -> None:
    """Pack codes `(n, t)` into blocks: `rows (b, 32)`, padded with -1; `packed (b, t/4, 64)`."""
    packed[:] = 0
    for block in range(len(rows)):
        for i in range(BLOCK_ROWS):
            row = rows[block, i]
            if row < 0:
                continue
            at, shift = (i % _HALF) * ROW_STRIDE, 0 if i < _HALF else 4
            for table in range(codes.shape[1]):
                place = at + (table % TABLES_AT_ONCE) * TABLE_STRIDE
                packed[block, table // TABLES_AT_ONCE, place] |= codes[row, table] << shift
