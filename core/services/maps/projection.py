"""Principal component analysis: the two directions in which vectors differ most.

Subspace iteration (Halko, Martinsson and Tropp, 2011, algorithm 4.4) needs no d×d matrix: a pass
takes O(n·d) time, and the memory is that of the vectors.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

COMPONENTS = 2
_DIRECTIONS = 8
"""More directions than components, so that close eigenvalues converge."""
_PASSES = 12
_SEED = 20_260_101


@dataclass(frozen=True, slots=True, eq=False)
class Projection:
    """A projection onto two directions.

    `mean`: `(d,) float32`. `directions`: `(2, d) float32`, orthonormal; zero where the vectors have
    fewer dimensions. `explained`: the share of the variance along each direction.
    """

    mean: NDArray[np.float32]
    directions: NDArray[np.float32]
    explained: tuple[float, float]

    def points(self, vectors: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the points of `(n, d)` vectors, `(n, 2) float32`."""
        return np.asarray((vectors - self.mean) @ self.directions.T, np.float32)


def fit(vectors: NDArray[np.float32]) -> Projection:
    """Fit a projection to `(n, d) float32` vectors, n ≥ 1; the same vectors give the same one."""
    mean = vectors.mean(axis=0, dtype=np.float64).astype(np.float32)
    centred = vectors - mean
    variance = float(np.einsum("ij,ij->", centred, centred, dtype=np.float64))
    dimension = vectors.shape[1]
    width = min(_DIRECTIONS, dimension)
    random = np.random.default_rng(_SEED).standard_normal((dimension, width))
    basis: NDArray[np.float32] = random.astype(np.float32)
    for _ in range(_PASSES):
        basis, _ = np.linalg.qr(centred.T @ (centred @ basis))
    _, sizes, rotation = np.linalg.svd(centred @ basis, full_matrices=False)
    found = _with_positive_sum((basis @ rotation.T).T[:COMPONENTS])
    directions = np.zeros((COMPONENTS, dimension), np.float32)
    directions[: len(found)] = found
    shares = [float(size) ** 2 / variance if variance else 0.0 for size in sizes[:COMPONENTS]]
    first, second = (*shares, 0.0, 0.0)[:COMPONENTS]
    return Projection(mean, directions, (first, second))


def _with_positive_sum(directions: NDArray[np.float32]) -> NDArray[np.float32]:
    """Turn each direction so that a map is not mirrored after the next write."""
    signs = np.where(directions.sum(axis=1) < 0, -1, 1).astype(np.float32)
    turned: NDArray[np.float32] = directions * signs[:, np.newaxis]
    return turned
