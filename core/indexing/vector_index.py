"""What every vector index can do: find the nearest rows of one sealed segment."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from core.domain.library import IndexKind


@dataclass(frozen=True, slots=True)
class Effort:
    """How hard an approximate index tries; what is `None` the index chooses."""

    exact: bool = False
    ef: int | None = None
    nprobe: int | None = None
    target_recall: float | None = None

    def or_else(self, parameters: Mapping[str, float]) -> "Effort":
        """With a library's own `ef` and `nprobe` where this names none."""
        if not parameters:
            return self
        return replace(
            self,
            ef=self.ef if self.ef is not None else _count(parameters.get("ef")),
            nprobe=self.nprobe if self.nprobe is not None else _count(parameters.get("nprobe")),
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
