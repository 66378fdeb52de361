import numpy as np
import pytest
from numpy.typing import NDArray

from core.services.maps.projection import fit


def _cloud(count: int, dimension: int) -> NDArray[np.float32]:
    """Return vectors whose variance falls from one dimension to the next."""
    scales = 0.7 ** np.arange(dimension)
    rows = np.random.default_rng(5).standard_normal((count, dimension)) * scales + 3.0
    return rows.astype(np.float32)


@pytest.mark.parametrize("dimension", [2, 3, 50])
def test_the_directions_are_those_of_the_singular_values(dimension: int) -> None:
    vectors = _cloud(400, dimension)
    centred = vectors - vectors.mean(axis=0)
    _, sizes, directions = np.linalg.svd(centred, full_matrices=False)
    projection = fit(vectors)
    alignment = np.abs(np.sum(projection.directions * directions[:2], axis=1))
    assert alignment == pytest.approx(1, abs=1e-3)
    shares = sizes[:2] ** 2 / np.sum(sizes**2)
    assert projection.explained == pytest.approx(shares.tolist(), rel=1e-3)
    expected = np.abs(centred @ directions[:2].T)
    assert np.abs(projection.points(vectors)) == pytest.approx(expected, abs=0.05)


def test_the_same_vectors_have_the_same_map() -> None:
    vectors = _cloud(50, 9)
    assert np.array_equal(fit(vectors).directions, fit(vectors.copy()).directions)


@pytest.mark.parametrize("vectors", [np.ones((1, 1)), np.ones((1, 5)), np.zeros((4, 3))])
def test_vectors_that_do_not_differ_have_one_point(vectors: NDArray[np.float64]) -> None:
    projection = fit(vectors.astype(np.float32))
    assert projection.explained == (0.0, 0.0)
    assert not projection.points(vectors.astype(np.float32)).any()
