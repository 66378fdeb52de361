"""Recall holds among near copies, which 8-bit codes cannot distinguish."""

from collections.abc import Callable
from functools import cache

import numpy as np
import pytest
from numpy.typing import NDArray

from benchmarks.index.near_copies import NearCopies
from core.domain.library import Metric
from core.indexing.hnsw.build import build_hnsw
from core.indexing.hnsw.index import HnswIndex
from core.indexing.ivf.build import build_ivf
from core.indexing.ivf.index import IvfIndex
from core.indexing.segment.delta_codes import DeltaCodes
from core.indexing.segment.delta_search import DeltaSearch
from core.indexing.vectors.vector_index import DEFAULT_RECALL, SearchParams
from tests.unit.core.indexing.vectors.near_copies import recall
from tests.unit.core.indexing.vectors_of import scores_of, vectors_of

Index = HnswIndex | IvfIndex

QUERIES = 40

CASES = [
    NearCopies(6_000, 64, 200, 0.999),
    NearCopies(6_000, 128, 200, 0.99),
    NearCopies(6_000, 64, 2_000, 0.9999),
    NearCopies(6_000, 64, 20, 0.99999, clusters=20),
    NearCopies(6_000, 32, 300, 1.0, clusters=2),
    NearCopies(3_000, 384, 100, 0.9, clusters=5),
    NearCopies(3_000, 768, 1_000, 0.99, metric=Metric.L2),
    NearCopies(6_000, 64, 500, 0.99999, clusters=3, metric=Metric.L2),
    NearCopies(6_000, 8, 50, 0.999, clusters=10, metric=Metric.L2),
    NearCopies(6_000, 64, 200, 0.999, metric=Metric.DOT),
    NearCopies(6_000, 32, 200, 0.9, metric=Metric.DOT, spread=1.0),
    NearCopies(10_000, 32, 20, 0.9, metric=Metric.DOT, spread=1.0),
    NearCopies(6_000, 64, 200, 0.999, clusters=5, metric=Metric.DOT, spread=0.3),
    NearCopies(6_000, 8, 500, 0.99, clusters=3, metric=Metric.DOT, spread=0.3),
]
BUILDS: dict[str, Callable[..., Index]] = {"hnsw": build_hnsw, "ivf": build_ivf}


@cache
def build(case: NearCopies, kind: str) -> Index:
    return BUILDS[kind](vectors_of(case.rows(), case.metric), threads=2)


@cache
def truth_of(case: NearCopies) -> list[NDArray[np.float64]]:
    """Return the true scores of all rows for each query."""
    rows = case.rows()
    return [scores_of(rows, query, case.metric) for query in case.queries(QUERIES)]


@pytest.fixture(autouse=True)
def no_scan_is_cheaper(monkeypatch: pytest.MonkeyPatch) -> None:
    """Force the index's own search, as so few rows would be scanned exactly."""
    for kind in (HnswIndex, IvfIndex):
        monkeypatch.setattr(kind, "_scan_is_cheaper", lambda *_: False)


@pytest.mark.parametrize("share", [1.0, 0.6, 0.2])
@pytest.mark.parametrize("k", [10, 100])
@pytest.mark.parametrize("kind", BUILDS)
@pytest.mark.parametrize("case", CASES, ids=str)
def test_copies_are_found(case: NearCopies, kind: str, k: int, share: float) -> None:
    index, queries = build(case, kind), case.queries(QUERIES)
    allowed = None if share == 1.0 else np.random.default_rng(4).random(case.count) < share
    answers = index.search(queries, k, SearchParams(), allowed)
    measured = recall(answers, truth_of(case), k, allowed)
    assert measured >= DEFAULT_RECALL - 0.02


@pytest.mark.parametrize("share", [1.0, 0.2])
@pytest.mark.parametrize("case", CASES, ids=str)
def test_rows_without_an_index_are_searched_exactly(case: NearCopies, share: float) -> None:
    search = DeltaSearch()
    search.use_kernels()
    vectors, codes = vectors_of(case.rows(), case.metric), DeltaCodes()
    search.prepare(vectors, codes, 0)
    allowed = None if share == 1.0 else np.random.default_rng(4).random(case.count) < share
    answers = search.search(vectors, codes, case.queries(QUERIES), 100, allowed)
    assert recall(answers, truth_of(case), 100, allowed) == 1.0


def test_a_walk_leaves_the_copies_where_others_are_nearer() -> None:
    case = NearCopies(6_000, 64, 2_000, 1.0)
    rows, index = case.rows(), build(case, "hnsw")
    queries = np.random.default_rng(5).standard_normal((200, 64)).astype(np.float32)
    answers = index.search(queries, 10, SearchParams(), None)
    shares = [
        recall([answer], [scores_of(rows, query, case.metric)], 10)
        for query, answer in zip(queries, answers, strict=True)
    ]
    assert np.mean(shares) > 0.93
    assert np.mean(np.array(shares) == 0) < 0.03


def test_a_target_out_of_reach_is_answered_exactly() -> None:
    case = NearCopies(3_000, 384, 100, 0.9, clusters=5)
    index = build(case, "ivf")
    assert isinstance(index, IvfIndex)
    if index.tuning.max_recall < 0.98:
        [answer] = index.search(
            case.queries(QUERIES)[:1], 10, SearchParams(target_recall=1.0), None
        )
        assert answer.exact
