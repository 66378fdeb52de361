"""The rows of a sealed segment with their 8-bit codes, as kernels take them."""

import math
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.domain.library import Metric
from core.indexing.kernels import layout
from core.indexing.kernels.codes import encode_rows
from core.indexing.vectors.exact import Vectors

_METRICS = {Metric.COSINE: layout.COSINE, Metric.DOT: layout.DOT, Metric.L2: layout.L2}
_LINE_BYTES = 64
_SAMPLE = 2**18
"""So many numbers of the rows tell their range."""
_SPAN = 255
_DOT_WITHIN = 32
_OUTSIDE = 5e-4
"""The share of numbers at each end that the codes' range need not reach."""


@dataclass(frozen=True, slots=True, eq=False)
class QuantizedVectors:
    """Codes are `(n, c) uint8`, c the dimension up to a multiple of 64; `x ≈ step·c + shift`.

    `arrays`: all that `block` has the addresses of, by their place in it. `scale`: the step, the
    shift, and the greatest of the reaches and of the residuals.
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
        """Without the vectors themselves."""
        shared = {layout.FLOATS, layout.NORMS}
        return sum(array.nbytes for place, array in self.arrays.items() if place not in shared)

    @property
    def is_whole(self) -> bool:
        """Whether the rows are whole numbers that their codes have as they are, as those of
        pictures: a distance of codes is a true one then."""
        is_l2 = self.vectors.metric is Metric.L2
        return is_l2 and self.step == 1.0 and float(self.scale[3]) == 0.0

    def rescale(self, step: float, shift: float) -> None:
        """By what the rows' codes were made with, once they are all made."""
        reach, residual = (
            self.arrays[place].max(initial=0) for place in (layout.REACHES, layout.RESIDUALS)
        )
        self.scale[:] = step, shift, reach, residual

    def attach(self, place: int, array: NDArray[np.generic]) -> None:
        """Only while the index is built, or read."""
        self.arrays[place] = array
        self.block[place] = array.ctypes.data

    def detach(self, place: int) -> None:
        del self.arrays[place]
        self.block[place] = 0


def aligned(shape: tuple[int, ...], dtype: type[np.generic]) -> NDArray[np.generic]:
    """Empty, from the begin of a cache line."""
    size = math.prod(shape) * np.dtype(dtype).itemsize
    memory = np.empty(size + _LINE_BYTES, np.uint8)
    start = -memory.ctypes.data % _LINE_BYTES
    return memory[start : start + size].view(dtype).reshape(shape)


def encode(vectors: Vectors, pool: ThreadPoolExecutor, threads: int) -> QuantizedVectors:
    """O(n·d)."""
    count = len(vectors.matrix)
    step, shift = range_of(vectors)
    coded = with_codes(vectors, room_for_codes(vectors, count))
    bounds = np.linspace(0, count, threads + 1).astype(int).tolist()
    list(
        pool.map(
            lambda i: encode_rows(coded.block, bounds[i], bounds[i + 1], step, shift),
            range(threads),
        )
    )
    coded.rescale(step, shift)
    return coded


def room_for_codes(vectors: Vectors, count: int) -> dict[int, NDArray[np.generic]]:
    """Empty arrays for so many rows like these, by their places."""
    size = -(-vectors.matrix.shape[1] // _LINE_BYTES) * _LINE_BYTES
    arrays: dict[int, NDArray[np.generic]] = {
        layout.CODES: aligned((count, size), np.uint8),
        layout.RESIDUALS: np.empty(count, np.float32),
        layout.REACHES: np.empty(count, np.float32),
        layout.OFFSETS: np.empty(count, np.int32),
    }
    if vectors.metric is Metric.L2:
        arrays |= {
            layout.HALVES: np.empty(count, np.float64),
            layout.BIAS: np.empty(count, np.int32),
        }
    return arrays


def with_codes(vectors: Vectors, arrays: Mapping[int, NDArray[np.generic]]) -> QuantizedVectors:
    """`arrays`: as `room_for_codes` makes them, for as many rows or more."""
    coded = unquantized(vectors)
    coded.block[layout.CODE_BYTES] = arrays[layout.CODES].shape[1]
    for place, array in arrays.items():
        coded.attach(place, array[: coded.count])
    return coded


def unquantized(vectors: Vectors, places: int = layout.SIZE) -> QuantizedVectors:
    """For a scan of the rows as they are. `places`: how many the block has."""
    count, dimension = vectors.matrix.shape
    coded = QuantizedVectors(vectors, {}, np.zeros(places, np.int64), np.zeros(4))
    coded.block[layout.COUNT] = count
    coded.block[layout.METRIC] = _METRICS[vectors.metric]
    coded.block[layout.DIMENSION] = dimension
    coded.attach(layout.FLOATS, vectors.matrix)
    coded.attach(layout.NORMS, vectors.norms)
    return coded


def range_of(vectors: Vectors, numbers: int = _SAMPLE) -> tuple[float, float]:
    """`step` and `shift`: of the rows' whole range, unless few numbers are far outside the rest.

    `numbers`: about so many are looked at.
    """
    every = max(1, vectors.matrix.size // numbers)
    sample = vectors.matrix[::every].astype(np.float64)
    if vectors.metric is Metric.L2:
        low, high = float(sample.min()), float(sample.max())
        if high - low <= _SPAN and np.array_equal(sample, np.rint(sample)):
            return 1.0, low + 128
        low, high = _ends(sample)
        step = (high - low) / _SPAN
        return (step or 1.0), low + 128 * (step or 1.0)
    if vectors.metric is Metric.DOT:
        # The longest rows are the best hits of most queries: within reason none is clamped.
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
    # Within reason all are inside.
    return whole if whole[1] - whole[0] <= 1.5 * (high - low) else (float(low), float(high))
