"""Calibration: the `ef` that a graph needs for a recall, measured when the graph is built."""

import math
from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import fmean

import numpy as np
from numpy.typing import NDArray

K = 10
"""The number of hits that recall is measured for."""

LADDER = (10, 14, 20, 28, 40, 56, 80, 112, 160, 224, 320, 448, 640, 896, 1280, 1792)
_ENOUGH = 0.9995

_GROUP_SIZE = 24
"""The least number of queries that gives a meaningful recall."""


@dataclass(frozen=True, slots=True)
class Calibration:
    """Values of `ef`, ascending, each with the mean recall@10 that was measured for it."""

    efs: tuple[int, ...]
    recalls: tuple[float, ...]

    @property
    def max_recall(self) -> float:
        """The recall@10 of the greatest `ef`."""
        return self.recalls[-1]

    def ef(self, target_recall: float, k: int) -> int:
        """Return the least `ef` that reaches the target, interpolated; the greatest if none does.

        It grows in proportion to `k` above ten.
        """
        ef = self._interpolate(target_recall)
        return max(k, math.ceil(ef * k / K) if k > K else math.ceil(ef))

    def _interpolate(self, target_recall: float) -> float:
        place = bisect_left(self.recalls, target_recall)
        if place in {0, len(self.recalls)}:
            return self.efs[min(place, len(self.efs) - 1)]
        low, high = self.recalls[place - 1 : place + 1]
        before, after = self.efs[place - 1 : place + 1]
        return before + (after - before) * (target_recall - low) / (high - low)


def calibrate(
    search: Callable[[int], Sequence[NDArray[np.int64]]],
    truth: Sequence[NDArray[np.int64]],
    group: Sequence[bool] = (),
    hardest: float = 1.0,
) -> Calibration:
    """Measure the recall of each `ef`.

    `search`: returns each query's rows for an `ef`. `truth`: the true nearest rows. `group`:
    marks a subset of the queries, which may be easier or harder than the rest; the recall is that
    of the harder subset, unless one is too small to measure. `hardest`: the share of the queries,
    those with the lowest recall, that the mean is computed over.
    """
    recalls: list[float] = []
    # If most queries are near copies, the few other queries hardly change the mean.
    efs = LADDER if 2 * sum(group) <= len(truth) else LADDER[LADDER.index(8 * K) :]
    for ef in efs:
        # A drop from one step to the next is noise: a greater `ef` never finds less.
        shares = hit_shares(search(ef), truth)
        recalls.append(max([_least(shares, group, hardest), *recalls[-1:]]))
        if recalls[-1] >= _ENOUGH:
            break
    return Calibration(efs[: len(recalls)], tuple(recalls))


def _least(shares: Sequence[float], group: Sequence[bool], hardest: float) -> float:
    parts = [shares]
    if _GROUP_SIZE <= sum(group) <= len(shares) - _GROUP_SIZE:
        parts = [
            [share for share, is_in in zip(shares, group, strict=True) if is_in is wanted]
            for wanted in (True, False)
        ]
    return min(fmean(sorted(part)[: math.ceil(hardest * len(part))]) for part in parts)


def recall(rows: Sequence[NDArray[np.int64]], truth: Sequence[NDArray[np.int64]]) -> float:
    """Return the mean share of a query's true rows that are among its `rows`."""
    return fmean(hit_shares(rows, truth))


def hit_shares(
    rows: Sequence[NDArray[np.int64]], truth: Sequence[NDArray[np.int64]]
) -> list[float]:
    """Return each query's share of its true rows that are among its distinct `rows`."""
    return [
        len(set(mine.tolist()).intersection(true.tolist())) / max(1, len(true))
        for mine, true in zip(rows, truth, strict=True)
    ]
