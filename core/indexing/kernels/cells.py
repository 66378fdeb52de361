"""Which cells are nearest to a vector: products of 8-bit codes, sixteen cells at a time.

The codes of sixteen cells lie side by side, four numbers of each: so a sum belongs to one cell,
and nothing is left to be added up across a register, as would be with one cell after another.
"""

from collections.abc import Callable
from typing import Any, Final, TypeAlias

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numpy.typing import NDArray

from core.indexing.kernels.codes import encode_query, largest
from core.indexing.kernels.cpu import CODE_PATH, CodePath
from core.indexing.kernels.inverted_layout import (
    CELL_CODES,
    CELL_HALVES,
    CELL_STEP,
    CELLS,
    KEPT,
    SCALES,
)
from core.indexing.kernels.jit import kernel
from core.indexing.kernels.memory import I8, I16, I32, I64, intrinsic, load_f32, load_f64, load_u8
from core.indexing.kernels.typing import Floats, Ints

DotCells: TypeAlias = Callable[[int, int, int, int], None]
Int32s: TypeAlias = NDArray[np.int32]

CELLS_AT_ONCE: Final = 16
NUMBERS_AT_ONCE: Final = 4
KEPT_MULTIPLE: Final = 16
"""Numbers of a cell: four sums go side by side, or each would wait for the one before."""

_CHUNK_BYTES = CELLS_AT_ONCE * NUMBERS_AT_ONCE
_CHAINS = KEPT_MULTIPLE // NUMBERS_AT_ONCE
_SMALLEST = 0.01
"""Of the numbers of a vector, where rows have a length of about one: |cell|²/2 in units of the
products of codes stays far within 32 bits."""


def _load(builder: Any, base: Any, offset: Any, item: Any) -> Any:
    pointer = builder.inttoptr(builder.add(base, offset), item.as_pointer())
    return builder.load(pointer, align=1)


def _call(builder: Any, name: str, result: Any, args: list[Any]) -> Any:
    signature = ir.FunctionType(result, [arg.type for arg in args])
    return builder.call(cgutils.get_or_insert_function(builder.module, signature, name), args)


def _shuffled(builder: Any, vector: Any, places: list[int]) -> Any:
    mask = ir.Constant(ir.VectorType(I32, len(places)), places)
    return builder.shuffle_vector(vector, vector, mask)


class _Products:
    """How 64 bytes of sixteen cells are multiplied with four of a vector.

    `parts` vectors of sums, each of `per_cell` neighbouring sums for a cell.
    """

    def __init__(self, path: CodePath) -> None:
        self.path = path
        self.parts = 1 if path is CodePath.AVX512 else 4
        self.per_cell = {CodePath.AVX512: 1, CodePath.AVX2: 2, CodePath.PLAIN: 4}[path]
        self.cells = CELLS_AT_ONCE // self.parts
        self.sums = ir.VectorType(I32, self.cells * self.per_cell)

    def add(self, builder: Any, sums: Any, cells: Any, numbers: Any) -> Any:
        """`cells`: `<n x i8>`, four for each; `numbers`: i32, four signed bytes."""
        count = self.cells * NUMBERS_AT_ONCE
        single = ir.VectorType(I32, 1)
        first = builder.insert_element(ir.Constant(single, ir.Undefined), numbers, I32(0))
        spread = builder.bitcast(
            _shuffled(builder, first, [0] * self.cells), ir.VectorType(I8, count)
        )
        if self.path is CodePath.AVX512:
            args = [sums, cells, spread]
            return _call(builder, "llvm.x86.avx512.vpdpbusd.512", self.sums, args)
        wide = ir.VectorType(I16 if self.path is CodePath.AVX2 else I32, count)
        a, b = builder.zext(cells, wide), builder.sext(spread, wide)
        if self.path is CodePath.AVX2:
            return builder.add(sums, _call(builder, "llvm.x86.avx2.pmadd.wd", self.sums, [a, b]))
        return builder.add(sums, builder.mul(a, b))

    def total(self, builder: Any, sums: Any) -> Any:
        """One for each cell."""
        whole = None
        for start in range(self.per_cell):
            places = list(range(start, self.cells * self.per_cell, self.per_cell))
            part = _shuffled(builder, sums, places)
            whole = part if whole is None else builder.add(whole, part)
        return whole


