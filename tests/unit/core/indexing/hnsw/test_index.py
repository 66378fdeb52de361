import os
import subprocess
import sys
import threading
from itertools import cycle
from time import perf_counter

import numpy as np
import pytest
from numpy.typing import NDArray

from core.domain.library import IndexKind, Metric
from core.indexing.hnsw.build import build_hnsw
from core.indexing.hnsw.index import HnswIndex
from core.indexing.kernels import cpu, layout
from core.indexing.vectors.build_threads import BuildThreads
from core.indexing.vectors.vector_index import BuildCancelled, SearchParams
from tests.unit.core.indexing.vectors_of import best, clustered, scores_of, vectors_of

METRICS = list(Metric)
COUNT, DIMENSION, K = 3_000, 24, 10

Rows = NDArray[np.float32]


def recall_of(
    index: HnswIndex,
    rows: Rows,
    queries: Rows,
    ef: int,
    allowed: NDArray[np.bool_] | None = None,
) -> float:
    shares = []
    for i, hits in enumerate(index.search(queries, K, SearchParams(ef=ef), allowed)):
        expected = best(scores_of(rows, queries[i], index.quantized.vectors.metric), K, allowed)
        shares.append(len(expected & set(hits.rows[:K].tolist())) / max(1, len(expected)))
    return float(np.mean(shares))


@pytest.fixture(scope="module", params=METRICS)
def metric(request: pytest.FixtureRequest) -> Metric:
    chosen: Metric = request.param
    return chosen


@pytest.fixture(scope="module")
def rows() -> Rows:
    return clustered(COUNT, DIMENSION)


@pytest.fixture(scope="module")
def queries() -> Rows:
    return clustered(200, DIMENSION, seed=1)


@pytest.fixture(scope="module")
def index(rows: Rows, metric: Metric) -> HnswIndex:
    return build_hnsw(vectors_of(rows, metric), threads=2)


def test_a_wide_pool_finds_nearly_all(index: HnswIndex, rows: Rows, queries: Rows) -> None:
    hits = index.walk(queries, K, 200)
    metric = index.quantized.vectors.metric
    for i, answer in enumerate(hits):
        assert answer.scores == pytest.approx(scores_of(rows, queries[i], metric)[answer.rows])
    shares = [
        len(best(scores_of(rows, queries[i], metric), K) & set(answer.rows[:K].tolist())) / K
        for i, answer in enumerate(hits)
    ]
    # Inner products of vectors of any length are not a metric, which makes the graph harder.
    assert np.mean(shares) > (0.9 if metric is Metric.DOT else 0.97)


def test_the_graph_is_the_same_for_any_number_of_threads(rows: Rows) -> None:
    vectors = vectors_of(rows, Metric.L2)
    one, three = (build_hnsw(vectors, threads=threads) for threads in (1, 3))
    for place in (layout.LINKS, layout.UPPER_LINKS):
        assert np.array_equal(one.quantized.arrays[place], three.quantized.arrays[place])
    assert one.calibration == three.calibration


def test_the_graph_is_the_same_where_their_number_changes_meanwhile(
    rows: Rows, monkeypatch: pytest.MonkeyPatch
) -> None:
    vectors = vectors_of(rows, Metric.L2)
    steady = build_hnsw(vectors, threads=3)
    numbers = cycle((1, 3, 2, 2, 1))
    monkeypatch.setattr(BuildThreads, "budget", property(lambda _: next(numbers)))
    changing = build_hnsw(vectors, threads=3)
    for place in (layout.LINKS, layout.UPPER_LINKS):
        assert np.array_equal(steady.quantized.arrays[place], changing.quantized.arrays[place])


def test_who_rests_after_every_vector_takes_as_long_and_builds_the_same(
    rows: Rows, monkeypatch: pytest.MonkeyPatch
) -> None:
    vectors = vectors_of(rows[:300], Metric.L2)
    steady = build_hnsw(vectors)
    monkeypatch.setattr(BuildThreads, "rest_us", lambda *_: 2_000)
    started = perf_counter()
    rested = build_hnsw(vectors)
    assert perf_counter() - started > 0.002 * 299, "the first vector is put in without a search"
    assert np.array_equal(
        steady.quantized.arrays[layout.LINKS], rested.quantized.arrays[layout.LINKS]
    )


