import numpy as np
import pytest
from pyroaring import BitMap

from core.domain.library import Metric
from core.indexing.query.group_by_document import best_per_document
from core.indexing.views.next_view import with_chunks
from core.indexing.views.view import LibraryView, Matches
from tests.unit.core.builders import chunk, embedded, library


@pytest.mark.parametrize("k", [1, 3, 5, 40])
def test_the_best_chunk_of_each_document_in_order(k: int) -> None:
    rng = np.random.default_rng(k)
    # One document has most of the nearest chunks, so that a few hits are not enough.
    documents = ["d0"] * 150 + [f"d{i % 10}" for i in range(50)]
    vectors = rng.standard_normal((200, 4)).astype(np.float32)
    vectors[:150] *= np.float32(0.01)
    view = with_chunks(
        LibraryView.empty(library(metric=Metric.L2, dimension=4)),
        [
            embedded(chunk(f"c{i:03}", document_id=d), v)
            for i, (d, v) in enumerate(zip(documents, vectors.tolist(), strict=True))
        ],
    )
    query = np.zeros(4, np.float32)
    [everything] = view.search(query[np.newaxis], 200)
    first: dict[str, int] = {}
    for row in everything.row_ids.tolist():
        first.setdefault(documents[row], row)
    ranking = best_per_document(view, lambda k: view.search(query[np.newaxis], k)[0], k, total=200)
    assert ranking.row_ids.tolist() == list(first.values())[:k]
    assert len(ranking.scores) == min(k, 10)


def test_nothing_allowed_gives_no_groups() -> None:
    view = with_chunks(LibraryView.empty(library()), [embedded(chunk())])
    query, nothing = np.ones((1, 2), np.float32), Matches.of((BitMap(),))
    ranking = best_per_document(
        view, lambda k: view.search(query, k, matches=nothing)[0], 3, total=0
    )
    assert not len(ranking.row_ids)
