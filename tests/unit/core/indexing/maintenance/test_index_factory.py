"""The choice of a segment's index; the kinds return the same hits."""

import numpy as np
import pytest

from core.domain.library import IndexKind, IndexSpec, Metric
from core.indexing.maintenance.index_factory import GRAPH_FROM, build_index
from core.indexing.vectors.reference import ReferenceIndex
from core.indexing.vectors.vector_index import SearchParams
from tests.unit.core.indexing.vectors_of import best, clustered, scores_of, vectors_of


@pytest.mark.parametrize("kind", [IndexKind.FLAT, IndexKind.IVF, IndexKind.HNSW])
@pytest.mark.parametrize("metric", list(Metric))
def test_each_kind_finds_what_it_promises(kind: IndexKind, metric: Metric) -> None:
    both = clustered(1_240, 20)
    rows, queries = both[:1_200], both[1_200:]
    index = build_index(vectors_of(rows, metric), IndexSpec(kind), threads=2)
    assert index.kind is kind
    params = SearchParams(target_recall=0.99)
    shares = [
        len(set(hits.rows[:10].tolist()) & best(scores_of(rows, query, metric), 10)) / 10
        for query, hits in zip(queries, index.search(queries, 10, params, None), strict=True)
    ]
    assert np.mean(shares) > 0.95


def test_auto_chooses_by_size() -> None:
    rows = clustered(GRAPH_FROM, 4)
    kinds = [
        build_index(vectors_of(rows[:count], Metric.L2), IndexSpec(), threads=2).kind
        for count in (GRAPH_FROM - 1, GRAPH_FROM)
    ]
    assert kinds == [IndexKind.FLAT, IndexKind.HNSW]


@pytest.mark.parametrize("scale", [1e30, 1e-16])
def test_numbers_beyond_codes_are_compared_as_they_are(scale: float) -> None:
    rows = np.asarray(scale * clustered(50, 6), np.float32)
    index = build_index(vectors_of(rows, Metric.DOT), IndexSpec(IndexKind.HNSW), threads=1)
    assert isinstance(index, ReferenceIndex)
    [hits] = index.search(rows[:1], 5, SearchParams(), None)
    assert set(hits.rows[:5].tolist()) == best(scores_of(rows, rows[0], Metric.DOT), 5)
