"""Sums of table entries chosen by 4-bit codes: what a search of inverted lists spends its time on.

A block holds 32 rows. Its codes are looked up 64 at a time in tables of 16 bytes that stay in
registers, after André, Kermarrec and Le Scouarnec, "Cache locality is not enough: high-performance
nearest neighbor search with product quantization fast scan" (VLDB 2015). With AVX-512 one
permutation looks up four tables at once, and VNNI sums what it finds, four bytes to a row.
"""

from collections.abc import Callable
from typing import Any, Final, TypeAlias

from llvmlite import binding, ir
from numba import types
from numba.core import cgutils

from core.indexing.kernels.cpu import CODE_PATH, CodePath
from core.indexing.kernels.memory import F32, I8, I16, I32, I64, intrinsic

ScanBlock: TypeAlias = Callable[[int, int, int, int], None]
Float32: TypeAlias = Any
"""A number that a kernel has as float32; a `float` there is of 64 bits."""

Passing: TypeAlias = Callable[[int, int, Float32, Float32, Float32], int]

BLOCK_ROWS: Final = 32
TABLES_AT_ONCE: Final = 4
CHUNK_BYTES: Final = 64
"""Of the codes of a block's rows for four tables, and of the four tables."""
TOGETHER: Final = 4
"""How many queries a block is scanned for at a time."""

POINTS: Final = 16
"""As many as four bits can tell apart."""

_HALF = BLOCK_ROWS // 2


def _here() -> CodePath:
    if CODE_PATH is CodePath.AVX512 and not binding.get_host_cpu_features().get("avx512vbmi"):
        return CodePath.AVX2
    return CODE_PATH


PATH: Final = _here()


def strides(path: CodePath) -> tuple[int, int]:
    """How far the codes of neighbouring rows, and those for neighbouring tables, are apart.

    Bytes, within a chunk. Row `r`'s code is the low half of its byte, that of `r + 16` the high.
    """
    return (TABLES_AT_ONCE, 1) if path is CodePath.AVX512 else (1, _HALF)


ROW_STRIDE, TABLE_STRIDE = strides(PATH)


def _vector(item: Any, lanes: int) -> Any:
    return ir.VectorType(item, lanes)


def _splat(vector: Any, value: float) -> Any:
    return ir.Constant(vector, [value] * vector.count)


def _pointer(builder: Any, base: Any, offset: Any, item: Any) -> Any:
    return builder.inttoptr(builder.add(base, offset), item.as_pointer())


def _load(builder: Any, base: Any, offset: Any, item: Any) -> Any:
    return builder.load(_pointer(builder, base, offset, item), align=1)


def _store(builder: Any, value: Any, base: Any, offset: int) -> None:
    pointer = _pointer(builder, base, ir.Constant(I64, offset), value.type)
    builder.store(value, pointer, align=1)


def _call(builder: Any, name: str, result: Any, args: list[Any]) -> Any:
    signature = ir.FunctionType(result, [arg.type for arg in args])
    return builder.call(cgutils.get_or_insert_function(builder.module, signature, name), args)


def _chunks(builder: Any, count: Any, step: int = CHUNK_BYTES) -> Any:
    stop = builder.mul(count, ir.Constant(I64, CHUNK_BYTES))
    start, by = ir.Constant(I64, 0), ir.Constant(I64, step)
    return cgutils.for_range_slice(builder, start, stop, by, intp=I64)


def _halves(builder: Any, codes: Any) -> tuple[Any, Any]:
    low = builder.and_(codes, _splat(codes.type, 15))
    return low, builder.lshr(codes, _splat(codes.type, 4))


def _accumulators(builder: Any, vector: Any, count: int) -> list[Any]:
    made = [cgutils.alloca_once(builder, vector) for _ in range(count)]
    for accumulator in made:
        builder.store(_splat(vector, 0), accumulator)
    return made


def _scan_avx512(builder: Any, codes: Any, tables: list[Any], count: Any, out: Any) -> None:
    bytes_, sums = _vector(I8, CHUNK_BYTES), _vector(I32, _HALF)
    which = ir.Constant(bytes_, [16 * (i % TABLES_AT_ONCE) for i in range(CHUNK_BYTES)])
    accumulators = _accumulators(builder, sums, 2 * len(tables))
    with _chunks(builder, count) as (offset, _):
        halves = [
            builder.or_(half, which)
            for half in _halves(builder, _load(builder, codes, offset, bytes_))
        ]
        for i, base in enumerate(tables):
            table = _load(builder, base, offset, bytes_)
            for half, accumulator in zip(halves, accumulators[2 * i : 2 * i + 2], strict=True):
                args = [table, half]
                found = _call(builder, "llvm.x86.avx512.permvar.qi.512", bytes_, args)
                args = [builder.load(accumulator), found, _splat(bytes_, 1)]
                total = _call(builder, "llvm.x86.avx512.vpdpbusd.512", sums, args)
                builder.store(total, accumulator)
    for i, accumulator in enumerate(accumulators):
        _store(builder, builder.load(accumulator), out, i * _HALF * 4)


