"""The true scores of rows, in float64, with which every kind of index ends.

All kernels sum in the same order, so that a chunk's score does not depend on the search.
"""

import math

from core.indexing.kernels.dots import dot_doubles, square_distance
from core.indexing.kernels.jit import kernel
from core.indexing.kernels.layout import COSINE, DIMENSION, FLOATS, L2, METRIC, NORMS
from core.indexing.kernels.memory import load_f64, load_i64, prefetch, store_f64, store_i64
from core.indexing.kernels.typing import Ints

_LINE_BYTES = 64


@kernel
def length(query: int, dimension: int) -> float:
    return math.sqrt(dot_doubles(query, query, dimension))


@kernel
def score(block: Ints, row: int, query: int, query_length: float) -> float:
    """Return the similarity under cosine and dot, the negative distance under l2, in float64."""
    dimension = block[DIMENSION]
    floats = block[FLOATS] + row * dimension * 4
    if block[METRIC] == L2:
        return 0.0 - math.sqrt(square_distance(floats, query, dimension))
    product = dot_doubles(floats, query, dimension)
    if block[METRIC] == COSINE:
        product /= load_f64(block[NORMS], row) * query_length
    return product + 0.0  # turns -0.0 into 0.0


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
