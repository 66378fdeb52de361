"""How many cells to probe for a share of the true hits: measured when the lists are built."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from core.domain.library import Metric
from core.indexing.calibration import K
from core.indexing.coded import Coded
from core.indexing.exact import Vectors
from core.indexing.kernels.typing import Floats, Ints

DEPTHS = (2, 3, 4, 6, 9, 14, 20)
_HELD_OUT = 200
_ROWS_AT_ONCE = 8_192
_ENOUGH = 0.9995
_LOST = 0.002
_PROBED_FOR_DEPTH = 64


@dataclass(frozen=True, slots=True)
class Probing:
    """`nprobes`, ascending, with the mean recall@10 of each, and how many rows are scored for each
    that is wanted."""

    nprobes: tuple[int, ...]
    recalls: tuple[float, ...]
    depth: int

    def nprobe(self, target_recall: float, k: int) -> int:
        """The least that reaches the target, by interpolation; the greatest if none does.

        More hits than ten lie farther out: they take more, by the root.
        """
        least = float(np.interp(target_recall, self.recalls, self.nprobes))
        return int(np.ceil(least * max(1.0, k / K) ** 0.5))


class Searched(Protocol):
    @property
    def coded(self) -> Coded: ...

    @property
    def cells(self) -> int: ...

    def probe(self, queries: Floats, k: int, nprobe: int, depth: int) -> list[Ints]:
        """The rows found for each query."""
        ...


def measured(index: Searched, pool: ThreadPoolExecutor, check: Callable[[], None]) -> Probing:
    """By rows of the index itself, each sought among the others. O(n·d) for each of 200."""
    vectors = index.coded.vectors
    count = len(vectors.matrix)
    held_out = np.unique(np.linspace(0, count - 1, min(_HELD_OUT, count)).astype(np.int64))
    queries = np.ascontiguousarray(vectors.matrix[held_out])
    truth = _nearest_others(vectors, held_out, pool, check)

    def recall(nprobe: int, depth: int) -> float:
        check()
        found = index.probe(queries, K + 1, nprobe, depth * (K + 1))
        shares = [
            len(np.intersect1d(rows[rows != own][:K], true)) / max(1, len(true))
            for rows, own, true in zip(found, held_out, truth, strict=True)
        ]
        return float(np.mean(shares))

    depth = _depth(lambda depth: recall(min(_PROBED_FOR_DEPTH, index.cells), depth))
    nprobes: list[int] = []
    recalls: list[float] = []
    for nprobe in _ladder(index.cells):
        nprobes.append(nprobe)
        # Chance may make one step worse than the one before it; more cells never do.
        recalls.append(max([recall(nprobe, depth), *recalls[-1:]]))
        if recalls[-1] >= _ENOUGH:
            break
    return Probing(tuple(nprobes), tuple(recalls), depth)


def _depth(recall: Callable[[int], float]) -> int:
    """The least that loses next to nothing against the greatest."""
    most = recall(DEPTHS[-1])
    return next((depth for depth in DEPTHS[:-1] if recall(depth) >= most - _LOST), DEPTHS[-1])


def _ladder(cells: int) -> Iterator[int]:
    """1, 2, 3, 4, 6, 8, 12, … and in the end all."""
    step = 1
    while step < cells:
        yield step
        if 1 < step and step + step // 2 < cells:
            yield step + step // 2
        step *= 2
    yield cells


def _nearest_others(
    vectors: Vectors, held_out: Ints, pool: ThreadPoolExecutor, check: Callable[[], None]
) -> list[Ints]:
    """The ten nearest of each of these rows but itself."""
    matrix, norms = vectors.matrix, vectors.norms.astype(np.float32)
    queries = matrix[held_out]
    starts = range(0, len(matrix), _ROWS_AT_ONCE)

    def best_of(start: int) -> tuple[NDArray[np.float32], Ints]:
        check()
        part = slice(start, start + _ROWS_AT_ONCE)
        values = queries @ matrix[part].T
        if vectors.metric is Metric.COSINE:
            values /= norms[part]
        elif vectors.metric is Metric.L2:
            values -= norms[part] ** 2 / 2
        own = np.flatnonzero((held_out >= start) & (held_out < start + values.shape[1]))
        values[own, held_out[own] - start] = -np.inf
        if values.shape[1] > K:
            rows = np.argpartition(-values, K - 1, axis=1)[:, :K]
        else:
            rows = np.broadcast_to(np.arange(values.shape[1]), values.shape)
        return np.take_along_axis(values, rows, axis=1), rows + start

    parts = list(pool.map(best_of, starts))
    values = np.concatenate([part[0] for part in parts], axis=1)
    rows = np.concatenate([part[1] for part in parts], axis=1)
    order = np.argsort(-values, axis=1)[:, :K]
    best = np.take_along_axis(rows, order, axis=1)
    return [best[i][best[i] != own] for i, own in enumerate(held_out)]