def make_dot_cells(path: CodePath) -> DotCells:
    """`dot_cells(cells, vector, count, out)`: 16 int32, the products of `count` numbers each.

    `cells`: unsigned, `(count/4, 16, 4)`; `vector`: signed; `count`: a multiple of 16.
    """
    products = _Products(path)
    bytes_ = ir.VectorType(I8, products.cells * NUMBERS_AT_ONCE)

    def generate(context: Any, builder: Any, _signature: Any, args: Any) -> Any:
        cells, vector, count, out = args
        zero = ir.Constant(products.sums, [0] * products.sums.count)
        chains = [
            [cgutils.alloca_once(builder, products.sums) for _ in range(products.parts)]
            for _ in range(_CHAINS)
        ]
        for sums in (sums for chain in chains for sums in chain):
            builder.store(zero, sums)
        step = ir.Constant(I64, KEPT_MULTIPLE)
        with cgutils.for_range_slice(builder, I64(0), count, step, intp=I64) as (at, _):
            for i, chain in enumerate(chains):
                here = builder.add(at, I64(NUMBERS_AT_ONCE * i))
                numbers = _load(builder, vector, here, I32)
                chunk = builder.mul(here, I64(_CHUNK_BYTES // NUMBERS_AT_ONCE))
                for part, sums in enumerate(chain):
                    place = builder.add(chunk, I64(part * bytes_.count))
                    codes = _load(builder, cells, place, bytes_)
                    builder.store(
                        products.add(builder, builder.load(sums), codes, numbers), sums
                    )
        for part in range(products.parts):
            whole = builder.load(chains[0][part])
            for chain in chains[1:]:
                whole = builder.add(whole, builder.load(chain[part]))
            total = products.total(builder, whole)
            address = builder.add(out, I64(4 * part * products.cells))
            builder.store(total, builder.inttoptr(address, total.type.as_pointer()), align=4)
        return context.get_dummy_value()

    def dots(_typing: Any, cells: Any, vector: Any, count: Any, out: Any) -> Any:
        return types.void(*[types.int64] * 4), generate

    made: DotCells = intrinsic(dots)
    return made


dot_cells: Final = make_dot_cells(CODE_PATH)


@kernel
def value_cells(
    block: Ints, vector: int, halved: bool, code: NDArray[np.int8], values: Int32s
) -> float:
    """What each cell is worth to a vector: their product, less |cell|²/2 if `halved`.

    Negative and less, the farther a cell. `vector`: `(D,) float32`, of a length of about one.
    `code`: scratch, `(D,)`. `values`: `(c up to a multiple of 16,)`, in units that are returned.
    """
    kept, cells = block[KEPT], block[CELLS]
    step = max(largest(vector, kept, 0.0), _SMALLEST) / 127
    encode_query(vector, kept, kept, step, 0.0, code.ctypes.data)
    signed = np.int32(0)
    for i in range(kept):
        signed += np.int32(code[i])
    for first in range(0, cells, CELLS_AT_ONCE):
        codes = block[CELL_CODES] + first * kept
        dot_cells(codes, code.ctypes.data, kept, values.ctypes.data + 4 * first)
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
    """Where the greatest value is, the first of equal ones."""
    best = values[0]
    for i in range(count):
        best = max(best, values[i])
    place = 0
    while values[place] != best:
        place += 1
    return place


@kernel
def threshold(values: Int32s, count: int, wanted: int) -> int:
    """The greatest value that `wanted` of the first `count` reach. By bisection on how many do:
    to count takes a few instructions for sixteen values, to move them about takes many."""
    low, high = np.int64(values[0]), np.int64(values[0])
    smallest, largest_ = values[0], values[0]
    for i in range(count):
        smallest, largest_ = min(smallest, values[i]), max(largest_, values[i])
    low, high = np.int64(smallest), np.int64(largest_) + 1
    while high - low > 1:
        middle = np.int32((low + high) >> 1)
        reached = np.int32(0)
        for i in range(count):
            reached += np.int32(values[i] >= middle)
        if reached == wanted:
            return np.int64(middle)
        if reached < wanted:
            high = np.int64(middle)
        else:
            low = np.int64(middle)
    return low


@kernel
def nearest_cells(
    block: Ints, points: Floats, start: int, stop: int, cells: Int32s, values: Floats
) -> None:
    """Of points from `start` on, `(n, D)`: the nearest cell, and what it is worth to them."""
    code = np.empty(block[KEPT], np.int8)
    here = np.empty(block[CELLS] + CELLS_AT_ONCE, np.int32)
    for i in range(start, stop):
        unit = value_cells(block, points[i].ctypes.data, True, code, here)
        best = greatest(here, block[CELLS])
        cells[i], values[i] = best, here[best] * unit


@kernel
def cell_number(block: Ints, cell: int, number: int) -> float:
    """As it is coded."""
    at = (cell // CELLS_AT_ONCE) * (block[KEPT] * CELLS_AT_ONCE)
    at += (number // NUMBERS_AT_ONCE) * _CHUNK_BYTES
    at += (cell % CELLS_AT_ONCE) * NUMBERS_AT_ONCE + number % NUMBERS_AT_ONCE
    return (load_u8(block[CELL_CODES], at) - 128) * load_f64(block[SCALES], CELL_STEP)
