"""How hard an index has to look for a share of the true hits: measured when it is built."""

import math
from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import fmean

import numpy as np
from numpy.typing import NDArray

from core.indexing.vectors.vector_index import SearchParams

K = 10
"""The hits that recall is measured of."""

LADDER = (10, 14, 20, 28, 40, 56, 80, 112, 160, 224, 320, 448, 640, 896, 1280, 1792)
_ENOUGH = 0.9995
UNREACHABLE = 0.01
"""An exact scan answers where the greatest recall is below the target by more than this."""

_GROUP_SIZE = 24
"""Fewer queries do not tell a recall."""


@dataclass(frozen=True, slots=True)
class Calibration:
    """`efforts`, ascending, with the mean recall@10 that each one had."""

    efforts: tuple[int, ...]
    recalls: tuple[float, ...]

    @property
    def max_recall(self) -> float:
        """The recall@10 of the greatest effort."""
        return self.recalls[-1]

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


def is_out_of_reach(effort: SearchParams, max_recall: float) -> bool:
    """Return whether only an exact scan has the recall that an effort aims at."""
    return not effort.is_chosen and effort.recall > max_recall + UNREACHABLE


def calibrated(
    search: Callable[[int], Sequence[NDArray[np.int64]]],
    truth: Sequence[NDArray[np.int64]],
    group: Sequence[bool] = (),
    hardest: float = 1.0,
) -> Calibration:
    """Measure the recall of each effort.

    `search`: the rows found for each query with an effort. `truth`: the true ones. `group`: a
    part of the queries, which may be easier or harder than the rest; the recall is that of the
    harder of the two, unless one is too small to tell. `hardest`: the share of the queries, those
    with the lowest recall, that the mean is taken of.
    """
    recalls: list[float] = []
    # Where most rows are copies, the few queries that are not near them do not show here.
    efforts = LADDER if 2 * sum(group) <= len(truth) else LADDER[LADDER.index(8 * K) :]
    for effort in efforts:
        # Chance may make one step worse than the one before it; effort never does.
        shares = hit_shares(search(effort), truth)
        recalls.append(max([_least(shares, group, hardest), *recalls[-1:]]))
        if recalls[-1] >= _ENOUGH:
            break
    return Calibration(efforts[: len(recalls)], tuple(recalls))


def _least(shares: Sequence[float], group: Sequence[bool], hardest: float) -> float:
    parts = [shares]
    if _GROUP_SIZE <= sum(group) <= len(shares) - _GROUP_SIZE:
        parts = [
            [share for share, is_in in zip(shares, group, strict=True) if is_in is wanted]
            for wanted in (True, False)
        ]
    return min(fmean(sorted(part)[: math.ceil(hardest * len(part))]) for part in parts)


def recall(found: Sequence[NDArray[np.int64]], truth: Sequence[NDArray[np.int64]]) -> float:
    """Return the mean share of a query's true rows that were found."""
    return fmean(hit_shares(found, truth))


def hit_shares(
    found: Sequence[NDArray[np.int64]], truth: Sequence[NDArray[np.int64]]
) -> list[float]:
    """Return each query's share of its true rows that were found; no row is among them twice."""
    return [
        len(set(mine.tolist()).intersection(true.tolist())) / max(1, len(true))
        for mine, true in zip(found, truth, strict=True)
    ]
