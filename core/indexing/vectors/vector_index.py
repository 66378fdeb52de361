"""The contract of a sealed segment's vector index, whatever its algorithm."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from core.domain.library import IndexKind

DEFAULT_RECALL = 0.98


class SearchParams(NamedTuple):
    """Parameters of a search: exact, by `ef` or `nprobe`, or by a target recall.

    `target_recall`: a mean over queries, ignored if `ef` or `nprobe` is given. `boost`: the factor
    on the calibrated `ef` or `nprobe`, used when measured recall is below the calibration's.
    """

    exact: bool = False
    ef: int | None = None
    nprobe: int | None = None
    target_recall: float | None = None
    boost: float = 1.0

    @property
    def recall(self) -> float:
        """The recall that a search aims at if neither `ef` nor `nprobe` is given."""
        return self.target_recall or DEFAULT_RECALL

    @property
    def is_fixed(self) -> bool:
        """True if `ef` or `nprobe` is given, so that no recall is aimed at."""
        return self.ef is not None or self.nprobe is not None

    def or_else(self, parameters: Mapping[str, float]) -> "SearchParams":
        """Return the library's own search parameters if none is set here."""
        if not parameters or self.ef or self.nprobe or self.target_recall:
            return self
        ef, nprobe = _count(parameters.get("ef")), _count(parameters.get("nprobe"))
        return SearchParams(self.exact, ef, nprobe, parameters.get("target_recall"), self.boost)


def _count(value: float | None) -> int | None:
    return None if value is None else int(value)


DEFAULT_PARAMS = SearchParams()


class BuildCancelled(Exception):
    """The build was cancelled, as its index is no longer wanted."""


@dataclass(frozen=True, slots=True, eq=False)
class SegmentHits:
    """Hits within one segment: at least `min(k, allowed)` rows, unless fewer exist.

    `rows`: `(h,) int64`, row numbers within the segment. `scores`: `(h,) float64`, the metric's
    true value, best first. If `exact`, all ties with the k-th hit are included. `strategy`: how the
    search applied the filter.
    """

    rows: NDArray[np.int64]
    scores: NDArray[np.float64]
    strategy: str
    exact: bool


def rank_hits(
    rows: NDArray[np.int64], scores: NDArray[np.float64], k: int, strategy: str
) -> SegmentHits:
    """Sort hits and keep the best k with their ties; hits beyond the k best may be inexact."""
    order = np.argsort(-scores, kind="stable")
    if k < len(order):
        # Keep ties at the k-th place: the caller breaks ties by chunk id.
        order = order[: np.count_nonzero(scores >= scores[order[k - 1]])]
    return SegmentHits(rows[order], scores[order], strategy, exact=True)


class VectorIndex(Protocol):
    """A nearest-neighbour index over one sealed segment, searched by many threads at once."""

    @property
    def kind(self) -> IndexKind: ...

    @property
    def parameters(self) -> Mapping[str, float]:
        """The parameters of the build, including those that the program chose."""
        ...

    @property
    def memory_bytes(self) -> int:
        """The bytes of the index, without the vectors."""
        ...

    def search(
        self,
        queries: NDArray[np.float32],
        k: int,
        params: SearchParams,
        allowed: NDArray[np.bool_] | None,
    ) -> list[SegmentHits]:
        """Return the `k` nearest rows of each query.

        `queries`: `(q, d) float32`, C-contiguous. `allowed`: `(n,) bool`, the rows to choose from;
        all if `None`.
        """
        ...
