"""Exact search: a scan of every row's code, and full-precision scores of those that may be best.

The codes x̂ and q̂ give a row x and a query q up to residuals, which bound their product: `|x·q -
x̂·q̂| ≤ |x|·|q - q̂| + |x - x̂|·|q̂|` (Cauchy and Schwarz). So each row's value has a lower and an
upper bound. A row whose upper bound is less than the k-th greatest lower bound is not among the
best. The few rows that remain are scored in full precision. The answer is exact, at the speed of 8
bits. Rows without codes are bounded in the same way by the rounding of a float32 product (Higham,
2002, §3.1).

Values order rows as scores do: `x·q/|x|` under cosine, `x·q`, and `x·q - |x|²/2` under l2.
"""

import math

from core.indexing.kernels.codes import SMALLEST, encode_query, largest, signed
from core.indexing.kernels.dots import dot_codes, dot_codes_by_4, dot_floats
from core.indexing.kernels.graph import fetch_codes
from core.indexing.kernels.jit import kernel
from core.indexing.kernels.layout import (
    CODE_BYTES,
    CODES,
    DIMENSION,
    FLOATS,
    HALVES,
    NORMS,
    REACHES,
    RESIDUALS,
)
from core.indexing.kernels.memory import (
    load_f32,
    load_f64,
    load_i64,
    load_u8,
    ordered,
    prefetch,
    store_f64,
    store_i64,
    unordered,
)
from core.indexing.kernels.metric import is_l2, score, value_and_error
from core.indexing.kernels.pools import insert
from core.indexing.kernels.scoring import fetch_floats, length
from core.indexing.kernels.typing import Doubles, Ints

_FLOAT_EPSILON = 2.0**-23
_TINY = 2.0**-126
_ROUNDING = 1e-6
_AHEAD = 8
_ROWS_AT_ONCE = 16

STEP, SHIFT, REACH, RESIDUAL = range(4)
"""All rows' constants: the codes' step and shift, the greatest reach and residual."""

UNIT, SIGNED_SUM, MISSED, CODED_LENGTH, LENGTH, SLACK, ROOM, THRESHOLD, NEEDED, FACTS = range(10)
"""Facts of a query: the value of one unit of a product of codes, 128·Σs, |q - q̂|, |q̂|, |q|.

Then the largest error of any row's value by its code, and of a distance by rounding. Then the k-th
greatest lower bound so far, and the product of codes below which no row reaches that bound.
"""


@kernel
def prepare(block: Ints, query: int, scale: Doubles, code: int, facts: int) -> None:
    """Encode a query as finely as possible. `facts`: `(FACTS,) float64`."""
    step, shift = scale[STEP], scale[SHIFT]
    dimension, size = block[DIMENSION], block[CODE_BYTES]
    store_f64(facts, LENGTH, length(query, dimension))
    store_f64(facts, THRESHOLD, -math.inf)
    store_f64(facts, NEEDED, -math.inf)
    room = 0.0
    if is_l2(block):
        for i in range(dimension):
            room += (load_f32(query, i) - shift) ** 2
    store_f64(facts, ROOM, _ROUNDING * room)
    if block[CODES] == 0:
        return
    unit = max(largest(query, dimension, shift), SMALLEST) / 127
    encode_query(query, dimension, size, unit, shift, code)
    total, missed, quantized = 0, 0.0, 0.0
    for i in range(dimension):
        here = signed(load_u8(code, i))
        total += here
        quantized += (unit * here) ** 2
        missed += (load_f32(query, i) - shift - unit * here) ** 2
    store_f64(facts, UNIT, step * unit)
    store_f64(facts, SIGNED_SUM, 128.0 * total)
    store_f64(facts, MISSED, math.sqrt(missed))
    store_f64(facts, CODED_LENGTH, math.sqrt(quantized))
    slack = scale[REACH] * math.sqrt(missed) + scale[RESIDUAL] * math.sqrt(quantized)
    store_f64(facts, SLACK, slack)


@kernel
def coded_bounds(block: Ints, row: int, product: int, facts: int) -> tuple[float, float]:
    """Return a row's value by its code, and the bound of its error."""
    value = (product - load_f64(facts, SIGNED_SUM)) * load_f64(facts, UNIT)
    slack = load_f32(block[REACHES], row) * load_f64(facts, MISSED)
    slack += load_f32(block[RESIDUALS], row) * load_f64(facts, CODED_LENGTH)
    if is_l2(block):
        value -= load_f64(block[HALVES], row)
    return value, slack + _ROUNDING * (abs(value) + slack)


@kernel
def float_bounds(block: Ints, row: int, query: int, facts: int) -> tuple[float, float]:
    """Return a row's value by a float32 product, and the bound of its error."""
    dimension = block[DIMENSION]
    product = float(dot_floats(block[FLOATS] + row * dimension * 4, query, dimension))
    norm = load_f64(block[NORMS], row)
    slack = (dimension + 8) * _FLOAT_EPSILON * norm * load_f64(facts, LENGTH) + dimension * _TINY
    value, slack = value_and_error(block, norm, product, slack)
    return value, slack + _ROUNDING * (abs(value) + slack)