def test_another_seed_is_another_graph(rows: Rows) -> None:
    vectors = vectors_of(rows, Metric.L2)
    one, other = (build_hnsw(vectors, seed=seed) for seed in (0, 1))
    links = [graph.quantized.arrays[layout.LINKS] for graph in (one, other)]
    assert not np.array_equal(links[0], links[1])


@pytest.mark.parametrize("share", [0.001, 0.01, 0.1, 0.5, 0.9])
def test_a_filter_costs_no_hits(index: HnswIndex, rows: Rows, queries: Rows, share: float) -> None:
    allowed = np.random.default_rng(2).random(COUNT) < share
    matches = int(np.count_nonzero(allowed))
    for ef in (10, 60):
        for hits in index.search(queries, K, SearchParams(ef=ef), allowed):
            assert allowed[hits.rows].all()
            assert len(hits.rows) >= min(K, matches)
            assert len(set(hits.rows.tolist())) == len(hits.rows)
    assert recall_of(index, rows, queries, 100, allowed) > 0.95


def test_a_filter_that_is_far_from_the_query_costs_no_hits(
    index: HnswIndex, rows: Rows, queries: Rows
) -> None:
    scores = scores_of(rows, queries[0], index.quantized.vectors.metric)
    allowed = scores < np.quantile(scores, 0.2)
    assert recall_of(index, rows, queries, 100, allowed) > 0.95


def test_nothing_is_allowed(index: HnswIndex, queries: Rows) -> None:
    [hits] = index.search(queries[:1], K, SearchParams(), np.zeros(COUNT, np.bool_))
    assert not len(hits.rows)


def test_exact_is_exact(index: HnswIndex, rows: Rows, queries: Rows) -> None:
    for i, hits in enumerate(index.search(queries, K, SearchParams(exact=True), None)):
        expected = best(scores_of(rows, queries[i], index.quantized.vectors.metric), K)
        assert set(hits.rows[:K].tolist()) == expected
        assert hits.exact


@pytest.mark.parametrize("k", [1, 100, 2_999, 3_000, 9_999])
def test_as_many_as_there_are(index: HnswIndex, queries: Rows, k: int) -> None:
    [hits] = index.search(queries[:1], k, SearchParams(), None)
    assert len(hits.rows) >= min(k, COUNT)


def test_a_higher_target_looks_harder(index: HnswIndex) -> None:
    efs = [index.calibration.ef(target, K) for target in (0.9, 0.95, 0.99, 0.999)]
    assert efs == sorted(efs)
    assert index.calibration.ef(0.9, 1_000) >= 1_000


