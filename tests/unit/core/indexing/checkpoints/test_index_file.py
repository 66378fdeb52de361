"""An index read from its file finds the same rows as the index that was written."""

import os
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import cycle, product
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
from numpy.typing import NDArray

from core.domain.library import IndexKind, IndexSpec, Metric
from core.indexing.checkpoints.index_file import open_index, to_arrays, write_index
from core.indexing.container.container import DamagedFile
from core.indexing.container.writer import write_container
from core.indexing.kernels import cpu
from core.indexing.maintenance.index_factory import build_index
from core.indexing.vectors.exact import Vectors
from core.indexing.vectors.reference import ReferenceIndex
from core.indexing.vectors.vector_index import SearchParams, VectorIndex
from tests.unit.core.indexing.vectors_of import clustered, vectors_of

COUNT, DIMENSION, K = 3_000, 40, 10
KINDS = [IndexKind.FLAT, IndexKind.HNSW, IndexKind.IVF]
PARAMS = [
    SearchParams(),
    SearchParams(exact=True),
    SearchParams(ef=10),
    SearchParams(ef=600),
    SearchParams(nprobe=1),
    SearchParams(nprobe=50),
    SearchParams(target_recall=0.5),
    SearchParams(target_recall=0.999, boost=2.0),
]
SHARES = [0.0, 0.001, 0.1, 0.6, 1.0]


def build(vectors: Vectors, kind: IndexKind) -> VectorIndex:
    return build_index(vectors, IndexSpec(kind=kind), threads=2)


@pytest.fixture(scope="module", params=[*Metric])
def vectors(request: pytest.FixtureRequest) -> Vectors:
    return vectors_of(clustered(COUNT, DIMENSION), request.param)


def assert_same(one: VectorIndex, other: VectorIndex, vectors: Vectors) -> None:
    assert one.kind is other.kind
    assert dict(one.parameters) == dict(other.parameters)
    rng = np.random.default_rng(3)
    queries = np.concatenate(
        [vectors.matrix[:6], rng.standard_normal((7, vectors.matrix.shape[1])).astype(np.float32)]
    )
    masks = [None, *(rng.random(len(vectors.matrix)) < share for share in SHARES)]
    # Each pair of parameters and mask meets one number of hits and one of queries, in turn.
    shapes = cycle(product((1, K, 200), (queries[:1], queries)))
    for (params, allowed), (k, asked) in zip(product(PARAMS, masks), shapes, strict=False):
        expected = answers(one, asked, k, params, allowed)
        assert answers(other, asked, k, params, allowed) == expected


def answers(
    index: VectorIndex,
    queries: NDArray[np.float32],
    k: int,
    params: SearchParams,
    allowed: NDArray[np.bool_] | None,
) -> list[tuple[Any, ...]]:
    return [
        (hits.rows.tolist(), hits.scores.tolist(), hits.strategy, hits.exact)
        for hits in index.search(queries, k, params, allowed)
    ]


@pytest.mark.parametrize("kind", KINDS)
def test_it_finds_the_same_where_it_is_mapped(
    vectors: Vectors, kind: IndexKind, tmp_path: Path
) -> None:
    built = build(vectors, kind)
    checksum = write_index(tmp_path / "index", built)
    read, container = open_index(tmp_path / "index", vectors)
    assert container.checksum == checksum
    with ThreadPoolExecutor(2) as pool:
        container.verify(pool)
    # A write to a mapped array would end the process.
    assert_same(built, read, vectors)
    # An index that was read can be written again.
    assert write_index(tmp_path / "again", read) == checksum


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("count", [1, 2, 70])
def test_few_rows(tmp_path: Path, kind: IndexKind, count: int) -> None:
    vectors = vectors_of(clustered(count, 5), Metric.L2)
    built = build(vectors, kind)
    write_index(tmp_path / "index", built)
    read, _ = open_index(tmp_path / "index", vectors)
    assert_same(built, read, vectors)


def test_rows_beyond_float32(tmp_path: Path) -> None:
    vectors = vectors_of(clustered(50, 5) * np.float32(1e30), Metric.DOT)
    built = build(vectors, IndexKind.HNSW)
    assert isinstance(built, ReferenceIndex)
    write_index(tmp_path / "index", built)
    read, _ = open_index(tmp_path / "index", vectors)
    assert_same(built, read, vectors)


def test_it_outlives_its_file(vectors: Vectors, tmp_path: Path) -> None:
    built = build(vectors, IndexKind.FLAT)
    write_index(tmp_path / "index", built)
    read, container = open_index(tmp_path / "index", vectors)
    (tmp_path / "index").unlink()
    del container
    assert_same(built, read, vectors)


