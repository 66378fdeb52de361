import os
import subprocess
import sys
import threading

import numpy as np
import pytest
from numpy.typing import NDArray

from core.domain.library import IndexKind, Metric
from core.indexing.ivf.build import build_ivf
from core.indexing.ivf.index import IvfIndex
from core.indexing.kernels import cpu
from core.indexing.kernels import inverted_layout as layout
from core.indexing.vectors.vector_index import BuildCancelled, SearchParams, SegmentHits
from tests.unit.core.indexing.vectors_of import best, clustered, scores_of, vectors_of

COUNT, QUERIES, DIMENSION, K = 4_000, 100, 30, 10

Rows = NDArray[np.float32]


def recall_of(
    index: IvfIndex,
    rows: Rows,
    queries: Rows,
    params: SearchParams,
    allowed: NDArray[np.bool_] | None = None,
) -> float:
    shares = []
    for query, hits in zip(queries, index.search(queries, K, params, allowed), strict=True):
        expected = best(scores_of(rows, query, index.quantized.vectors.metric), K, allowed)
        shares.append(len(expected & set(hits.rows[:K].tolist())) / max(1, len(expected)))
    return float(np.mean(shares))


@pytest.fixture(scope="module", params=list(Metric))
def metric(request: pytest.FixtureRequest) -> Metric:
    chosen: Metric = request.param
    return chosen


@pytest.fixture(scope="module")
def rows() -> Rows:
    return clustered(COUNT + QUERIES, DIMENSION)[:COUNT]


@pytest.fixture(scope="module")
def queries() -> Rows:
    return clustered(COUNT + QUERIES, DIMENSION)[COUNT:]


@pytest.fixture(scope="module")
def index(rows: Rows, metric: Metric) -> IvfIndex:
    return build_ivf(vectors_of(rows, metric), threads=2)


def test_all_cells_find_nearly_all(index: IvfIndex, rows: Rows, queries: Rows) -> None:
    cells = index.cells
    assert recall_of(index, rows, queries, SearchParams(nprobe=cells)) > 0.99
    metric = index.quantized.vectors.metric
    for query, hits in zip(queries, index.probe(queries, K, cells, 100), strict=True):
        assert hits.scores == pytest.approx(scores_of(rows, query, metric)[hits.rows])
        assert (np.diff(hits.scores) <= 0).all()


@pytest.mark.parametrize("target", [0.8, 0.9, 0.98])
def test_a_target_is_reached(index: IvfIndex, rows: Rows, target: float) -> None:
    alike = np.ascontiguousarray(rows[::40])
    assert recall_of(index, rows, alike, SearchParams(target_recall=target)) > target - 0.03


def test_more_cells_find_no_less(index: IvfIndex, rows: Rows, queries: Rows) -> None:
    one, some = (recall_of(index, rows, queries, SearchParams(nprobe=n)) for n in (1, 30))
    assert one < some


def test_the_lists_are_the_same_for_any_number_of_threads(rows: Rows, metric: Metric) -> None:
    one, three = (build_ivf(vectors_of(rows, metric), threads=threads) for threads in (1, 3))
    assert one.quantized.arrays.keys() == three.quantized.arrays.keys()
    for place, array in one.quantized.arrays.items():
        assert np.array_equal(array, three.quantized.arrays[place])
    assert one.tuning == three.tuning


def test_another_seed_makes_other_cells(rows: Rows) -> None:
    one, other = (build_ivf(vectors_of(rows, Metric.L2), seed=seed) for seed in (0, 1))
    first, second = (built.quantized.arrays[layout.CELL_CODES] for built in (one, other))
    assert not np.array_equal(first, second)


def test_each_row_is_in_one_list(index: IvfIndex) -> None:
    rows, biases = (
        index.quantized.arrays[place] for place in (layout.LIST_ROWS, layout.LIST_BIASES)
    )
    assert sorted(rows[np.greater_equal(rows, 0)].tolist()) == list(range(COUNT))
    assert np.array_equal(np.less(rows, 0), np.isneginf(np.asarray(biases, np.float32)))


def test_memory_is_counted_without_the_vectors(index: IvfIndex) -> None:
    codes, cells = (
        index.quantized.arrays[place] for place in (layout.LIST_CODES, layout.CELL_CODES)
    )
    assert codes.nbytes + cells.nbytes < index.memory_bytes
    assert index.memory_bytes < index.quantized.vectors.matrix.nbytes


@pytest.mark.parametrize("share", [0.001, 0.02, 0.1, 0.5, 0.9])
def test_a_filter_costs_no_hits(index: IvfIndex, rows: Rows, queries: Rows, share: float) -> None:
    allowed = np.random.default_rng(2).random(COUNT) < share
    matches = int(np.count_nonzero(allowed))
    for params in (SearchParams(nprobe=1), SearchParams(nprobe=20), SearchParams()):
        for hits in index.search(queries, K, params, allowed):
            assert allowed[hits.rows].all()
            assert len(hits.rows) >= min(K, matches)
            assert len(set(hits.rows.tolist())) == len(hits.rows)
    assert recall_of(index, rows, queries, SearchParams(target_recall=0.98), allowed) > 0.93


def test_a_filter_that_is_far_from_the_query_costs_no_hits(
    index: IvfIndex, rows: Rows, queries: Rows
) -> None:
    scores = scores_of(rows, queries[0], index.quantized.vectors.metric)
    allowed = scores < np.quantile(scores, 0.2)
    for hits in index.probe(queries, K, 1, 20, allowed):
        assert allowed[hits.rows].all()
        assert len(hits.rows) >= K


def test_nothing_is_allowed(index: IvfIndex, queries: Rows) -> None:
    nothing = np.zeros(COUNT, np.bool_)
    answers = index.search(queries[:1], K, SearchParams(), nothing) + index.probe(
        queries[:1], K, 1, 20, nothing
    )
    assert [len(hits.rows) for hits in answers] == [0, 0]


