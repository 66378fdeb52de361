"""How inverted lists are made and tuned: the same for a seed whatever the number of threads."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray

from core.domain.library import Metric
from core.indexing.calibration import K
from core.indexing.coded import Coded
from core.indexing.exact import Vectors
from core.indexing.ivf.index import IvfIndex
from core.indexing.ivf.lists import build_lists
from core.indexing.ivf.space import Space
from core.indexing.ivf.tuning import Rows, Tuning, tuned
from core.indexing.kernels import layout
from core.indexing.kernels.typing import Floats
from core.indexing.vector_index import BuildCancelled

_CELLS_PER_ROOT = 4
_HELD_OUT = 256
_QUERIES_AT_ONCE = 32
_METRICS = {Metric.COSINE: layout.COSINE, Metric.DOT: layout.DOT, Metric.L2: layout.L2}


def build_ivf(
    vectors: Vectors,
    *,
    nlist: int | None = None,
    seed: int = 0,
    threads: int = 1,
    cancelled: Callable[[], bool] = lambda: False,
) -> IvfIndex:
    """`vectors`: at least one row. `nlist`: how many cells at most, 4·√n unless given.

    Raises:
        BuildCancelled: `cancelled` said so.
    """
    with ThreadPoolExecutor(threads, "build") as pool:
        return _built(vectors, nlist, np.random.default_rng(seed), pool, threads, cancelled)


def _built(
    vectors: Vectors,
    nlist: int | None,
    rng: np.random.Generator,
    pool: ThreadPoolExecutor,
    threads: int,
    cancelled: Callable[[], bool],
) -> IvfIndex:
    count = len(vectors.matrix)
    space = Space.of(vectors)
    points = space.of_rows(vectors)
    held_out = np.sort(rng.choice(count, min(_HELD_OUT, count), replace=False))
    truth = _truth(points, held_out, pool, halves=space.halves)
    lists = build_lists(
        space,
        points,
        nlist or round(_CELLS_PER_ROOT * count**0.5),
        # Under dot a query may be of any length, and what is made up for is not.
        pull=0.0 if space.is_dot else _pull(points, held_out, truth),
        rng=rng,
        pool=pool,
        threads=threads,
        cancelled=cancelled,
    )
    if cancelled():
        raise BuildCancelled
    cells = len(lists.cells)
    index = IvfIndex(_uncoded(vectors), lists, Tuning.untried(cells))

    def search(nprobe: int, depth: int) -> list[Rows]:
        def part(own: NDArray[np.int64]) -> list[Rows]:
            queries = np.ascontiguousarray(vectors.matrix[own])
            found = index.probe(queries, K + 1, nprobe, depth)
            # What is asked for is the neighbours of rows that are not there.
            pairs = zip(found, own, strict=True)
            return [answer.rows[answer.rows != row][:K] for answer, row in pairs]

        parts = pool.map(part, np.array_split(held_out, threads))
        return [rows for found in parts for rows in found]

    return IvfIndex(index.coded, lists, tuned(search, truth, cells, count / cells))


def _truth(
    points: Floats, held_out: NDArray[np.int64], pool: ThreadPoolExecutor, *, halves: bool
) -> list[Rows]:
    """The nearest `K` rows of each row that is held out, without itself."""
    wanted = min(K, len(points) - 1)
    squares = np.vecdot(points, points) / 2 if halves else np.float32(0)

    def part(own: NDArray[np.int64]) -> list[Rows]:
        distances = squares - points[own] @ points.T
        distances[np.arange(len(own)), own] = np.inf
        return list(np.argpartition(distances, wanted, axis=1)[:, :wanted])

    starts = range(0, len(held_out), _QUERIES_AT_ONCE)
    parts = pool.map(part, (held_out[start : start + _QUERIES_AT_ONCE] for start in starts))
    return [rows for found in parts for rows in found]


def _pull(points: Floats, held_out: NDArray[np.int64], truth: list[Rows]) -> float:
    """How far along its near neighbours a vector reaches: 1 if it is one of them."""
    pairs = zip(held_out, truth, strict=True)
    products = [points[near] @ points[own] for own, near in pairs]
    squares = [np.vecdot(points[near], points[near]) for near in truth]
    whole = float(np.sum(squares))
    return float(np.clip(np.sum(products) / whole, 0, 1)) if whole > 0 else 0.0


def _uncoded(vectors: Vectors) -> Coded:
    """The rows as kernels take them, for scores and for scans in full precision."""
    coded = Coded(vectors, 0.0, 0.0, {}, np.zeros(layout.SIZE, np.int64), np.zeros(4))
    coded.block[layout.COUNT], coded.block[layout.DIMENSION] = vectors.matrix.shape
    coded.block[layout.METRIC] = _METRICS[vectors.metric]
    coded.attach(layout.FLOATS, vectors.matrix)
    coded.attach(layout.NORMS, vectors.norms)
    return coded
