"""Inverted lists (IVF): rows by the cell nearest to them, of which a search scans a few.

Sivic and Zisserman, "Video Google" (ICCV 2003); with 4-bit product-quantised codes as in André,
Kermarrec and Le Scouarnec (VLDB 2015), and the best of them scored anew in full precision.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from core.domain.library import IndexKind, Metric
from core.indexing.exact import Vectors
from core.indexing.ivf.lists import Lists, build_lists
from core.indexing.kernels import layout
from core.indexing.kernels.inverted import search_cells
from core.indexing.kernels.typing import Floats, Ints

_METRICS = {Metric.COSINE: layout.COSINE, Metric.DOT: layout.DOT, Metric.L2: layout.L2}
_QUERIES_AT_ONCE = 1_024


def build(vectors, *, nlist=None, seed=0, threads=1, cancelled=lambda: False, pull=0.7):
    n = len(vectors.matrix)
    nlist = nlist or round(4 * math.sqrt(n))
    lists = build_lists(vectors, nlist, pull=pull, seed=seed, threads=threads, cancelled=cancelled)
    block = np.zeros(layout.SIZE, np.int64)
    block[layout.COUNT], block[layout.DIMENSION] = vectors.matrix.shape
    block[layout.METRIC] = _METRICS[vectors.metric]
    block[layout.FLOATS] = vectors.matrix.ctypes.data
    block[layout.NORMS] = vectors.norms.ctypes.data
    return IvfIndex(vectors, lists, block)


@dataclass(frozen=True, slots=True, eq=False)
class IvfIndex:
    vectors: Vectors
    lists: Lists
    block: Ints

    def _search(self, queries, k, probed, depth, allowed=None):
        l = self.lists
        prepared = l.space.of_queries(queries)
        products = prepared @ l.cells.T
        halves = np.vecdot(l.cells, l.cells) / 2
        rows = np.empty((len(queries), k + 1), np.int64)
        scores = np.empty((len(queries), k + 1))
        counts = np.empty(len(queries), np.int64)
        probed = min(probed, len(l.cells))
        search_cells(self.block, queries, prepared, products, halves, probed, l.codebook, l.blocks, l.codes, l.biases, l.rows,
                     0 if allowed is None else allowed.ctypes.data, depth, rows, scores, counts)
        return rows, scores, counts
