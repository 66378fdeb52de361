"""Whole searches of a graph: coded, walked, and scored anew in full precision."""

import math

from core.indexing.kernels.codes import constant_of, encode_query, is_whole, largest
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
    L2,
    METRIC,
    POOL,
    QUERY,
    TAG,
    TOP_LEVEL,
    VISITED,
)
from core.indexing.kernels.memory import load_f64, load_i64, load_u8, prefetch, store_u16
from core.indexing.kernels.scoring import fetch_floats, length, score, sort_in
from core.indexing.kernels.typing import Doubles, Floats, Ints

LAST_TAG = 0xFFFF


@kernel
def next_tag(block: Ints, scratch: Ints) -> int:
    if scratch[TAG] == LAST_TAG:
        for row in range(block[COUNT]):
            store_u16(scratch[VISITED], row, 0)
        scratch[TAG] = 0
    scratch[TAG] += 1
    return int(scratch[TAG])


@kernel
def walk(
    block: Ints,
    scratch: Ints,
    query: int,
    step: float,
    shift: float,
    ef: int,
    scored: int,
    allowed: int,
    budget: int,
) -> int:
    """Fills the pool with the `ef` nearest nodes, by their codes; how many, -1 if given up."""
    dimension, code = block[DIMENSION], scratch[QUERY]
    if block[METRIC] != L2:
        # The order is the same whatever the scale of the query: the finest there is.
        step = max(largest(query, dimension, 0.0), 1e-30) / 127
    encode_query(query, dimension, block[CODE_BYTES], step, shift, code)
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
    ef: int,
    scored: int,
    whole: bool,
    allowed: int,
    checked: int,
    budget: int,
    rows: Ints,
    scores: Doubles,
    counts: Ints,
) -> None:
    """The nearest rows of each query that the walk finds, by their true scores, best first.

    `scored`: how many of the pool are scored. `allowed`: the address of `(n,) bool` if the walk
    collects none but those; `checked`: the same if rows are looked up only as they are scored;
    0 without a filter. `whole`: rows are whole numbers and no more than their codes, so that with
    such a query they are not looked at again. `rows`, `scores`: `(q, scored)`; `counts`: `(q,)`,
    -1 if given up.
    """
    dimension = block[DIMENSION]
    fetched = 0 if whole else scored
    for i in range(len(queries)):
        query = queries.ctypes.data + i * dimension * 4
        found = walk(block, scratch, query, step, shift, ef, fetched, allowed, budget)
        pool, code = scratch[POOL], scratch[QUERY]
        known = whole and is_whole(query, dimension, shift, code)
        constant = constant_of(dimension, code) if known else 0
        query_length = length(query, dimension)
        kept, looked = 0, 0
        rows_out = rows.ctypes.data + i * rows.shape[1] * 8
        out = scores.ctypes.data + i * scores.shape[1] * 8
        for j in range(min(found, scored)):
            if known:
                prefetch(block[HALVES] + node_of(load_i64(pool, j)) * 8)
            else:
                fetch_floats(block, node_of(load_i64(pool, j)))
        while looked < found and kept < scored:
            key = load_i64(pool, looked)
            row = node_of(key)
            looked += 1
            if checked == 0 or load_u8(checked, row):
                if known:
                    square = whole_square(block, row, key >> 32) + constant
                    value = 0.0 - math.sqrt(square)
                else:
                    value = score(block, row, query, query_length)
                sort_in(rows_out, out, kept, row, value)
                kept += 1
        counts[i] = kept if found >= 0 else -1


@kernel
def whole_square(block: Ints, row: int, distance: int) -> int:
    """Twice the distance that a walk has, with the half that it may have lost."""
    return 2 * distance + (int(2 * load_f64(block[HALVES], row)) & 1)
