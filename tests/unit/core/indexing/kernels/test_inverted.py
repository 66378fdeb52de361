import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from core.indexing.kernels.inverted import choose_cells, select_smallest
from core.indexing.kernels.quantizing import fill_tables


@settings(deadline=None)
@given(st.lists(st.integers(-50, 50), min_size=1, max_size=200), st.data())
def test_the_smallest_come_first_and_their_largest_last(
    keys: list[int], draw: st.DataObject
) -> None:
    wanted = draw.draw(st.integers(1, len(keys)))
    array = np.array(keys, np.int64)
    select_smallest(array, len(array), wanted)
    assert sorted(array.tolist()) == sorted(keys)
    assert sorted(array[:wanted].tolist()) == sorted(keys)[:wanted]
    assert array[wanted - 1] == sorted(keys)[wanted - 1]


@settings(deadline=None)
@given(cells=st.integers(1, 300), seed=st.integers(0, 2**32 - 1), draw=st.data())
def test_the_nearest_cells_are_chosen(cells: int, seed: int, draw: st.DataObject) -> None:
    wanted = draw.draw(st.integers(1, cells))
    rng = np.random.default_rng(seed)
    products, halves = rng.standard_normal((2, cells)).astype(np.float32)
    values = np.full(-(-cells // 32) * 32, -np.inf, np.float32)
    out = np.empty(wanted, np.int64)
    choose_cells(products, halves, wanted, values, np.empty(2 * wanted + 64, np.int64), out)
    expected = np.argsort(halves - products)[:wanted]
    assert out[0] == expected[0]
    assert set(out.tolist()) == set(expected.tolist())


@settings(deadline=None)
@given(pairs=st.integers(1, 40), seed=st.integers(0, 2**32 - 1))
def test_tables_are_products_in_8_bits(pairs: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    query = rng.standard_normal(2 * pairs).astype(np.float32)
    codebook = rng.standard_normal((pairs, 2, 16)).astype(np.float32)
    values, tables = np.empty((pairs, 16), np.float32), np.empty(16 * pairs, np.uint8)
    limit = 2_000.0
    scale, offset = fill_tables(query, codebook, limit, values, tables)
    products = np.einsum("pi,pij->pj", query.reshape(pairs, 2), codebook)
    entries = tables.reshape(pairs, 16).astype(np.float64)
    low = products.min(axis=1)
    assert np.abs(scale * entries + low[:, np.newaxis] - products).max() <= 0.51 * scale
    assert abs(offset - low.sum()) < 1e-3
    assert entries.max(axis=1).sum() <= limit + pairs / 2
