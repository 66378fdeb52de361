"""Dot products by address, on this process's code path.

`codes`: 8-bit, `size_bytes` a multiple of 64. A stored row is unsigned, `c + 128`; a query is
signed, `s`. So `dot_codes` is `c·s + 128·Σs`, whose second term is constant for a query. VNNI
multiplies unsigned by signed, four products into each 32-bit sum, without saturation. `floats`:
float32, of any length.

The compiler does not find these instructions by itself, so each is written as an LLVM intrinsic.
"""

from collections.abc import Callable
from typing import Any, Final, TypeAlias

from llvmlite import ir
from numba import types
from numba.core import cgutils

from core.indexing.kernels.cpu import CODE_PATH, CodePath
from core.indexing.kernels.llvm import accumulators, call, load, shuffle, splat, vector
from core.indexing.kernels.memory import F32, F64, I8, I16, I32, I64, intrinsic

DotCodes: TypeAlias = Callable[[int, int, int], int]
DotFloats: TypeAlias = Callable[[int, int, int], float]
DotCodesBy4: TypeAlias = Callable[[int, int, int, int, int], None]

_STRIDE_BYTES = 64
_ACCUMULATORS = 3
_FLOAT_ACCUMULATORS = 4
_FAST = ("fast",)


def _loop(builder: Any, start: Any, stop: Any, step: int) -> Any:
    return cgutils.for_range_slice(builder, start, stop, ir.Constant(I64, step), intp=I64)


def _whole(builder: Any, size: Any, step: int) -> Any:
    """Return the largest multiple of `step` that is at most `size`."""
    return builder.mul(builder.udiv(size, ir.Constant(I64, step)), ir.Constant(I64, step))


def _sum_i32(builder: Any, lanes: Any) -> Any:
    name = f"llvm.vector.reduce.add.v{lanes.type.count}i32"
    return builder.sext(call(builder, name, I32, [lanes]), I64)


class _Codes:
    """The multiplication of 64 bytes of a row with 64 of a query, into a vector of sums."""

    def __init__(self, path: CodePath) -> None:
        self._path = path
        self.sums = vector(I32, 8 if path is CodePath.AVX2 else 16)

    def add(self, builder: Any, sums: Any, row: Any, query: Any) -> Any:
        """Add the products of `row` and `query`, both `<64 x i8>`, to the sums."""
        match self._path:
            case CodePath.AVX512:
                args = [sums, row, query]
                return call(builder, "llvm.x86.avx512.vpdpbusd.512", self.sums, args)
            case CodePath.AVX2:
                return self._add_by(16, self._pairs_avx2, builder, sums, row, query)
            case CodePath.PLAIN:
                return self._add_by(16, self._products, builder, sums, row, query)

    def _add_by(
        self, lanes: int, products: Any, builder: Any, sums: Any, row: Any, query: Any
    ) -> Any:
        for start in range(0, _STRIDE_BYTES, lanes):
            places = list(range(start, start + lanes))
            parts = (shuffle(builder, whole, places) for whole in (row, query))
            sums = builder.add(sums, products(builder, *parts))
        return sums

    def _pairs_avx2(self, builder: Any, row: Any, query: Any) -> Any:
        # Widen to 16 bits, as sums of products of bytes would saturate.
        wide = vector(I16, 16)
        args = [builder.zext(row, wide), builder.sext(query, wide)]
        return call(builder, "llvm.x86.avx2.pmadd.wd", self.sums, args)

    def _products(self, builder: Any, row: Any, query: Any) -> Any:
        return builder.mul(builder.zext(row, self.sums), builder.sext(query, self.sums))


def make_dot_codes(path: CodePath, *, stored: bool = False) -> DotCodes:
    """Return the product of a stored row and a query; with `stored`, of two stored rows."""
    codes = _Codes(path)
    bytes_ = vector(I8, _STRIDE_BYTES)
    step = _STRIDE_BYTES * _ACCUMULATORS

    def generate(_context: Any, builder: Any, _signature: Any, args: Any) -> Any:
        row, query, size = args
        sums = accumulators(builder, codes.sums, _ACCUMULATORS)

        def add(accumulator: Any, offset: Any) -> None:
            other = load(builder, query, offset, bytes_)
            if stored:
                other = builder.xor(other, splat(bytes_, -128))
            here = load(builder, row, offset, bytes_)
            builder.store(codes.add(builder, builder.load(accumulator), here, other), accumulator)

        main = _whole(builder, size, step)
        with _loop(builder, ir.Constant(I64, 0), main, step) as (offset, _):
            for i, accumulator in enumerate(sums):
                add(accumulator, builder.add(offset, ir.Constant(I64, i * _STRIDE_BYTES)))
        with _loop(builder, main, size, _STRIDE_BYTES) as (offset, _):
            add(sums[0], offset)
        total = builder.load(sums[0])
        for accumulator in sums[1:]:
            total = builder.add(total, builder.load(accumulator))
        return _sum_i32(builder, total)

    def dot(_typing: Any, row: Any, query: Any, size_bytes: Any) -> Any:
        return types.int64(types.int64, types.int64, types.int64), generate

    compiled: DotCodes = intrinsic(dot)
    return compiled