def test_exact_is_exact(index: IvfIndex, rows: Rows, queries: Rows) -> None:
    hits = index.search(queries, K, SearchParams(exact=True), None)
    assert all(answer.exact for answer in hits)
    assert recall_of(index, rows, queries, SearchParams(exact=True)) == 1.0


@pytest.mark.parametrize("k", [1, 100, COUNT - 1, COUNT, 2 * COUNT])
def test_as_many_as_there_are(index: IvfIndex, queries: Rows, k: int) -> None:
    for params in (SearchParams(), SearchParams(nprobe=1)):
        [hits] = index.search(queries[:1], k, params, None)
        assert len(hits.rows) >= min(k, COUNT)


def test_one_query_finds_what_a_batch_does(index: IvfIndex, queries: Rows) -> None:
    for i, together in enumerate(index.probe(queries, K, 8, 40)):
        [alone] = index.probe(queries[i : i + 1], K, 8, 40)
        assert np.array_equal(alone.scores, together.scores)


def test_many_threads_search_at_once(index: IvfIndex, queries: Rows) -> None:
    def answers(hits: list[SegmentHits]) -> list[list[int]]:
        return [answer.rows.tolist() for answer in hits]

    alone = answers(index.probe(queries, K, 8, 40))
    different: list[int] = []

    def search() -> None:
        hits = answers(index.probe(queries, K, 8, 40))
        different.extend(i for i, rows in enumerate(hits) if rows != alone[i])

    threads = [threading.Thread(target=search) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not different


@pytest.mark.parametrize("dimension", [1, 5, 8, 130])
@pytest.mark.parametrize("count", [1, 2, 3, 33, 300])
def test_few_rows(metric: Metric, count: int, dimension: int) -> None:
    rows = clustered(count, dimension)
    index = build_ivf(vectors_of(rows, metric), nlist=64, threads=2)
    assert index.kind is IndexKind.IVF
    assert index.parameters["nlist"] <= min(64, count)
    for hits in (
        *index.search(rows[:1], K, SearchParams(), None),
        *index.probe(rows[:1], K, 1, 20),
    ):
        assert len(hits.rows) >= min(K, count)


def test_equal_rows(metric: Metric) -> None:
    rows = np.full((700, 12), 0.3, np.float32)
    index = build_ivf(vectors_of(rows, metric), threads=2)
    assert index.cells == 1
    [hits] = index.probe(rows[:1], K, 1, 20)
    assert len(set(hits.rows.tolist())) >= K


def test_two_kinds_of_rows(metric: Metric) -> None:
    rows = np.repeat(np.eye(2, 9, dtype=np.float32), 100, axis=0)
    index = build_ivf(vectors_of(rows, metric))
    assert index.cells == 2
    [hits] = index.probe(rows[150:151], K, 1, 20)
    assert (hits.rows >= 100).all()


def test_zero_vectors_under_dot() -> None:
    index = build_ivf(vectors_of(np.zeros((600, 8), np.float32), Metric.DOT))
    [hits] = index.probe(np.zeros((1, 8), np.float32), K, 1, 20)
    assert hits.scores[:K].tolist() == [0.0] * K


def test_a_query_of_any_length_finds_the_same_under_dot(rows: Rows, queries: Rows) -> None:
    index = build_ivf(vectors_of(rows, Metric.DOT))
    shorter = index.probe(queries * np.float32(2**-10), K, 20, 40)
    for hits, other in zip(index.probe(queries, K, 20, 40), shorter, strict=True):
        assert set(hits.rows.tolist()) == set(other.rows.tolist())


def test_rows_far_from_the_origin_under_l2(rows: Rows, queries: Rows) -> None:
    index = build_ivf(vectors_of(rows + 1_000, Metric.L2))
    far = queries + np.float32(1_000)
    assert recall_of(index, rows + 1_000, far, SearchParams(nprobe=50)) > 0.95
    assert index.tuning.recalls[-1][-1] > 0.98


@pytest.mark.parametrize("length", [1e-12, 1e12])
def test_queries_of_any_length(index: IvfIndex, queries: Rows, length: float) -> None:
    for hits in index.probe(queries * np.float32(length), K, index.cells, 100):
        assert len(set(hits.rows.tolist())) == K
        assert np.isfinite(hits.scores).all()


def test_a_build_can_be_cancelled(rows: Rows) -> None:
    with pytest.raises(BuildCancelled):
        build_ivf(vectors_of(rows, Metric.L2), is_cancelled=lambda: True)


_SEARCHES = """
from core.domain.library import Metric
from core.indexing.ivf.build import build_ivf
from core.indexing.kernels.cpu import CODE_PATH
from tests.unit.core.indexing.vectors_of import clustered, vectors_of

rows = clustered(1500, 24)
index = build_ivf(vectors_of(rows, Metric.COSINE))
print(CODE_PATH, [hits.rows[:5].tolist() for hits in index.probe(rows[:50], 5, 20, 20)])
"""


@pytest.mark.parametrize("path", [path for path in cpu.available() if path != cpu.CODE_PATH])
def test_other_code_paths_find_the_same(path: cpu.CodePath) -> None:
    """Run in a subprocess, as a process has one code path."""
    outputs = []
    for wanted in (path, cpu.CODE_PATH):
        ended = subprocess.run(
            [sys.executable, "-c", _SEARCHES],
            env={**os.environ, "NALANDA_KERNELS": wanted},
            capture_output=True,
            text=True,
            check=True,
        )
        name, _, answer = ended.stdout.partition(" ")
        assert name == wanted
        outputs.append(answer)
    assert outputs[0] == outputs[1]