def _without(name: str) -> Callable[[dict[str, Any], dict[str, Any]], object]:
    return lambda _, arrays: arrays.pop(name)


def _changed(name: str, value: Any) -> Callable[[dict[str, Any], dict[str, Any]], object]:
    return lambda parameters, _: parameters.update({name: value})


def _shortened(name: str) -> Callable[[dict[str, Any], dict[str, Any]], object]:
    return lambda _, arrays: arrays.update({name: arrays[name][:-1]})


@pytest.mark.parametrize(
    ("kind", "change"),
    [
        (IndexKind.FLAT, _without("codes")),
        (IndexKind.FLAT, _without("scale")),
        (IndexKind.FLAT, _shortened("codes")),
        (IndexKind.FLAT, _changed("index", "other")),
        (IndexKind.FLAT, _changed("index", "hnsw")),
        (IndexKind.FLAT, _changed("numbers", {})),
        (IndexKind.FLAT, _changed("numbers", None)),
        (IndexKind.HNSW, _shortened("links")),
        (IndexKind.HNSW, _shortened("upper_places")),
        (IndexKind.HNSW, _without("upper_links")),
        (IndexKind.HNSW, lambda _, arrays: arrays.update(links=arrays["links"].astype("i8"))),
        (IndexKind.IVF, _shortened("list_codes")),
        (IndexKind.IVF, _without("list_rows")),
        (IndexKind.IVF, _changed("recalls", None)),
    ],
)
def test_what_is_no_index_of_these_vectors(
    tmp_path: Path,
    kind: IndexKind,
    change: Callable[[dict[str, Any], dict[str, Any]], object],
) -> None:
    vectors = vectors_of(clustered(300, 8), Metric.L2)
    parameters, arrays = to_arrays(build(vectors, kind))
    changed = dict(arrays)
    change(parameters, changed)
    write_container(tmp_path / "index", "index", parameters, changed)
    with pytest.raises(DamagedFile, match="no index of these vectors"):
        open_index(tmp_path / "index", vectors)


@pytest.mark.parametrize("kind", KINDS)
def test_it_is_not_taken_for_other_vectors(tmp_path: Path, kind: IndexKind) -> None:
    vectors = vectors_of(clustered(300, 8), Metric.L2)
    write_index(tmp_path / "index", build(vectors, kind))
    for others in (
        vectors_of(clustered(299, 8), Metric.L2),
        vectors_of(clustered(300, 9), Metric.L2),
        vectors_of(clustered(300, 8), Metric.DOT),
    ):
        with pytest.raises(DamagedFile, match="It is of vectors whose"):
            open_index(tmp_path / "index", others)


def test_an_index_of_another_make_is_refused() -> None:
    class Other:
        pass

    with pytest.raises(TypeError, match="Other"):
        to_arrays(cast("VectorIndex", Other()))


_WRITES_OR_READS = """
import sys
from pathlib import Path
from core.domain.library import IndexKind, Metric
from core.indexing.checkpoints.index_file import open_index, write_index
from core.indexing.kernels.cpu import CODE_PATH
from core.indexing.vectors.vector_index import SearchParams
from tests.unit.core.indexing.checkpoints.test_index_file import KINDS, answers, build
from tests.unit.core.indexing.vectors_of import clustered, vectors_of

rows = clustered(1500, 24)
print(CODE_PATH)
for metric in Metric:
    vectors = vectors_of(rows, metric)
    for kind in KINDS:
        path = Path(sys.argv[1], f"{metric}-{kind}")
        if not path.exists():
            write_index(path, build(vectors, kind))
        index, _ = open_index(path, vectors)
        for params in (SearchParams(exact=True), SearchParams(ef=50, nprobe=5)):
            for queries in (rows[:1], rows[:50]):
                hits = answers(index, queries, 20, params, None)
                print(metric, kind, params, [rows for rows, *_ in hits])
"""


@pytest.mark.parametrize("path", [path for path in cpu.available() if path != cpu.CODE_PATH])
def test_a_file_is_for_each_code_path(tmp_path: Path, path: cpu.CodePath) -> None:
    """Write in one process and read in another, as a process has one code path."""
    outputs = []
    for wanted in (path, cpu.CODE_PATH):
        ended = subprocess.run(
            [sys.executable, "-c", _WRITES_OR_READS, tmp_path],
            env={**os.environ, "NALANDA_KERNELS": wanted},
            capture_output=True,
            text=True,
            check=True,
        )
        name, _, answer = ended.stdout.partition("\n")
        assert name == wanted
        outputs.append(answer)
    assert outputs[0] == outputs[1]