def _scan_avx2(builder: Any, codes: Any, tables: list[Any], count: Any, out: Any) -> None:
    # Two tables at once, one in each half of a register; 16-bit sums of even and odd rows apart.
    bytes_, sums = _vector(I8, 32), _vector(I16, _HALF)
    accumulators = _accumulators(builder, sums, 4 * len(tables))
    with _chunks(builder, count, 32) as (offset, _):
        halves = _halves(builder, _load(builder, codes, offset, bytes_))
        for i, base in enumerate(tables):
            table = _load(builder, base, offset, bytes_)
            for j, half in enumerate(halves):
                found = _call(builder, "llvm.x86.avx2.pshuf.b", bytes_, [table, half])
                pairs = builder.bitcast(found, sums)
                even = builder.and_(pairs, _splat(sums, 255))
                odd = builder.lshr(pairs, _splat(sums, 8))
                for rows, place in ((even, 0), (odd, 1)):
                    accumulator = accumulators[4 * i + 2 * j + place]
                    builder.store(builder.add(builder.load(accumulator), rows), accumulator)
    lanes = _vector(I32, 8)
    low, high = (ir.Constant(lanes, list(range(start, start + 8))) for start in (0, 8))
    zipped = ir.Constant(_vector(I32, 16), [i // 2 + 8 * (i % 2) for i in range(16)])
    for i in range(2 * len(tables)):
        parts = []
        for accumulator in accumulators[2 * i : 2 * i + 2]:
            whole = builder.load(accumulator)
            first, second = (builder.shuffle_vector(whole, whole, mask) for mask in (low, high))
            parts.append(builder.add(first, second))
        rows = builder.shuffle_vector(*parts, zipped)
        _store(builder, builder.zext(rows, _vector(I32, _HALF)), out, i * _HALF * 4)


def _scan_plain(builder: Any, codes: Any, tables: list[Any], count: Any, out: Any) -> None:
    for i in range(len(tables)):
        _store(builder, _splat(_vector(I32, BLOCK_ROWS), 0), out, i * BLOCK_ROWS * 4)
    with _chunks(builder, count, 16) as (offset, _):
        here = builder.add(codes, offset)
        with cgutils.for_range(builder, ir.Constant(I64, _HALF), intp=I64) as row:
            code = builder.zext(_load(builder, here, row.index, I8), I64)
            low = builder.and_(code, ir.Constant(I64, 15))
            high = builder.lshr(code, ir.Constant(I64, 4))
            for i, base in enumerate(tables):
                table = builder.add(base, offset)
                for half, place in ((low, 0), (high, _HALF)):
                    at = builder.add(row.index, ir.Constant(I64, i * BLOCK_ROWS + place))
                    at = builder.mul(at, ir.Constant(I64, 4))
                    found = builder.zext(_load(builder, table, half, I8), I32)
                    total = builder.add(_load(builder, out, at, I32), found)
                    builder.store(total, _pointer(builder, out, at, I32), align=4)


_SCANS: Final = {
    CodePath.AVX512: _scan_avx512,
    CodePath.AVX2: _scan_avx2,
    CodePath.PLAIN: _scan_plain,
}


def make_scan_block(path: CodePath, queries: int) -> ScanBlock:
    """`scan_block(codes, tables, chunks, out)`: the sums of a block's rows for some queries.

    `tables`: the address of `queries` int64, the addresses of each one's tables, 64 bytes a chunk.
    `out`: `(queries, 32) int32`. A sum is below 2**16: the tables' maker sees to that.
    """

    def generate(context: Any, builder: Any, _signature: Any, args: Any) -> Any:
        codes, tables, chunks, out = args
        bases = [_load(builder, tables, ir.Constant(I64, 8 * i), I64) for i in range(queries)]
        _SCANS[path](builder, codes, bases, chunks, out)
        return context.get_dummy_value()

    def scan(_typing: Any, codes: Any, tables: Any, chunks: Any, out: Any) -> Any:
        return types.void(*[types.int64] * 4), generate

    made: ScanBlock = intrinsic(scan)
    return made


def _spread(builder: Any, value: Any, lanes: int) -> Any:
    """A vector of equal lanes."""
    empty = ir.Constant(_vector(value.type, lanes), ir.Undefined)
    first = builder.insert_element(empty, value, ir.Constant(I32, 0))
    return builder.shuffle_vector(first, empty, _splat(_vector(I32, lanes), 0))


def _which_above(builder: Any, values: Any, threshold: Any) -> Any:
    better = builder.fcmp_ordered(">", values, _spread(builder, threshold, BLOCK_ROWS))
    return builder.zext(builder.bitcast(better, I32), I64)


def _passing(_typing: Any, sums: Any, biases: Any, scale: Any, base: Any, threshold: Any) -> Any:
    def generate(_context: Any, builder: Any, _signature: Any, args: Any) -> Any:
        sums, biases, scale, base, threshold = args
        floats, zero = _vector(F32, BLOCK_ROWS), ir.Constant(I64, 0)
        whole = _load(builder, sums, zero, _vector(I32, BLOCK_ROWS))
        estimates = builder.sitofp(whole, floats)
        estimates = builder.fmul(estimates, _spread(builder, scale, BLOCK_ROWS))
        estimates = builder.fadd(estimates, _load(builder, biases, zero, floats))
        estimates = builder.fadd(estimates, _spread(builder, base, BLOCK_ROWS))
        _store(builder, estimates, sums, 0)
        return _which_above(builder, estimates, threshold)

    single = types.float32
    return types.int64(types.int64, types.int64, single, single, single), generate


passing: Final[Passing] = intrinsic(_passing)
"""`passing(sums, biases, scale, base, threshold)`: which of a block's rows are above a threshold.

The sums of one query become estimates, `scale·sum + bias + base`, float32, in their place. The
result has bit `r` set where row `r`'s is greater.
"""


def _above(_typing: Any, values: Any, threshold: Any) -> Any:
    def generate(_context: Any, builder: Any, _signature: Any, args: Any) -> Any:
        values, threshold = args
        floats = _load(builder, values, ir.Constant(I64, 0), _vector(F32, BLOCK_ROWS))
        return _which_above(builder, floats, threshold)

    return types.int64(types.int64, types.float32), generate


above: Final[Callable[[int, Float32], int]] = intrinsic(_above)
"""`above(values, threshold)`: the same of 32 float32 as they are."""


def _multiply_points(_typing: Any, points: Any, x: Any, y: Any, out: Any) -> Any:
    def generate(_context: Any, builder: Any, _signature: Any, args: Any) -> Any:
        points, x, y, out = args
        floats = _vector(F32, POINTS)
        parts = [
            builder.fmul(
                _load(builder, points, ir.Constant(I64, offset), floats),
                _spread(builder, number, POINTS),
            )
            for number, offset in ((x, 0), (y, 4 * POINTS))
        ]
        products = builder.fadd(*parts)
        low, high = (
            builder.call(
                cgutils.get_or_insert_function(
                    builder.module,
                    ir.FunctionType(F32, [floats]),
                    f"llvm.vector.reduce.{which}.v{POINTS}f32",
                ),
                [products],
                fastmath=("nnan", "nsz"),
            )
            for which in ("fmin", "fmax")
        )
        _store(builder, builder.fsub(products, _spread(builder, low, POINTS)), out, 0)
        return cgutils.pack_array(builder, [low, builder.fsub(high, low)])

    single = types.float32
    returned = types.UniTuple(single, 2)
    return returned(types.int64, single, single, types.int64), generate


multiply_points: Final[Callable[[int, Float32, Float32, int], tuple[float, float]]] = intrinsic(
    _multiply_points
)
"""`multiply_points(points, x, y, out)`: the products of a pair of numbers with 16 points.

`points`: `(2, 16) float32`. `out`: `(16,) float32`, less the least of them. Returns that, and how
far the greatest is above it.
"""


def _narrow(_typing: Any, values: Any, inverse: Any, out: Any) -> Any:
    def generate(context: Any, builder: Any, _signature: Any, args: Any) -> Any:
        values, inverse, out = args
        floats = _load(builder, values, ir.Constant(I64, 0), _vector(F32, POINTS))
        scaled = builder.fmul(floats, _spread(builder, inverse, POINTS))
        rounded = builder.fadd(scaled, _splat(scaled.type, 0.5))
        wide = builder.fptoui(rounded, _vector(I32, POINTS))
        _store(builder, builder.trunc(wide, _vector(I8, POINTS)), out, 0)
        return context.get_dummy_value()

    return types.void(types.int64, types.float32, types.int64), generate


narrow: Final[Callable[[int, Float32, int], None]] = intrinsic(_narrow)
"""`narrow(values, inverse, out)`: 16 float32, multiplied and rounded, as bytes; all in 0 … 255."""


def _lowest_bit(_typing: Any, mask: Any) -> Any:
    def generate(_context: Any, builder: Any, _signature: Any, args: Any) -> Any:
        return builder.cttz(args[0], ir.Constant(ir.IntType(1), 1))

    return types.int64(types.int64), generate


lowest_bit: Final[Callable[[int], int]] = intrinsic(_lowest_bit)
"""The place of the lowest bit that is set; one is."""

scan_one: Final = make_scan_block(PATH, 1)
scan_together: Final = make_scan_block(PATH, TOGETHER)
