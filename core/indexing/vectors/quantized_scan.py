"""Exact search of quantised rows: a scan of a segment, or of the rows that a filter allows."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from core.indexing.kernels import layout
from core.indexing.kernels.scan import FACTS, scan_by_4, search_one, settle
from core.indexing.vectors.exact import RowNumbers
from core.indexing.vectors.quantized import QuantizedVectors, empty_aligned

_QUERIES_AT_ONCE = 32

FEW = 4
"""The queries a pass during a build, few, as the allocator keeps a thread's peak memory."""


def scan_exactly(
    quantized: QuantizedVectors,
    queries: NDArray[np.float32],
    k: int,
    rows: RowNumbers | None,
    *,
    at_once: int = _QUERIES_AT_ONCE,
) -> Iterator[tuple[RowNumbers, NDArray[np.float64]]]:
    """Yield for each query the rows that contain its k best, with their scores, in no order.

    The rows include all ties at the k-th place, and some others. O(n·d) a query. `queries`: `(q, d)
    float32`, C-contiguous. `rows`: the rows to choose from; all if `None`. `at_once`: the queries
    that share a pass over the rows; each takes eight bytes a row during the pass.
    """
    if len(queries) == 1 or quantized.block[layout.CODES] == 0:
        for i in range(len(queries)):
            yield _scan_one(quantized, queries[i], k, rows)
        return
    for start in range(0, len(queries), at_once):
        yield from _scan_by_4(quantized, queries[start : start + at_once], k, rows)


def _scan_one(
    quantized: QuantizedVectors, query: NDArray[np.float32], k: int, rows: RowNumbers | None
) -> tuple[RowNumbers, NDArray[np.float64]]:
    block = quantized.block
    count = quantized.count if rows is None else len(rows)
    code_words = int(block[layout.CODE_BYTES]) // 8
    scratch = empty_aligned((code_words + FACTS + k + 1 + count + 2,), np.int64)
    hits, scores = np.empty(count, np.int64), np.empty(count, np.float64)
    left = search_one(
        block,
        query.ctypes.data,
        quantized.scale,
        0 if rows is None else rows.ctypes.data,
        count,
        k,
        scratch.ctypes.data,
        hits,
        scores,
    )
    return hits[:left], scores[:left]


def _scan_by_4(
    quantized: QuantizedVectors, queries: NDArray[np.float32], k: int, rows: RowNumbers | None
) -> Iterator[tuple[RowNumbers, NDArray[np.float64]]]:
    block = quantized.block
    many = len(queries)
    if many % 4:
        queries = np.concatenate([queries, np.repeat(queries[-1:], -many % 4, axis=0)])
    padded = len(queries)
    count = quantized.count if rows is None else len(rows)
    listed = 0 if rows is None else rows.ctypes.data
    codes = empty_aligned((padded, int(block[layout.CODE_BYTES])), np.uint8)
    facts = np.empty((padded, FACTS), np.float64)
    pools = np.empty((padded, k + 1), np.int64)
    candidates = np.empty((padded, count), np.int64)
    counts = np.zeros((padded, 2), np.int64)
    products = np.empty(4, np.int64)
    scan_by_4(
        block,
        queries.ctypes.data,
        padded,
        quantized.scale,
        listed,
        count,
        k,
        codes.ctypes.data,
        facts.ctypes.data,
        pools.ctypes.data,
        candidates.ctypes.data,
        counts.ctypes.data,
        products.ctypes.data,
    )
    for i in range(many):
        hits = np.empty(counts[i, 1], np.int64)
        scores = np.empty(counts[i, 1], np.float64)
        left = settle(
            block,
            queries[i].ctypes.data,
            facts[i].ctypes.data,
            candidates[i].ctypes.data,
            counts[i, 1],
            hits,
            scores,
        )
        yield hits[:left], scores[:left]
