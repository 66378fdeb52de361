"""Every index is correct within the accepted range of norms; `check` refuses others."""

import numpy as np
import pytest
from numpy.typing import NDArray

from core.domain.errors import Invalid
from core.domain.library import IndexKind, IndexSpec, Metric
from core.domain.vectors import check
from core.indexing.hnsw.index import HnswIndex
from core.indexing.ivf.index import IvfIndex
from core.indexing.maintenance.index_factory import build_index
from core.indexing.segment.delta_codes import DeltaCodes
from core.indexing.segment.delta_search import DeltaSearch
from core.indexing.vectors.exact import Vectors
from core.indexing.vectors.reference import ReferenceIndex
from core.indexing.vectors.vector_index import SearchParams, SegmentHits
from tests.unit.core.indexing.vectors_of import Floats, scores_of, vectors_of

Mask = NDArray[np.bool_] | None

COUNT, DIMENSION, K = 300, 8, 10
POWERS = range(-45, 39)
ALL = SearchParams(ef=COUNT, nprobe=COUNT)
KINDS = [IndexKind.FLAT, IndexKind.HNSW, IndexKind.IVF]


@pytest.fixture(autouse=True)
def no_scan_is_cheaper(monkeypatch: pytest.MonkeyPatch) -> None:
    for kind in (HnswIndex, IvfIndex):
        monkeypatch.setattr(kind, "_scan_is_cheaper", lambda *_: False)


def rows_at(power: int, count: int, seed: int) -> Floats:
    numbers = np.random.default_rng(seed).standard_normal((count, DIMENSION))
    numbers /= np.linalg.norm(numbers, axis=1, keepdims=True)
    return np.asarray(numbers * min(10.0**power, 3.4e38), np.float32)


def is_served(rows: Floats, metric: Metric) -> bool:
    try:
        for row in rows:
            check(row, dimension=DIMENSION, metric=metric, pointer="/embedding")
    except Invalid:
        return False
    return True


def assert_right(
    hits: SegmentHits, rows: Floats, query: Floats, metric: Metric, allowed: Mask
) -> None:
    truth = scores_of(rows, query, metric)
    best = np.sort(truth if allowed is None else truth[allowed])[::-1][:K]
    scores = np.sort(hits.scores)[::-1][:K]
    assert len(scores) == len(best)
    assert allowed is None or allowed[hits.rows].all()
    np.testing.assert_allclose(truth[hits.rows], hits.scores, rtol=1e-6, atol=1e-38)
    # A relative error of 1e-6 allows for the rounding of the oracle's sums and of ties.
    lengths = float(np.linalg.norm(query.astype(float)))
    scale = 1.0 if metric is Metric.COSINE else lengths * float(np.abs(rows).max())
    atol = 1e-6 * (scale if metric is not Metric.L2 else lengths)
    np.testing.assert_allclose(scores, best, rtol=1e-6, atol=atol)


@pytest.mark.parametrize("metric", Metric)
@pytest.mark.parametrize("power", POWERS)
def test_right_or_refused(power: int, metric: Metric) -> None:
    rows, [query] = rows_at(power, COUNT, 1), rows_at(power, 1, 2)
    served = is_served(rows, metric)
    assert served == (-15 <= power <= 15)
    assert is_served(query[np.newaxis], metric) == served
    if not served:
        return
    others = [rows_at(0, 1, 3)[0], rows_at(-15, 1, 4)[0], rows_at(15, 1, 5)[0]]
    vectors = vectors_of(rows, metric)
    masks: list[Mask] = [None, np.random.default_rng(6).random(COUNT) < 0.3, np.arange(COUNT) < 4]
    indexes = [build_index(vectors, IndexSpec(kind), threads=1) for kind in KINDS]
    for allowed in masks:
        assert_right(found_unsealed(vectors, query, allowed), rows, query, metric, allowed)
        for each in [query, *others]:
            [hits] = ReferenceIndex(vectors).search(each[np.newaxis], K, SearchParams(), allowed)
            assert_right(hits, rows, each, metric, allowed)
            [hits] = indexes[0].search(each[np.newaxis], K, SearchParams(), allowed)
            assert_right(hits, rows, each, metric, allowed)
        for index in indexes[1:]:
            [hits] = index.search(query[np.newaxis], K, ALL, allowed)
            assert_right(hits, rows, query, metric, allowed)


def found_unsealed(vectors: Vectors, query: Floats, allowed: Mask) -> SegmentHits:
    search = DeltaSearch()
    search.use_kernels()
    [hits] = search.search(vectors, DeltaCodes(), query[np.newaxis], K, allowed)
    return hits
