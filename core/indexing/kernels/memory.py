"""Raw memory in kernels: loads, stores, moves and prefetches by address.

An address is an `int64`, an index counts items from there. Passing array arguments would cost more
than a search of a small graph takes; callers must stay within bounds.
"""

from collections.abc import Callable
from typing import Any, Final, TypeAlias

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic as _intrinsic

intrinsic: Any = _intrinsic
"""Converts a function that returns a signature and an LLVM generator into a kernel function."""

Load: TypeAlias = Callable[[int, int], int]
Store: TypeAlias = Callable[[int, int, int], None]

I1, I8, I16, I32, I64 = (ir.IntType(bits) for bits in (1, 8, 16, 32, 64))
F32, F64 = ir.FloatType(), ir.DoubleType()


def item_pointer(builder: Any, base: Any, index: Any, item: Any, size: int) -> Any:
    """Return the pointer to the `index`-th item behind the address `base`."""
    offset = builder.mul(index, ir.Constant(I64, size))
    return builder.inttoptr(builder.add(base, offset), item.as_pointer())


def _integer_load(item: Any, *, signed: bool = True) -> Load:
    size = item.width // 8

    def load(_typing: Any, base: Any, index: Any) -> Any:
        def generate(_context: Any, builder: Any, _signature: Any, args: Any) -> Any:
            value = builder.load(item_pointer(builder, args[0], args[1], item, size), align=size)
            if item.width == I64.width:
                return value
            return builder.sext(value, I64) if signed else builder.zext(value, I64)

        return types.int64(types.int64, types.int64), generate

    loaded: Load = intrinsic(load)
    return loaded


def _integer_store(item: Any) -> Store:
    size = item.width // 8

    def store(_typing: Any, base: Any, index: Any, value: Any) -> Any:
        def generate(context: Any, builder: Any, _signature: Any, args: Any) -> Any:
            base, index, value = args
            if item.width < I64.width:
                value = builder.trunc(value, item)
            builder.store(value, item_pointer(builder, base, index, item, size), align=size)
            return context.get_dummy_value()

        return types.void(types.int64, types.int64, types.int64), generate

    stored: Store = intrinsic(store)
    return stored


load_u8: Final = _integer_load(I8, signed=False)
load_u16: Final = _integer_load(I16, signed=False)
load_i32: Final = _integer_load(I32)
load_i64: Final = _integer_load(I64)
store_u8: Final = _integer_store(I8)
store_u16: Final = _integer_store(I16)
store_i32: Final = _integer_store(I32)
store_i64: Final = _integer_store(I64)


def _float_load(item: Any, size: int, type_: Any) -> Callable[[int, int], float]:
    def load(_typing: Any, base: Any, index: Any) -> Any:
        def generate(_context: Any, builder: Any, _signature: Any, args: Any) -> Any:
            return builder.load(item_pointer(builder, args[0], args[1], item, size), align=size)

        return type_(types.int64, types.int64), generate

    loaded: Callable[[int, int], float] = intrinsic(load)
    return loaded


load_f32: Final = _float_load(F32, 4, types.float32)
load_f64: Final = _float_load(F64, 8, types.float64)


def _float_store(item: Any, size: int) -> Callable[[int, int, float], None]:
    def store(_typing: Any, base: Any, index: Any, value: Any) -> Any:
        def generate(context: Any, builder: Any, _signature: Any, args: Any) -> Any:
            base, index, value = args
            if item is F32:
                value = builder.fptrunc(value, F32)
            builder.store(value, item_pointer(builder, base, index, item, size), align=size)
            return context.get_dummy_value()

        return types.void(types.int64, types.int64, types.float64), generate

    stored: Callable[[int, int, float], None] = intrinsic(store)
    return stored


store_f32: Final = _float_store(F32, 4)
store_f64: Final = _float_store(F64, 8)


def _prefetch(_typing: Any, address: Any) -> Any:
    def generate(context: Any, builder: Any, _signature: Any, args: Any) -> Any:
        pointer = builder.inttoptr(args[0], I8.as_pointer())
        signature = ir.FunctionType(ir.VoidType(), [I8.as_pointer(), I32, I32, I32])
        fetch = cgutils.get_or_insert_function(builder.module, signature, "llvm.prefetch.p0")
        read, keep, of_data = (ir.Constant(I32, value) for value in (0, 3, 1))
        builder.call(fetch, [pointer, read, keep, of_data])
        return context.get_dummy_value()

    return types.void(types.int64), generate


prefetch: Final[Callable[[int], None]] = intrinsic(_prefetch)
"""Prefetches the cache line at an address."""


def _move_i64(_typing: Any, target: Any, source: Any, count: Any) -> Any:
    def generate(context: Any, builder: Any, _signature: Any, args: Any) -> Any:
        target, source, count = args
        pointers = [builder.inttoptr(address, I8.as_pointer()) for address in (target, source)]
        signature = ir.FunctionType(ir.VoidType(), [I8.as_pointer(), I8.as_pointer(), I64, I1])
        move = cgutils.get_or_insert_function(builder.module, signature, "llvm.memmove.p0.p0.i64")
        size = builder.mul(count, ir.Constant(I64, 8))
        builder.call(move, [*pointers, size, ir.Constant(I1, 0)])
        return context.get_dummy_value()

    return types.void(types.int64, types.int64, types.int64), generate


move_i64: Final[Callable[[int, int, int], None]] = intrinsic(_move_i64)
"""`move_i64(target, source, count)`: move int64 between addresses, which may overlap."""


def _ordered(_typing: Any, value: Any) -> Any:
    def generate(_context: Any, builder: Any, _signature: Any, args: Any) -> Any:
        bits = builder.bitcast(builder.fptrunc(args[0], F32), I32)
        sign = builder.ashr(bits, ir.Constant(I32, 31))
        flipped = builder.xor(bits, builder.lshr(sign, ir.Constant(I32, 1)))
        return builder.sext(flipped, I64)

    return types.int64(types.float64), generate


ordered: Final[Callable[[float], int]] = intrinsic(_ordered)
"""Rounds a float to float32, and returns a 32-bit integer with the same order."""


def _unordered(_typing: Any, key: Any) -> Any:
    def generate(_context: Any, builder: Any, _signature: Any, args: Any) -> Any:
        bits = builder.trunc(args[0], I32)
        sign = builder.ashr(bits, ir.Constant(I32, 31))
        flipped = builder.xor(bits, builder.lshr(sign, ir.Constant(I32, 1)))
        return builder.fpext(builder.bitcast(flipped, F32), F64)

    return types.float64(types.int64), generate


unordered: Final[Callable[[int], float]] = intrinsic(_unordered)
"""Returns the float32 that `ordered` was called with."""
