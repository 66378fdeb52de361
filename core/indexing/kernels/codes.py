"""8-bit codes of vectors: `x ≈ step·c + shift`, one step and one shift for all rows.

Cosine encodes the unit vector, l2 the row less the shift, which leaves distances unchanged. `c` is
from -128 to 127 and is stored as `c + 128`.
"""

import math

import numpy as np

from core.indexing.kernels.jit import kernel
from core.indexing.kernels.layout import (
    BIAS,
    CODE_BYTES,
    CODES,
    DIMENSION,
    FLOATS,
    HALVES,
    OFFSETS,
    REACHES,
    RESIDUALS,
)
from core.indexing.kernels.memory import (
    load_f32,
    load_u8,
    store_f32,
    store_f64,
    store_i32,
    store_u8,
)
from core.indexing.kernels.metric import is_l2, unit_factor
from core.indexing.kernels.typing import Ints

SMALLEST = 1e-300
"""The least step of a query's code, for a query of zeros."""
_ROUNDED_UP = 1 + 1e-6


@kernel
def code_of(steps: float) -> int:
    """Round to the nearest code within -128 … 127."""
    return int(min(max(np.rint(steps), -128.0), 127.0))


@kernel
def encode_rows(block: Ints, start: int, stop: int, step: float, shift: float) -> None:
    """Encode rows, and compute the constants of each row."""
    dimension, size = block[DIMENSION], block[CODE_BYTES]
    steps = 1 / step
    for row in range(start, stop):
        scale = unit_factor(block, row)
        floats, codes = block[FLOATS] + row * dimension * 4, block[CODES] + row * size
        total, squares, missed, length = 0, 0, 0.0, 0.0
        for i in range(dimension):
            value = load_f32(floats, i) * scale - shift
            code = code_of(value * steps)
            store_u8(codes, i, code + 128)
            total += code
            squares += code * code
            missed += (value - step * code) ** 2
            length += value * value
        for i in range(dimension, size):
            store_u8(codes, i, 128)
        store_f32(block[RESIDUALS], row, math.sqrt(missed) * _ROUNDED_UP)
        store_f32(block[REACHES], row, math.sqrt(length) * _ROUNDED_UP)
        store_i32(block[OFFSETS], row, 128 * total)
        if is_l2(block):
            store_f64(block[HALVES], row, length / 2)
            store_i32(block[BIAS], row, squares // 2)
            store_i32(block[OFFSETS], row, 128 * total + squares // 2)


@kernel
def encode_query(
    query: int, dimension: int, size: int, step: float, shift: float, out: int
) -> None:
    """Encode a query as signed bytes; values beyond the rows' range are clamped."""
    steps = 1 / step
    for i in range(dimension):
        store_u8(out, i, code_of((load_f32(query, i) - shift) * steps))
    for i in range(dimension, size):
        store_u8(out, i, 0)


@kernel
def is_whole(query: int, dimension: int, shift: float, code: int) -> bool:
    """Return whether a query, less the shift, equals its code at a step of 1."""
    i = 0
    while i < dimension and signed(load_u8(code, i)) == load_f32(query, i) - shift:
        i += 1
    return i == dimension


@kernel
def constant_of(dimension: int, code: int) -> int:
    """Return `|s|² + 256·Σs`, a query's part of a squared distance beyond twice `distance`."""
    total = 0
    for i in range(dimension):
        here = signed(load_u8(code, i))
        total += here * here + 256 * here
    return total


@kernel
def signed(byte: int) -> int:
    return byte - ((byte & 128) << 1)


@kernel
def largest(query: int, dimension: int, shift: float) -> float:
    """Return the greatest magnitude of a query's values after the shift."""
    a, b, c, d = 0.0, 0.0, 0.0, 0.0  # four independent chains
    whole = dimension & ~3
    for i in range(0, whole, 4):
        a = max(a, abs(load_f32(query, i) - shift))
        b = max(b, abs(load_f32(query, i + 1) - shift))
        c = max(c, abs(load_f32(query, i + 2) - shift))
        d = max(d, abs(load_f32(query, i + 3) - shift))
    for i in range(whole, dimension):
        a = max(a, abs(load_f32(query, i) - shift))
    return max(a, b, c, d)
