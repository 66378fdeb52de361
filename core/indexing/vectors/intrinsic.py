"""The intrinsic dimension of vectors, which decides how hard a graph search over them is."""

import numpy as np
from numpy.typing import NDArray

from core.indexing.vectors.quantized import QuantizedVectors
from core.indexing.vectors.quantized_scan import FEW, scan_exactly

_SAMPLE = 100
_NEIGHBOURS = 20


def intrinsic_dimension(quantized: QuantizedVectors) -> float:
    """Estimate the intrinsic dimension from near-neighbour distances of a sample; 0 for few rows.

    The estimator is Levina and Bickel's (2004), averaged as MacKay and Ghahramani do. O(n·d).
    """
    if quantized.count <= 2 * _NEIGHBOURS:
        return 0.0
    matrix = quantized.vectors.matrix
    sample = np.ascontiguousarray(matrix[:: max(1, len(matrix) // _SAMPLE)][:_SAMPLE])
    inverses: list[float | None] = []
    for rows, scores in scan_exactly(quantized, sample, _NEIGHBOURS + 1, None, at_once=FEW):
        nearest = rows[np.argsort(-scores)[1 : _NEIGHBOURS + 1]]
        inverses.append(_inverse(_distances(quantized, sample[len(inverses)], nearest)))
    mean = float(np.mean([inverse for inverse in inverses if inverse is not None] or [np.inf]))
    return 1 / mean if mean > 0 else 0.0


def _distances(
    quantized: QuantizedVectors,
    query: NDArray[np.float32],
    rows: NDArray[np.int64],
) -> NDArray[np.float64]:
    neighbours = quantized.vectors.matrix[rows].astype(np.float64)
    target = query.astype(np.float64)
    if quantized.vectors.form.is_cosine:
        neighbours /= np.linalg.norm(neighbours, axis=1)[:, np.newaxis]
        target /= np.linalg.norm(target)
    return np.sort(np.linalg.norm(neighbours - target, axis=1))


def _inverse(distances: NDArray[np.float64]) -> float | None:
    """Return the inverse of the estimate at one row; `None` if the nearest row is a copy."""
    if not distances[0]:
        return None
    return float(np.mean(np.log(distances[-1] / distances[:-1])))
