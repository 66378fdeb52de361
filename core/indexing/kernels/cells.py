"""The nearest cells of a vector, by 8-bit codes of both."""

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from core.indexing.kernels.codes import encode_query, largest
from core.indexing.kernels.dot_cells import (
    CELLS_AT_ONCE,
    CHUNK_BYTES,
    NUMBERS_AT_ONCE,
    dot_cells,
)
from core.indexing.kernels.inverted_layout import (
    CELL_CODES,
    CELL_HALVES,
    CELL_STEP,
    CELLS,
    COMPONENTS,
    LEAST_STEP,
    SCALES,
)
from core.indexing.kernels.jit import kernel
from core.indexing.kernels.memory import load_f32, load_f64, load_u8
from core.indexing.kernels.typing import Floats, Ints

Int32s: TypeAlias = NDArray[np.int32]


@kernel
def value_cells(
    block: Ints, vector: int, halved: bool, code: NDArray[np.int8], values: Int32s
) -> float:
    """Compute the value of each cell: its product with the vector, less |cell|²/2 if `halved`.

    `vector`: `(D,) float32`. `code`: scratch, `(D,)`. `values`: `(c + 16,)`, in units of the
    returned step.
    """
    components, cells = block[COMPONENTS], block[CELLS]
    step = max(largest(vector, components, 0.0) / 127, load_f64(block[SCALES], LEAST_STEP))
    encode_query(vector, components, components, step, 0.0, code.ctypes.data)
    signed = np.int32(0)
    for i in range(components):
        signed += np.int32(code[i])
    for first in range(0, cells, CELLS_AT_ONCE):
        codes = block[CELL_CODES] + first * components
        dot_cells(codes, code.ctypes.data, components, values.ctypes.data + 4 * first)
    unit = step * load_f64(block[SCALES], CELL_STEP)
    offset = np.int32(128) * signed
    if halved:
        inverse = np.float32(1 / unit)
        for cell in range(cells):
            half = np.int32(load_f32(block[CELL_HALVES], cell) * inverse)
            values[cell] -= offset + half
    else:
        for cell in range(cells):
            values[cell] -= offset
    return unit


@kernel
def greatest(values: Int32s, count: int) -> int:
    """Return the place of the greatest value, the first of equal ones."""
    best = values[0]
    for i in range(count):
        best = max(best, values[i])
    place = 0
    while values[place] != best:
        place += 1
    return place


@kernel
def threshold(values: Int32s, count: int, wanted: int) -> int:
    """Return the greatest value that at least `wanted` of the first `count` values reach.

    The search bisects on the number of values that reach a candidate: counting takes a few
    instructions for sixteen values, moving the values takes many.
    """
    least, most = values[0], values[0]
    for i in range(count):
        least, most = min(least, values[i]), max(most, values[i])
    low, high = np.int64(least), np.int64(most) + 1
    while high - low > 1:
        middle = np.int32((low + high) >> 1)
        above = np.int32(0)
        for i in range(count):
            above += np.int32(values[i] >= middle)
        if above == wanted:
            return int(middle)
        if above < wanted:
            high = np.int64(middle)
        else:
            low = np.int64(middle)
    return int(low)


@kernel
def nearest_cells(block: Ints, points: Floats, start: int, stop: int, cells: Int32s) -> None:
    """Find the nearest cell of each point, `(n, D)`, and write it from `start` on."""
    code = np.empty(block[COMPONENTS], np.int8)
    values = np.empty(block[CELLS] + CELLS_AT_ONCE, np.int32)
    for i in range(start, stop):
        value_cells(block, points[i].ctypes.data, True, code, values)
        cells[i] = greatest(values, block[CELLS])


@kernel
def cell_number(block: Ints, cell: int, number: int) -> float:
    """Return a value of a cell as its code represents it."""
    at = (cell // CELLS_AT_ONCE) * (block[COMPONENTS] * CELLS_AT_ONCE)
    at += (number // NUMBERS_AT_ONCE) * CHUNK_BYTES
    at += (cell % CELLS_AT_ONCE) * NUMBERS_AT_ONCE + number % NUMBERS_AT_ONCE
    return (load_u8(block[CELL_CODES], at) - 128) * load_f64(block[SCALES], CELL_STEP)
