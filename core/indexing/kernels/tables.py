"""A query's tables: its products with the points of a product quantiser, in 8 bits."""

from collections.abc import Callable
from typing import Any, Final

from llvmlite import ir
from numba import types
from numba.core import cgutils

from core.indexing.kernels.fastscan import POINT_COUNT
from core.indexing.kernels.inverted_layout import POINTS, TABLES, WIDTHS
from core.indexing.kernels.jit import kernel
from core.indexing.kernels.llvm import accumulators, call, load, loop, splat, spread, store, vector
from core.indexing.kernels.memory import F32, I8, I32, I64, intrinsic, load_i64
from core.indexing.kernels.typing import Floats, Ints

SUM_LIMIT: Final = 65_000.0
"""The greatest sum of entries, which has 16 bits."""

_TINY = 1e-30
_FLOATS = vector(F32, POINT_COUNT)
_POINT_BYTES = 4 * POINT_COUNT


def _multiply_points(_typing: Any, points: Any, numbers: Any, count: Any, out: Any) -> Any:
    def generate(_context: Any, builder: Any, _signature: Any, args: Any) -> Any:
        points, numbers, count, out = args
        [total] = accumulators(builder, _FLOATS, 1)
        with loop(builder, count, 1) as (i, _):
            number = load(builder, numbers, builder.mul(i, ir.Constant(I64, 4)), F32)
            at = builder.mul(i, ir.Constant(I64, _POINT_BYTES))
            product = builder.fmul(
                load(builder, points, at, _FLOATS), spread(builder, number, POINT_COUNT)
            )
            builder.store(builder.fadd(builder.load(total), product), total)
        products = builder.load(total)
        low, high = (
            call(builder, f"llvm.vector.reduce.{which}.v16f32", F32, [products], ("nnan", "nsz"))
            for which in ("fmin", "fmax")
        )
        store(builder, builder.fsub(products, spread(builder, low, POINT_COUNT)), out, 0)
        return cgutils.pack_array(builder, [low, builder.fsub(high, low)])

    returned = types.UniTuple(types.float32, 2)
    return returned(*[types.int64] * 4), generate


multiply_points: Final[Callable[[int, int, int, int], tuple[float, float]]] = intrinsic(
    _multiply_points
)
"""`multiply_points(points, numbers, count, out)`: the products of some numbers with 16 points.

`points`: `(count, 16) float32`. `out`: `(16,) float32`, less the least of them. Returns that, and
how far the greatest is above it.
"""


def _narrow(_typing: Any, values: Any, inverse: Any, out: Any) -> Any:
    def generate(context: Any, builder: Any, _signature: Any, args: Any) -> Any:
        values, inverse, out = args
        scaled = builder.fmul(
            load(builder, values, 0, _FLOATS), spread(builder, inverse, POINT_COUNT)
        )
        wide = builder.fptoui(builder.fadd(scaled, splat(_FLOATS, 0.5)), vector(I32, POINT_COUNT))
        store(builder, builder.trunc(wide, vector(I8, POINT_COUNT)), out, 0)
        return context.get_dummy_value()

    return types.void(types.int64, types.float32, types.int64), generate


narrow: Final[Callable[[int, float, int], None]] = intrinsic(_narrow)
"""`narrow(values, inverse, out)`: 16 float32, multiplied and rounded to bytes; all in 0 … 255."""


@kernel
def fill_tables(
    block: Ints, query: Floats, limit: float, values: Floats, tables: int
) -> tuple[float, float]:
    """Compute a query's products with all points: `product ≈ scale·entry`, plus the table's least.

    `values`: scratch, `(t, 16)`. `tables`: the address of `(t, 16) uint8`. Returns the scale and
    the sum of the least products. A sum of entries exceeds `limit` at most by rounding.
    """
    least, widest, whole = 0.0, 0.0, 0.0
    count, widths = block[TABLES], block[WIDTHS]
    for table in range(count):
        start, stop = load_i64(widths, table), load_i64(widths, table + 1)
        low, width = multiply_points(
            block[POINTS] + start * _POINT_BYTES,
            query.ctypes.data + start * 4,
            stop - start,
            values.ctypes.data + table * _POINT_BYTES,
        )
        least += low
        widest = max(widest, width)
        whole += width
    scale = max(widest / 255, whole / limit)
    inverse = 1 / scale if scale > _TINY else 0.0
    for table in range(count):
        at = values.ctypes.data + table * _POINT_BYTES
        narrow(at, inverse, tables + table * POINT_COUNT)
    return scale, least
