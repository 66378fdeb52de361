"""Products of one vector with sixteen cells at a time, by 8-bit codes.

The codes of sixteen cells are interleaved, four values of each. So each sum belongs to one cell,
and no register has to be summed horizontally, as one cell after another would require.
"""

from collections.abc import Callable
from typing import Any, Final, TypeAlias

from llvmlite import ir
from numba import types

from core.indexing.kernels.cpu import CODE_PATH, CodePath
from core.indexing.kernels.llvm import (
    accumulators,
    call,
    load,
    loop,
    shuffle,
    spread,
    store,
    vector,
)
from core.indexing.kernels.memory import I8, I16, I32, I64, intrinsic

DotCells: TypeAlias = Callable[[int, int, int, int], None]

CELLS_AT_ONCE: Final = 16
NUMBERS_AT_ONCE: Final = 4
COMPONENTS_MULTIPLE: Final = 16
"""The values of a cell are padded to this, so that four independent sums hide the latency."""
CHUNK_BYTES: Final = CELLS_AT_ONCE * NUMBERS_AT_ONCE

_CHAINS = COMPONENTS_MULTIPLE // NUMBERS_AT_ONCE


class _Products:
    """The multiplication of the codes of some cells, four values of each, with those of a vector.

    Each part of the sixteen cells has a register of sums, with `per_cell` adjacent sums for a cell.
    """

    def __init__(self, path: CodePath) -> None:
        self._path = path
        self.parts = 1 if path is CodePath.AVX512 else 4
        self.cells = CELLS_AT_ONCE // self.parts
        self._per_cell = {CodePath.AVX512: 1, CodePath.AVX2: 2, CodePath.PLAIN: 4}[path]
        self.sums = vector(I32, self.cells * self._per_cell)
        self.codes = vector(I8, self.cells * NUMBERS_AT_ONCE)

    def add(self, builder: Any, sums: Any, cells: Any, numbers: Any) -> Any:
        """Add the products of `cells`, unsigned bytes, and `numbers`, signed bytes in an i32."""
        repeated = builder.bitcast(spread(builder, numbers, self.cells), self.codes)
        if self._path is CodePath.AVX512:
            args = [sums, cells, repeated]
            return call(builder, "llvm.x86.avx512.vpdpbusd.512", self.sums, args)
        wide = vector(I16 if self._path is CodePath.AVX2 else I32, self.codes.count)
        pair = [builder.zext(cells, wide), builder.sext(repeated, wide)]
        if self._path is CodePath.AVX2:
            return builder.add(sums, call(builder, "llvm.x86.avx2.pmadd.wd", self.sums, pair))
        return builder.add(sums, builder.mul(*pair))

    def by_cell(self, builder: Any, sums: Any) -> Any:
        every = range(self._per_cell)
        total, *others = (
            shuffle(builder, sums, list(range(first, self.sums.count, self._per_cell)))
            for first in every
        )
        for other in others:
            total = builder.add(total, other)
        return total


def make_dot_cells(path: CodePath) -> DotCells:
    """Return `dot_cells(cells, vector, count, out)`, which writes 16 products, int32.

    `cells`: unsigned, `(count/4, 16, 4)`; `vector`: signed; `count`: a multiple of 16.
    """
    products = _Products(path)

    def generate(context: Any, builder: Any, _signature: Any, args: Any) -> Any:
        cells, numbers, count, out = args
        chains = [accumulators(builder, products.sums, products.parts) for _ in range(_CHAINS)]
        with loop(builder, count, COMPONENTS_MULTIPLE) as (start, _):
            for i, chain in enumerate(chains):
                at = builder.add(start, ir.Constant(I64, NUMBERS_AT_ONCE * i))
                four = load(builder, numbers, at, I32)
                chunk = builder.mul(at, ir.Constant(I64, CELLS_AT_ONCE))
                for part, sums in enumerate(chain):
                    place = builder.add(chunk, ir.Constant(I64, part * products.codes.count))
                    codes = load(builder, cells, place, products.codes)
                    builder.store(products.add(builder, builder.load(sums), codes, four), sums)
        for part in range(products.parts):
            total, *others = (builder.load(chain[part]) for chain in chains)
            for other in others:
                total = builder.add(total, other)
            store(builder, products.by_cell(builder, total), out, 4 * part * products.cells)
        return context.get_dummy_value()

    def dots(_typing: Any, cells: Any, numbers: Any, count: Any, out: Any) -> Any:
        return types.void(*[types.int64] * 4), generate

    compiled: DotCells = intrinsic(dots)
    return compiled


dot_cells: Final = make_dot_cells(CODE_PATH)
