"""The metrics as indexes use them; `kernels.metric` is the part for kernels.

To add a metric, add it to `core.domain.library.Metric` and here. Kernels and codes rank rows by
dot products in one of three forms. A metric whose scores follow from those of a form, such as an
angle from a cosine, is that form with a `correction`. Any other metric has a `score` alone, and its
rows are scanned by numpy.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from core.domain.library import Metric
from core.indexing.kernels import layout

Floats: TypeAlias = NDArray[np.float64]

_TINY = float(np.finfo(np.float32).smallest_normal)


@dataclass(frozen=True, slots=True)
class Products:
    """Float32 dot products of rows with a query, and what bounds their rounding errors.

    `products`: `(n,) float64`. `norms`: `(n,) float64`, those of the rows. `length`: that of the
    query. `dimension`: d. `gamma`: the greatest error of a product, relative to `|x|·|q|`.
    """

    products: Floats
    norms: Floats
    length: float
    dimension: int
    gamma: float


@dataclass(frozen=True, slots=True)
class MetricForm:
    """The ranking of rows by one metric.

    `score`: the scores of rows `(n, d) float64` with a query `(d,) float64`. `bounds`: the rows'
    values, which order rows as scores do, by their products, and the bounds of the values' errors.
    `number`: the form's number in the kernels' block and in files. Both are `None` if dot products
    do not rank the rows. `correction`: converts scores `(h,) float64` to those of the metric, in
    the same order; `None` if they are the same.
    """

    score: Callable[[Floats, Floats], Floats]
    bounds: Callable[[Products], tuple[Floats, Floats]] | None = None
    number: int | None = None
    correction: Callable[[Floats], Floats] | None = None

    @property
    def is_cosine(self) -> bool:
        """True if rows are compared as unit vectors."""
        return self.number == layout.COSINE

    @property
    def is_dot(self) -> bool:
        """True if the length of a row counts, so that long rows are hits of most queries."""
        return self.number == layout.DOT

    @property
    def is_l2(self) -> bool:
        """True if values have the term |x|²/2, and codes are of the rows less a shift."""
        return self.number == layout.L2


def _cosine(rows: Floats, query: Floats) -> Floats:
    lengths = np.sqrt((rows * rows).sum(axis=1) * (query * query).sum())
    return np.asarray((rows * query).sum(axis=1) / lengths + 0.0)  # no -0.0


def _cosine_bounds(dots: Products) -> tuple[Floats, Floats]:
    return dots.products / dots.norms, np.full_like(dots.norms, dots.gamma * dots.length)


def _dot(rows: Floats, query: Floats) -> Floats:
    return np.asarray((rows * query).sum(axis=1) + 0.0)


def _dot_bounds(dots: Products) -> tuple[Floats, Floats]:
    return dots.products, dots.gamma * dots.length * dots.norms + dots.dimension * _TINY


def _l2(rows: Floats, query: Floats) -> Floats:
    return np.asarray(0.0 - np.sqrt(((rows - query) ** 2).sum(axis=1)))


def _l2_bounds(dots: Products) -> tuple[Floats, Floats]:
    error = dots.gamma * (dots.norms + dots.length) ** 2 + dots.dimension * _TINY
    return 2 * dots.products - dots.norms**2, error


FORMS: Final[Mapping[Metric, MetricForm]] = {
    Metric.COSINE: MetricForm(_cosine, _cosine_bounds, layout.COSINE),
    Metric.DOT: MetricForm(_dot, _dot_bounds, layout.DOT),
    Metric.L2: MetricForm(_l2, _l2_bounds, layout.L2),
}
