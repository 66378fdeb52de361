"""The walk of a navigable small-world graph (Malkov and Yashunin, 2018, algorithms 2 and 5).

Distances are between 8-bit codes, as int32: `-c·s`, or `|c|²/2 - c·s` under l2, without a term that
is constant for a query. A pool's key is `distance << 32 | node << 1 | expanded`.
"""

from core.indexing.kernels.dots import dot_codes
from core.indexing.kernels.jit import kernel
from core.indexing.kernels.layout import (
    BIAS,
    CODE_BYTES,
    CODES,
    DEGREE,
    DEGREE_0,
    LINKS,
    UPPER_LINKS,
    UPPER_PLACES,
)
from core.indexing.kernels.memory import (
    load_i32,
    load_i64,
    load_u8,
    load_u16,
    prefetch,
    store_i32,
    store_i64,
    store_u16,
)
from core.indexing.kernels.pools import insert, last
from core.indexing.kernels.scoring import fetch_floats
from core.indexing.kernels.typing import Ints

_LINE_BYTES = 64
_AHEAD = 8
"""The rows to prefetch ahead of the compared one: about the latency of memory."""


@kernel
def distance(graph: Ints, node: int, query: int) -> int:
    return distance_by(graph[CODES], graph[CODE_BYTES], graph[BIAS], node, query)


@kernel
def distance_by(codes: int, size: int, bias: int, node: int, query: int) -> int:
    """Return `distance`, with the addresses that a loop looks up once.

    The compiler cannot hoist them, as it cannot know that writes do not change the graph.
    """
    value: int = -dot_codes(codes + node * size, query, size)
    if bias != 0:
        value += load_i32(bias, node)
    return value


@kernel
def links_of(graph: Ints, node: int, level: int) -> int:
    """Return the address of a node's neighbours."""
    if level == 0:
        return int(graph[LINKS] + node * graph[DEGREE_0] * 4)
    place = load_i32(graph[UPPER_PLACES], node) + level - 1
    return int(graph[UPPER_LINKS] + place * graph[DEGREE] * 4)


@kernel
def node_of(key: int) -> int:
    return (key & 0xFFFFFFFF) >> 1


@kernel
def fetch_codes(codes: int, size: int, node: int) -> None:
    start = codes + node * size
    for offset in range(0, size, _LINE_BYTES):
        prefetch(start + offset)


@kernel
def fetch_links(links: int, degree: int) -> None:
    for offset in range(0, degree * 4, _LINE_BYTES):
        prefetch(links + offset)


@kernel
def degree_of(graph: Ints, level: int) -> int:
    return int(graph[DEGREE_0] if level == 0 else graph[DEGREE])


@kernel
def descend(graph: Ints, query: int, entry: int, top: int, bottom: int) -> int:
    """Return the nearest node that greedy steps reach, from level `top` down to above `bottom`."""
    codes, size, bias = graph[CODES], graph[CODE_BYTES], graph[BIAS]
    degree = graph[DEGREE]
    best, best_distance = entry, distance_by(codes, size, bias, entry, query)
    for level in range(top, bottom, -1):
        moved = True
        while moved:
            moved = False
            links = links_of(graph, best, level)
            count = 0
            while count < degree and load_i32(links, count) >= 0:
                fetch_codes(codes, size, load_i32(links, count))
                count += 1
            for i in range(count):
                node = load_i32(links, i)
                here = distance_by(codes, size, bias, node, query)
                if here < best_distance:
                    best, best_distance, moved = node, here, True
    return best


@kernel
def collect_unvisited(links: int, degree: int, visited: int, tag: int, out: int) -> int:
    """Write the unvisited neighbours to `out`, mark them as visited, and return the count."""
    count = 0
    for i in range(degree):
        neighbour = load_i32(links, i)
        if neighbour < 0:
            break
        store_i32(out, count, neighbour)
        count += load_u16(visited, neighbour) != tag
        store_u16(visited, neighbour, tag)
    return count


