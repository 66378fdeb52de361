from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from core.domain.library import Metric
from core.indexing.ivf.held_out import hold_out
from tests.unit.core.indexing.vectors_of import best, clustered, scores_of, vectors_of


@pytest.mark.parametrize("metric", list(Metric))
@pytest.mark.parametrize("count", [1, 2, 9, 300, 9_000])
def test_the_nearest_others(metric: Metric, count: int) -> None:
    rows = clustered(count, 7)
    with ThreadPoolExecutor(2) as pool:
        held_out = hold_out(vectors_of(rows, metric), np.random.default_rng(0), pool, lambda: None)
    assert len(held_out.rows) == min(count, 256)
    for own, true in list(zip(held_out.rows.tolist(), held_out.truth, strict=True))[:20]:
        others = np.arange(count) != own
        assert set(true.tolist()) == best(scores_of(rows, rows[own], metric), 10, others)


def test_far_from_the_origin() -> None:
    rows = clustered(500, 7) + np.float32(3_000)
    with ThreadPoolExecutor(2) as pool:
        vectors = vectors_of(rows, Metric.L2)
        held_out = hold_out(vectors, np.random.default_rng(0), pool, lambda: None)
    for own, true in zip(held_out.rows.tolist(), held_out.truth, strict=True):
        others = np.arange(500) != own
        assert len(set(true.tolist()) & best(scores_of(rows, rows[own], Metric.L2), 10, others)) > 8


def test_a_row_itself_is_not_among_them() -> None:
    with ThreadPoolExecutor(1) as pool:
        vectors = vectors_of(clustered(5, 3), Metric.L2)
        held_out = hold_out(vectors, np.random.default_rng(0), pool, lambda: None)
    others = held_out.others([np.arange(5)] * 5)
    assert [rows.tolist() for rows in others][:2] == [[1, 2, 3, 4], [0, 2, 3, 4]]
