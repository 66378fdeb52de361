"""Recall against queries per second: every peer at every effort, in interleaved rounds."""

import statistics
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from time import perf_counter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.index.datasets import Dataset
from benchmarks.index.peers import Built

ROUNDS = 5
ONE_BY_ONE = 300
_ENOUGH, _CLEARLY = 0.995, 1.2
_FIRST = 3
"""Runs of the first round, of which the best counts: a disturbed run would remove its effort from
the curve."""


@dataclass(frozen=True, slots=True)
class Point:
    """A point of a curve: recall, and median queries per second on one thread."""

    effort: Any
    recall: float
    batch_qps: float
    single_qps: float


Curve = Sequence[Point]


def recall(rows: NDArray[np.int64], truth: NDArray[np.int64]) -> float:
    """Return the share of the true nearest rows that were found."""
    pairs = zip(rows, truth, strict=True)
    hits = sum(len(np.intersect1d(mine, true[true >= 0])) for mine, true in pairs)
    return hits / max(1, int(np.count_nonzero(truth >= 0)))


def measure(dataset: Dataset, built: Mapping[str, Built]) -> dict[str, Curve]:
    """Measure all peers; the first round selects the efforts that no other clearly beats."""
    recalls: dict[str, dict[Any, float]] = {}
    taken: dict[tuple[str, Any], list[tuple[float, float]]] = defaultdict(list)
    for name, peer in built.items():
        first = {e: [_batch(peer, dataset, e) for _ in range(_FIRST)] for e in peer.efforts}
        seconds = {effort: min(run[0] for run in runs) for effort, runs in first.items()}
        measured = {e: recall(runs[0][1], dataset.truth) for e, runs in first.items()}
        recalls[name] = {
            e: share for e, share in measured.items() if _is_worth_it(e, measured, seconds)
        }
    for turn in range(ROUNDS):
        for name in list(built) if turn % 2 == 0 else list(built)[::-1]:
            # Not counted: the first effort would pay for caches filled by another peer.
            _batch(built[name], dataset, min(recalls[name]))
            for effort in recalls[name]:
                seconds_, _ = _batch(built[name], dataset, effort)
                taken[name, effort].append((seconds_, _one_by_one(built[name], dataset, effort)))
    return {
        name: sorted(
            (
                Point(
                    effort,
                    share,
                    len(dataset.queries) / statistics.median(b for b, _ in taken[name, effort]),
                    ONE_BY_ONE / statistics.median(s for _, s in taken[name, effort]),
                )
                for effort, share in recalls[name].items()
            ),
            key=lambda point: point.recall,
        )
        for name in built
    }


def _is_worth_it(effort: Any, recalls: Mapping[Any, float], seconds: Mapping[Any, float]) -> bool:
    enough = [e for e, share in recalls.items() if share >= _ENOUGH]
    if enough and seconds[effort] > min(seconds[e] for e in enough) * _CLEARLY:
        return False
    return not any(
        recalls[other] >= recalls[effort] and seconds[other] * _CLEARLY < seconds[effort]
        for other in recalls
    )


def _batch(built: Built, dataset: Dataset, effort: Any) -> tuple[float, NDArray[np.int64]]:
    started = perf_counter()
    rows = built.search(dataset.queries, effort)
    return perf_counter() - started, rows


def _one_by_one(built: Built, dataset: Dataset, effort: Any) -> float:
    started = perf_counter()
    for i in range(ONE_BY_ONE):
        built.search(dataset.queries[i : i + 1], effort)
    return perf_counter() - started


def qps_at(curve: Curve, target: float, *, single: bool = False) -> float | None:
    """Return the best rate at a recall, interpolated linearly between points of the front."""
    front = _front(curve, single)
    for (worse, slow_before), (better, qps) in pairwise(front):
        if worse < target <= better:
            share = (target - worse) / (better - worse)
            return 1 / ((1 - share) / slow_before + share / qps)
    if front and front[0][0] >= target:
        return front[0][1]
    return None


def _front(curve: Curve, single: bool) -> list[tuple[float, float]]:
    """Return the points that no other beats in both recall and rate, in ascending recall."""
    points = sorted((p.recall, p.single_qps if single else p.batch_qps) for p in curve)
    front: list[tuple[float, float]] = []
    for point in reversed(points):
        if not front or point[1] > front[-1][1]:
            front.append(point)
    return front[::-1]