@kernel
def search_level(
    graph: Ints,
    query: int,
    entry: int,
    level: int,
    ef: int,
    visited: int,
    tag: int,
    pool: int,
    batch: int,
    scored: int,
) -> int:
    """Fill the pool with the `ef` nearest nodes that the walk finds, and return the count.

    `scored`: the number of nodes that will be scored. The walk prefetches their vectors when it
    expands them, as most nodes that are among the first by then stay there.
    """
    codes, size, bias = graph[CODES], graph[CODE_BYTES], graph[BIAS]
    degree = degree_of(graph, level)
    store_i64(pool, 0, distance_by(codes, size, bias, entry, query) << 32 | entry << 1)
    store_u16(visited, entry, tag)
    count, place = 1, 0
    while place < count:
        key = load_i64(pool, place)
        if key & 1:
            place += 1
            continue
        store_i64(pool, place, key | 1)
        if place < scored and count == ef:
            fetch_floats(graph, node_of(key))
        place += 1
        fresh = collect_unvisited(links_of(graph, node_of(key), level), degree, visited, tag, batch)
        for i in range(min(fresh, _AHEAD)):
            fetch_codes(codes, size, load_i32(batch, i))
        threshold = last(pool, count, ef)
        for i in range(fresh):
            if i + _AHEAD < fresh:
                fetch_codes(codes, size, load_i32(batch, i + _AHEAD))
            node = load_i32(batch, i)
            key = distance_by(codes, size, bias, node, query) << 32 | node << 1
            if key < threshold:
                at = insert(pool, count, ef, key)
                count = min(count + 1, ef)
                place = min(place, at)
                fetch_links(links_of(graph, node, level), degree)
                threshold = last(pool, count, ef)
    return count


@kernel
def search_allowed(
    graph: Ints,
    query: int,
    entry: int,
    ef: int,
    allowed: int,
    budget: int,
    visited: int,
    tag: int,
    frontier: int,
    frontier_limit: int,
    pool: int,
    batch: int,
) -> int:
    """Fill the pool with the `ef` nearest allowed nodes that the walk finds, and return the count.

    The walk also expands nodes that are not allowed, to cross them. It ends where the next node is
    farther than the last of `ef` allowed ones. `allowed`: the address of `(n,) bool`. Returns -1
    after `budget` distances, when the caller has a cheaper way.
    """
    codes, size, bias = graph[CODES], graph[CODE_BYTES], graph[BIAS]
    degree = degree_of(graph, 0)
    first = distance_by(codes, size, bias, entry, query) << 32 | entry << 1
    store_i64(frontier, 0, first)
    store_u16(visited, entry, tag)
    waiting, place, count, spent = 1, 0, 0, 1
    if load_u8(allowed, entry):
        store_i64(pool, 0, first)
        count = 1
    threshold = last(pool, count, ef)
    while place < waiting:
        key = load_i64(frontier, place)
        if key & 1:
            place += 1
            continue
        if (key | 1) > (threshold | 1):
            break
        store_i64(frontier, place, key | 1)
        place += 1
        fresh = collect_unvisited(links_of(graph, node_of(key), 0), degree, visited, tag, batch)
        spent += fresh
        if spent > budget:
            return -1
        for i in range(min(fresh, _AHEAD)):
            fetch_codes(codes, size, load_i32(batch, i))
        for i in range(fresh):
            if i + _AHEAD < fresh:
                fetch_codes(codes, size, load_i32(batch, i + _AHEAD))
            node = load_i32(batch, i)
            key = distance_by(codes, size, bias, node, query) << 32 | node << 1
            if key >= threshold:
                continue
            if key < last(frontier, waiting, frontier_limit):
                at = insert(frontier, waiting, frontier_limit, key)
                waiting = min(waiting + 1, frontier_limit)
                place = min(place, at)
                fetch_links(links_of(graph, node, 0), degree)
            if load_u8(allowed, node):
                insert(pool, count, ef, key)
                count = min(count + 1, ef)
                threshold = last(pool, count, ef)
    return count
