"""8-bit codes of the delta's rows, computed by the writer before a search needs them.

The codes have the same error bounds as those of a sealed segment. So a scan by codes is exact, even
if later rows lie far outside the codes' range.
"""

import threading
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from core.indexing.vectors.exact import Vectors

if TYPE_CHECKING:  # importing it at run time takes a second, for the kernels
    from core.indexing.vectors.quantized import QuantizedVectors


QUANTIZED_FROM = 256
"""The row count from which rows get codes; fewer rows are compared in full precision."""

_SAMPLE = 2**14
"""The sample size for the codes' range: a sixteenth of a sealed segment's."""


@dataclass(frozen=True, slots=True, eq=False)
class _Latest:
    """The codes of the newest view; `arrays` have room for more rows than `quantized` has."""

    quantized: "QuantizedVectors"
    arrays: dict[int, NDArray[np.generic]]
    capacity: int


class DeltaCodes:
    """Codes of rows that successive views share; the codes that a view has read never change."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._latest: _Latest | None = None

    @property
    def memory_bytes(self) -> int:
        latest = self._latest
        return 0 if latest is None else sum(array.nbytes for array in latest.arrays.values())

    def extend(self, vectors: Vectors, size: int) -> None:
        """Encode the rows from `size` on, which no view has yet; called by the writer.

        O(d) a row, amortised.
        """
        with self._lock:
            latest = self._latest
            if latest is not None and latest.quantized.count > size:
                # A write that failed half-way had encoded other rows behind `size`.
                seen = Vectors(vectors.metric, vectors.matrix[:size], vectors.norms[:size])
                latest = replace(latest, quantized=_first_quantized(latest, seen))
            self._latest = _encode_up_to(latest, vectors)

    def of(self, vectors: Vectors) -> "QuantizedVectors":
        """Return `vectors`, the first rows of the delta, with their codes unless they are few.

        Rows that were written before the kernels were compiled are encoded here.
        """
        latest, count = self._latest, len(vectors.matrix)
        if latest is None or latest.quantized.count < count:
            with self._lock:
                latest = self._latest = _encode_up_to(self._latest, vectors)
        if latest.quantized.count == count:
            return latest.quantized
        return _first_quantized(latest, vectors)  # of an older view


def _encode_up_to(latest: _Latest | None, vectors: Vectors) -> _Latest:
    from core.indexing.kernels.codes import encode_rows
    from core.indexing.vectors.quantized import allocate_codes, range_of, unquantized, with_codes

    count = len(vectors.matrix)
    if latest is not None and latest.quantized.count >= count:
        return latest  # another thread has encoded the rows already
    if count < QUANTIZED_FROM:
        return _Latest(unquantized(vectors), {}, 0)
    if latest is None or latest.capacity < count:
        # Encode all rows again, as the range of the values may have changed.
        encoded_rows, capacity = 0, 2 * count
        arrays = allocate_codes(vectors, capacity)
        step, shift = range_of(vectors, _SAMPLE)
    else:
        encoded_rows, capacity = latest.quantized.count, latest.capacity
        arrays = latest.arrays
        step, shift = latest.quantized.step, latest.quantized.shift
    quantized = with_codes(vectors, arrays)
    encode_rows(quantized.block, encoded_rows, count, step, shift)
    quantized.rescale(step, shift)
    return _Latest(quantized, arrays, capacity)


def _first_quantized(latest: _Latest, vectors: Vectors) -> "QuantizedVectors":
    from core.indexing.vectors.quantized import unquantized, with_codes

    if not latest.arrays or len(vectors.matrix) < QUANTIZED_FROM:
        return unquantized(vectors)
    quantized = with_codes(vectors, latest.arrays)
    quantized.rescale(latest.quantized.step, latest.quantized.shift)
    return quantized
