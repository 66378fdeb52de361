"""Scores are float64: rows whose float32 scores would be equal are ranked correctly."""

import numpy as np
import pytest

from core.domain.library import Metric
from core.indexing.kernels.layout import SIZE
from core.indexing.vectors.exact import nearest_with_ties
from core.indexing.vectors.flat import search_exactly
from core.indexing.vectors.quantized import unquantized
from tests.unit.core.indexing.vectors_of import vectors_of

COUNT = 40


@pytest.mark.parametrize("metric", list(Metric))
def test_rows_closer_than_a_float32_step_are_ranked(metric: Metric) -> None:
    rows = np.zeros((COUNT, 4), np.float32)
    rows[:, 0] = 1.0
    rows[:, 1] = np.linspace(1e-5, 2e-5, COUNT)
    query = rows[:1].copy()
    query[0, 1] = 0.0
    if metric is Metric.DOT:
        query[0, 1] = -1e-3
    vectors = vectors_of(rows, metric)
    [hits] = search_exactly(unquantized(vectors, SIZE), query, 3, None)
    assert hits.rows[:3].tolist() == [0, 1, 2]
    assert len(set(hits.scores[:3].tolist())) == 3
    reference, scores = nearest_with_ties(vectors, query[0], 3, None)
    assert sorted(reference.tolist()) == [0, 1, 2]
    assert len(set(scores.tolist())) == 3
