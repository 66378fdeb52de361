"""Hierarchical navigable small worlds (Malkov and Yashunin, 2018), walked by 8-bit codes.

O(log n) steps a search in practice, each of them compares a node's neighbours. The rows that
are found are scored anew in full precision. The graph is built in batches on threads, and is
the same for a seed whatever their number.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.indexing.coded import Coded, aligned
from core.indexing.kernels import layout, walk
from core.indexing.kernels.linking import find, link

_BATCH = 512
_MAX_NODES = 2**31 - 1


@dataclass(slots=True, eq=False)
class Scratch:
    """What one search writes to, held by it alone."""

    block: NDArray[np.int64]
    arrays: list[NDArray[np.generic]]

    @classmethod
    def of(cls, coded: Coded, *, ef: int, degree_0: int, frontier: int = 0) -> "Scratch":
        visited = np.zeros(coded.count, np.uint16)
        pool, waiting = np.empty(ef + 1, np.int64), np.empty(frontier + 1, np.int64)
        batch = np.empty(degree_0, np.int32)
        query = aligned((int(coded.block[layout.CODE_BYTES]),), np.uint8)
        block = np.zeros(walk.SCRATCH_SIZE, np.int64)
        block[walk.VISITED], block[walk.POOL] = visited.ctypes.data, pool.ctypes.data
        block[walk.FRONTIER], block[walk.FRONTIER_LIMIT] = waiting.ctypes.data, frontier
        block[walk.BATCH], block[walk.QUERY] = batch.ctypes.data, query.ctypes.data
        return cls(block, [visited, pool, waiting, batch, query])


def build_graph(
    coded: Coded,
    *,
    degree: int,
    ef: int,
    seed: int,
    pool: ThreadPoolExecutor,
    threads: int,
    cancelled: Callable[[], bool],
) -> None:
    count = coded.count
    rng = np.random.default_rng(seed)
    levels = np.minimum(-np.log(1 - rng.random(count)) / np.log(degree), 30).astype(np.uint8)
    order = np.arange(count)
    entry = int(np.argmax(levels))
    order[0], order[entry] = entry, 0
    upper = levels.astype(np.int64)
    places = (np.cumsum(upper) - upper).astype(np.int32)
    coded.attach(layout.LEVELS, levels)
    coded.attach(layout.LINKS, aligned((count, 2 * degree), np.int32))
    coded.attach(layout.UPPER_LINKS, aligned((int(upper.sum()) + 1, degree), np.int32))
    coded.attach(layout.UPPER_PLACES, places)
    for place in (layout.LINKS, layout.UPPER_LINKS):
        coded.arrays[place].fill(-1)
    block = coded.block
    block[layout.DEGREE], block[layout.DEGREE_0] = degree, 2 * degree
    block[layout.ENTRY], block[layout.TOP_LEVEL] = entry, levels[entry]
    workers = [_Worker(coded, ef=ef, degree=degree) for _ in range(threads)]
    chosen = np.empty((_BATCH, int(levels[entry]) + 1, degree), np.int32)
    counts = np.zeros(chosen.shape[:2], np.int64)
    start = 1
    while start < count and not cancelled():
        stop = min(count, start + min(_BATCH, max(1, start // 2)))

        def find_part(thread: int, start: int = start, stop: int = stop) -> None:
            workers[thread].find(block, order, start, stop, thread, threads, chosen, counts)

        def link_part(thread: int, start: int = start, stop: int = stop) -> None:
            workers[thread].link(block, order, start, stop, thread, threads, chosen, counts)

        list(pool.map(find_part, range(threads)))
        list(pool.map(link_part, range(threads)))
        start = stop
    coded.detach(layout.LEVELS)


class _Worker:
    def __init__(self, coded: Coded, *, ef: int, degree: int) -> None:
        self.ef = ef
        self.scratch = Scratch.of(coded, ef=ef, degree_0=2 * degree)
        self.state = np.zeros(2, np.int64)
        self.pool = np.empty(2 * degree + 2, np.int64)
        self.kept = np.empty(2 * degree, np.int32)
        self.tag = 0

    def find(self, block, order, start, stop, thread, threads, chosen, counts):
        s = self.scratch.block
        if self.tag > 60_000:
            self.scratch.arrays[0].fill(0)
            self.tag = 0
        self.tag = find(block, order.ctypes.data, start, stop, thread, threads, self.ef, self.tag,
                        s[walk.VISITED], s[walk.POOL], s[walk.BATCH], s[walk.QUERY], self.state,
                        chosen.ctypes.data, counts.ctypes.data)

    def link(self, block, order, start, stop, thread, threads, chosen, counts):
        link(block, order.ctypes.data, start, stop, thread, threads, chosen.ctypes.data,
             counts.ctypes.data, self.pool.ctypes.data, self.kept.ctypes.data)
