"""Inverted lists (IVF): rows by the cell nearest to them, of which a search scans a few.

Sivic and Zisserman, "Video Google" (ICCV 2003); with 4-bit product-quantised codes, scanned as in
André, Kermarrec and Le Scouarnec (VLDB 2015), and the best of them scored in full precision.
O(c·D + n·p·t/c + R·d) a search that probes p of c cells, t tables to a row, and scores R rows.
How it is built: `build`.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.domain.library import IndexKind
from core.indexing.coded import Coded
from core.indexing.flat import search_exactly
from core.indexing.ivf.effort import Probing
from core.indexing.kernels import inverted_layout, layout
from core.indexing.kernels.inverted import search_cells
from core.indexing.kernels.typing import Floats, Ints
from core.indexing.vector_index import Effort, Found

DEFAULT_RECALL = 0.98

_QUERIES_AT_ONCE = 256
"""Their tables stay in the cache of a core."""
_KEYS_AT_ONCE = 1 << 20
_LEAST_SCORED = 10


@dataclass(frozen=True, slots=True, eq=False)
class IvfIndex:
    coded: Coded
    probing: Probing
    nprobe: int | None = None
    target_recall: float = DEFAULT_RECALL

    @property
    def kind(self) -> IndexKind:
        return IndexKind.IVF

    @property
    def cells(self) -> int:
        return int(self.coded.block[inverted_layout.CELLS])

    @property
    def parameters(self) -> Mapping[str, float]:
        return {"nlist": self.cells, "nprobe": self._nprobe(10, Effort())}

    @property
    def memory_bytes(self) -> int:
        return self.coded.memory_bytes

    def search(
        self,
        queries: NDArray[np.float32],
        k: int,
        effort: Effort,
        allowed: NDArray[np.bool_] | None,
    ) -> list[Found]:
        nprobe, depth = self._nprobe(k, effort), self.probing.depth * max(k, _LEAST_SCORED)
        matches = self.coded.count if allowed is None else int(np.count_nonzero(allowed))
        # Where a filter leaves few rows, as many of them lie in more cells.
        share = max(matches, 1) / self.coded.count
        nprobe = min(self.cells, int(np.ceil(nprobe / share)))
        if effort.exact or matches <= k or self._scan_is_cheaper(matches, nprobe, depth):
            return search_exactly(self.coded, queries, k, allowed)
        least = min(k, matches)
        strategy = "none" if allowed is None else "checked"
        found = []
        for rows, scores in self._probed(queries, k, nprobe, depth, allowed):
            if len(rows) < least:
                # The cells did not hold enough of the allowed ones.
                here = queries[len(found) : len(found) + 1]
                found += search_exactly(self.coded, here, k, allowed)
            else:
                found.append(Found(rows, scores, strategy, exact=False))
        return found

    def probe(self, queries: Floats, k: int, nprobe: int, depth: int) -> list[Ints]:
        """The rows found for each query, whatever else were cheaper."""
        return [rows for rows, _ in self._probed(queries, k, nprobe, depth, None)]

    def _nprobe(self, k: int, effort: Effort) -> int:
        given = effort.nprobe
        if given is None and effort.target_recall is None:
            given = self.nprobe
        if given is None:
            given = self.probing.nprobe(effort.target_recall or self.target_recall, k)
        return min(max(given, 1), self.cells)

    def _scan_is_cheaper(self, matches: int, nprobe: int, depth: int) -> bool:
        """By the bytes that each has to read."""
        row_bytes = 4 * int(self.coded.block[layout.DIMENSION])
        listed = self.coded.arrays[inverted_layout.LIST_CODES].nbytes * nprobe / self.cells
        cells = self.coded.arrays[inverted_layout.CELL_CODES].nbytes
        return matches * row_bytes <= listed + cells + depth * row_bytes

    def _probed(
        self,
        queries: Floats,
        k: int,
        nprobe: int,
        depth: int,
        allowed: NDArray[np.bool_] | None,
    ) -> Iterator[tuple[Ints, NDArray[np.float64]]]:
        depth = min(max(depth, k), self.coded.count)
        step = max(1, min(_QUERIES_AT_ONCE, _KEYS_AT_ONCE // depth))
        address = 0 if allowed is None else allowed.ctypes.data
        for start in range(0, len(queries), step):
            part = queries[start : start + step]
            rows = np.empty((len(part), k + 1), np.int64)
            scores = np.empty((len(part), k + 1))
            counts = np.empty(len(part), np.int64)
            probed = min(nprobe, self.cells)
            search_cells(self.coded.block, part, probed, depth, address, rows, scores, counts)
            for i, count in enumerate(counts.tolist()):
                yield rows[i, :count], scores[i, :count]
