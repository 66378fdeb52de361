"""How inverted lists are made and tuned: the same for a seed whatever the number of threads."""

from collections.abc import Callable

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
    count = len(vectors.matrix)
    rng = np.random.default_rng(seed)
    space = Space.of(vectors)
    points = space.of_rows(vectors)
    held_out = np.sort(rng.choice(count, min(_HELD_OUT, count), replace=False))
    truth = _truth(points, held_out, halves=space.halves)
    lists = build_lists(
        space,
        points,
        nlist or round(_CELLS_PER_ROOT * count**0.5),
        pull=_pull(points, held_out, truth),
        rng=rng,
        threads=threads,
        cancelled=cancelled,
    )
    if cancelled():
        raise BuildCancelled
    del points
    index = IvfIndex(_uncoded(vectors), lists, Tuning.untried(len(lists.cells)))
    queries = np.ascontiguousarray(vectors.matrix[held_out])

    def search(nprobe: int, depth: int) -> list[Rows]:
        found = index.probe(queries, K + 1, nprobe, depth)
        # What is asked is the neighbours of rows that are not there.
        pairs = zip(found, held_out, strict=True)
        return [answer.rows[answer.rows != own][:K] for answer, own in pairs]

    cell_rows = count / len(lists.cells)
    return IvfIndex(index.coded, lists, tuned(search, truth, len(lists.cells), cell_rows))


def _truth(points: Floats, held_out: NDArray[np.int64], *, halves: bool) -> list[Rows]:
    """The nearest `K` rows of each row that is held out, without itself."""
    wanted = min(K, len(points) - 1)
    squares = np.vecdot(points, points) / 2 if halves else np.float32(0)
    truth: list[Rows] = []
    for start in range(0, len(held_out), _QUERIES_AT_ONCE):
        own = held_out[start : start + _QUERIES_AT_ONCE]
        scores = points[own] @ points.T - squares
        scores[np.arange(len(own)), own] = -np.inf
        truth += list(np.argpartition(-scores, wanted, axis=1)[:, :wanted])
    return truth


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
