"""The recall of a search where rows are equal or nearly equal."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from core.indexing.vectors.vector_index import SegmentHits


def recall(
    answers: Sequence[SegmentHits],
    truth: Sequence[NDArray[np.float64]],
    k: int,
    allowed: NDArray[np.bool_] | None = None,
) -> float:
    """Return the mean share of the k nearest rows found; any of equal rows counts.

    `truth`: the true scores of all rows for each query.
    """
    shares = []
    for answer, scores in zip(answers, truth, strict=True):
        eligible = scores if allowed is None else scores[allowed]
        wanted = min(k, len(eligible))
        least = np.partition(eligible, -wanted)[-wanted] - 1e-13
        rows = answer.rows[:k]
        assert allowed is None or allowed[rows].all()
        assert len(set(rows.tolist())) == wanted
        shares.append(np.count_nonzero(scores[rows] >= least) / wanted)
    return float(np.mean(shares))
