"""8-bit codes of rows that still come, made by the writer, before a search can need them.

They are bounded as those of a segment are, so that a scan by them is exact, however far outside
of their range later rows lie.
"""

import threading
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from core.indexing.vectors.exact import Vectors

if TYPE_CHECKING:  # it imports the kernels, which take a second
    from core.indexing.vectors.quantized import QuantizedVectors


CODED_FROM = 256
"""Fewer rows are compared as they are."""

_SAMPLE = 2**14
"""So many numbers tell the range: a sixteenth of what they do in a segment, which is for good."""


@dataclass(frozen=True, slots=True, eq=False)
class _Latest:
    """`arrays`: with room for more rows than those of `coded`."""

    coded: "QuantizedVectors"
    arrays: dict[int, NDArray[np.generic]]
    room: int


class DeltaCodes:
    """Of rows that successive views share: what a view has of them never changes."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._latest: _Latest | None = None

    @property
    def memory_bytes(self) -> int:
        latest = self._latest
        return 0 if latest is None else sum(array.nbytes for array in latest.arrays.values())

    def extend(self, vectors: Vectors, size: int) -> None:
        """For the writer: codes of the rows from `size` on, which no view has yet.

        O(d) for each of them, amortised.
        """
        with self._lock:
            latest = self._latest
            if latest is not None and latest.coded.count > size:
                # A write that failed half-way had put other rows there.
                seen = Vectors(vectors.metric, vectors.matrix[:size], vectors.norms[:size])
                latest = replace(latest, coded=_as_in(latest, seen))
            self._latest = _reaching(latest, vectors)

    def of(self, vectors: Vectors) -> "QuantizedVectors":
        """The first rows, as many as `vectors` has, with their codes unless they are few.

        Those that were written before there were kernels get them here.
        """
        latest, count = self._latest, len(vectors.matrix)
        if latest is None or latest.coded.count < count:
            with self._lock:
                latest = self._latest = _reaching(self._latest, vectors)
        if latest.coded.count == count:
            return latest.coded
        return _as_in(latest, vectors)  # of an older view


def _reaching(latest: _Latest | None, vectors: Vectors) -> _Latest:
    from core.indexing.kernels.codes import encode_rows
    from core.indexing.vectors.quantized import range_of, room_for_codes, unquantized, with_codes

    count = len(vectors.matrix)
    if latest is not None and latest.coded.count >= count:
        return latest  # another thread was faster
    if count < CODED_FROM:
        return _Latest(unquantized(vectors), {}, 0)
    if latest is None or latest.room < count:
        # Those that have codes get others, as the range may be another by now.
        done, room = 0, 2 * count
        arrays = room_for_codes(vectors, room)
        step, shift = range_of(vectors, _SAMPLE)
    else:
        done, room = latest.coded.count, latest.room
        arrays = latest.arrays
        step, shift = latest.coded.step, latest.coded.shift
    coded = with_codes(vectors, arrays)
    encode_rows(coded.block, done, count, step, shift)
    coded.rescale(step, shift)
    return _Latest(coded, arrays, room)


def _as_in(latest: _Latest, vectors: Vectors) -> "QuantizedVectors":
    from core.indexing.vectors.quantized import unquantized, with_codes

    if not latest.arrays or len(vectors.matrix) < CODED_FROM:
        return unquantized(vectors)
    coded = with_codes(vectors, latest.arrays)
    coded.rescale(latest.coded.step, latest.coded.shift)
    return coded
