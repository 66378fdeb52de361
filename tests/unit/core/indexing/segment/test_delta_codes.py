from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from core.domain.library import Metric
from core.indexing.kernels import layout
from core.indexing.segment.delta_codes import QUANTIZED_FROM, DeltaCodes
from core.indexing.vectors.exact import Vectors, nearest_with_ties
from core.indexing.vectors.flat import search_exactly

DIMENSION, K = 20, 5


def vectors_of(rows: NDArray[np.float32], metric: Metric) -> Vectors:
    return Vectors(metric, rows, np.linalg.norm(rows.astype(np.float64), axis=1))


def check(codes: DeltaCodes, vectors: Vectors, query: NDArray[np.float32]) -> None:
    quantized = codes.of(vectors)
    assert quantized.count == len(vectors.matrix)
    [hits] = search_exactly(quantized, query[np.newaxis], K, None)
    rows, scores = nearest_with_ties(vectors, query, K, None)
    assert set(hits.rows.tolist()) == set(rows.tolist())
    assert hits.scores.tolist() == pytest.approx(sorted(scores, reverse=True), rel=1e-6)


@settings(max_examples=60)
@given(
    metric=st.sampled_from(Metric),
    counts=st.lists(st.integers(1, 4 * QUANTIZED_FROM), min_size=1, max_size=8),
    growth=st.sampled_from([1.0, 1.01, 1.3]),
    seed=st.integers(0, 2**32 - 1),
)
def test_each_view_finds_what_a_scan_of_its_rows_finds(
    metric: Metric, counts: list[int], growth: float, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    rows = rng.standard_normal((max(counts), DIMENSION))
    # Later rows lie outside the codes' range, which the first rows determined.
    rows *= np.minimum(growth ** np.arange(len(rows)), 1e6)[:, np.newaxis]
    vectors = vectors_of(rows.astype(np.float32), metric)
    codes = DeltaCodes()
    for count in counts:
        view = Vectors(metric, vectors.matrix[:count], vectors.norms[:count])
        check(codes, view, rng.standard_normal(DIMENSION).astype(np.float32))


def test_each_row_is_coded_a_few_times_however_many_come() -> None:
    rows = np.random.default_rng(1).standard_normal((20_000, DIMENSION)).astype(np.float32)
    vectors = vectors_of(rows, Metric.DOT)
    codes, arrays = DeltaCodes(), set()
    for count in range(100, len(rows), 100):
        quantized = codes.of(Vectors(Metric.DOT, vectors.matrix[:count], vectors.norms[:count]))
        if count >= QUANTIZED_FROM:
            arrays.add(quantized.block[layout.CODES])
    assert len(arrays) <= np.log2(len(rows) / QUANTIZED_FROM) + 1
    assert codes.memory_bytes <= 2 * len(rows) * (64 + 4 * 3)


def test_a_writer_makes_the_codes_before_there_is_a_search() -> None:
    rows = np.random.default_rng(3).standard_normal((1_000, DIMENSION)).astype(np.float32)
    vectors = vectors_of(rows, Metric.DOT)
    codes = DeltaCodes()
    codes.extend(vectors, 0)
    assert codes.memory_bytes > 0
    block = codes.of(vectors).block
    assert codes.of(vectors).block is block, "a search adds nothing"


def test_rows_of_a_write_that_failed_are_coded_again_once_others_take_their_place() -> None:
    rng = np.random.default_rng(4)
    rows = rng.standard_normal((2 * QUANTIZED_FROM, DIMENSION)).astype(np.float32)
    vectors = vectors_of(rows, Metric.DOT)
    size = QUANTIZED_FROM + 20
    codes = DeltaCodes()
    for count in (size, len(rows)):
        codes.extend(Vectors(Metric.DOT, rows[:count], vectors.norms[:count]), size)
    older = Vectors(Metric.DOT, rows[:size], vectors.norms[:size])
    query = rng.standard_normal(DIMENSION).astype(np.float32)
    check(codes, older, query)
    rows[size:] = rng.standard_normal((len(rows) - size, DIMENSION))
    vectors = vectors_of(rows, Metric.DOT)
    codes.extend(vectors, size)
    for _ in range(20):
        check(codes, vectors, rng.standard_normal(DIMENSION).astype(np.float32))
    check(codes, older, query)


def test_searches_of_older_and_newer_views_share_the_codes() -> None:
    rows = np.random.default_rng(2).standard_normal((6_000, DIMENSION)).astype(np.float32)
    vectors = vectors_of(rows, Metric.COSINE)
    codes = DeltaCodes()

    def search(seed: int) -> None:
        rng = np.random.default_rng(seed)
        for count in range(10, len(rows), 190):
            seen = max(1, count - int(rng.integers(0, 400)))
            view = Vectors(Metric.COSINE, vectors.matrix[:seen], vectors.norms[:seen])
            check(codes, view, rng.standard_normal(DIMENSION).astype(np.float32))

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(search, range(8)))
