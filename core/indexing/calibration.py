"""How hard an index has to look for a share of the true hits: measured when it is built."""

import math
from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

K = 10
"""The hits that recall is measured of."""

LADDER = (10, 14, 20, 28, 40, 56, 80, 112, 160, 224, 320, 448, 640, 896, 1280, 1792)
_ENOUGH = 0.9995


@dataclass(frozen=True, slots=True)
class Calibration:
    """`efforts`, ascending, with the mean recall@10 that each one had."""

    efforts: tuple[int, ...]
    recalls: tuple[float, ...]

    def effort(self, target_recall: float, k: int) -> int:
        """The least that reaches the target, by interpolation; the greatest if none does.

        More hits than ten take more in proportion.
        """
        effort = self._interpolated(target_recall)
        return max(k, math.ceil(effort * k / K) if k > K else math.ceil(effort))

    def _interpolated(self, target_recall: float) -> float:
        place = bisect_left(self.recalls, target_recall)
        if place in {0, len(self.recalls)}:
            return self.efforts[min(place, len(self.efforts) - 1)]
        low, high = self.recalls[place - 1 : place + 1]
        before, after = self.efforts[place - 1 : place + 1]
        return before + (after - before) * (target_recall - low) / (high - low)


def calibrated(
    search: Callable[[int], Sequence[NDArray[np.int64]]], truth: Sequence[NDArray[np.int64]]
) -> Calibration:
    """`search`: the rows found for each query with an effort. `truth`: the true ones."""
    recalls: list[float] = []
    for effort in LADDER:
        # Chance may make one step worse than the one before it; effort never does.
        recalls.append(max([recall(search(effort), truth), *recalls[-1:]]))
        if recalls[-1] >= _ENOUGH:
            break
    return Calibration(LADDER[: len(recalls)], tuple(recalls))


def recall(found: Sequence[NDArray[np.int64]], truth: Sequence[NDArray[np.int64]]) -> float:
    """The mean share of a query's true rows that were found; no row is among them twice."""
    shares = [
        len(set(mine.tolist()).intersection(true.tolist())) / max(1, len(true))
        for mine, true in zip(found, truth, strict=True)
    ]
    return sum(shares) / len(shares)
