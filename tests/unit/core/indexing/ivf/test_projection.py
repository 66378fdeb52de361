import numpy as np
import pytest

from core.domain.library import Metric
from core.indexing.ivf.projection import Projection, learn_projection
from tests.unit.core.indexing.vectors_of import Floats, vectors_of


def _learn(rows: Floats, metric: Metric = Metric.L2) -> Projection:
    return learn_projection(vectors_of(rows, metric), np.random.default_rng(0))


def _rows(count: int, dimension: int, rank: int, *, scale: float = 1.0) -> Floats:
    rng = np.random.default_rng(1)
    mixed = rng.standard_normal((count, rank)) @ rng.standard_normal((rank, dimension))
    return np.asarray(scale * mixed + 3 * scale, np.float32)


@pytest.mark.parametrize(("count", "dimension"), [(500, 60), (40, 200), (300, 2_100)])
@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e6])
def test_the_projection_has_most_of_the_variance(count: int, dimension: int, scale: float) -> None:
    rows = _rows(count, dimension, 12, scale=scale)
    learnt = _learn(rows)
    assert len(learnt.basis) == 16
    moved = (rows - learnt.center.astype(np.float64)) / learnt.radius
    assert np.mean(moved**2) * dimension == pytest.approx(1, rel=0.1)
    components = moved @ learnt.basis.T
    assert np.sum(components**2) > 0.98 * np.sum(moved**2)
    used = learnt.basis[np.any(learnt.basis != 0, axis=1)]
    assert used @ used.T == pytest.approx(np.eye(len(used)), abs=1e-3)


def test_rows_that_do_not_differ() -> None:
    learnt = _learn(np.full((20, 5), 0.3, np.float32))
    assert learnt.radius > 0.1
    assert np.isfinite(learnt.basis).all()


def test_unit_vectors_under_cosine() -> None:
    rows = _rows(300, 20, 20) * np.geomspace(1e-3, 1e3, 300, dtype=np.float32)[:, np.newaxis]
    units = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    center = _learn(rows, Metric.COSINE).center
    assert center == pytest.approx(units.mean(axis=0), abs=1e-5)
