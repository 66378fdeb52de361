"""The scratch memory of one walk of a graph."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.indexing.kernels import layout
from core.indexing.vectors.quantized import QuantizedVectors, empty_aligned


@dataclass(frozen=True, slots=True, eq=False)
class Scratch:
    """Scratch memory, held by one search at a time; its pool has room for `ef` candidates.

    `block` has the addresses of `arrays`, by their place in `block`.
    """

    ef: int
    block: NDArray[np.int64]
    arrays: dict[int, NDArray[np.generic]]

    @classmethod
    def of(
        cls, quantized: QuantizedVectors, *, ef: int, degree: int, frontier: int = 0
    ) -> "Scratch":
        arrays: dict[int, NDArray[np.generic]] = {
            layout.VISITED: np.zeros(quantized.count, np.uint16),
            layout.POOL: np.empty(ef + 1, np.int64),
            layout.FRONTIER: np.empty(frontier + 1, np.int64),
            layout.BATCH: np.empty(2 * degree, np.int32),
            layout.QUERY: empty_aligned((int(quantized.block[layout.CODE_BYTES]),), np.uint8),
        }
        block = np.zeros(layout.SCRATCH_SIZE, np.int64)
        for place, array in arrays.items():
            block[place] = array.ctypes.data
        block[layout.FRONTIER_LIMIT] = frontier
        return cls(ef, block, arrays)

    @property
    def memory_bytes(self) -> int:
        return sum(array.nbytes for array in self.arrays.values())
