"""Builds the graph in batches on threads; for a seed, any number of threads gives one result.

Each batch is first sorted by memory locality. Its rows then search the existing graph for their
neighbours, with all threads reading. Last, the rows are linked in, and each thread writes only to
its own nodes. O(n · log n · ef_construction · M) in practice.
"""

import math
from collections.abc import Callable
from functools import partial
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.domain.library import Metric
from core.indexing.hnsw.index import HnswIndex
from core.indexing.hnsw.scratch import Scratch
from core.indexing.kernels import layout
from core.indexing.kernels.linking import approach, fill_links, find, link
from core.indexing.vectors.build_threads import BuildThreads
from core.indexing.vectors.calibration import Calibration, K, calibrate
from core.indexing.vectors.exact import Vectors
from core.indexing.vectors.intrinsic import intrinsic_dimension
from core.indexing.vectors.quantized import QuantizedVectors, empty_aligned, encode
from core.indexing.vectors.quantized_scan import FEW, scan_exactly
from core.indexing.vectors.search_activity import SearchActivity
from core.indexing.vectors.vector_index import BuildCancelled

EF_CONSTRUCTION = 200
DEGREE, DEGREE_OF_HARD_DATA = 16, 32
_HARD_FROM_DIMENSION = 22.0
"""The intrinsic dimension from which data is hard. Measured: `make bench ARGS=degree`."""

_SPREAD = 0.01
"""The relative standard deviation of norms from which inner products need a second graph.

Above it, a graph by inner products alone leaves short rows unreachable, so it also gets the links
of a graph by direction.
"""
_HARDEST = 0.25
"""The share of the queries that calibrates such a graph.

How well long rows hide the others differs by direction, and all of a user's queries may point in
one direction.
"""

_BATCH = 512
_HELD_OUT, _QUERIES_AT_ONCE = 256, 32
_LAST_TAG = 60_000