def make_dot_codes_by_4(path: CodePath) -> DotCodesBy4:
    """Return the products of a row and four queries, `size_bytes` apart; the row is read once."""
    codes = _Codes(path)
    bytes_ = vector(I8, _STRIDE_BYTES)

    def generate(context: Any, builder: Any, _signature: Any, args: Any) -> Any:
        row, queries, size, out, at = args
        sums = accumulators(builder, codes.sums, 4)
        with _loop(builder, ir.Constant(I64, 0), size, _STRIDE_BYTES) as (offset, _):
            here = load(builder, row, offset, bytes_)
            for i, accumulator in enumerate(sums):
                query = builder.add(queries, builder.mul(size, ir.Constant(I64, i)))
                other = load(builder, query, offset, bytes_)
                total = codes.add(builder, builder.load(accumulator), here, other)
                builder.store(total, accumulator)
        first = builder.add(out, builder.mul(at, ir.Constant(I64, 8)))
        for i, accumulator in enumerate(sums):
            address = builder.add(first, ir.Constant(I64, 8 * i))
            pointer = builder.inttoptr(address, I64.as_pointer())
            builder.store(_sum_i32(builder, builder.load(accumulator)), pointer)
        return context.get_dummy_value()

    def dots(_typing: Any, row: Any, queries: Any, size_bytes: Any, out: Any, at: Any) -> Any:
        return types.void(*[types.int64] * 5), generate

    compiled: DotCodesBy4 = intrinsic(dots)
    return compiled


_FLOAT_LANES: Final = {CodePath.AVX512: 16, CodePath.AVX2: 8, CodePath.PLAIN: 4}


def make_dot_floats(path: CodePath) -> DotFloats:
    """Return the dot product in float32, with four sums for each lane."""
    return _float_sum(path, F32, lambda builder, a, b: (a, b))


def make_dot_doubles(path: CodePath) -> DotFloats:
    """Return the dot product of float32 values, multiplied and summed in float64."""
    return _float_sum(path, F64, lambda builder, a, b: (a, b))


def make_square_distance(path: CodePath) -> DotFloats:
    """Return `|a - b|²` of float32 values, in float64."""

    def difference(builder: Any, a: Any, b: Any) -> tuple[Any, Any]:
        between = builder.fsub(a, b)
        return between, between

    return _float_sum(path, F64, difference)


def _float_sum(path: CodePath, total: Any, factors: Any) -> DotFloats:
    """Return a sum of products, whose factors `factors` makes from two rows of float32.

    The order of the sums is fixed, so equal rows have equal results.
    """
    lanes = _FLOAT_LANES[path] // (2 if total is F64 else 1)
    read, sums_type = vector(F32, lanes), vector(total, lanes)
    suffix = f"v{lanes}{'f64' if total is F64 else 'f32'}"
    bytes_ = 4 * lanes

    def widen(builder: Any, value: Any, to: Any) -> Any:
        return builder.fpext(value, to) if total is F64 else value

    def multiply_add(builder: Any, a: Any, b: Any, sums: Any) -> Any:
        if path is CodePath.PLAIN:  # the CPU may have no FMA
            return builder.fadd(sums, builder.fmul(a, b))
        return call(builder, f"llvm.fma.{suffix}", sums_type, [a, b, sums])

    def generate(_context: Any, builder: Any, _signature: Any, args: Any) -> Any:
        left, right, count = args
        size = builder.mul(count, ir.Constant(I64, 4))
        sums = accumulators(builder, sums_type, _FLOAT_ACCUMULATORS)

        def add(accumulator: Any, offset: Any) -> None:
            pair = (
                widen(builder, load(builder, base, offset, read), sums_type)
                for base in (left, right)
            )
            a, b = factors(builder, *pair)
            builder.store(multiply_add(builder, a, b, builder.load(accumulator)), accumulator)

        step = bytes_ * _FLOAT_ACCUMULATORS
        main = _whole(builder, size, step)
        with _loop(builder, ir.Constant(I64, 0), main, step) as (offset, _):
            for i, accumulator in enumerate(sums):
                add(accumulator, builder.add(offset, ir.Constant(I64, i * bytes_)))
        vectors = _whole(builder, size, bytes_)
        with _loop(builder, main, vectors, bytes_) as (offset, _):
            add(sums[0], offset)
        rest = cgutils.alloca_once(builder, total)
        builder.store(ir.Constant(total, 0.0), rest)
        with _loop(builder, vectors, size, 4) as (offset, _):
            pair = (
                widen(builder, load(builder, base, offset, F32), total) for base in (left, right)
            )
            a, b = factors(builder, *pair)
            builder.store(builder.fadd(builder.load(rest), builder.fmul(a, b)), rest)
        whole = builder.load(sums[0])
        for accumulator in sums[1:]:
            whole = builder.fadd(whole, builder.load(accumulator))
        name = f"llvm.vector.reduce.fadd.{suffix}"
        start = builder.load(rest)
        return call(builder, name, total, [start, whole], _FAST)

    returned = types.float64 if total is F64 else types.float32

    def dot(_typing: Any, left: Any, right: Any, count: Any) -> Any:
        return returned(types.int64, types.int64, types.int64), generate

    compiled: DotFloats = intrinsic(dot)
    return compiled


dot_codes: Final = make_dot_codes(CODE_PATH)
dot_stored_codes: Final = make_dot_codes(CODE_PATH, stored=True)
dot_codes_by_4: Final = make_dot_codes_by_4(CODE_PATH)
dot_floats: Final = make_dot_floats(CODE_PATH)
dot_doubles: Final = make_dot_doubles(CODE_PATH)
square_distance: Final = make_square_distance(CODE_PATH)
