"""The 8-bit scan is exact: it finds the rows that float64 finds, for any data."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from core.domain.library import Metric
from core.indexing.vectors.flat import FlatIndex
from core.indexing.vectors.quantized import encode, unquantized
from core.indexing.vectors.vector_index import SearchParams, SegmentHits
from tests.unit.core.indexing.vectors_of import clustered, scores_of, vectors_of

METRICS = list(Metric)


def _index(rows: NDArray[np.float32], metric: Metric, threads: int = 2) -> FlatIndex:
    with ThreadPoolExecutor(threads) as pool:
        return FlatIndex(encode(vectors_of(rows, metric), pool, threads))


def _index_without_codes(rows: NDArray[np.float32], metric: Metric) -> FlatIndex:
    return FlatIndex(unquantized(vectors_of(rows, metric)))


def _check(hits: SegmentHits, expected: NDArray[np.float64], k: int) -> None:
    """Check the hits and all ties with the k-th, where rounding decides what ties."""
    assert hits.exact
    k = min(k, int(np.isfinite(expected).sum()))
    assert len(hits.rows) >= k
    assert hits.scores == pytest.approx(expected[hits.rows], rel=1e-6, abs=1e-12)
    assert (np.diff(hits.scores) <= 0).all()
    kth = np.sort(expected)[::-1][k - 1]
    tolerance = 1e-6 * abs(kth)
    assert set(np.flatnonzero(expected > kth + tolerance)) <= set(hits.rows.tolist())
    assert (expected[hits.rows[:k]] >= kth - tolerance).all()


@pytest.mark.parametrize("make", [_index, _index_without_codes])
@pytest.mark.parametrize("metric", METRICS)
@given(
    count=st.integers(1, 90),
    dimension=st.integers(1, 70),
    many=st.integers(1, 7),
    k=st.integers(1, 12),
    scale=st.sampled_from([1e-6, 1.0, 300.0, 1e6]),
    offset=st.sampled_from([0.0, 1.0, 1e4]),
    share=st.sampled_from([None, 0.1, 0.6]),
    seed=st.integers(0, 2**32 - 1),
)
@settings(max_examples=60)
def test_as_float64_finds(
    make: Callable[[NDArray[np.float32], Metric], FlatIndex],
    metric: Metric,
    count: int,
    dimension: int,
    many: int,
    k: int,
    scale: float,
    offset: float,
    share: float | None,
    seed: int,
) -> None:
    rng = np.random.default_rng(seed)
    rows = np.asarray(scale * (rng.standard_normal((count, dimension)) + offset), np.float32)
    rows[rng.integers(0, count, count // 3)] = rows[0]
    queries = np.asarray(scale * (rng.standard_normal((many, dimension)) + offset), np.float32)
    queries[0] = rows[0]
    allowed = None if share is None else rng.random(count) < share
    answers = make(rows, metric).search(queries, k, SearchParams(), allowed)
    for query, hits in zip(queries, answers, strict=True):
        expected = scores_of(rows, query, metric)
        if allowed is None:
            _check(hits, expected, k)
        elif allowed.any():
            assert allowed[hits.rows].all()
            _check(hits, np.where(allowed, expected, -np.inf), k)
        else:
            assert not len(hits.rows)


@pytest.mark.parametrize("metric", METRICS)
def test_equal_vectors_all_tie(metric: Metric) -> None:
    rows = np.full((500, 24), 0.3, np.float32)
    [hits] = _index(rows, metric).search(rows[:1], 10, SearchParams(), None)
    assert sorted(hits.rows.tolist()) == list(range(500))
    assert len(set(hits.scores.tolist())) == 1


def test_whole_numbers_of_a_byte_are_coded_without_error() -> None:
    rows = np.random.default_rng(0).integers(0, 256, (300, 30)).astype(np.float32)
    rows[0, :2] = 0, 255
    index = _index(rows, Metric.L2)
    assert index.quantized.step == 1.0
    assert index.quantized.scale[3] < 1e-5


def test_far_outside_numbers_do_not_coarsen_the_rest() -> None:
    rows = clustered(2_000, 16)
    rows[7, 3] = 1e6
    index = _index(rows, Metric.DOT)
    assert index.quantized.step < 1.0
    [hits] = index.search(rows[7:8], 1, SearchParams(), None)
    assert hits.rows[0] == 7


def test_codes_take_a_byte_for_each_number() -> None:
    rows = clustered(1_000, 128)
    assert _index(rows, Metric.COSINE).memory_bytes < 0.4 * rows.nbytes
