"""Whole searches of a graph: encode the query, walk, and score in full precision."""

import math

from core.indexing.kernels.codes import (
    SMALLEST,
    constant_of,
    encode_query,
    is_whole,
    largest,
    signed,
)
from core.indexing.kernels.full_precision import RESOLVED_ERRORS, error_of, search_precisely
from core.indexing.kernels.graph import descend, node_of, search_allowed, search_level
from core.indexing.kernels.jit import kernel
from core.indexing.kernels.layout import (
    BATCH,
    CODE_BYTES,
    COUNT,
    DIMENSION,
    ENTRY,
    FRONTIER,
    FRONTIER_LIMIT,
    HALVES,
    POOL,
    QUERY,
    REACHES,
    RESIDUALS,
    TAG,
    TOP_LEVEL,
    VISITED,
)
from core.indexing.kernels.memory import load_f32, load_f64, load_i64, load_u8, prefetch, store_u16
from core.indexing.kernels.metric import is_cosine, is_l2, score, value_of_score
from core.indexing.kernels.scoring import fetch_floats, insert_sorted, length
from core.indexing.kernels.typing import Doubles, Floats, Ints

LAST_TAG = 0xFFFF
REACH = 3.0
"""The standard deviations of a code value's error by which a row may be better than its code."""


@kernel
def next_tag(block: Ints, scratch: Ints) -> int:
    if scratch[TAG] == LAST_TAG:
        for row in range(block[COUNT]):
            store_u16(scratch[VISITED], row, 0)
        scratch[TAG] = 0
    scratch[TAG] += 1
    return int(scratch[TAG])


@kernel
def unit_of(block: Ints, query: int, step: float) -> float:
    """Return the step of a query's code: that of the rows under l2, else the finest possible.

    Under the other metrics the order of rows does not depend on the query's scale.
    """
    if is_l2(block):
        return step
    return max(largest(query, block[DIMENSION], 0.0), SMALLEST) / 127


@kernel
def walk(block: Ints, scratch: Ints, ef: int, scored: int, allowed: int, budget: int) -> int:
    """Fill the pool with the `ef` nearest nodes by code; return the count, -1 over budget."""
    code = scratch[QUERY]
    entry = descend(block, code, block[ENTRY], block[TOP_LEVEL], 0)
    tag = next_tag(block, scratch)
    visited, pool, batch = scratch[VISITED], scratch[POOL], scratch[BATCH]
    if allowed == 0:
        return search_level(block, code, entry, 0, ef, visited, tag, pool, batch, scored)
    frontier, limit = scratch[FRONTIER], scratch[FRONTIER_LIMIT]
    return search_allowed(
        block, code, entry, ef, allowed, budget, visited, tag, frontier, limit, pool, batch
    )


@kernel
def search_graph(
    block: Ints,
    scratch: Ints,
    queries: Floats,
    step: float,
    shift: float,
    k: int,
    ef: int,
    precise_ef: int,
    scored: int,
    whole: bool,
    allowed: int,
    checked: int,
    budget: int,
    rows: Ints,
    scores: Doubles,
    counts: Ints,
) -> None:
    """Find the nearest rows of each query by the walk, with their true scores, best first.

    `scored`: the least number of pool entries to score. `allowed`: the address of `(n,) bool` if
    the walk collects only allowed rows, else 0. `checked`: the same address if rows are tested only
    when scored, else 0. `whole`: rows are integers that equal their codes, so that for such a query
    code distances are exact. `precise_ef`: the size of the pool where codes cannot rank the rows.
    `rows`, `scores`: `(q, scored)`; `counts`: `(q,)`, -1 over budget.
    """
    dimension, size = block[DIMENSION], block[CODE_BYTES]
    fetched = 0 if whole else scored
    for i in range(len(queries)):
        query = queries.ctypes.data + i * dimension * 4
        pool, code = scratch[POOL], scratch[QUERY]
        unit = unit_of(block, query, step)
        encode_query(query, dimension, size, unit, shift, code)
        pool_size = walk(block, scratch, ef, fetched, allowed, budget)
        rows_out = rows.ctypes.data + i * rows.shape[1] * 8
        out = scores.ctypes.data + i * scores.shape[1] * 8
        if whole and is_whole(query, dimension, shift, code):
            constant = constant_of(dimension, code)
            counts[i] = take_whole(block, pool, pool_size, scored, checked, constant, rows_out, out)
            continue
        query_length = length(query, dimension)
        count, cursor = take_first(
            block, query, query_length, pool, pool_size, scored, checked, rows_out, out
        )
        if count >= k and is_unresolved(
            block, query, query_length, step, shift, unit, code, pool, cursor, pool_size,
            count, k, checked, rows_out, out,
        ):  # fmt: skip
            if allowed != 0:
                counts[i] = -1
                continue
            tag, visited, batch = next_tag(block, scratch), scratch[VISITED], scratch[BATCH]
            pool_size = search_precisely(
                block, query, query_length, 0, pool_size, precise_ef, visited, tag, pool, batch, 0
            )
            count, cursor = take_first(
                block, query, query_length, pool, pool_size, scored, checked, rows_out, out
            )
        counts[i] = count if pool_size >= 0 else -1


