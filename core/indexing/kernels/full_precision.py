"""Full-precision walks, for neighbourhoods that 8-bit codes cannot resolve.

Rows nearer to each other than a step of a code (copies of a page, log lines) have the same code
distance up to its rounding error, so a walk by codes ranks them by chance. Where many rows lie
within that error, they are ranked by float64 scores instead, when a row is linked and when a query
is walked.

A pool's key is `ordered(origin - score) << 32 | (node ^ salt) << 1 | expanded`. Scores are relative
to `origin`, the score of a near row, so that 32 bits resolve their differences. `salt` breaks ties
between equal rows differently for each query. If the lowest node number always won, all copies
would link to the same few, and the others could not be reached.
"""

import math

from core.indexing.kernels.graph import collect_unvisited, degree_of, links_of, node_of
from core.indexing.kernels.jit import kernel
from core.indexing.kernels.layout import (
    DEGREE,
    DIMENSION,
    FLOATS,
    NORMS,
    REACHES,
    RESIDUALS,
)
from core.indexing.kernels.memory import (
    load_f32,
    load_f64,
    load_i32,
    load_i64,
    ordered,
    store_i32,
    store_i64,
    store_u16,
)
from core.indexing.kernels.metric import score, square_between
from core.indexing.kernels.pools import insert, last
from core.indexing.kernels.scoring import fetch_floats
from core.indexing.kernels.typing import Ints

RESOLVED_ERRORS = 2.5
"""The standard deviations of the code's error by which ranks k/2 and 3k/2 must differ.

Otherwise codes cannot rank the rows about the k-th place. Measured: `make bench ARGS=copies`.
"""

_NEAR = 64.0
"""Rows whose squared distance is fewer standard deviations of its error count as copies.

The choice of links uses it.
"""

_AHEAD = 4


@kernel
def floats_of(block: Ints, row: int) -> int:
    return int(block[FLOATS] + row * block[DIMENSION] * 4)


@kernel
def length_of(block: Ints, row: int) -> float:
    return load_f64(block[NORMS], row)


@kernel
def error_of(
    residual: float, reach: float, other_residual: float, other_reach: float, dimension: int
) -> float:
    """Return the standard deviation of a product of two codes.

    The arguments are the squared residuals and squared reaches of both vectors. The error is a sum
    over the dimensions of independent rounding errors.
    """
    return math.sqrt((residual * other_reach + other_residual * reach) / dimension)


@kernel
def row_error(graph: Ints, one: int, other: int) -> float:
    """Return `error_of` for two rows."""
    return error_of(
        load_f32(graph[RESIDUALS], one) ** 2,
        load_f32(graph[REACHES], one) ** 2,
        load_f32(graph[RESIDUALS], other) ** 2,
        load_f32(graph[REACHES], other) ** 2,
        graph[DIMENSION],
    )


@kernel
def is_dense(graph: Ints, node: int, pool: int, count: int, step: float) -> bool:
    """Return whether codes cannot rank a node's candidates about the degree-th place of a pool."""
    degree = graph[DEGREE]
    if count < 3 * degree // 2:
        return False
    first, last_ = load_i64(pool, degree // 2), load_i64(pool, 3 * degree // 2 - 1)
    difference = ((last_ >> 32) - (first >> 32)) * step * step
    return difference < RESOLVED_ERRORS * row_error(graph, node, node_of(load_i64(pool, degree)))


@kernel
def is_copy(graph: Ints, one: int, other: int, value: float) -> bool:
    """Return whether two rows with the score `value` are too near for codes to distinguish."""
    square = square_between(graph, one, other, value)
    return square < _NEAR * 2.0 * row_error(graph, one, other)


@kernel
def search_precisely(
    graph: Ints,
    query: int,
    query_length: float,
    level: int,
    seeds: int,
    ef: int,
    visited: int,
    tag: int,
    pool: int,
    batch: int,
    salt: int,
) -> int:
    """Walk on from the `seeds` nodes in the pool, fill it with the `ef` nearest, return the count.

    `query`: the address of `(d,) float32`. The pool has code distances on entry, and full-precision
    keys on return.
    """
    origin = score(graph, node_of(load_i64(pool, 0)), query, query_length)
    for i in range(seeds):
        node = node_of(load_i64(pool, i))
        store_u16(visited, node, tag)
        insert(pool, i, ef, precise_key(graph, node, query, query_length, origin, salt))
    degree = degree_of(graph, level)
    count, place = seeds, 0
    while place < count:
        key = load_i64(pool, place)
        if key & 1:
            place += 1
            continue
        store_i64(pool, place, key | 1)
        place += 1
        node = node_of(key) ^ salt
        fresh = collect_unvisited(links_of(graph, node, level), degree, visited, tag, batch)
        for i in range(min(fresh, _AHEAD)):
            fetch_floats(graph, load_i32(batch, i))
        threshold = last(pool, count, ef)
        for i in range(fresh):
            if i + _AHEAD < fresh:
                fetch_floats(graph, load_i32(batch, i + _AHEAD))
            key = precise_key(graph, load_i32(batch, i), query, query_length, origin, salt)
            if key < threshold:
                at = insert(pool, count, ef, key)
                count = min(count + 1, ef)
                place = min(place, at)
                threshold = last(pool, count, ef)
    return count


@kernel
def precise_key(
    graph: Ints, node: int, query: int, query_length: float, origin: float, salt: int
) -> int:
    value = score(graph, node, query, query_length)
    return int(ordered(origin - value) << 32 | (node ^ salt) << 1)


@kernel
def salt_of(node: int, count: int) -> int:
    """Return a salt that differs between adjacent nodes.

    No `node ^ salt` has more bits than `count`.
    """
    bits = 1
    while bits < count:
        bits <<= 1
    return ((node * 0x9E3779B1) >> 7) & (bits - 1)


@kernel
def choose_precisely(
    graph: Ints, candidates: int, count: int, of: int, degree: int, salt: int, out: int
) -> int:
    """Choose links as `linking.choose` does, by full-precision scores; return how many.

    `candidates`: keys, nearest first. Up to half of the links lead to rows that are not copies, if
    such candidates exist. Otherwise copies would link to copies alone, and a walk that reached them
    could not leave.
    """
    far = choose_at(graph, candidates, count, of, degree // 2, salt, False, out)
    return far + choose_at(graph, candidates, count, of, degree - far, salt, True, out + far * 4)


@kernel
def choose_at(
    graph: Ints,
    candidates: int,
    count: int,
    of: int,
    degree: int,
    salt: int,
    copies: bool,
    out: int,
) -> int:
    """Choose links among the candidates that are copies of `of`, or among the others."""
    chosen = 0
    query, query_length = floats_of(graph, of), length_of(graph, of)
    for i in range(count):
        if chosen >= degree:
            break
        node = node_of(load_i64(candidates, i)) ^ salt
        reach = score(graph, node, query, query_length)
        good = is_copy(graph, node, of, reach) == copies
        for j in range(chosen):
            if not good:
                break
            other = load_i32(out, j)
            good = score(graph, node, floats_of(graph, other), length_of(graph, other)) <= reach
        if good:
            store_i32(out, chosen, node)
            chosen += 1
    return chosen
