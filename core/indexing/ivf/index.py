"""Inverted lists (IVF): rows grouped by their nearest cell; a search scans a few cells.

Sivic and Zisserman, "Video Google" (ICCV 2003), with 4-bit product-quantised codes, scanned as in
André, Kermarrec and Le Scouarnec (VLDB 2015). The best rows are scored in full precision. A search
that probes p of c cells, with D components of a row in t tables, and scores R rows takes O(c·D +
n·t·p/c + R·d). Apart from the vectors, the index takes t/2 + 8 bytes a row, and the cells. `build`
builds it.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.domain.library import IndexKind
from core.indexing.ivf.tuning import Tuning
from core.indexing.kernels import inverted_layout, layout
from core.indexing.kernels.inverted import search_cells
from core.indexing.vectors.calibration import K
from core.indexing.vectors.flat import count_matches, needs_scan, search_exactly
from core.indexing.vectors.quantized import QuantizedVectors
from core.indexing.vectors.vector_index import DEFAULT_PARAMS, SearchParams, SegmentHits

_QUERIES_AT_ONCE = 256
"""The batch size at which the queries' tables fit in a core's cache."""
_KEYS_AT_ONCE = 1 << 20
_MISSES = 0.08
"""The expected share of missed hits from which a query scores `_DEEPER` times as many rows.

Near copies have the same code, so a query among them may miss more hits.
"""
_DEEPER = 4


@dataclass(frozen=True, slots=True, eq=False)
class IvfIndex:
    """Inverted lists over rows.

    `quantized`: the rows without 8-bit codes, and the lists, see `kernels.inverted_layout`.
    """

    quantized: QuantizedVectors
    tuning: Tuning

    @property
    def kind(self) -> IndexKind:
        return IndexKind.IVF

    @property
    def cells(self) -> int:
        return int(self.quantized.block[inverted_layout.CELLS])

    @property
    def parameters(self) -> Mapping[str, float]:
        nprobe, _ = self.tuning.of(DEFAULT_PARAMS, K)
        max_recall = round(self.tuning.max_recall, 4)
        return {"nlist": self.cells, "nprobe": nprobe, "max_recall": max_recall}

    @property
    def memory_bytes(self) -> int:
        return self.quantized.memory_bytes

    def search(
        self,
        queries: NDArray[np.float32],
        k: int,
        params: SearchParams,
        allowed: NDArray[np.bool_] | None,
    ) -> list[SegmentHits]:
        nprobe, depth = self.tuning.of(params, k)
        matches = count_matches(self.quantized, allowed)
        # Scan as many allowed rows as a search without a filter scans rows.
        nprobe = min(int(np.ceil(nprobe * self.quantized.count / max(matches, 1))), self.cells)
        scanned = needs_scan(params, self.tuning.max_recall, matches, k)
        if scanned or self._scan_is_cheaper(matches, nprobe, depth):
            return search_exactly(self.quantized, queries, k, allowed)
        return self.probe(queries, k, nprobe, depth, allowed)

    def probe(
        self,
        queries: NDArray[np.float32],
        k: int,
        nprobe: int,
        depth: int,
        allowed: NDArray[np.bool_] | None = None,
    ) -> list[SegmentHits]:
        """Search by cells, even if a scan were cheaper; probe more cells if these have few rows."""
        step = max(1, min(_QUERIES_AT_ONCE, _KEYS_AT_ONCE // depth))
        hits: list[SegmentHits] = []
        for start in range(0, len(queries), step):
            hits += self._probe(queries[start : start + step], k, nprobe, depth, allowed)
        short = [i for i, of_query in enumerate(hits) if len(of_query.rows) < k]
        if short and nprobe < self.cells:
            wider = min(4 * nprobe, self.cells)
            for i, of_query in zip(
                short, self.probe(queries[short], k, wider, depth, allowed), strict=True
            ):
                hits[i] = of_query
        return hits

    def _probe(
        self,
        queries: NDArray[np.float32],
        k: int,
        nprobe: int,
        depth: int,
        allowed: NDArray[np.bool_] | None,
    ) -> list[SegmentHits]:
        rows = np.empty((len(queries), k + 1), np.int64)
        scores = np.empty((len(queries), k + 1))
        counts, misses = np.empty(len(queries), np.int64), np.empty(len(queries))
        search_cells(
            self.quantized.block,
            queries,
            min(nprobe, self.cells),
            min(max(depth, k), self.quantized.count),
            0 if allowed is None else allowed.ctypes.data,
            rows,
            scores,
            counts,
            misses,
        )
        strategy = "none" if allowed is None else "filtered_lists"
        hits = [
            SegmentHits(rows[i, :count], scores[i, :count], strategy, exact=False)
            for i, count in enumerate(counts.tolist())
        ]
        shallow = np.flatnonzero(misses > _MISSES * k)
        if len(shallow):
            again = self.probe(queries[shallow], k, nprobe, _DEEPER * depth, allowed)
            for i, of_query in zip(shallow.tolist(), again, strict=True):
                hits[i] = of_query
        return hits

    def _scan_is_cheaper(self, matches: int, nprobe: int, depth: int) -> bool:
        """Compare by the bytes that a scan and a search by cells read."""
        row_bytes = 4 * int(self.quantized.block[layout.DIMENSION])
        lists, cells = (
            self.quantized.arrays[place].nbytes
            for place in (inverted_layout.LIST_CODES, inverted_layout.CELL_CODES)
        )
        return (matches - depth) * row_bytes <= lists * nprobe / self.cells + cells
