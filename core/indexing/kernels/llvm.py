"""Short names for LLVM constructs that kernels use often."""

from typing import Any

from llvmlite import ir
from numba.core import cgutils

from core.indexing.kernels.memory import I32, I64


def vector(item: Any, lanes: int) -> Any:
    return ir.VectorType(item, lanes)


def splat(kind: Any, value: float) -> Any:
    """Return a constant of equal lanes."""
    return ir.Constant(kind, [value] * kind.count)


def spread(builder: Any, value: Any, lanes: int) -> Any:
    """Return a vector of equal lanes."""
    empty = ir.Constant(vector(value.type, lanes), ir.Undefined)
    first = builder.insert_element(empty, value, ir.Constant(I32, 0))
    return builder.shuffle_vector(first, empty, splat(vector(I32, lanes), 0))


def shuffle(builder: Any, value: Any, places: list[int]) -> Any:
    mask = ir.Constant(vector(I32, len(places)), places)
    return builder.shuffle_vector(value, value, mask)


def pointer(builder: Any, base: Any, offset: Any, item: Any) -> Any:
    return builder.inttoptr(builder.add(base, offset), item.as_pointer())


def load(builder: Any, base: Any, offset: Any, item: Any) -> Any:
    """Load an item; `offset`: in bytes, a number or an LLVM value."""
    at = ir.Constant(I64, offset) if isinstance(offset, int) else offset
    return builder.load(pointer(builder, base, at, item), align=1)


def store(builder: Any, value: Any, base: Any, offset: Any) -> None:
    at = ir.Constant(I64, offset) if isinstance(offset, int) else offset
    builder.store(value, pointer(builder, base, at, value.type), align=1)


def call(builder: Any, name: str, result: Any, args: list[Any], flags: tuple[str, ...] = ()) -> Any:
    signature = ir.FunctionType(result, [arg.type for arg in args])
    function = cgutils.get_or_insert_function(builder.module, signature, name)
    return builder.call(function, args, fastmath=flags)


def loop(builder: Any, stop: Any, step: int) -> Any:
    """Loop from 0 to before `stop`."""
    start, by = ir.Constant(I64, 0), ir.Constant(I64, step)
    return cgutils.for_range_slice(builder, start, stop, by, intp=I64)


def accumulators(builder: Any, kind: Any, count: int) -> list[Any]:
    """Allocate places for sums, all zero."""
    allocated = [cgutils.alloca_once(builder, kind) for _ in range(count)]
    for accumulator in allocated:
        builder.store(splat(kind, 0), accumulator)
    return allocated
