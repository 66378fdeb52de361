"""A search of inverted lists: choose cells, scan their codes, score the best rows.

Queries of a batch that probe the same cell scan it together: its codes are read and unpacked once
for four of them.
"""

import math

import numpy as np
from numpy.typing import NDArray

from core.indexing.kernels.cells import threshold, value_cells
from core.indexing.kernels.dot_cells import CELLS_AT_ONCE
from core.indexing.kernels.fastscan import (
    BLOCK_ROWS,
    CHUNK_BYTES,
    POINT_COUNT,
    TOGETHER,
    lowest_bit,
    passing,
    scan_one,
    scan_together,
)
from core.indexing.kernels.inverted_layout import (
    CELL_HALVES,
    CELLS,
    COMPONENTS,
    LIST_BIASES,
    LIST_CODES,
    LIST_ROWS,
    STARTS,
    TABLES,
)
from core.indexing.kernels.jit import kernel
from core.indexing.kernels.layout import DIMENSION
from core.indexing.kernels.memory import (
    load_f32,
    load_i32,
    load_i64,
    load_u8,
    ordered,
    prefetch,
    unordered,
)
from core.indexing.kernels.metric import is_l2, score
from core.indexing.kernels.quantizing import project_query
from core.indexing.kernels.scoring import fetch_floats, insert_sorted, length
from core.indexing.kernels.tables import SUM_LIMIT, fill_tables
from core.indexing.kernels.typing import Doubles, Floats, Ints

_LOW_32 = 0xFFFFFFFF
_AHEAD = 6
_FEWEST = 16
"""The least rows from which the error of their estimates can be measured."""


@kernel
def select_smallest(keys: Ints, count: int, wanted: int) -> None:
    """Move the `wanted` smallest of the first `count` keys to the front (Hoare's selection)."""
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
    block: Ints,
    query: Floats,
    code: NDArray[np.int8],
    values: NDArray[np.int32],
    probes: Ints,
    products: Floats,
) -> None:
    """Choose a query's nearest cells, the nearest first, and compute its products with them."""
    halved = is_l2(block)
    unit = value_cells(block, query.ctypes.data, halved, code, values)
    wanted = len(probes)
    least = threshold(values, block[CELLS], wanted)
    chosen, best = 0, 0
    # Take cells above the threshold first, as those that tie with it may be too many.
    for ties in range(2):
        for cell in range(block[CELLS]):
            value = values[cell]
            if (value == least if ties else value > least) and chosen < wanted:
                probes[chosen], products[chosen] = cell, value * unit
                if value > values[probes[best]]:
                    best = chosen
                chosen += 1
        if chosen == wanted:
            break
    if halved:
        for i in range(wanted):
            products[i] += load_f32(block[CELL_HALVES], probes[i])
    probes[0], probes[best] = probes[best], probes[0]
    products[0], products[best] = products[best], products[0]


