"""Part of a library's rows: a sealed segment with its index, or rows that wait for one."""

from array import array
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from pyroaring import BitMap

from core.domain.library import IndexKind, IndexSpec
from core.indexing.exact import Vectors
from core.indexing.rows import Rows
from core.indexing.unsealed import search_unsealed
from core.indexing.vector_index import Effort, Found, VectorIndex

Serials = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """Immutable, as is all that it refers to, up to its `size`.

    Each row of a library has a serial, a number that grows with every row that comes and is
    never used again, so that a row keeps its name when it moves to another part.

    `first`: the serial of the first row. `serials`: `(size,) int64`, ascending; `None` where
    they are `first`, `first + 1`, … `alive`: `(size or more,) bool`, false for deleted rows;
    `live` counts the others. `frozen`: takes no more rows. `index`: `None` while there is none,
    and `built_for` is what was asked for then. `attributes`: the segment's attribute index.
    """

    rows: Rows
    size: int
    first: int
    alive: NDArray[np.bool_]
    live: int
    serials: Serials | None = None
    frozen: bool = False
    index: VectorIndex | None = None
    built_for: IndexSpec | None = None
    attributes: object | None = None

    @classmethod
    def empty(cls, rows: Rows, first: int) -> "Part":
        return cls(rows, size=0, first=first, alive=np.ones(rows.capacity, np.bool_), live=0)

    @property
    def kind(self) -> IndexKind:
        return IndexKind.FLAT if self.index is None else self.index.kind

    @property
    def deleted(self) -> int:
        return self.size - self.live

    @property
    def memory_bytes(self) -> int:
        serials = 0 if self.serials is None else self.serials.nbytes
        index = 0 if self.index is None else self.index.memory_bytes
        return self.rows.memory_bytes + self.alive.nbytes + serials + index

    @property
    def scanned_bytes(self) -> int:
        if self.kind is not IndexKind.FLAT:
            return 0
        return self.size * self.rows.dimension * self.rows.matrix.itemsize

    @property
    def vectors(self) -> Vectors:
        rows, size = self.rows, self.size
        return Vectors(rows.metric, rows.matrix[:size], rows.norms[:size])

    def row_of(self, serial: int) -> int:
        """Of a row that is here."""
        if self.serials is None:
            return serial - self.first
        return int(np.searchsorted(self.serials, serial))

    def rows_of(self, serials: Serials) -> NDArray[np.intp]:
        if self.serials is None:
            return (serials - self.first).astype(np.intp)
        return np.searchsorted(self.serials, serials)

    def serials_of(self, rows: NDArray[np.intp]) -> Serials:
        return rows + self.first if self.serials is None else self.serials[rows]

    def live_rows(self) -> BitMap:
        if not self.deleted:
            return BitMap(range(self.size))
        # pyroaring reads an array of Python's own at once, and others one by one.
        rows = np.flatnonzero(self.alive[: self.size]).astype(np.uint32)
        return BitMap(array("I", rows.tobytes()))

    def without(self, rows: NDArray[np.intp]) -> "Part":
        """With these dead, each of which was alive."""
        alive = self.alive.copy()
        alive[rows] = False
        return replace(self, alive=alive, live=self.live - len(rows))

    def search(
        self, queries: NDArray[np.float32], k: int, effort: Effort, matches: BitMap | None
    ) -> list[Found]:
        """`matches`: the live rows to choose from, at least one; all that are alive if `None`."""
        allowed = self._allowed(matches)
        if self.index is None:
            return search_unsealed(self.vectors, queries, k, allowed)
        return self.index.search(queries, k, effort, allowed)

    def _allowed(self, matches: BitMap | None) -> NDArray[np.bool_] | None:
        if matches is None or len(matches) == self.live:
            return self.alive[: self.size] if self.deleted else None
        allowed = np.zeros(self.size, np.bool_)
        allowed[np.frombuffer(matches.to_array(), np.uint32)] = True
        return allowed
