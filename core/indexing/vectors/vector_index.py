"""What a sealed segment is searched with, whatever its algorithm."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from core.domain.library import IndexKind

DEFAULT_RECALL = 0.98


@dataclass(frozen=True, slots=True)
class SearchParams:
    """How hard to look: exactly, by a kind's own parameter, or for a share of the true hits.

    `target_recall` is a mean over queries; a parameter that is given goes before it. `boost`: so
    many times what the calibration says, where less was found than it says.
    """

    exact: bool = False
    ef: int | None = None
    nprobe: int | None = None
    target_recall: float | None = None
    boost: float = 1.0

    @property
    def recall(self) -> float:
        """What is aimed at where no parameter is given."""
        return self.target_recall or DEFAULT_RECALL

    @property
    def is_chosen(self) -> bool:
        """True if a kind's own parameter is given, so that no recall is aimed at."""
        return self.ef is not None or self.nprobe is not None

    def or_else(self, parameters: Mapping[str, float]) -> "SearchParams":
        """With a library's own parameters of a search, where this names none at all."""
        if not parameters or self.ef or self.nprobe or self.target_recall:
            return self
        ef, nprobe = _count(parameters.get("ef")), _count(parameters.get("nprobe"))
        return SearchParams(self.exact, ef, nprobe, parameters.get("target_recall"), self.boost)


def _count(value: float | None) -> int | None:
    return None if value is None else int(value)


DEFAULT_PARAMS = SearchParams()


class BuildCancelled(Exception):
    """Nobody wants the index any more."""


@dataclass(frozen=True, slots=True, eq=False)
class SegmentHits:
    """At least `min(k, allowed)` rows, unless there are fewer.

    `rows`: `(h,) int64`, numbers within the part; `scores`: `(h,) float64`, the metric's true
    value, best first. All that tie with the k-th are among them if `exact`. `strategy`: what the
    filter made of the search.
    """

    rows: NDArray[np.int64]
    scores: NDArray[np.float64]
    strategy: str
    exact: bool


def ranked(
    rows: NDArray[np.int64], scores: NDArray[np.float64], k: int, strategy: str
) -> SegmentHits:
    """Return the best k of rows in any order, of which those beyond the k may be inexact."""
    order = np.argsort(-scores, kind="stable")
    if k < len(order):
        # Ties at the k-th place stay, as it is their ids that decide.
        order = order[: np.count_nonzero(scores >= scores[order[k - 1]])]
    return SegmentHits(rows[order], scores[order], strategy, exact=True)


class VectorIndex(Protocol):
    """Nearest neighbours among the rows of one sealed segment; searched by many threads at once."""

    @property
    def kind(self) -> IndexKind: ...

    @property
    def parameters(self) -> Mapping[str, float]:
        """As it was built, those that the program chose included."""
        ...

    @property
    def memory_bytes(self) -> int:
        """Beside the vectors."""
        ...

    def search(
        self,
        queries: NDArray[np.float32],
        k: int,
        effort: SearchParams,
        allowed: NDArray[np.bool_] | None,
    ) -> list[SegmentHits]:
        """The `k` nearest rows of each query.

        `queries`: `(q, d) float32`, C-contiguous. `allowed`: `(n,) bool`, the rows to choose
        from, all if `None`.
        """
        ...
