"""A view with new embeddings of the same chunks."""

import numpy as np
import pytest
from numpy.typing import NDArray

from core.domain.library import IndexSpec, Metric
from core.indexing.maintenance.merge_policy import Reason, next_job
from core.indexing.maintenance.segment_builder import SegmentBuilder
from core.indexing.vectors.vector_index import SearchParams
from core.indexing.views import next_view
from core.indexing.views.view import LibraryView
from tests.samples import a_document, a_library, a_row

COUNT = 60
EXACT = SearchParams(exact=True)


def ids_of(view: LibraryView) -> list[str]:
    return [chunk.id for chunk in view.chunks(view.matching(None))]


def vectors(count: int, dimension: int, seed: int = 0) -> NDArray[np.float32]:
    return np.random.default_rng(seed).standard_normal((count, dimension)).astype(np.float32)


def mixed_view(metric: Metric) -> LibraryView:
    """Return a view of a sealed segment and a delta, both with dead rows."""
    view = next_view.with_documents(LibraryView(a_library(metric=metric)), [a_document()])
    rows = [a_row(f"{i:02}") for i in range(COUNT)]
    view = next_view.freeze_delta(next_view.with_chunks(view, rows[:40]))
    built = SegmentBuilder().build(view.segments, IndexSpec(), view.documents, lambda: False)
    sealed = next_view.with_segment(view, view.segments, built)
    assert sealed is not None
    view = next_view.with_chunks(sealed, rows[40:])
    return next_view.without_chunks(view, ["03", "04", "47"])


@pytest.mark.parametrize("metric", Metric)
@pytest.mark.parametrize("dimension", [3, 5])
def test_searches_are_those_of_a_view_made_with_the_new_embeddings(
    metric: Metric, dimension: int
) -> None:
    view = mixed_view(metric)
    ids = ids_of(view)
    new = vectors(len(ids), dimension)
    changed = next_view.with_embeddings(view, ids, new)
    queries = vectors(4, dimension, seed=1)
    for query, ranking in zip(queries, changed.search(queries, 5, params=EXACT), strict=True):
        scores = {
            Metric.DOT: new @ query,
            Metric.COSINE: new @ query / np.linalg.norm(new, axis=1),
            Metric.L2: -np.linalg.norm(new - query, axis=1),
        }[metric]
        found = [changed.chunk(row_id).id for row_id in ranking.row_ids.tolist()]
        assert found == [ids[i] for i in np.argsort(-scores)[:5]]
    for id_, row_id in changed.row_ids_of(ids).items():
        assert np.array_equal(changed.embedding(row_id), new[ids.index(id_)])


def test_rows_and_the_view_before_stay_as_they_are() -> None:
    view = mixed_view(Metric.COSINE)
    ids = ids_of(view)
    before = view.embedding(view.row_ids_of(["10"])["10"])
    changed = next_view.with_embeddings(view, ids, vectors(len(ids), 4))
    assert changed.row_ids_of(ids) == view.row_ids_of(ids)
    assert changed.revision == view.revision
    assert np.array_equal(view.embedding(view.row_ids_of(["10"])["10"]), before)
    assert view.segments[0].index is not None


def test_writes_go_on_after_it() -> None:
    view = mixed_view(Metric.COSINE)
    ids = ids_of(view)
    changed = next_view.with_embeddings(view, ids, vectors(len(ids), 3))
    more = next_view.with_chunks(changed, [a_row("10"), a_row("new")])
    more = next_view.without_chunks(more, ["11"])
    assert sorted(ids_of(more)) == sorted({*ids, "new"} - {"11"})
    assert sorted(ids_of(changed)) == sorted(ids)


def test_the_build_thread_gets_a_job_for_segments_without_an_index() -> None:
    view = mixed_view(Metric.COSINE)
    ids = ids_of(view)
    changed = next_view.with_embeddings(view, ids, vectors(len(ids), 3))
    job = next_job(changed)
    assert job is not None
    assert job.reason is Reason.FLUSH


def test_a_chunk_without_an_embedding_is_an_error() -> None:
    view = mixed_view(Metric.COSINE)
    ids = ids_of(view)[1:]
    with pytest.raises(ValueError, match="no new embedding"):
        next_view.with_embeddings(view, ids, vectors(len(ids), 3))


def test_an_empty_view_stays_empty() -> None:
    view = LibraryView(a_library())
    assert next_view.with_embeddings(view, [], np.empty((0, 0), np.float32)).segments == ()
