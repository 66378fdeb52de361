"""Sums of table entries chosen by 4-bit codes, where IVF searches spend most of their time.

A block has 32 rows. Its codes are looked up 64 at a time in tables of 16 bytes that stay in
registers, after André, Kermarrec and Le Scouarnec, "Cache locality is not enough: high-performance
nearest neighbor search with product quantization fast scan" (VLDB 2015). With AVX-512 one
permutation looks up four tables at once, and VNNI sums the entries, four bytes for each row.
"""

from collections.abc import Callable
from typing import Any, Final, TypeAlias

from llvmlite import binding, ir
from numba import types
from numba.core import cgutils

from core.indexing.kernels.cpu import CODE_PATH, CodePath
from core.indexing.kernels.llvm import (
    accumulators,
    call,
    load,
    loop,
    pointer,
    shuffle,
    splat,
    spread,
    store,
    vector,
)
from core.indexing.kernels.memory import F32, I1, I8, I16, I32, I64, intrinsic

ScanBlock: TypeAlias = Callable[[int, int, int, int], None]
Passing: TypeAlias = Callable[[int, int, float, float, float], int]

BLOCK_ROWS: Final = 32
TABLES_AT_ONCE: Final = 4
CHUNK_BYTES: Final = 64
"""The bytes of a block's codes for four tables, and of the four tables."""
POINT_COUNT: Final = 16
"""The points that four bits can distinguish."""
TOGETHER: Final = 4
"""The number of queries that scan a block together."""

_HALF = BLOCK_ROWS // 2


def _code_path() -> CodePath:
    if CODE_PATH is CodePath.AVX512 and not binding.get_host_cpu_features().get("avx512vbmi"):
        return CodePath.AVX2
    return CODE_PATH


PATH: Final = _code_path()


def strides(path: CodePath) -> tuple[int, int]:
    """Return the distance between adjacent rows' codes, and between adjacent tables', in a chunk.

    Both are in bytes. Row `r`'s code is the low half of its byte, that of `r + 16` the high half.
    """
    return (TABLES_AT_ONCE, 1) if path is CodePath.AVX512 else (1, _HALF)


ROW_STRIDE, TABLE_STRIDE = strides(PATH)


def _halves(builder: Any, codes: Any) -> tuple[Any, Any]:
    low = builder.and_(codes, splat(codes.type, 15))
    return low, builder.lshr(codes, splat(codes.type, 4))


def _scan_avx512(builder: Any, codes: Any, tables: list[Any], size: Any, out: Any) -> None:
    bytes_, sums = vector(I8, CHUNK_BYTES), vector(I32, _HALF)
    which = ir.Constant(bytes_, [16 * (i % TABLES_AT_ONCE) for i in range(CHUNK_BYTES)])
    totals = accumulators(builder, sums, 2 * len(tables))
    with loop(builder, size, CHUNK_BYTES) as (offset, _):
        halves = [
            builder.or_(half, which)
            for half in _halves(builder, load(builder, codes, offset, bytes_))
        ]
        for i, base in enumerate(tables):
            table = load(builder, base, offset, bytes_)
            for half, total in zip(halves, totals[2 * i : 2 * i + 2], strict=True):
                args = [table, half]
                values = call(builder, "llvm.x86.avx512.permvar.qi.512", bytes_, args)
                args = [builder.load(total), values, splat(bytes_, 1)]
                more = call(builder, "llvm.x86.avx512.vpdpbusd.512", sums, args)
                builder.store(more, total)
    for i, total in enumerate(totals):
        store(builder, builder.load(total), out, i * _HALF * 4)


