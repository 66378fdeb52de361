"""Recall against queries a second: every peer at every effort, in interleaved rounds."""

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

ROUNDS = 4
ONE_BY_ONE = 300


@dataclass(frozen=True, slots=True)
class Point:
    """Queries a second are medians over the rounds, on one thread: in one batch, one a call."""

    effort: Any
    recall: float
    batch_qps: float
    single_qps: float


Curve = Sequence[Point]


def recall(found: NDArray[np.int64], truth: NDArray[np.int64]) -> float:
    """The share of the true nearest that were found."""
    pairs = zip(found, truth, strict=True)
    hits = sum(len(np.intersect1d(mine, true[true >= 0])) for mine, true in pairs)
    return hits / max(1, int(np.count_nonzero(truth >= 0)))


def measure(dataset: Dataset, built: Mapping[str, Built]) -> dict[str, Curve]:
    taken: dict[tuple[str, Any], list[tuple[float, float]]] = defaultdict(list)
    recalls: dict[tuple[str, Any], float] = {}
    for turn in range(ROUNDS):
        names = list(built) if turn % 2 == 0 else list(built)[::-1]
        for name in names:
            for effort in built[name].efforts:
                seconds, found = _batch(built[name], dataset, effort)
                taken[name, effort].append((seconds, _one_by_one(built[name], dataset, effort)))
                if not turn:
                    recalls[name, effort] = recall(found, dataset.truth)
    return {
        name: sorted(
            (
                Point(
                    effort,
                    recalls[name, effort],
                    len(dataset.queries) / statistics.median(b for b, _ in taken[name, effort]),
                    ONE_BY_ONE / statistics.median(s for _, s in taken[name, effort]),
                )
                for effort in built[name].efforts
            ),
            key=lambda point: point.recall,
        )
        for name in built
    }


def _batch(built: Built, dataset: Dataset, effort: Any) -> tuple[float, NDArray[np.int64]]:
    started = perf_counter()
    found = built.search(dataset.queries, effort)
    return perf_counter() - started, found


def _one_by_one(built: Built, dataset: Dataset, effort: Any) -> float:
    started = perf_counter()
    for i in range(ONE_BY_ONE):
        built.search(dataset.queries[i : i + 1], effort)
    return perf_counter() - started


def qps_at(curve: Curve, target: float, *, single: bool = False) -> float | None:
    """The best that reaches the recall, by straight lines between the points of the front."""
    front = _front(curve, single)
    for (worse, slow_before), (better, qps) in pairwise(front):
        if worse < target <= better:
            share = (target - worse) / (better - worse)
            return 1 / ((1 - share) / slow_before + share / qps)
    if front and front[0][0] >= target:
        return front[0][1]
    return None


def _front(curve: Curve, single: bool) -> list[tuple[float, float]]:
    """Those that no other beats in both; recall ascending."""
    points = sorted((p.recall, p.single_qps if single else p.batch_qps) for p in curve)
    front: list[tuple[float, float]] = []
    for point in reversed(points):
        if not front or point[1] > front[-1][1]:
            front.append(point)
    return front[::-1]
