"""A sleep for long kernels, which yields the core to other threads."""

from collections.abc import Callable
from typing import Any, Final

from numba import types

from core.indexing.kernels.llvm import call
from core.indexing.kernels.memory import I32, intrinsic


def _rest(_typing: Any, time_us: Any) -> Any:
    def generate(context: Any, builder: Any, _signature: Any, args: Any) -> Any:
        call(builder, "usleep", I32, [builder.trunc(args[0], I32)])
        return context.get_dummy_value()

    return types.void(types.int64), generate


rest: Final[Callable[[int], None]] = intrinsic(_rest)
"""`rest(time_us)`: sleeps that long through the C library, and some 60 µs more."""
