"""The step with which every kind of index ends: rows ranked by their scores, in float64."""

import math

from core.indexing.kernels.dots import dot_doubles
from core.indexing.kernels.jit import kernel
from core.indexing.kernels.layout import DIMENSION, FLOATS, NORMS
from core.indexing.kernels.memory import load_f64, load_i64, prefetch, store_f64, store_i64
from core.indexing.kernels.typing import Ints

_LINE_BYTES = 64


@kernel
def length(query: int, dimension: int) -> float:
    return math.sqrt(dot_doubles(query, query, dimension))


@kernel
def fetch_floats(block: Ints, row: int) -> None:
    prefetch(block[NORMS] + row * 8)
    start = block[FLOATS] + row * block[DIMENSION] * 4
    for offset in range(0, block[DIMENSION] * 4, _LINE_BYTES):
        prefetch(start + offset)


@kernel
def insert_sorted(rows: int, scores: int, place: int, row: int, value: float) -> None:
    """Insert a row with its score among the `place` rows before, best first."""
    while place > 0 and load_f64(scores, place - 1) < value:
        store_i64(rows, place, load_i64(rows, place - 1))
        store_f64(scores, place, load_f64(scores, place - 1))
        place -= 1
    store_i64(rows, place, row)
    store_f64(scores, place, value)
