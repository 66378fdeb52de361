"""The three phases of inserting a batch into a graph.

`approach` descends the levels above the lowest for each new node. Nodes led to the same nodes read
the same memory next, so they are processed one after the other. `find` searches the graph as it is
before the batch, and the batch's earlier nodes, for neighbours; threads share the new nodes. `link`
then adds the links back from the neighbours, which threads share by number. In each phase a list of
links has one writer, so the result does not depend on the number of threads.
"""

from core.indexing.kernels.dots import dot_stored_codes
from core.indexing.kernels.full_precision import (
    choose_precisely,
    floats_of,
    is_dense,
    length_of,
    precise_key,
    salt_of,
    search_precisely,
)
from core.indexing.kernels.graph import descend, distance, links_of, node_of, search_level
from core.indexing.kernels.jit import kernel
from core.indexing.kernels.layout import (
    BATCH,
    BIAS,
    CODE_BYTES,
    CODES,
    COUNT,
    DEGREE,
    DEGREE_0,
    DENSE,
    ENTRY,
    LEVELS,
    OFFSETS,
    POOL,
    QUERY,
    TOP_LEVEL,
    VISITED,
)
from core.indexing.kernels.memory import (
    load_i32,
    load_i64,
    load_u8,
    store_i32,
    store_i64,
    store_u8,
)
from core.indexing.kernels.metric import score
from core.indexing.kernels.pools import insert, last
from core.indexing.kernels.resting import rest
from core.indexing.kernels.typing import Ints

_SIGNS = -0x7F7F7F7F7F7F7F80
"""The sign bit of each of eight bytes, which converts a stored row to a query."""


@kernel
def stored_distance(graph: Ints, node: int, other: int) -> int:
    """Return the distance of `node` from `other` as a query."""
    size = graph[CODE_BYTES]
    codes = graph[CODES]
    value = -dot_stored_codes(codes + node * size, codes + other * size, size)
    if graph[BIAS] != 0:
        value += load_i32(graph[BIAS], node)
    return value


@kernel
def choose(graph: Ints, candidates: int, count: int, of: int, degree: int, out: int) -> int:
    """Choose up to `degree` candidates in different directions (algorithm 4); return how many.

    A candidate is skipped if it is nearer to a chosen one than to `of`. `candidates`: a pool of
    distances from the node `of`.
    """
    chosen = 0
    offset = load_i32(graph[OFFSETS], of)
    for i in range(count):
        if chosen >= degree:
            break
        key = load_i64(candidates, i)
        node = node_of(key)
        reach = (key >> 32) + offset
        good = True
        for j in range(chosen):
            other = load_i32(out, j)
            if stored_distance(graph, node, other) + load_i32(graph[OFFSETS], other) < reach:
                good = False
                break
        if good:
            store_i32(out, chosen, node)
            chosen += 1
    return chosen