def _scan_avx2(builder: Any, codes: Any, tables: list[Any], size: Any, out: Any) -> None:
    # Two tables at once, one in each half of a register; even and odd rows have separate sums.
    bytes_, sums = vector(I8, 32), vector(I16, _HALF)
    totals = accumulators(builder, sums, 4 * len(tables))
    with loop(builder, size, 32) as (offset, _):
        halves = _halves(builder, load(builder, codes, offset, bytes_))
        for i, base in enumerate(tables):
            table = load(builder, base, offset, bytes_)
            for j, half in enumerate(halves):
                values = call(builder, "llvm.x86.avx2.pshuf.b", bytes_, [table, half])
                pairs = builder.bitcast(values, sums)
                even = builder.and_(pairs, splat(sums, 255))
                odd = builder.lshr(pairs, splat(sums, 8))
                for rows, place in ((even, 0), (odd, 1)):
                    total = totals[4 * i + 2 * j + place]
                    builder.store(builder.add(builder.load(total), rows), total)
    zipped = ir.Constant(vector(I32, 16), [i // 2 + 8 * (i % 2) for i in range(16)])
    for i in range(2 * len(tables)):
        parts = []
        for total in totals[2 * i : 2 * i + 2]:
            whole = builder.load(total)
            first, second = (
                shuffle(builder, whole, list(range(start, start + 8))) for start in (0, 8)
            )
            parts.append(builder.add(first, second))
        rows = builder.shuffle_vector(*parts, zipped)
        store(builder, builder.zext(rows, vector(I32, _HALF)), out, i * _HALF * 4)


def _scan_plain(builder: Any, codes: Any, tables: list[Any], size: Any, out: Any) -> None:
    for i in range(len(tables)):
        store(builder, splat(vector(I32, BLOCK_ROWS), 0), out, i * BLOCK_ROWS * 4)
    with loop(builder, size, POINT_COUNT) as (offset, _):
        here = builder.add(codes, offset)
        with cgutils.for_range(builder, ir.Constant(I64, _HALF), intp=I64) as row:
            code = builder.zext(load(builder, here, row.index, I8), I64)
            low = builder.and_(code, ir.Constant(I64, 15))
            high = builder.lshr(code, ir.Constant(I64, 4))
            for i, base in enumerate(tables):
                table = builder.add(base, offset)
                for half, place in ((low, 0), (high, _HALF)):
                    at = builder.add(row.index, ir.Constant(I64, i * BLOCK_ROWS + place))
                    at = builder.mul(at, ir.Constant(I64, 4))
                    values = builder.zext(load(builder, table, half, I8), I32)
                    total = builder.add(load(builder, out, at, I32), values)
                    builder.store(total, pointer(builder, out, at, I32), align=4)


_SCANS: Final = {
    CodePath.AVX512: _scan_avx512,
    CodePath.AVX2: _scan_avx2,
    CodePath.PLAIN: _scan_plain,
}


def make_scan_block(path: CodePath, queries: int) -> ScanBlock:
    """Return `scan_block(codes, tables, chunks, out)`, the sums of a block's rows for some queries.

    `tables`: the address of `queries` int64, each the address of a query's tables, 64 bytes a
    chunk. `out`: `(queries, 32) int32`. A sum is below 2**16, which `fill_tables` guarantees.
    """

    def generate(context: Any, builder: Any, _signature: Any, args: Any) -> Any:
        codes, tables, chunks, out = args
        bases = [load(builder, tables, 8 * i, I64) for i in range(queries)]
        size = builder.mul(chunks, ir.Constant(I64, CHUNK_BYTES))
        _SCANS[path](builder, codes, bases, size, out)
        return context.get_dummy_value()

    def scan(_typing: Any, codes: Any, tables: Any, chunks: Any, out: Any) -> Any:
        return types.void(*[types.int64] * 4), generate

    compiled: ScanBlock = intrinsic(scan)
    return compiled


def _passing(_typing: Any, sums: Any, biases: Any, scale: Any, base: Any, threshold: Any) -> Any:
    def generate(_context: Any, builder: Any, _signature: Any, args: Any) -> Any:
        sums, biases, scale, base, threshold = args
        floats = vector(F32, BLOCK_ROWS)
        estimates = builder.sitofp(load(builder, sums, 0, vector(I32, BLOCK_ROWS)), floats)
        estimates = builder.fmul(estimates, spread(builder, scale, BLOCK_ROWS))
        estimates = builder.fadd(estimates, load(builder, biases, 0, floats))
        estimates = builder.fadd(estimates, spread(builder, base, BLOCK_ROWS))
        store(builder, estimates, sums, 0)
        better = builder.fcmp_ordered(">", estimates, spread(builder, threshold, BLOCK_ROWS))
        return builder.zext(builder.bitcast(better, I32), I64)

    single = types.float32
    return types.int64(types.int64, types.int64, single, single, single), generate


passing: Final[Passing] = intrinsic(_passing)
"""`passing(sums, biases, scale, base, threshold)`: a mask of a block's rows above a threshold.

The sums of one query become estimates, `scale·sum + bias + base`, float32, in place. Bit `r` of the
result is set if row `r`'s estimate is greater.
"""


def _lowest_bit(_typing: Any, mask: Any) -> Any:
    def generate(_context: Any, builder: Any, _signature: Any, args: Any) -> Any:
        return builder.cttz(args[0], ir.Constant(I1, 1))

    return types.int64(types.int64), generate


lowest_bit: Final[Callable[[int], int]] = intrinsic(_lowest_bit)
"""The place of the lowest set bit; the mask is not 0."""

scan_one: Final = make_scan_block(PATH, 1)
scan_together: Final = make_scan_block(PATH, TOGETHER)