@kernel
def take_first(
    block: Ints,
    query: int,
    query_length: float,
    pool: int,
    pool_size: int,
    scored: int,
    checked: int,
    rows: int,
    scores: int,
) -> tuple[int, int]:
    """Score the first `scored` rows of a pool that pass the filter.

    Returns the number of these rows, and the number of pool entries tested.
    """
    for j in range(min(pool_size, scored)):
        fetch_floats(block, node_of(load_i64(pool, j)))
    count, cursor = 0, 0
    while cursor < pool_size and count < scored:
        row = node_of(load_i64(pool, cursor))
        cursor += 1
        if checked == 0 or load_u8(checked, row):
            insert_sorted(rows, scores, count, row, score(block, row, query, query_length))
            count += 1
    return count, cursor


@kernel
def take_whole(
    block: Ints,
    pool: int,
    pool_size: int,
    scored: int,
    checked: int,
    constant: int,
    rows: int,
    scores: int,
) -> int:
    """Take rows as `take_first` does, without scoring, where the codes are the rows themselves.

    Returns the number of rows, -1 if the walk gave up.
    """
    for j in range(min(pool_size, scored)):
        prefetch(block[HALVES] + node_of(load_i64(pool, j)) * 8)
    count, cursor = 0, 0
    while cursor < pool_size and count < scored:
        key = load_i64(pool, cursor)
        row = node_of(key)
        cursor += 1
        if checked == 0 or load_u8(checked, row):
            square = whole_square(block, row, key >> 32) + constant
            insert_sorted(rows, scores, count, row, 0.0 - math.sqrt(square))
            count += 1
    return count if pool_size >= 0 else -1


@kernel
def is_unresolved(
    block: Ints,
    query: int,
    query_length: float,
    step: float,
    shift: float,
    unit: float,
    code: int,
    pool: int,
    cursor: int,
    pool_size: int,
    count: int,
    k: int,
    checked: int,
    rows: int,
    scores: int,
) -> bool:
    """Score on while a row's code value, `REACH` standard deviations better, is the k-th's.

    The rows are inserted among the `count` scored ones, whose last ones drop out. Returns whether
    all of the pool was tested and is too dense about the k-th place for codes to rank the rows.
    """
    dimension = block[DIMENSION]
    total = 0
    for i in range(dimension):
        total += signed(load_u8(code, i))
    missed, square, scale = dimension * unit * unit / 12, query_length**2, step * unit
    if is_cosine(block):
        scale /= query_length
        missed, square = missed / square, 1.0
    elif is_l2(block):
        missed, square = moved_squares(query, dimension, shift, unit, code)
    half = square / 2
    middle = value_at(block, half, scores, (k - 1) // 2)
    while cursor < pool_size:
        key = load_i64(pool, cursor)
        row = node_of(key)
        value = -((key >> 32) + 128.0 * total) * scale
        error = code_error(block, row, missed, square)
        if value + REACH * error < value_at(block, half, scores, k - 1):
            return False
        cursor += 1
        if checked == 0 or load_u8(checked, row):
            value = score(block, row, query, query_length)
            if value > load_f64(scores, count - 1):
                insert_sorted(rows, scores, count - 1, row, value)
    error = code_error(block, load_i64(rows, k - 1), missed, square)
    return middle - value_at(block, half, scores, count - 1) < RESOLVED_ERRORS * error


@kernel
def moved_squares(
    query: int, dimension: int, shift: float, unit: float, code: int
) -> tuple[float, float]:
    """Return `|q - q̂|²` and `|q|²` of a query less the shift, whose code may be clamped."""
    missed, square = 0.0, 0.0
    for i in range(dimension):
        value = load_f32(query, i) - shift
        missed += (value - unit * signed(load_u8(code, i))) ** 2
        square += value * value
    return missed, square


@kernel
def value_at(block: Ints, half: float, scores: int, place: int) -> float:
    return value_of_score(block, half, load_f64(scores, place))


@kernel
def code_error(block: Ints, row: int, missed: float, square: float) -> float:
    """Return `full_precision.error_of` a row and a query. `missed`: |q - q̂|², `square`: |q|²."""
    residual, reach = load_f32(block[RESIDUALS], row), load_f32(block[REACHES], row)
    return error_of(residual * residual, reach * reach, missed, square, block[DIMENSION])


@kernel
def whole_square(block: Ints, row: int, distance: int) -> int:
    """Return twice a walk's distance, with the half that integer division dropped."""
    return 2 * distance + (int(2 * load_f64(block[HALVES], row)) & 1)