@kernel
def load_query(graph: Ints, node: int, query: int) -> None:
    """Convert a stored row to a query."""
    row = graph[CODES] + node * graph[CODE_BYTES]
    for i in range(graph[CODE_BYTES] // 8):
        store_i64(query, i, load_i64(row, i) ^ _SIGNS)


@kernel
def offer_batch(
    graph: Ints, order: int, start: int, stop: int, level: int, query: int, pool: int, state: Ints
) -> None:
    """Add the batch's earlier nodes to a pool; `state`: the pool's count and limit."""
    count, limit = state[0], state[1]
    threshold = last(pool, count, limit)
    for i in range(start, stop):
        node = load_i64(order, i)
        if load_u8(graph[LEVELS], node) >= level:
            key = distance(graph, node, query) << 32 | node << 1
            if key < threshold:
                insert(pool, count, limit, key)
                count = min(count + 1, limit)
                threshold = last(pool, count, limit)
    state[0] = count


@kernel
def approach(
    graph: Ints,
    order: int,
    start: int,
    stop: int,
    thread: int,
    threads: int,
    scratch: Ints,
    ways: int,
) -> None:
    """Find the nearest node on every level above 0, highest first, for each `threads`-th node.

    `ways`: `(stop - start, TOP_LEVEL) int32`.
    """
    query, top = scratch[QUERY], graph[TOP_LEVEL]
    for i in range(start + thread, stop, threads):
        load_query(graph, load_i64(order, i), query)
        nearest = graph[ENTRY]
        for level in range(top, 0, -1):
            nearest = descend(graph, query, nearest, level, level - 1)
            store_i32(ways, (i - start) * top + top - level, nearest)


@kernel
def find(
    graph: Ints,
    order: int,
    start: int,
    stop: int,
    thread: int,
    threads: int,
    ef: int,
    tag: int,
    scratch: Ints,
    state: Ints,
    ways: int,
    chosen: int,
    counts: int,
    rest_us: int,
    step: float,
) -> int:
    """Choose the links of each `threads`-th node of a batch, and return the last used tag.

    The links go to `chosen` and to the node's own lists. `ways`: as written by `approach`.
    `chosen`: `(stop - start, TOP_LEVEL + 1, DEGREE) int32`. `counts`: the same without the last
    axis, int64. `rest_us`: the rest after each node. `step`: that of the codes. Each level of a
    node uses one tag, or two if its neighbourhood is dense.
    """
    visited, pool = scratch[VISITED], scratch[POOL]
    batch, query = scratch[BATCH], scratch[QUERY]
    levels = graph[TOP_LEVEL] + 1
    for i in range(start + thread, stop, threads):
        node = load_i64(order, i)
        load_query(graph, node, query)
        top = min(load_u8(graph[LEVELS], node), graph[TOP_LEVEL])
        entry = graph[ENTRY]
        if top < graph[TOP_LEVEL]:
            entry = load_i32(ways, (i - start + 1) * graph[TOP_LEVEL] - top - 1)
        for level in range(top, -1, -1):
            tag += 1
            count = search_level(graph, query, entry, level, ef, visited, tag, pool, batch, 0)
            entry = node_of(load_i64(pool, 0))
            state[0], state[1] = count, ef
            offer_batch(graph, order, start, i, level, query, pool, state)
            row = (i - start) * levels + level
            out = chosen + row * graph[DEGREE] * 4
            if is_dense(graph, node, pool, state[0], step):
                if level > 0:
                    store_i64(counts, row, 0)
                    continue
                store_u8(graph[DENSE], node, 1)
                tag += 1
                count = link_precisely(
                    graph, node, level, state[0], ef, visited, tag, pool, batch, out
                )
            else:
                count = choose(graph, pool, state[0], node, graph[DEGREE], out)
            store_i64(counts, row, count)
        for level in range(top + 1):
            row = (i - start) * levels + level
            links = links_of(graph, node, level)
            for j in range(load_i64(counts, row)):
                store_i32(links, j, load_i32(chosen + row * graph[DEGREE] * 4, j))
        if rest_us > 0:
            rest(rest_us)
    return tag


@kernel
def link_precisely(
    graph: Ints,
    node: int,
    level: int,
    seeds: int,
    ef: int,
    visited: int,
    tag: int,
    pool: int,
    batch: int,
    out: int,
) -> int:
    """Write the links of a node in a dense neighbourhood to `out`, and return the count."""
    query, query_length, salt = (
        floats_of(graph, node),
        length_of(graph, node),
        salt_of(node, graph[COUNT]),
    )
    count = search_precisely(
        graph, query, query_length, level, seeds, ef, visited, tag, pool, batch, salt
    )
    return choose_precisely(graph, pool, count, node, graph[DEGREE], salt, out)


@kernel
def link_back(graph: Ints, node: int, new: int, level: int, pool: int, out: int) -> None:
    """Add `new` to the links of `node`; if the list is full, choose again."""
    degree = graph[DEGREE_0] if level == 0 else graph[DEGREE]
    links = links_of(graph, node, level)
    count = 0
    while count < degree and load_i32(links, count) >= 0:
        if load_i32(links, count) == new:
            return
        count += 1
    if count < degree:
        store_i32(links, count, new)
        return
    if load_u8(graph[DENSE], node) or load_u8(graph[DENSE], new):
        query, query_length, salt = (
            floats_of(graph, node),
            length_of(graph, node),
            salt_of(node, graph[COUNT]),
        )
        origin = score(graph, new, query, query_length)
        for i in range(degree + 1):
            other = load_i32(links, i) if i < degree else new
            insert(
                pool, i, degree + 1, precise_key(graph, other, query, query_length, origin, salt)
            )
        count = choose_precisely(graph, pool, degree + 1, node, degree, salt, out)
    else:
        for i in range(degree + 1):
            other = load_i32(links, i) if i < degree else new
            insert(pool, i, degree + 1, stored_distance(graph, other, node) << 32 | other << 1)
        count = choose(graph, pool, degree + 1, node, degree, out)
    for i in range(degree):
        store_i32(links, i, load_i32(out, i) if i < count else -1)


@kernel
def link(
    graph: Ints,
    order: int,
    start: int,
    stop: int,
    thread: int,
    threads: int,
    chosen: int,
    counts: int,
    pool: int,
    out: int,
) -> None:
    """Add links back to a batch from the neighbours whose number belongs to this thread."""
    levels = graph[TOP_LEVEL] + 1
    for i in range(start, stop):
        node = load_i64(order, i)
        for level in range(min(load_u8(graph[LEVELS], node), graph[TOP_LEVEL]) + 1):
            row = (i - start) * levels + level
            for j in range(load_i64(counts, row)):
                neighbour = load_i32(chosen + row * graph[DEGREE] * 4, j)
                if neighbour % threads == thread:
                    link_back(graph, neighbour, node, level, pool, out)


@kernel
def fill_links(links: int, others: int, nodes: int, degree: int) -> None:
    """Add a second graph's links to the free places of the first one's. Both: `(n, degree) int32`.

    The second graph must have the same nodes.
    """
    for node in range(nodes):
        mine, theirs = links + node * degree * 4, others + node * degree * 4
        count = 0
        while count < degree and load_i32(mine, count) >= 0:
            count += 1
        for i in range(degree):
            other = load_i32(theirs, i)
            if other < 0 or count == degree:
                break
            if not is_listed(mine, count, other):
                store_i32(mine, count, other)
                count += 1


@kernel
def is_listed(links: int, count: int, node: int) -> bool:
    i = 0
    while i < count and load_i32(links, i) != node:
        i += 1
    return i < count