def test_many_threads_search_at_once(index: HnswIndex, queries: Rows) -> None:
    alone = [hits.rows.tolist() for hits in index.walk(queries, K, 40)]
    different: list[int] = []

    def search() -> None:
        for i in range(len(queries)):
            [hits] = index.walk(queries[i : i + 1], K, 40)
            if hits.rows.tolist() != alone[i]:
                different.append(i)

    threads = [threading.Thread(target=search) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not different


@pytest.mark.parametrize("count", [1, 2, 3, 7, 40])
def test_few_rows(metric: Metric, count: int) -> None:
    rows = clustered(count, 5)
    index = build_hnsw(vectors_of(rows, metric))
    assert index.kind is IndexKind.HNSW
    [hits] = index.search(rows[:1], K, SearchParams(), None)
    assert len(hits.rows) == min(K, count) or hits.exact


def test_equal_rows(metric: Metric) -> None:
    rows = np.full((700, 8), 0.5, np.float32)
    index = build_hnsw(vectors_of(rows, metric), threads=2)
    [hits] = index.walk(rows[:1], K, 50)
    assert len(set(hits.rows[:K].tolist())) == K


def test_zero_vectors_under_dot() -> None:
    index = build_hnsw(vectors_of(np.zeros((600, 8), np.float32), Metric.DOT))
    [hits] = index.search(np.zeros((1, 8), np.float32), K, SearchParams(), None)
    assert hits.scores[:K].tolist() == [0.0] * K


def test_tags_of_visited_rows_wrap_around(rows: Rows) -> None:
    index = build_hnsw(vectors_of(rows[:600], Metric.L2))
    many = np.repeat(rows[:1], 70_000, axis=0)
    answers = index.walk(many, 3, 5)
    assert {tuple(hits.rows[:3].tolist()) for hits in answers} == {
        tuple(answers[0].rows[:3].tolist())
    }


def test_a_build_can_be_cancelled(rows: Rows) -> None:
    with pytest.raises(BuildCancelled):
        build_hnsw(vectors_of(rows, Metric.L2), is_cancelled=lambda: True)


def test_hard_data_gets_the_greater_degree() -> None:
    rng = np.random.default_rng(0)
    easy = rng.standard_normal((4_000, 6)) @ rng.standard_normal((6, 64))
    hard = rng.standard_normal((4_000, 256))
    degrees = [
        build_hnsw(vectors_of(np.asarray(rows, np.float32), Metric.COSINE), threads=2).degree
        for rows in (easy, hard)
    ]
    assert degrees == [16, 32]


def test_what_is_given_is_taken(rows: Rows) -> None:
    index = build_hnsw(vectors_of(rows, Metric.L2), degree=8, ef_construction=50)
    assert index.parameters["m"] == 8
    assert index.parameters["ef_construction"] == 50


_SEARCHES = """
from core.domain.library import Metric
from core.indexing.hnsw.build import build_hnsw
from core.indexing.kernels.cpu import CODE_PATH
from core.indexing.vectors.vector_index import SearchParams
from tests.unit.core.indexing.vectors_of import clustered, vectors_of

rows = clustered(1500, 24)
index = build_hnsw(vectors_of(rows, Metric.COSINE))
walked = index.walk(rows[:20], 5, 40)
exact = index.search(rows[:20], 5, SearchParams(exact=True), None)
print(CODE_PATH, [hits.rows[:5].tolist() for hits in walked + exact])
"""


@pytest.mark.parametrize("path", [path for path in cpu.available() if path != cpu.CODE_PATH])
def test_other_code_paths_find_the_same(path: cpu.CodePath, rows: Rows) -> None:
    """Run in a subprocess, as a process has one code path."""
    outputs = []
    for wanted in (path, cpu.CODE_PATH):
        environment = {**os.environ, "NALANDA_KERNELS": wanted}
        ended = subprocess.run(
            [sys.executable, "-c", _SEARCHES],
            env=environment,
            capture_output=True,
            text=True,
            check=True,
        )
        name, _, answer = ended.stdout.partition(" ")
        assert name == wanted
        outputs.append(answer)
    assert outputs[0] == outputs[1]


@pytest.mark.parametrize(("low", "high"), [(0, 255), (-130, 100), (1_000, 1_020)])
def test_whole_numbers_are_scored_by_their_codes_as_by_themselves(low: int, high: int) -> None:
    rng = np.random.default_rng(4)
    whole = rng.integers(low, high, (1_000, 30), endpoint=True).astype(np.float32)
    whole[:2] = [[low], [high]]
    built = build_hnsw(vectors_of(whole, Metric.L2))
    assert built.quantized.is_whole
    beyond = np.full((1, 30), 3 * high, np.float32)
    for queries in (whole[:50] + rng.integers(-1, 2, (50, 30)), whole[:50] + 0.25, beyond):
        asked = np.asarray(queries, np.float32)
        for i, hits in enumerate(built.walk(asked, K, 400)):
            exactly = scores_of(whole, asked[i], Metric.L2)[hits.rows]
            assert hits.scores.tolist() == exactly.tolist()
            assert hits.scores.tolist() == sorted(exactly.tolist(), reverse=True)


@pytest.mark.parametrize("metric", METRICS)
def test_rows_that_are_not_whole_are_no_more_than_near_their_codes(metric: Metric) -> None:
    rows = np.random.default_rng(5).integers(0, 200, (500, 30)).astype(np.float32)
    assert build_hnsw(vectors_of(rows, metric)).quantized.is_whole == (metric is Metric.L2)
    rows[250, 7] += 0.5
    assert not build_hnsw(vectors_of(rows, metric)).quantized.is_whole
    rows[250, 7] = 500
    assert not build_hnsw(vectors_of(rows, metric)).quantized.is_whole
