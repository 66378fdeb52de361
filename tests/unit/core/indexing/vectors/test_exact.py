"""Exact search against brute force in float64."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray
from pyroaring import BitMap

from core.domain.library import Metric
from core.indexing.views.next_view import with_chunks, with_documents, without_chunks
from core.indexing.views.ranking import Ranking
from core.indexing.views.view import LibraryView, Matches
from tests.unit.core.builders import chunk, document, embedded, library

Floats = NDArray[np.float64]


def view_of(vectors: NDArray[np.float32], metric: Metric, ids: list[str]) -> LibraryView:
    view = LibraryView.empty(library(metric=metric, dimension=vectors.shape[1]))
    view = with_documents(view, [document()])
    return with_chunks(
        view, [embedded(chunk(id_), v) for id_, v in zip(ids, vectors.tolist(), strict=True)]
    )


def brute_force(vectors: Floats, query: Floats, metric: Metric) -> Floats:
    if metric is Metric.L2:
        return -np.array([np.linalg.norm(row - query) for row in vectors])
    if metric is Metric.COSINE:
        vectors = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
        query = query / np.linalg.norm(query)
    return np.array([row @ query for row in vectors])


def assert_exact(
    view: LibraryView, vectors: NDArray[np.float32], query: NDArray[np.float32], k: int
) -> None:
    [ranking] = view.search(query[np.newaxis], k)
    truth = brute_force(vectors.astype(np.float64), query.astype(np.float64), view.library.metric)
    expected = np.sort(truth)[::-1][:k]
    assert len(ranking.row_ids) == min(k, len(vectors)) == len(set(ranking.row_ids.tolist()))
    np.testing.assert_allclose(ranking.scores, expected, rtol=2e-7, atol=1e-9)
    np.testing.assert_allclose(ranking.scores, truth[ranking.row_ids], rtol=2e-7, atol=1e-9)
    pairs = [(-s, view.chunk(r).id) for r, s in zip(ranking.row_ids, ranking.scores, strict=True)]
    assert pairs == sorted(pairs)


@pytest.mark.parametrize("metric", list(Metric))
@pytest.mark.parametrize("offset", [0.0, 1.0, 1e3])
def test_random_vectors_near_and_far_from_the_origin(metric: Metric, offset: float) -> None:
    rng = np.random.default_rng(1)
    vectors = (rng.standard_normal((500, 24)) + offset).astype(np.float32)
    view = view_of(vectors, metric, [f"c{i:03}" for i in range(500)])
    for k in (1, 10, 499, 500, 1000):
        assert_exact(view, vectors, (rng.standard_normal(24) + offset).astype(np.float32), k)


@settings(max_examples=80)
@given(
    vectors=arrays(
        np.float32, st.tuples(st.integers(1, 30), st.just(3)), elements=st.integers(-3, 3)
    ),
    query=arrays(np.float32, 3, elements=st.integers(-3, 3)),
    k=st.integers(1, 35),
    metric=st.sampled_from(Metric),
)
def test_ties_go_by_chunk_id(
    vectors: NDArray[np.float32], query: NDArray[np.float32], k: int, metric: Metric
) -> None:
    if metric is Metric.COSINE:  # it has no zero vectors
        vectors, query = vectors + np.float32(0.5), query + np.float32(0.5)
    ids = [f"c{i * 7 % 31:02}" for i in range(len(vectors))]
    view = view_of(vectors, metric, ids)
    [ranking] = view.search(query[np.newaxis], k)
    [everything] = view.search(query[np.newaxis], len(vectors))
    assert ranking.row_ids.tolist() == everything.row_ids[:k].tolist()
    ranked = sorted(
        zip(everything.scores, [ids[row] for row in everything.row_ids], strict=True),
        key=lambda item: (-item[0], item[1]),
    )
    assert [id_ for _, id_ in ranked] == [ids[row] for row in everything.row_ids]
    assert_exact(view, vectors, query, k)


def ids_of(view: LibraryView, ranking: Ranking) -> list[str]:
    return [view.chunk(row).id for row in ranking.row_ids.tolist()]


@pytest.mark.parametrize("metric", list(Metric))
def test_equal_vectors_come_in_order_of_id_wherever_they_are(metric: Metric) -> None:
    rng = np.random.default_rng(2)
    vector = rng.standard_normal(37).astype(np.float32)
    others = rng.standard_normal((400, 37)).astype(np.float32)
    vectors = np.concatenate([np.tile(vector, (100, 1)), others])
    order = rng.permutation(500)
    ids = [f"c{i:03}" for i in order]
    view = view_of(vectors[order], metric, ids)
    query = (10 * vector)[np.newaxis]  # `vector` is the best by dot, too
    [ranking] = view.search(query, 40)
    best = [f"c{i:03}" for i in range(40)]
    assert ids_of(view, ranking) == best


def test_scores_are_what_the_contract_says() -> None:
    vectors = np.array([[3, 4], [0, 2], [-3, -4]], np.float32)
    expected = {
        Metric.COSINE: [1.0, 0.8, -1.0],
        Metric.DOT: [25.0, 8.0, -25.0],
        Metric.L2: [0.0, -np.sqrt(13.0), -10.0],
    }
    for metric, scores in expected.items():
        view = view_of(vectors, metric, ["a", "b", "c"])
        [ranking] = view.search(np.array([[3, 4]], np.float32), 3)
        assert ids_of(view, ranking) == ["a", "b", "c"]
        np.testing.assert_allclose(ranking.scores, scores, rtol=1e-7)
    assert not np.signbit(ranking.scores[0]), "a distance of nothing is 0, not -0"


@pytest.mark.parametrize("scale", [1e-42, 1e-30, 1e-19, 1.0, 1e19, 1e37])
@pytest.mark.parametrize("metric", list(Metric))
def test_huge_and_tiny_vectors_are_ranked_as_others_are(metric: Metric, scale: float) -> None:
    rng = np.random.default_rng(3)
    vectors = (rng.uniform(-1, 1, (200, 8)) * scale).astype(np.float32)
    query = (rng.uniform(-1, 1, 8) * scale).astype(np.float32)
    view = view_of(vectors, metric, [f"c{i:03}" for i in range(200)])
    [ranking] = view.search(query[np.newaxis], 5)
    truth = brute_force(vectors.astype(np.float64), query.astype(np.float64), metric)
    assert np.isfinite(ranking.scores).all()
    best = np.sort(truth)[::-1][:5]
    smallest = float(np.finfo(np.float32).smallest_subnormal)
    np.testing.assert_allclose(truth[ranking.row_ids], best, rtol=1e-6, atol=smallest)


def test_one_huge_vector_hides_none_of_the_others() -> None:
    rng = np.random.default_rng(4)
    vectors = rng.standard_normal((300, 8)).astype(np.float32)
    vectors[17] *= np.float32(1e37)
    for metric in Metric:
        view = view_of(vectors, metric, [f"c{i:03}" for i in range(300)])
        query = rng.standard_normal(8).astype(np.float32)
        assert_exact(view, vectors, query, 5)


def test_only_allowed_rows_are_found() -> None:
    rng = np.random.default_rng(5)
    vectors = rng.standard_normal((100, 4)).astype(np.float32)
    view = view_of(vectors, Metric.COSINE, [f"c{i:03}" for i in range(100)])
    query = vectors[:1]
    for count in (0, 1, 7, 80):
        allowed = np.sort(rng.permutation(100)[:count])
        matches = Matches.of((BitMap(allowed.tolist()),))
        [ranking] = view.search(query, 10, matches=matches)
        assert len(ranking.row_ids) == min(10, count)
        assert set(ranking.row_ids) <= set(allowed)
        scores = brute_force(vectors[allowed].astype(float), query[0].astype(float), Metric.COSINE)
        np.testing.assert_allclose(ranking.scores, np.sort(scores)[::-1][:10], rtol=1e-6, atol=1e-7)


def test_deleted_rows_are_not_found_and_queries_are_answered_each() -> None:
    vectors = np.eye(4, dtype=np.float32)
    view = without_chunks(view_of(vectors, Metric.DOT, list("abcd")), ["b"])
    assert view.deleted == 1
    rankings = view.search(vectors, 2)
    assert [ids_of(view, ranking)[0] for ranking in rankings] == ["a", "a", "c", "d"]
    assert [ranking.scores[0] for ranking in rankings] == [1, 0, 1, 1]


def test_many_queries_say_what_each_says_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core.indexing.vectors.exact._ROWS_AT_ONCE", 7)
    rng = np.random.default_rng(6)
    vectors = rng.standard_normal((40, 4)).astype(np.float32)
    view = view_of(vectors, Metric.L2, [f"c{i}" for i in range(40)])
    queries = rng.standard_normal((9, 4)).astype(np.float32)
    for query, ranking in zip(queries, view.search(queries, 30), strict=True):
        [alone] = view.search(query[np.newaxis], 30)
        assert ranking.row_ids.tolist() == alone.row_ids.tolist()


def test_an_empty_view_has_no_hits() -> None:
    view = LibraryView.empty(library())
    [ranking] = view.search(np.ones((1, 2), np.float32), 10)
    assert not len(ranking.row_ids)
