"""The widths of a product quantiser's tables: narrow where the values vary much.

A table's 4 bits, spent on g values of variances v, leave an error of about `g · (Π v)^(1/g) ·
2^(-8/g)`, by rate–distortion theory (Gersho and Gray, "Vector quantization and signal compression",
1992, §8). Equal widths would spend as much on the last principal components as on the first.
"""

import numpy as np
from numpy.typing import NDArray

from core.indexing.kernels.typing import Ints

_BITS = 4
_WIDEST = 64
_SMALLEST_VARIANCE = 1e-12


def share_out(variances: NDArray[np.float64], tables: int) -> Ints:
    """Divide the values among tables with the least error, `(t + 1,) int64`.

    Table t has the values from the t-th bound to before the next; `t = min(tables, D)`. Dynamic
    programming, O(t·D²).
    """
    count = len(variances)
    tables = min(tables, count)
    logs = np.log2(np.maximum(variances, _SMALLEST_VARIANCE))
    before = np.concatenate([[0.0], np.cumsum(logs)])
    # costs[i, j]: the error of one table for the values from i to before j.
    costs = np.full((count + 1, count + 1), np.inf)
    for width in range(1, min(count, max(_WIDEST, 2 * count // tables)) + 1):
        start = np.arange(count - width + 1)
        means = (before[start + width] - before[start] - 2 * _BITS) / width
        costs[start, start + width] = width * np.exp2(means)
    least = costs[0]
    choices = []
    for _ in range(tables - 1):
        options = least[:, np.newaxis] + costs
        choices.append(options.argmin(axis=0))
        least = options.min(axis=0)
    bounds = [count]
    for choice in reversed(choices):
        bounds.append(int(choice[bounds[-1]]))
    return np.array([0, *reversed(bounds)], np.int64)
