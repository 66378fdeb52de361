"""Vectors with their 8-bit codes, in the layout that kernels read."""

import math
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.indexing.kernels import layout
from core.indexing.kernels.codes import encode_rows
from core.indexing.vectors.exact import Vectors

_LINE_BYTES = 64
_SAMPLE = 2**18
"""The number of values that the codes' range is estimated from."""
_SPAN = 255
_DOT_WITHIN = 32
_OUTSIDE = 5e-4
"""The share of the values at each end that the codes' range need not reach."""


@dataclass(frozen=True, slots=True, eq=False)
class QuantizedVectors:
    """Vectors and codes `(n, c) uint8`, c the dimension rounded up to 64; `x ≈ step·c + shift`.

    `arrays`: the arrays whose addresses `block` has, by their place in `block`. `scale`: the step,
    the shift, the greatest reach and the greatest residual.
    """

    vectors: Vectors
    arrays: dict[int, NDArray[np.generic]]
    block: NDArray[np.int64]
    scale: NDArray[np.float64]

    @property
    def count(self) -> int:
        return len(self.vectors.matrix)

    @property
    def step(self) -> float:
        return float(self.scale[0])

    @property
    def shift(self) -> float:
        return float(self.scale[1])

    @property
    def memory_bytes(self) -> int:
        """The bytes of the codes and links, without the vectors."""
        shared = {layout.FLOATS, layout.NORMS}
        return sum(array.nbytes for place, array in self.arrays.items() if place not in shared)

    @property
    def is_whole(self) -> bool:
        """True if all values are integers that the codes represent exactly, such as pixels.

        The distance between two such codes is the true distance.
        """
        return self.vectors.form.is_l2 and self.step == 1.0 and float(self.scale[3]) == 0.0

    def rescale(self, step: float, shift: float) -> None:
        """Set the step and shift that the codes were computed with, once all codes are computed."""
        reach, residual = (
            self.arrays[place].max(initial=0) for place in (layout.REACHES, layout.RESIDUALS)
        )
        self.scale[:] = step, shift, reach, residual

    def attach(self, place: int, array: NDArray[np.generic]) -> None:
        """Add an array to the block; only while the index is built or loaded."""
        self.arrays[place] = array
        self.block[place] = array.ctypes.data

    def detach(self, place: int) -> None:
        del self.arrays[place]
        self.block[place] = 0


def empty_aligned(shape: tuple[int, ...], dtype: type[np.generic]) -> NDArray[np.generic]:
    """Return an uninitialised array that starts at a cache line."""
    size = math.prod(shape) * np.dtype(dtype).itemsize
    memory = np.empty(size + _LINE_BYTES, np.uint8)
    start = -memory.ctypes.data % _LINE_BYTES
    return memory[start : start + size].view(dtype).reshape(shape)


def encode(vectors: Vectors, pool: ThreadPoolExecutor, threads: int) -> QuantizedVectors:
    """Compute the codes of all vectors on `threads` threads, O(n·d)."""
    count = len(vectors.matrix)
    step, shift = range_of(vectors)
    quantized = with_codes(vectors, allocate_codes(vectors, count))
    bounds = np.linspace(0, count, threads + 1).astype(int).tolist()
    list(
        pool.map(
            lambda i: encode_rows(quantized.block, bounds[i], bounds[i + 1], step, shift),
            range(threads),
        )
    )
    quantized.rescale(step, shift)
    return quantized


def allocate_codes(vectors: Vectors, count: int) -> dict[int, NDArray[np.generic]]:
    """Allocate the code arrays of `count` vectors, by their place in the block."""
    size = -(-vectors.matrix.shape[1] // _LINE_BYTES) * _LINE_BYTES
    arrays: dict[int, NDArray[np.generic]] = {
        layout.CODES: empty_aligned((count, size), np.uint8),
        layout.RESIDUALS: np.empty(count, np.float32),
        layout.REACHES: np.empty(count, np.float32),
        layout.OFFSETS: np.empty(count, np.int32),
    }
    if vectors.form.is_l2:
        arrays |= {
            layout.HALVES: np.empty(count, np.float64),
            layout.BIAS: np.empty(count, np.int32),
        }
    return arrays


def with_codes(vectors: Vectors, arrays: Mapping[int, NDArray[np.generic]]) -> QuantizedVectors:
    """Attach code arrays; `arrays` come from `allocate_codes`, for at least as many rows."""
    quantized = unquantized(vectors)
    quantized.block[layout.CODE_BYTES] = arrays[layout.CODES].shape[1]
    for place, array in arrays.items():
        quantized.attach(place, array[: quantized.count])
    return quantized


def unquantized(vectors: Vectors, places: int = layout.SIZE) -> QuantizedVectors:
    """Return the vectors without codes, to be scanned in full precision.

    `places`: the length of the block.
    """
    count, dimension = vectors.matrix.shape
    quantized = QuantizedVectors(vectors, {}, np.zeros(places, np.int64), np.zeros(4))
    quantized.block[layout.COUNT] = count
    assert vectors.form.number is not None, "see `fits_kernels`"
    quantized.block[layout.METRIC] = vectors.form.number
    quantized.block[layout.DIMENSION] = dimension
    quantized.attach(layout.FLOATS, vectors.matrix)
    quantized.attach(layout.NORMS, vectors.norms)
    return quantized


def range_of(vectors: Vectors, numbers: int = _SAMPLE) -> tuple[float, float]:
    """Return `step` and `shift`, which cover the values' whole range except far outliers.

    `numbers`: about how many values are sampled.
    """
    every = max(1, vectors.matrix.size // numbers)
    sample = vectors.matrix[::every].astype(np.float64)
    if vectors.form.is_l2:
        low, high = float(sample.min()), float(sample.max())
        if high - low <= _SPAN and np.array_equal(sample, np.rint(sample)):
            return 1.0, low + 128
        low, high = _ends(sample)
        step = (high - low) / _SPAN
        return (step or 1.0), low + 128 * (step or 1.0)
    if vectors.form.is_dot:
        # The longest rows are the best hits of most queries, so clamp only extreme outliers.
        high = float(np.quantile(np.abs(sample), 1 - _OUTSIDE))
        whole = float(max(vectors.matrix.max(), -vectors.matrix.min()))
        if whole <= _DOT_WITHIN * high:
            high = whole
    else:
        _, high = _ends(np.abs(sample / vectors.norms[::every, np.newaxis]))
    return (high / 127 or 1.0), 0.0


def _ends(sample: NDArray[np.float64]) -> tuple[float, float]:
    low, high = np.quantile(sample, [_OUTSIDE, 1 - _OUTSIDE])
    whole = float(sample.min()), float(sample.max())
    # Cover all values, unless outliers would coarsen the codes of the rest.
    return whole if whole[1] - whole[0] <= 1.5 * (high - low) else (float(low), float(high))