@kernel
def group_by_cell(probes: Ints, first: int, last: int, starts: Ints, order: Ints) -> None:
    """Group visits by cell: `order[starts[c]:starts[c + 1]]` are the places in `probes` of cell c.

    `probes`: `(q, p)`; only the columns from `first` to before `last` count.
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
            order[places[cell]] = query * probes.shape[1] + i
            places[cell] += 1


@kernel
def scan_cell(
    block: Ints,
    cell: int,
    visits: Ints,
    tables: NDArray[np.uint8],
    scales: Floats,
    bases: Floats,
    allowed: int,
    depth: int,
    sums: Floats,
    keys: Ints,
    counts: Ints,
    thresholds: Floats,
) -> None:
    """Add the rows of a cell that may be among the best to the candidates of up to four queries.

    `visits`: places in `bases`, `(q, p)`, the cell's part of each row's estimate. `keys`: `(q,
    2·depth + 32)`, of which `counts` are used: the negated, `ordered` estimate, then the row.
    `allowed`: the address of `(n,) bool`, 0 without a filter.
    """
    together, probed = len(visits), bases.shape[1]
    chunks = block[TABLES] * POINT_COUNT // CHUNK_BYTES
    addresses = np.empty(TOGETHER, np.int64)
    for i in range(TOGETHER):
        addresses[i] = tables[visits[min(i, together - 1)] // probed].ctypes.data
    room = keys.shape[1] - BLOCK_ROWS
    at_sums = sums.ctypes.data
    for place in range(load_i64(block[STARTS], cell), load_i64(block[STARTS], cell + 1)):
        codes = block[LIST_CODES] + place * chunks * CHUNK_BYTES
        if together == 1:
            scan_one(codes, addresses.ctypes.data, chunks, at_sums)
        else:
            scan_together(codes, addresses.ctypes.data, chunks, at_sums)
        for i in range(together):
            query = visits[i] // probed
            mask = passing(
                at_sums + i * BLOCK_ROWS * 4,
                block[LIST_BIASES] + place * BLOCK_ROWS * 4,
                scales[query],
                bases[query, visits[i] % probed],
                thresholds[query],
            )
            if mask == 0:
                continue
            count = counts[query]
            while mask:
                here = lowest_bit(mask)
                mask &= mask - 1
                row = load_i32(block[LIST_ROWS], place * BLOCK_ROWS + here)
                if allowed == 0 or load_u8(allowed, row):
                    keys[query, count] = (ordered(-sums[i, here]) << 32) | row
                    count += 1
            if count > room:
                select_smallest(keys[query], count, depth)
                count = depth
                thresholds[query] = -unordered(_worst(keys[query], depth))
            counts[query] = count


@kernel
def _worst(keys: Ints, count: int) -> int:
    worst = keys[0]
    for i in range(1, count):
        worst = max(worst, keys[i])
    return int(worst >> 32)


@kernel
def fetch_cell(block: Ints, cell: int) -> None:
    """Prefetch the codes of a cell's first blocks."""
    size = block[TABLES] * POINT_COUNT
    start = load_i64(block[STARTS], cell)
    stop = min(start + 2, load_i64(block[STARTS], cell + 1))
    for offset in range(start * size, stop * size, 64):
        prefetch(block[LIST_CODES] + offset)
    for place in range(start, stop):
        for half in range(2):
            prefetch(block[LIST_BIASES] + place * BLOCK_ROWS * 4 + half * 64)


