"""The rows of a segment: embeddings come back bit for bit."""

import numpy as np
import pytest

from core.domain.library import Metric
from core.indexing.segment.rows import Rows


@pytest.mark.parametrize("norm", [1e-42, 1e-38, 1e-3, 0.5, 1.0, 7.0, 1e19, 1e38])
def test_an_embedding_of_any_norm_is_scaled_without_loss(norm: float) -> None:
    directions = np.random.default_rng(1).uniform(0.5, 1.0, (5, 8))
    embeddings = (directions / np.linalg.norm(directions, axis=1)[:, None] * norm).astype("<f4")
    rows = Rows.empty(Metric.COSINE, dimension=8, capacity=5)
    rows.write(0, embeddings)
    assert ((rows.norms >= 0.5) & (rows.norms < 1.0)).all()
    np.testing.assert_array_equal(rows.matrix, np.ldexp(embeddings, -rows.exponents[:, None]))
    np.testing.assert_array_equal([rows.embedding(row) for row in range(5)], embeddings)
