"""What every vector index can do: find the nearest rows of one sealed segment."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from core.domain.library import IndexKind


@dataclass(frozen=True, slots=True)
class Effort:
    """How hard to look: exactly, by a kind's own parameter, or for a share of the true hits.

    A parameter that is given goes before `target_recall`; what is `None` the index chooses.
    """

    exact: bool = False
    ef: int | None = None
    nprobe: int | None = None
    target_recall: float | None = None

    def or_else(self, parameters: Mapping[str, float]) -> "Effort":
        """With a library's own parameters of a search, where this names none at all."""
        if not parameters or self.ef or self.nprobe or self.target_recall:
            return self
        return replace(
            self,
            ef=_count(parameters.get("ef")),
            nprobe=_count(parameters.get("nprobe")),
            target_recall=parameters.get("target_recall"),
        )


def _count(value: float | None) -> int | None:
    return None if value is None else int(value)


DEFAULT_EFFORT = Effort()


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """What one query finds in one part: best first, at least `min(k, allowed)` rows.

    `rows`: `(h,) intp`, numbered within the part. `scores`: `(h,) float64`, the true values of
    the metric, rounded to float32 where it can hold them; higher is better. Ties are in any
    order; with `exact`, all that tie with the k-th are there, as their ids will decide.
    """

    rows: NDArray[np.intp]
    scores: NDArray[np.float64]
    strategy: str
    exact: bool


def ranked(rows: NDArray[np.intp], scores: NDArray[np.float64], k: int, strategy: str) -> Found:
    """Of rows in no order, among which are the k best and all that tie with the last of them."""
    order = np.argsort(-scores, kind="stable")
    if k < len(order):
        order = order[: np.count_nonzero(scores >= scores[order[k - 1]])]
    return Found(rows[order], scores[order], strategy, exact=True)


class BuildCancelled(Exception):
    """Nobody wants the index any more that is being built."""


class VectorIndex(Protocol):
    """Immutable once built, and searched by any number of threads at once.

    `parameters`: as built. `memory_bytes`: without the vectors themselves.
    """

    @property
    def kind(self) -> IndexKind: ...

    @property
    def parameters(self) -> Mapping[str, float]: ...

    @property
    def memory_bytes(self) -> int: ...

    def search(
        self,
        queries: NDArray[np.float32],
        k: int,
        effort: Effort,
        allowed: NDArray[np.bool_] | None,
    ) -> list[Found]:
        """One `Found` for each of the queries.

        `queries`: `(q, d) float32`, as the client gave them. `allowed`: `(n,) bool`, the rows
        that may be found, at least one of them; all if `None`.
        """
        ...
