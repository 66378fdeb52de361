"""A search of inverted lists: cells are chosen and scanned, and the best scored anew."""

import numpy as np
from numpy.typing import NDArray

from core.indexing.kernels import layout
from core.indexing.kernels.fastscan import (
    BLOCK_ROWS,
    CHUNK_BYTES,
    POINTS,
    TOGETHER,
    Float32,
    above,
    lowest_bit,
    passing,
    scan_one,
    scan_together,
)
from core.indexing.kernels.jit import kernel
from core.indexing.kernels.memory import (
    load_i32,
    load_u8,
    ordered,
    unordered,
)
from core.indexing.kernels.quantizing import fill_tables
from core.indexing.kernels.scoring import fetch_floats, length, score, sort_in
from core.indexing.kernels.typing import Doubles, Floats, Ints

_LOW_32 = 0xFFFFFFFF
_SUM_LIMIT = 65_000.0
_AHEAD = 4


@kernel
def select_smallest(keys: Ints, count: int, wanted: int) -> None:
    """Moves the `wanted` smallest of the first `count` keys to the front, the largest of them last.

    Hoare's selection.
    """
    low, high, place = 0, count - 1, wanted - 1
    while low < high:
        middle = (low + high) >> 1
        a, b, c = keys[low], keys[middle], keys[high]
        pivot = max(min(a, b), min(max(a, b), c))
        i, j = low, high
        while i <= j:
            while keys[i] < pivot:
                i += 1
            while keys[j] > pivot:
                j -= 1
            if i <= j:
                keys[i], keys[j] = keys[j], keys[i]
                i += 1
                j -= 1
        if place <= j:
            high = j
        elif place >= i:
            low = i
        else:
            break


@kernel
def choose_cells(
    products: Floats, halves: Floats, wanted: int, values: Floats, keys: Ints, out: Ints
) -> None:
    """The `wanted` nearest cells of a query, the nearest first.

    `products`: `(c,)`, the query's with the cells; `halves`: `(c,)`, taken off them. Scratch:
    `values`, c up to a multiple of 32, all beyond c `-inf`; `keys`, `2·wanted + 64`.
    """
    for cell in range(len(products)):
        values[cell] = products[cell] - halves[cell]
    count = 0
    threshold: Float32 = np.float32(-np.inf)
    at_values, room = values.ctypes.data, len(keys) - BLOCK_ROWS
    for start in range(0, len(values), BLOCK_ROWS):
        mask = above(at_values + start * 4, threshold)
        while mask:
            cell = start + lowest_bit(mask)
            mask &= mask - 1
            keys[count] = (ordered(-values[cell]) << 32) | cell
            count += 1
        if count > room:
            select_smallest(keys, count, wanted)
            count = wanted
            threshold = np.float32(-unordered(keys[wanted - 1] >> 32))
    if wanted < count:
        select_smallest(keys, count, wanted)
    best = 0
    for i in range(wanted):
        if keys[i] < keys[best]:
            best = i
        out[i] = keys[i] & _LOW_32
    out[0], out[best] = out[best], out[0]


@kernel
def group_by_cell(probes: Ints, first: int, last: int, starts: Ints, order: Ints) -> None:
    """Who probes each cell: the queries of cell `c` are `order[starts[c]:starts[c + 1]]`.

    `probes`: `(q, p)`, of which the columns from `first` to before `last` count.
    """
    starts[:] = 0
    for query in range(len(probes)):
        for i in range(first, last):
            starts[probes[query, i] + 1] += 1
    for cell in range(1, len(starts)):
        starts[cell] += starts[cell - 1]
    places = starts[:-1].copy()
    for query in range(len(probes)):
        for i in range(first, last):
            cell = probes[query, i]
            order[places[cell]] = query
            places[cell] += 1


