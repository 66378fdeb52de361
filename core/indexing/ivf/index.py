"""Inverted lists (IVF): rows by the cell nearest to them, of which a search looks at a few.

Sivic and Zisserman, "Video Google" (ICCV 2003), with the 4-bit codes of `lists`; the best by
their codes are scored anew in full precision. O(c·d + p·n/c·d) a search, for p of c cells: few
instructions for each row, and in a batch each list is read once for many queries. Beside the
vectors it takes d/4 bytes a row for the codes, 8 for its number and bias, and the cells.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.domain.library import IndexKind
from core.indexing.calibration import K
from core.indexing.coded import Coded
from core.indexing.flat import search_exactly
from core.indexing.ivf.lists import Lists
from core.indexing.ivf.tuning import DEFAULT_RECALL, Tuning
from core.indexing.kernels.inverted import search_cells
from core.indexing.vector_index import Effort, Found

_QUERIES_AT_ONCE = 1_024
_SCORED_AT_ONCE = 1 << 20
_SCANNED_BY_CODES = 12
"""How many rows a search by codes can look at in the time that one takes exactly."""


@dataclass(frozen=True, slots=True, eq=False)
class IvfIndex:
    """`coded`: the rows as kernels take them, without 8-bit codes."""

    coded: Coded
    lists: Lists
    tuning: Tuning

    @property
    def kind(self) -> IndexKind:
        return IndexKind.IVF

    @property
    def parameters(self) -> Mapping[str, float]:
        nprobe, _ = self.tuning.of(Effort(target_recall=DEFAULT_RECALL), K)
        return {"nlist": len(self.lists.cells), "nprobe": nprobe}

    @property
    def memory_bytes(self) -> int:
        return self.lists.memory_bytes

    def search(
        self,
        queries: NDArray[np.float32],
        k: int,
        effort: Effort,
        allowed: NDArray[np.bool_] | None,
    ) -> list[Found]:
        nprobe, depth = self.tuning.of(effort, k)
        matches = self.coded.count if allowed is None else int(np.count_nonzero(allowed))
        # As many of the allowed rows are then among those scanned as without a filter.
        nprobe = min(
            int(np.ceil(nprobe * self.coded.count / max(matches, 1))), len(self.lists.cells)
        )
        if effort.exact or matches <= depth or self._exactly_is_cheaper(matches, nprobe):
            return search_exactly(self.coded, queries, k, allowed)
        step = max(1, min(_QUERIES_AT_ONCE, _SCORED_AT_ONCE // depth))
        parts = (queries[start : start + step] for start in range(0, len(queries), step))
        return [found for part in parts for found in self.probe(part, k, nprobe, depth, allowed)]

    def probe(
        self,
        queries: NDArray[np.float32],
        k: int,
        nprobe: int,
        depth: int,
        allowed: NDArray[np.bool_] | None = None,
    ) -> list[Found]:
        """By the cells, whatever else were cheaper; in more of them where these hold too little."""
        rows, scores, counts = self._probed(queries, k, nprobe, depth, allowed)
        strategy = "none" if allowed is None else "filtered_lists"
        found = [
            Found(rows[i, :count], scores[i, :count], strategy, exact=False)
            for i, count in enumerate(counts.tolist())
        ]
        if nprobe < len(self.lists.cells) and len(short := np.flatnonzero(counts < k)):
            wider = min(4 * nprobe, len(self.lists.cells))
            again = self.probe(np.ascontiguousarray(queries[short]), k, wider, depth, allowed)
            for i, better in zip(short.tolist(), again, strict=True):
                found[i] = better
        return found

    def _probed(
        self,
        queries: NDArray[np.float32],
        k: int,
        nprobe: int,
        depth: int,
        allowed: NDArray[np.bool_] | None,
    ) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.int64]]:
        """`rows`, `scores` `(q, k + 1)`, of which `counts` `(q,)` are filled."""
        lists = self.lists
        prepared = lists.space.of_queries(queries)
        products = prepared @ lists.cells.T
        rows = np.empty((len(queries), k + 1), np.int64)
        scores = np.empty((len(queries), k + 1))
        counts = np.empty(len(queries), np.int64)
        search_cells(
            self.coded.block,
            queries,
            prepared,
            products,
            lists.halves,
            nprobe,
            lists.codebook,
            lists.blocks,
            lists.codes,
            lists.biases,
            lists.rows,
            0 if allowed is None else allowed.ctypes.data,
            depth,
            rows,
            scores,
            counts,
        )
        return rows, scores, counts

    def _exactly_is_cheaper(self, matches: int, nprobe: int) -> bool:
        scanned = self.coded.count * nprobe / len(self.lists.cells)
        return matches * _SCANNED_BY_CODES <= scanned
