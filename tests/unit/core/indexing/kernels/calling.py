"""A kernel around each tested intrinsic, as only kernels can call intrinsics."""

from collections.abc import Callable
from typing import Any

import numba


def compile_kernel(intrinsic: Any, parameters: int) -> Callable[..., Any]:
    one: dict[int, Callable[..., Any]] = {
        1: lambda a: intrinsic(a),
        2: lambda a, b: intrinsic(a, b),
        3: lambda a, b, c: intrinsic(a, b, c),
        4: lambda a, b, c, d: intrinsic(a, b, c, d),
        5: lambda a, b, c, d, e: intrinsic(a, b, c, d, e),
    }
    called: Callable[..., Any] = numba.njit(one[parameters])
    return called