@kernel
def scan_cells(
    blocks: Ints,
    codes: NDArray[np.uint8],
    biases: Floats,
    rows: NDArray[np.int32],
    starts: Ints,
    order: Ints,
    products: Floats,
    tables: NDArray[np.uint8],
    scales: Floats,
    offsets: Floats,
    allowed: int,
    depth: int,
    keys: Ints,
    counts: Ints,
    thresholds: Floats,
) -> None:
    """Collects for each query the `depth` rows of greatest estimate, and some more.

    `blocks`: `(c + 1,)`, where each cell's blocks begin. `keys`: `(q, 2·depth + 32)`, of which
    `counts` are used: a row behind its estimate, negated and `ordered`. `allowed`: the address of
    `(n,) bool`, 0 without a filter.
    """
    block_bytes = codes.shape[1]
    chunks = block_bytes // CHUNK_BYTES
    room = keys.shape[1] - BLOCK_ROWS
    sums = np.empty((TOGETHER, BLOCK_ROWS), np.float32)
    bases = np.empty(TOGETHER, np.int64)
    at_sums, at_bases = sums.ctypes.data, bases.ctypes.data
    at_codes, at_biases, at_rows = codes.ctypes.data, biases.ctypes.data, rows.ctypes.data
    at_tables = tables.ctypes.data
    for cell in range(len(blocks) - 1):
        for first in range(starts[cell], starts[cell + 1], TOGETHER):
            together = min(TOGETHER, starts[cell + 1] - first)
            for i in range(TOGETHER):
                bases[i] = at_tables + order[first + min(i, together - 1)] * tables.shape[1]
            for block in range(blocks[cell], blocks[cell + 1]):
                if together == 1:
                    scan_one(at_codes + block * block_bytes, at_bases, chunks, at_sums)
                else:
                    scan_together(at_codes + block * block_bytes, at_bases, chunks, at_sums)
                for i in range(together):
                    query = order[first + i]
                    mask = passing(
                        at_sums + i * BLOCK_ROWS * 4,
                        at_biases + block * BLOCK_ROWS * 4,
                        scales[query],
                        products[query, cell] + offsets[query],
                        thresholds[query],
                    )
                    count = counts[query]
                    while mask:
                        place = lowest_bit(mask)
                        mask &= mask - 1
                        row = load_i32(at_rows, block * BLOCK_ROWS + place)
                        if allowed == 0 or load_u8(allowed, row):
                            keys[query, count] = (ordered(-sums[i, place]) << 32) | row
                            count += 1
                    if count > room:
                        select_smallest(keys[query], count, depth)
                        count = depth
                        worst = keys[query, depth - 1] >> 32
                        thresholds[query] = -unordered(worst)
                    counts[query] = count


@kernel
def rank(
    block: Ints,
    query: int,
    keys: Ints,
    count: int,
    depth: int,
    wanted: int,
    rows: int,
    scores: int,
) -> int:
    """The `wanted` best of a query's candidates by their true scores; how many there are."""
    if count > depth:
        select_smallest(keys, count, depth)
        count = depth
    query_length = length(query, block[layout.DIMENSION])
    for i in range(min(_AHEAD, count)):
        fetch_floats(block, keys[i] & _LOW_32)
    found = 0
    for i in range(count):
        if i + _AHEAD < count:
            fetch_floats(block, keys[i + _AHEAD] & _LOW_32)
        row = keys[i] & _LOW_32
        value = score(block, row, query, query_length)
        if found < wanted:
            sort_in(rows, scores, found, row, value)
            found += 1
        else:
            sort_in(rows, scores, wanted, row, value)
    return found


@kernel
def search_cells(
    block: Ints,
    queries: Floats,
    prepared: Floats,
    products: Floats,
    halves: Floats,
    probed: int,
    codebook: Floats,
    blocks: Ints,
    codes: NDArray[np.uint8],
    biases: Floats,
    rows: NDArray[np.int32],
    allowed: int,
    depth: int,
    found_rows: Ints,
    found_scores: Doubles,
    counts: Ints,
) -> None:
    """The best rows of each query.

    `found_rows`, `found_scores`: `(q, k + 1)`, of which `counts`, `(q,)`, are filled.
    """
    count, wanted = len(queries), found_rows.shape[1] - 1
    tables = np.zeros((count, codes.shape[1]), np.uint8)
    scales, offsets = np.empty(count, np.float32), np.empty(count, np.float32)
    values = np.empty((len(codebook), POINTS), np.float32)
    probes = np.empty((count, probed), np.int64)
    cells = len(halves)
    cell_values = np.full(-(-cells // BLOCK_ROWS) * BLOCK_ROWS, -np.inf, np.float32)
    cell_keys = np.empty(2 * probed + 2 * BLOCK_ROWS, np.int64)
    for i in range(count):
        choose_cells(products[i], halves, probed, cell_values, cell_keys, probes[i])
        scales[i], offsets[i] = fill_tables(prepared[i], codebook, _SUM_LIMIT, values, tables[i])
    keys = np.empty((count, 2 * depth + BLOCK_ROWS), np.int64)
    candidates = np.zeros(count, np.int64)
    thresholds = np.full(count, -np.inf, np.float32)
    starts, order = np.empty(len(blocks), np.int64), np.empty(count * probed, np.int64)
    # The nearest cell of each query first: what it holds keeps most of the others' rows out.
    for first, last in ((0, 1), (1, probed)):
        group_by_cell(probes, first, last, starts, order)
        scan_cells(
            blocks, codes, biases, rows, starts, order, products, tables, scales, offsets,
            allowed, depth, keys, candidates, thresholds,
        )  # fmt: skip
    for i in range(count):
        counts[i] = rank(
            block, queries[i].ctypes.data, keys[i], candidates[i], depth, wanted,
            found_rows[i].ctypes.data, found_scores[i].ctypes.data,
        )  # fmt: skip
