"""Hierarchical navigable small worlds (Malkov and Yashunin, 2018), walked by 8-bit codes.

A search takes O(log n) steps in practice, each of which compares a node's neighbours; the hits are
scored in full precision. Apart from the vectors, the index takes d bytes a row for codes and 8·M
for links. `build` builds it.
"""

import math
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from core.domain.library import IndexKind
from core.indexing.hnsw.scratch import Scratch
from core.indexing.kernels import layout
from core.indexing.kernels.walk import search_graph
from core.indexing.vectors.calibration import Calibration
from core.indexing.vectors.flat import count_matches, needs_scan, search_exactly
from core.indexing.vectors.quantized import QuantizedVectors
from core.indexing.vectors.vector_index import SearchParams, SegmentHits

_MAX_EF = 1 << 14
_MIN_EXTRA_SCORED = 4
"""The least candidates beyond k to score in full precision; each costs as much as ten steps."""
_FILTERED_DOT = 4
"""The least pool of a filtered walk under inner products, as a multiple of k.

Where rows differ in length, the long ones lead the walk, and a filter may exclude these.
"""
_PRECISE_EF = 256
"""The least pool of a full-precision walk, as a calibration may have had no such queries."""
_FRONTIER = 4_096
_STEPS_PER_EF = 12
"""About how many rows a walk compares for each place of its pool, on easy and hard data."""
_WALK_COST = 4
"""The cost of comparing a row in a walk, where a row in a scan costs 1: random access is slow."""
_SCAN = 0
"""In place of an `ef`: a scan answers."""
_MAX_REMEMBERED = 1_024
_LAZY_FILTER_SHARE = 0.4
"""The share of allowed rows from which a walk applies the filter only to its result."""