@kernel
def rank(
    block: Ints,
    query: int,
    keys: Ints,
    count: int,
    depth: int,
    cut: bool,
    rows: Ints,
    scores: Doubles,
) -> tuple[int, float]:
    """Score a query's best candidates; return their count and the expected number of missed hits.

    `rows`, `scores`: `(k + 1,)`, the last place for the row that drops out. `cut`: whether
    candidates were dropped.
    """
    wanted = len(rows) - 1
    cut = cut or count > depth
    if count > depth:
        select_smallest(keys, count, depth)
        count = depth
    if cut:
        select_smallest(keys, count, count - count // 4)
    query_length = length(query, block[DIMENSION])
    for i in range(min(_AHEAD, count)):
        fetch_floats(block, keys[i] & _LOW_32)
    values = np.empty(count, np.float64)
    for i in range(count):
        if i + _AHEAD < count:
            fetch_floats(block, keys[i + _AHEAD] & _LOW_32)
        row = keys[i] & _LOW_32
        values[i] = score(block, row, query, query_length)
        insert_sorted(rows.ctypes.data, scores.ctypes.data, min(i, wanted), row, values[i])
    hits = min(count, wanted)
    if not cut or hits < wanted or count < _FEWEST:
        return hits, 0.0
    return hits, expected_misses(keys, values, scores[wanted - 1])


@kernel
def expected_misses(keys: Ints, values: Doubles, least: float) -> float:
    """Return the expected number of unscored rows whose score is above `least`.

    The model: scores depend linearly on estimates with a normal error, as among the scored rows,
    and estimates continue at the density of the last quarter, which comes last in `keys`. Then the
    expectation is density · deviation / slope · L(gap / deviation), with L the standard normal loss
    function. Selecting rows by their estimates does not bias a regression on the estimates.
    """
    count = len(values)
    first, origin = unordered(keys[0] >> 32), values[0]
    x, y, xx, xy, yy = 0.0, 0.0, 0.0, 0.0, 0.0
    nearest, farthest = math.inf, -math.inf
    for i in range(count):
        estimate, value = first - unordered(keys[i] >> 32), values[i] - origin
        x += estimate
        y += value
        xx += estimate * estimate
        xy += estimate * value
        yy += value * value
        if i >= count - count // 4:
            nearest, farthest = min(nearest, estimate), max(farthest, estimate)
    x, y = x / count, y / count
    xx, xy, yy = xx / count - x * x, xy / count - x * y, yy / count - y * y
    if yy <= 0:
        return 0.0  # all scores are equal, so no other row scores more
    if xx <= 0 or xy <= 0:
        return float(count)  # estimates do not predict scores
    slope = xy / xx
    deviation = math.sqrt(max(yy - slope * xy, 1e-12 * yy))
    gap = (least - origin - y - slope * (nearest - x)) / deviation
    loss = math.exp(-gap * gap / 2) / math.sqrt(2 * math.pi)
    loss -= gap * math.erfc(gap / math.sqrt(2)) / 2
    density = (count // 4) / max(farthest - nearest, 1e-9 * math.sqrt(xx))
    return float(density * deviation / slope * max(loss, 0.0))


@kernel
def search_cells(
    block: Ints,
    queries: Floats,
    probed: int,
    depth: int,
    allowed: int,
    rows: Ints,
    scores: Doubles,
    counts: Ints,
    misses: Doubles,
) -> None:
    """Find the best rows of each query: `rows`, `scores`, `(q, k + 1)`, of which `counts` are used.

    `misses`: `(q,)`, the expected number of the k best that were not scored. `probed`: the number
    of cells, at most all. `depth`: the number of scored rows, at least k.
    """
    count, components = len(queries), block[COMPONENTS]
    tables = np.empty((count, block[TABLES] * POINT_COUNT), np.uint8)
    scales, bases = np.empty(count, np.float32), np.empty((count, probed), np.float32)
    probes = np.empty((count, probed), np.int64)
    moved, projected = np.empty(block[DIMENSION], np.float32), np.empty(components, np.float32)
    code, values = np.empty(components, np.int8), np.empty(block[CELLS] + CELLS_AT_ONCE, np.int32)
    products = np.empty((block[TABLES], POINT_COUNT), np.float32)
    for i in range(count):
        project_query(block, queries[i].ctypes.data, moved, projected)
        choose_cells(block, projected, code, values, probes[i], bases[i])
        scales[i], offset = fill_tables(
            block, projected, SUM_LIMIT, products, tables[i].ctypes.data
        )
        bases[i] += np.float32(offset)
    keys = np.empty((count, 2 * depth + BLOCK_ROWS), np.int64)
    candidates = np.zeros(count, np.int64)
    thresholds = np.full(count, -np.inf, np.float32)
    sums = np.empty((TOGETHER, BLOCK_ROWS), np.float32)
    if count == 1:
        visits = np.arange(probed)
        for i in range(probed):
            if i + 1 < probed:
                fetch_cell(block, probes[0, i + 1])
            scan_cell(
                block, probes[0, i], visits[i : i + 1], tables, scales, bases, allowed, depth,
                sums, keys, candidates, thresholds,
            )  # fmt: skip
    else:
        starts, order = np.empty(block[CELLS] + 1, np.int64), np.empty(count * probed, np.int64)
        # Scan each query's nearest cell first: its rows raise the threshold for the other cells.
        for first, last in ((0, 1), (1, probed)):
            group_by_cell(probes, first, last, starts, order)
            for cell in range(block[CELLS]):
                for start in range(starts[cell], starts[cell + 1], TOGETHER):
                    stop = min(start + TOGETHER, starts[cell + 1])
                    scan_cell(
                        block, cell, order[start:stop], tables, scales, bases, allowed, depth,
                        sums, keys, candidates, thresholds,
                    )  # fmt: skip
    for i in range(count):
        query = queries[i].ctypes.data
        cut = thresholds[i] > -np.inf
        counts[i], misses[i] = rank(
            block, query, keys[i], candidates[i], depth, cut, rows[i], scores[i]
        )
