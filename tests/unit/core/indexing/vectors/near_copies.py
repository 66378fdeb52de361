"""The recall of a search where rows are equal or nearly equal."""

import numpy as np
from numpy.typing import NDArray

from benchmarks.index.datasets import Floats
from core.domain.library import Metric
from core.indexing.vectors.vector_index import SegmentHits
from tests.unit.core.indexing.vectors_of import scores_of


def recall(
    answers: list[SegmentHits],
    rows: Floats,
    queries: Floats,
    k: int,
    metric: Metric,
    allowed: NDArray[np.bool_] | None = None,
) -> float:
    """Return the mean share of the k nearest rows found; any of equal rows counts."""
    shares = []
    for answer, query in zip(answers, queries, strict=True):
        scores = scores_of(rows, query, metric)
        eligible = scores if allowed is None else scores[allowed]
        wanted = min(k, len(eligible))
        least = np.sort(eligible)[-wanted] - 1e-13
        found = answer.rows[:k]
        assert allowed is None or allowed[found].all()
        assert len(set(found.tolist())) == wanted
        shares.append(np.count_nonzero(scores[found] >= least) / wanted)
    return float(np.mean(shares))
