"""Tuning: how many cells to probe, and how many rows to score, for a recall."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.indexing.vectors.calibration import K, recall
from core.indexing.vectors.vector_index import SearchParams

DEPTHS = (20, 30, 45, 70, 110, 170, 260, 400, 640, 1_000, 1_600)
_ENOUGH = 0.9995
_NO_BETTER, _GOOD = 0.002, 0.99
_SCANNED_PER_SCORED = 100
"""The rows that can be compared by code in the time that scoring one takes."""

Rows = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Tuning:
    """Measured recalls of inverted lists.

    `recalls`: for each tried value of `DEPTHS`, the recall@10 with each number of `probes`.
    `cell_rows`: the mean number of rows in a cell.
    """

    probes: tuple[int, ...]
    recalls: tuple[tuple[float, ...], ...]
    cell_rows: float

    @classmethod
    def untried(cls, cells: int) -> "Tuning":
        return cls((cells,), ((1.0,),), 1.0)

    @property
    def max_recall(self) -> float:
        """The recall@10 with all cells probed and the most rows scored."""
        return self.recalls[-1][-1]

    def of(self, params: SearchParams, k: int) -> tuple[int, int]:
        """Return the least number of cells to probe, and of rows to score, for search parameters.

        For more hits than ten, more rows are scored in proportion.
        """
        times = max(1.0, k / K)
        if params.nprobe is not None:
            nprobe = min(max(1, params.nprobe), self.probes[-1])
            depth = self._depth_for(nprobe)
        else:
            nprobe, depth = self._cheapest(params.recall)
            # The last of more hits is farther away, but less than in proportion.
            wanted = np.ceil(params.boost * nprobe * np.sqrt(times))
            nprobe = min(int(wanted), self.probes[-1])
        return nprobe, max(k, int(depth * times))

    def _cheapest(self, target: float) -> tuple[int, int]:
        choices = [
            (int(np.ceil(np.interp(target, recalls, self.probes))), depth)
            for recalls, depth in zip(self.recalls, DEPTHS, strict=False)
            if recalls[-1] >= target
        ]
        if not choices:
            return self.probes[-1], DEPTHS[len(self.recalls) - 1]
        return min(choices, key=self._cost)

    def _cost(self, choice: tuple[int, int]) -> float:
        nprobe, depth = choice
        return nprobe * self.cell_rows + depth * _SCANNED_PER_SCORED

    def _depth_for(self, nprobe: int) -> int:
        """Return the number of rows to score, one step above the least that loses almost nothing.

        The extra step is for queries that are less like the rows than the calibration's queries.
        """
        expected = [float(np.interp(nprobe, self.probes, recalls)) for recalls in self.recalls]
        enough = next(i for i, recall in enumerate(expected) if recall >= expected[-1] - _NO_BETTER)
        return DEPTHS[min(enough + 1, len(self.recalls) - 1)]


def ladder(cells: int) -> tuple[int, ...]:
    """Return numbers of cells from 1 to all, each twice the one before."""
    return (*(1 << i for i in range((cells - 1).bit_length())), cells)


def tune(
    search: Callable[[int, int], Sequence[Rows]],
    truth: Sequence[Rows],
    cells: int,
    cell_rows: float,
) -> Tuning:
    """Measure recalls; `search` returns each query's rows for `(nprobe, scored rows)`."""
    probes = ladder(cells)
    tables: list[tuple[float, ...]] = []
    for depth in DEPTHS:
        recalls: list[float] = []
        for nprobe in probes:
            enough = len(recalls) > 1 and (
                recalls[-1] >= _ENOUGH or (nprobe > 8 and recalls[-1] < recalls[-2] + 1e-4)
            )
            latest = recalls[-1] if enough else recall(search(nprobe, depth), truth)
            recalls.append(max([latest, *recalls[-1:]]))
        better = not tables or recalls[-1] >= tables[-1][-1] + _NO_BETTER
        if not better and recalls[-1] >= _GOOD:
            break
        tables.append(tuple(recalls))
    return Tuning(probes, tuple(tables), cell_rows)