@dataclass(frozen=True, slots=True, eq=False)
class HnswIndex:
    """A navigable small-world graph over quantised rows, with its calibration."""

    quantized: QuantizedVectors
    calibration: Calibration
    ef_construction: int
    _idle: deque[Scratch] = field(default_factory=deque)
    _efs: dict[tuple[int, SearchParams], int] = field(default_factory=dict)

    @property
    def kind(self) -> IndexKind:
        return IndexKind.HNSW

    @property
    def degree(self) -> int:
        return int(self.quantized.block[layout.DEGREE])

    @property
    def parameters(self) -> Mapping[str, float]:
        return {
            "m": self.degree,
            "ef_construction": self.ef_construction,
            "ef": self._ef(10, SearchParams()),
            "max_recall": round(self.calibration.max_recall, 4),
        }

    @property
    def memory_bytes(self) -> int:
        return self.quantized.memory_bytes + sum(scratch.memory_bytes for scratch in self._idle)

    def search(
        self,
        queries: NDArray[np.float32],
        k: int,
        params: SearchParams,
        allowed: NDArray[np.bool_] | None,
    ) -> list[SegmentHits]:
        if allowed is None:
            ef = self._unfiltered_ef(k, params)
            if ef == _SCAN:
                return search_exactly(self.quantized, queries, k, None)
            return self.walk(queries, k, ef)
        ef = self._ef(k, params)
        matches = count_matches(self.quantized, allowed)
        share = max(matches, 1) / self.quantized.count
        if self._is_scanned(k, params, matches, ef, share):
            return search_exactly(self.quantized, queries, k, allowed)
        filtering = _Filtering(allowed, matches, k, is_lazy=share >= _LAZY_FILTER_SHARE)
        if not filtering.is_lazy:
            if self.quantized.vectors.form.is_dot:
                ef = max(ef, _FILTERED_DOT * k)
            return self._walk(queries, k, ef, filtering)
        # Wide enough for as many matches as without a filter. If matches are spread evenly, three
        # in a hundred queries find fewer than k, and walk again with the filter.
        width = max(ef, k + 1.5 * math.sqrt(k)) / share
        return self._walk(queries, k, math.ceil(width), filtering)

    def walk(self, queries: NDArray[np.float32], k: int, ef: int) -> list[SegmentHits]:
        """Search by the graph, even if a scan were cheaper."""
        return self._walk(queries, k, ef, _NO_FILTER)

    def _ef(self, k: int, params: SearchParams) -> int:
        if params.ef is not None:
            return min(max(params.ef, k), _MAX_EF)
        return min(int(params.boost * self.calibration.ef(params.recall, k)), _MAX_EF)

    def _unfiltered_ef(self, k: int, params: SearchParams) -> int:
        """Return the `ef` of a search without a filter, `_SCAN` if a scan answers it."""
        remembered = self._efs.get((k, params))
        if remembered is not None:
            return remembered
        ef = self._ef(k, params)
        chosen = _SCAN if self._is_scanned(k, params, self.quantized.count, ef, 1.0) else ef
        if len(self._efs) < _MAX_REMEMBERED:
            self._efs[k, params] = chosen
        return chosen

    def _is_scanned(
        self, k: int, params: SearchParams, matches: int, ef: int, share: float
    ) -> bool:
        """Return whether only a scan is exact enough, or a scan is cheaper than a walk."""
        return self._scan_is_cheaper(matches, ef, share) or needs_scan(
            params, self.calibration.max_recall, matches, k
        )

    def _scan_is_cheaper(self, rows: int, ef: int, share: float) -> bool:
        return rows <= _WALK_COST * _STEPS_PER_EF * ef / share

    def _walk(
        self, queries: NDArray[np.float32], k: int, ef: int, filtering: "_Filtering"
    ) -> list[SegmentHits]:
        ef = min(ef, _MAX_EF)
        scored = min(ef, k + max(k // 2, _MIN_EXTRA_SCORED))
        rows = np.empty((len(queries), scored), np.int64)
        scores = np.empty((len(queries), scored))
        counts = np.empty(len(queries), np.int64)
        precise_ef = min(_MAX_EF, max(ef, 4 * k, _PRECISE_EF))
        scratch = self._lease(precise_ef)
        try:
            search_graph(
                self.quantized.block,
                scratch.block,
                queries,
                self.quantized.step,
                self.quantized.shift,
                k,
                ef,
                precise_ef,
                scored,
                self.quantized.is_whole,
                filtering.walk_mask,
                filtering.score_mask,
                filtering.budget,
                rows,
                scores,
                counts,
            )
        finally:
            self._idle.append(scratch)
        hits: list[SegmentHits] = []
        for i, count in enumerate(counts.tolist()):
            if count < filtering.min_hits:
                # The walk did not find enough allowed rows.
                query = queries[i : i + 1]
                if filtering.is_lazy:
                    hits += self._walk(query, k, ef, filtering.eager())
                else:
                    hits += search_exactly(self.quantized, query, k, filtering.allowed)
            else:
                strategy = filtering.strategy
                hits.append(SegmentHits(rows[i, :count], scores[i, :count], strategy, exact=False))
        return hits

    def _lease(self, ef: int) -> Scratch:
        # `deque.pop` gives each scratch to one thread only.
        try:
            scratch = self._idle.pop()
        except IndexError:
            return self._scratch(ef)
        return scratch if scratch.ef >= ef else self._scratch(ef)

    def _scratch(self, ef: int) -> Scratch:
        rounded = 1 << (ef - 1).bit_length()
        return Scratch.of(self.quantized, ef=rounded, degree=self.degree, frontier=_FRONTIER)


class _Filtering:
    """A filter of a walk; `is_lazy`: rows are tested only when they are scored."""

    def __init__(
        self, allowed: NDArray[np.bool_] | None, matches: int, k: int, *, is_lazy: bool
    ) -> None:
        self.allowed, self._matches, self._k = allowed, matches, k
        self.is_lazy = is_lazy
        self.min_hits = min(k, matches)
        address = 0 if allowed is None else allowed.ctypes.data
        self.walk_mask, self.score_mask = (0, address) if is_lazy else (address, 0)
        # Beyond this many distances, a scan of the matches is cheaper.
        self.budget = matches // 2 + 1_000
        self.strategy = "none"
        if allowed is not None:
            self.strategy = "checked" if is_lazy else "filtered_graph"

    def eager(self) -> "_Filtering":
        """Return the filter that the walk itself applies."""
        return _Filtering(self.allowed, self._matches, self._k, is_lazy=False)


_NO_FILTER = _Filtering(None, 0, 0, is_lazy=False)