def build_hnsw(
    vectors: Vectors,
    *,
    degree: int | None = None,
    ef_construction: int | None = None,
    seed: int = 0,
    threads: int = 1,
    is_cancelled: Callable[[], bool] = lambda: False,
    activity: SearchActivity | None = None,
) -> HnswIndex:
    """Build a graph over at least one vector; `degree` is chosen by the data unless given.

    `activity`: the searches that the build yields to.

    Raises:
        BuildCancelled: `is_cancelled` returned true.
    """
    with BuildThreads(threads, activity) as pool:
        quantized = encode(vectors, pool, threads)
        if degree is None:
            hard = intrinsic_dimension(quantized) >= _HARD_FROM_DIMENSION
            degree = DEGREE_OF_HARD_DATA if hard else DEGREE
        width = ef_construction or EF_CONSTRUCTION
        build = partial(
            _Build, degree=degree, seed=seed, pool=pool, threads=threads, is_cancelled=is_cancelled
        )
        angular = None
        if vectors.form.is_dot and _are_lengths_spread(vectors):
            angular = build(encode(_by_direction(vectors), pool, threads), ef=width // 3)
        calibration = build(quantized, ef=width, angular=angular).run()
    return HnswIndex(quantized, calibration, width)


class _Build:
    def __init__(
        self,
        quantized: QuantizedVectors,
        degree: int,
        ef: int,
        seed: int,
        pool: BuildThreads,
        threads: int,
        is_cancelled: Callable[[], bool],
        angular: "_Build | None" = None,
    ) -> None:
        self.quantized, self._pool, self._angular = quantized, pool, angular
        self._cancelled = is_cancelled
        levels = _levels(quantized.count, degree, seed)
        entry = int(np.argmax(levels))
        self._order = np.arange(quantized.count)
        self._order[[0, entry]] = entry, 0
        _attach_links(quantized, levels, entry, degree)
        shape = (_BATCH, int(levels[entry]) + 1, degree)
        self._chosen, self._counts = np.empty(shape, np.int32), np.zeros(shape[:2], np.int64)
        self._ways = np.empty((_BATCH, int(levels[entry])), np.int32)
        arrays = self._order, self._ways, self._chosen, self._counts
        shared = tuple(array.ctypes.data for array in arrays)
        self._workers = [
            _Worker(quantized, degree, ef, number, shared, pool) for number in range(threads)
        ]

    def run(self) -> Calibration:
        """Build the graph, and calibrate it with the last rows as queries before inserting them."""
        count = self.quantized.count
        held_out = min(_HELD_OUT, count // 4)
        self.insert(1, count - held_out)
        calibration = self._calibration(self._order[count - held_out :])
        self.insert(count - held_out, count)
        for place in (layout.LEVELS, layout.DENSE, layout.OFFSETS):
            self.quantized.detach(place)
        return calibration

    def insert(self, start: int, stop: int) -> None:
        """Insert the rows from `start` to before `stop` of the order."""
        self._insert(start, stop)
        if self._angular is not None:
            self._angular.insert(start, stop)
            mine, theirs = self.quantized.block, self._angular.quantized.block
            degree = int(mine[layout.DEGREE_0])
            fill_links(mine[layout.LINKS], theirs[layout.LINKS], self.quantized.count, degree)

    def _insert(self, start: int, stop: int) -> None:
        while start < stop:
            if self._cancelled():
                raise BuildCancelled
            end = min(stop, start + min(_BATCH, max(1, start // 2)))
            workers = self._workers[: self._pool.budget]
            for phase in (_Worker.approach, _Worker.find, _Worker.link):
                work = partial(phase, start=start, stop=end, of=len(workers))
                list(self._pool.map(work, workers))
                if phase is _Worker.approach:
                    self._sort(start, end)
            start = end

    def _sort(self, start: int, stop: int) -> None:
        """Sort rows by where the upper levels lead them, for memory locality."""
        ways, order = self._ways[: stop - start], self._order[start:stop]
        if ways.shape[1]:
            ranks = np.lexsort(ways.T[::-1])
            ways[:], order[:] = ways[ranks], order[ranks]

    def _calibration(self, queries: NDArray[np.int64]) -> Calibration:
        if not len(queries):
            return Calibration((K,), (1.0,))
        vectors = np.ascontiguousarray(self.quantized.vectors.matrix[queries])
        pieces = np.array_split(vectors, math.ceil(len(vectors) / _QUERIES_AT_ONCE))
        there = np.sort(self._order[: self.quantized.count - len(queries)])
        index = HnswIndex(self.quantized, Calibration((K,), (1.0,)), EF_CONSTRUCTION)

        def scan(piece: NDArray[np.float32]) -> list[NDArray[np.int64]]:
            hits = scan_exactly(self.quantized, piece, K, there, at_once=FEW)
            return [rows[np.argsort(-scores)[:K]] for rows, scores in hits]

        def walk(piece: NDArray[np.float32], ef: int) -> list[NDArray[np.int64]]:
            return [hits.rows[:K] for hits in index.walk(piece, K, ef)]

        truth = list(chain(*self._pool.map(scan, pieces)))
        is_dense: Any = self.quantized.arrays[layout.DENSE]
        dense = [bool(is_dense[rows].mean() >= 0.5) for rows in truth]
        return calibrate(
            lambda ef: list(chain(*self._pool.map(partial(walk, ef=ef), pieces))),
            truth,
            dense,
            1.0 if self._angular is None else _HARDEST,
        )


def _are_lengths_spread(vectors: Vectors) -> bool:
    return float(vectors.norms.std()) > _SPREAD * float(vectors.norms.mean())


def _by_direction(vectors: Vectors) -> Vectors:
    """Return the same rows under cosine; a zero row gets an arbitrary direction."""
    return Vectors(Metric.COSINE, vectors.matrix, np.maximum(vectors.norms, np.finfo(float).tiny))


def _levels(count: int, degree: int, seed: int) -> NDArray[np.uint8]:
    uniform = np.random.default_rng(seed).random(count)
    levels = np.minimum(-np.log(1 - uniform) / np.log(degree), 30)
    return np.asarray(levels, np.uint8)


def _attach_links(
    quantized: QuantizedVectors, levels: NDArray[np.uint8], entry: int, degree: int
) -> None:
    upper = levels.astype(np.int64)
    quantized.attach(layout.LEVELS, levels)
    quantized.attach(layout.DENSE, np.zeros(quantized.count, np.uint8))
    quantized.attach(layout.UPPER_PLACES, (np.cumsum(upper) - upper).astype(np.int32))
    quantized.attach(layout.LINKS, _no_links(quantized.count, 2 * degree))
    quantized.attach(layout.UPPER_LINKS, _no_links(int(upper.sum()) + 1, degree))
    quantized.block[layout.DEGREE], quantized.block[layout.DEGREE_0] = degree, 2 * degree
    quantized.block[layout.ENTRY], quantized.block[layout.TOP_LEVEL] = entry, levels[entry]


def _no_links(nodes: int, degree: int) -> NDArray[np.generic]:
    links = empty_aligned((nodes, degree), np.int32)
    links.fill(np.int32(-1))
    return links


class _Worker:
    """One thread of a build with its own scratch memory.

    `number`: which of the threads it is; each step receives their count.
    """

    def __init__(
        self,
        quantized: QuantizedVectors,
        degree: int,
        ef: int,
        number: int,
        shared: tuple[int, ...],
        pool: BuildThreads,
    ) -> None:
        self._coded, self._ef = quantized, ef
        self._threads = pool
        self._number, self._shared = number, shared
        self._scratch = Scratch.of(quantized, ef=ef, degree=degree)
        self._state = np.zeros(2, np.int64)
        self._pool = np.empty(2 * degree + 2, np.int64)
        self._links = np.empty(2 * degree, np.int32)
        self._tag = 0

    def approach(self, start: int, stop: int, of: int) -> None:
        order, ways, *_ = self._shared
        block, scratch = self._coded.block, self._scratch.block
        approach(block, order, start, stop, self._number, of, scratch, ways)

    def find(self, start: int, stop: int, of: int) -> None:
        if self._tag > _LAST_TAG:
            visited: Any = self._scratch.arrays[layout.VISITED]
            visited.fill(0)
            self._tag = 0
        order, ways, chosen, counts = self._shared
        self._tag = find(
            self._coded.block,
            order,
            start,
            stop,
            self._number,
            of,
            self._ef,
            self._tag,
            self._scratch.block,
            self._state,
            ways,
            chosen,
            counts,
            self._threads.rest_us(of),
            self._coded.step,
        )

    def link(self, start: int, stop: int, of: int) -> None:
        order, _, chosen, counts = self._shared
        pool, links = self._pool.ctypes.data, self._links.ctypes.data
        block, number = self._coded.block, self._number
        link(block, order, start, stop, number, of, chosen, counts, pool, links)
