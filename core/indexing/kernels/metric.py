"""Comparisons of rows and queries: the only kernels that tell metrics apart.

Codes and bounds are about dot products. A *value* orders rows as scores do, and is computed from a
product: `x·q/|x|` under cosine, `x·q`, and `x·q - |x|²/2` under l2.
"""

import math

from core.indexing.kernels.dots import dot_doubles, square_distance
from core.indexing.kernels.jit import kernel
from core.indexing.kernels.layout import COSINE, DIMENSION, FLOATS, L2, METRIC, NORMS
from core.indexing.kernels.memory import load_f64
from core.indexing.kernels.typing import Ints


@kernel
def is_cosine(block: Ints) -> bool:
    """Return whether rows are compared as unit vectors."""
    return bool(block[METRIC] == COSINE)


@kernel
def is_l2(block: Ints) -> bool:
    """Return whether values have the term |x|²/2, and codes are of the rows less a shift."""
    return bool(block[METRIC] == L2)


@kernel
def unit_factor(block: Ints, row: int) -> float:
    """Return the factor that scales a row to the vector that is compared."""
    return 1 / load_f64(block[NORMS], row) if block[METRIC] == COSINE else 1.0


@kernel
def score(block: Ints, row: int, query: int, query_length: float) -> float:
    """Return the similarity under cosine and dot, the negative distance under l2, in float64.

    All kernels sum in the same order, so that a chunk's score does not depend on the search.
    """
    dimension = block[DIMENSION]
    floats = block[FLOATS] + row * dimension * 4
    if block[METRIC] == L2:
        return 0.0 - math.sqrt(square_distance(floats, query, dimension))
    product = dot_doubles(floats, query, dimension)
    if block[METRIC] == COSINE:
        product /= load_f64(block[NORMS], row) * query_length
    return product + 0.0  # turns -0.0 into 0.0


@kernel
def value_and_error(block: Ints, norm: float, product: float, error: float) -> tuple[float, float]:
    """Return a row's value and the bound of its error, from those of its product with a query."""
    if block[METRIC] == COSINE:
        return product / norm, error / norm
    if block[METRIC] == L2:
        return product - norm * norm / 2, error
    return product, error


@kernel
def value_of_score(block: Ints, half: float, score: float) -> float:
    """Convert a score to the value of a product of codes. `half`: |q|²/2."""
    return half - score * score / 2 if block[METRIC] == L2 else score


@kernel
def square_between(block: Ints, one: int, other: int, score: float) -> float:
    """Return the squared distance of two rows whose score with each other is `score`."""
    if block[METRIC] == L2:
        return score * score
    if block[METRIC] == COSINE:
        return 2.0 - 2.0 * score
    return load_f64(block[NORMS], one) ** 2 + load_f64(block[NORMS], other) ** 2 - 2.0 * score