@kernel
def offer(
    row: int,
    value: float,
    slack: float,
    k: int,
    facts: int,
    pool: int,
    candidates: int,
    counts: int,
) -> None:
    """Add a row that may be among the k best. `counts`: of the pool, and of the candidates.

    `candidates`: the row's upper bound, `ordered`, `<< 32 | row`.
    """
    if value + slack < load_f64(facts, THRESHOLD):
        return
    store_i64(candidates, load_i64(counts, 1), ordered(value + slack) << 32 | row)
    store_i64(counts, 1, load_i64(counts, 1) + 1)
    key = ordered(-(value - slack)) << 32 | row
    count = load_i64(counts, 0)
    if count < k or key < load_i64(pool, k - 1):
        insert(pool, count, k, key)
        store_i64(counts, 0, min(count + 1, k))
        if count + 1 >= k:
            lowest = -unordered(load_i64(pool, k - 1) >> 32)
            lowest -= _ROUNDING * abs(lowest) + load_f64(facts, ROOM)
            store_f64(facts, THRESHOLD, lowest)
            slack = load_f64(facts, SLACK)
            needed = lowest - slack - _ROUNDING * (abs(lowest) + slack)
            store_f64(facts, NEEDED, needed / load_f64(facts, UNIT) + load_f64(facts, SIGNED_SUM))


@kernel
def least_product(needed: float, halves: int, row: int, unit: float) -> float:
    """Return the product of codes below which a row is not among the k best.

    `halves`: 0 except for l2.
    """
    if halves == 0:
        return needed
    # Slightly less, to allow for the rounding of the halves.
    return needed + load_f64(halves, row) * (1 - _ROUNDING) / unit


@kernel
def row_at(rows: int, place: int) -> int:
    return load_i64(rows, place) if rows != 0 else place


@kernel
def fetch_row(block: Ints, row: int) -> None:
    if block[CODES] == 0:
        fetch_floats(block, row)
        return
    fetch_codes(block[CODES], block[CODE_BYTES], row)
    prefetch(block[RESIDUALS] + row * 4)
    prefetch(block[REACHES] + row * 4)


@kernel
def scan(
    block: Ints,
    query: int,
    scale: Doubles,
    rows: int,
    count: int,
    k: int,
    code: int,
    facts: int,
    pool: int,
    candidates: int,
    counts: int,
) -> None:
    """Find all candidates for the k best among the rows in `rows`; of the first `count` if 0."""
    prepare(block, query, scale, code, facts)
    codes, size, halves = block[CODES], block[CODE_BYTES], block[HALVES]
    needed, unit = load_f64(facts, NEEDED), load_f64(facts, UNIT)
    for place in range(count):
        row = row_at(rows, place)
        if rows != 0 and place + _AHEAD < count:
            fetch_row(block, load_i64(rows, place + _AHEAD))
        if codes != 0:
            product = dot_codes(codes + row * size, code, size)
            if product < least_product(needed, halves, row, unit):
                continue
            value, slack = coded_bounds(block, row, product, facts)
        else:
            value, slack = float_bounds(block, row, query, facts)
        offer(row, value, slack, k, facts, pool, candidates, counts)
        needed = load_f64(facts, NEEDED)


@kernel
def scan_by_4(
    block: Ints,
    queries: int,
    many: int,
    scale: Doubles,
    rows: int,
    count: int,
    k: int,
    code: int,
    facts: int,
    pools: int,
    candidates: int,
    counts: int,
    products: int,
) -> None:
    """Scan for many queries, a multiple of 4, at once; each quantized row is read few times.

    One row for each query: `facts` `(many, FACTS)`, `pools` `(many, k + 1)`, `candidates` `(many,
    count)`, `counts` `(many, 2)`.
    """
    size = block[CODE_BYTES]
    for i in range(many):
        query = queries + i * block[DIMENSION] * 4
        prepare(block, query, scale, code + i * size, facts + i * FACTS * 8)
    for start in range(0, count, _ROWS_AT_ONCE):
        for first in range(0, many, 4):
            for place in range(start, min(start + _ROWS_AT_ONCE, count)):
                row = row_at(rows, place)
                dot_codes_by_4(block[CODES] + row * size, code + first * size, size, products, 0)
                for i in range(first, first + 4):
                    its = facts + i * FACTS * 8
                    product = load_i64(products, i - first)
                    needed, unit = load_f64(its, NEEDED), load_f64(its, UNIT)
                    if product >= least_product(needed, block[HALVES], row, unit):
                        value, slack = coded_bounds(block, row, product, its)
                        pool, its_candidates = pools + i * (k + 1) * 8, candidates + i * count * 8
                        offer(row, value, slack, k, its, pool, its_candidates, counts + i * 16)


@kernel
def settle(
    block: Ints,
    query: int,
    facts: int,
    candidates: int,
    count: int,
    rows: Ints,
    scores: Doubles,
) -> int:
    """Score the candidates that may still be among the best, and return the count."""
    left = 0
    for i in range(count):
        candidate = load_i64(candidates, i)
        if unordered(candidate >> 32) >= load_f64(facts, THRESHOLD):
            rows[left] = candidate & 0xFFFFFFFF
            left += 1
    for i in range(min(_AHEAD, left)):
        fetch_floats(block, rows[i])
    for i in range(left):
        if i + _AHEAD < left:
            fetch_floats(block, rows[i + _AHEAD])
        scores[i] = score(block, rows[i], query, load_f64(facts, LENGTH))
    return left


@kernel
def search_one(
    block: Ints,
    query: int,
    scale: Doubles,
    rows: int,
    count: int,
    k: int,
    scratch: int,
    hits: Ints,
    scores: Doubles,
) -> int:
    """Run `scan`, then `settle`. `scratch`: CODE_BYTES, then `FACTS + k + 1 + count + 2` words."""
    facts = scratch + block[CODE_BYTES]
    pool = facts + FACTS * 8
    candidates = pool + (k + 1) * 8
    counts = candidates + count * 8
    store_i64(counts, 0, 0)
    store_i64(counts, 1, 0)
    scan(block, query, scale, rows, count, k, scratch, facts, pool, candidates, counts)
    return settle(block, query, facts, candidates, load_i64(counts, 1), hits, scores)
