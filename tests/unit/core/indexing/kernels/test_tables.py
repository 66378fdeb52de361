from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from core.indexing.kernels import inverted_layout as layout
from core.indexing.kernels.tables import fill_tables


@given(sizes=st.lists(st.integers(0, 5), min_size=1, max_size=30), seed=st.integers(0, 2**32 - 1))
def test_tables_are_products_in_8_bits(sizes: list[int], seed: int) -> None:
    rng = np.random.default_rng(seed)
    widths = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
    query = rng.standard_normal(widths[-1] + 1).astype(np.float32)
    points = rng.standard_normal((widths[-1] + 1, 16)).astype(np.float32)
    block = np.zeros(layout.SIZE, np.int64)
    block[layout.TABLES], block[layout.WIDTHS] = len(sizes), widths.ctypes.data
    block[layout.POINTS] = points.ctypes.data
    tables = np.empty((len(sizes), 16), np.uint8)
    limit = 2_000.0
    scale, least = fill_tables(
        block, query, limit, np.empty(tables.shape, np.float32), tables.ctypes.data
    )
    parts = [slice(*bounds) for bounds in pairwise(widths)]
    products = np.array([query[part] @ points[part] for part in parts])
    low = products.min(axis=1, keepdims=True)
    assert np.abs(scale * tables.astype(np.float64) + low - products).max() <= 0.51 * scale + 1e-5
    assert abs(least - low.sum()) < 1e-4
    assert tables.max(axis=1).sum(dtype=np.int64) <= limit + len(sizes)
