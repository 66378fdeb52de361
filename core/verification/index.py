"""Verification of the index against the record: its rows, and the results of exact search."""

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from core.domain.batches import batches
from core.domain.document import EmbeddedChunk
from core.domain.library import Library
from core.indexing.vectors.vector_index import SearchParams
from core.indexing.views.catalog import Catalog
from core.indexing.views.record import AT_ONCE, documents_of, libraries_of
from core.indexing.views.view import LibraryView
from core.ports.store import Snapshot
from core.verification.nearest import Nearest, reference_scores

SAMPLED_STEP = 16
"""Without `full`, one chunk in `SAMPLED_STEP` is compared."""

QUERIES = 8
QUERIES_IN_FULL = 64
K = 10

_TOLERANCE = 1e-4
"""The tolerance of a score, relative to the greatest: more than the order of sums changes."""


def problems(snapshot: Snapshot, catalog: Catalog, *, full: bool) -> Iterator[str]:
    """Yield one line for each difference between `catalog` and `snapshot`, at one position.

    Chunks are sampled unless `full`.
    """
    if catalog.position != snapshot.position:
        yield f"index: it is at position {catalog.position}, the record at {snapshot.position}"
        return
    recorded = {library.id: library for library in libraries_of(snapshot)}
    for library_id in sorted(recorded.keys() | catalog.state.views.keys()):
        view, library = catalog.state.views.get(library_id), recorded.get(library_id)
        if view is None or library is None:
            place = "record" if view is None else "index"
            yield f"index: library {library_id!r} is in the {place} alone"
        else:
            yield from _library_problems(snapshot, library, view, full=full)


def _library_problems(
    snapshot: Snapshot, library: Library, view: LibraryView, *, full: bool
) -> Iterator[str]:
    where = f"index of {library.name!r}"
    if view.library != library:
        yield f"{where}: the library is not as it is on record"
    yield from _documents(snapshot, library, view, where)
    step = 1 if full else SAMPLED_STEP
    queries = _queries(view, QUERIES_IN_FULL if full else QUERIES)
    nearest = Nearest(queries, library.metric, K)
    count = 0
    for batch in batches(snapshot.chunks.scan(library.id), AT_ONCE):
        yield from (f"{where}: {said}" for said in _rows(view, batch[::step]))
        for row in batch:
            nearest.take(row.embedding)
        count += len(batch)
    if count != view.vectors:
        yield f"{where}: it has {view.vectors} chunks, and the record {count}"
    yield from (f"{where}: {said}" for said in _searches(view, queries, nearest.scores()))


def _documents(
    snapshot: Snapshot, library: Library, view: LibraryView, where: str
) -> Iterator[str]:
    recorded = documents_of(snapshot, library.id)
    for id_, document in recorded.items():
        if view.documents.get(id_) != document:
            yield f"{where}: document {id_!r} is not as it is on record"
    if len(recorded) != len(view.documents):
        yield f"{where}: it has {len(view.documents)} documents, and the record {len(recorded)}"


def _rows(view: LibraryView, rows: Sequence[EmbeddedChunk]) -> Iterator[str]:
    row_ids = view.row_ids_of([row.chunk.id for row in rows])
    for row in rows:
        row_id = row_ids.get(row.chunk.id)
        if row_id is None:
            yield f"chunk {row.chunk.id!r} is missing"
        elif view.chunk(row_id) != row.chunk:
            yield f"chunk {row.chunk.id!r} is not as it is on record"
        elif not np.array_equal(view.embedding(row_id), row.embedding):
            yield f"the embedding of chunk {row.chunk.id!r} is not as it is on record"


def _queries(view: LibraryView, count: int) -> NDArray[np.float32]:
    """Return `(q, d) float32`: vectors of the library, sampled evenly."""
    row_ids = view.row_ids(view.matching(None))
    chosen = row_ids[:: max(1, len(row_ids) // count)][:count]
    vectors = [view.embedding(row_id) for row_id in chosen.tolist()]
    return np.array(vectors, np.float32) if vectors else np.empty((0, 0), np.float32)


def _searches(
    view: LibraryView, queries: NDArray[np.float32], expected: NDArray[np.float64]
) -> Iterator[str]:
    """Yield a line for each exact search with lower scores than `expected`.

    `expected`: `(q, k) float64`, the true scores, best first.
    """
    if not len(queries):
        return
    metric = view.library.metric
    for query, ranking, scores in zip(
        queries, view.search(queries, K, params=SearchParams(exact=True)), expected, strict=True
    ):
        rows = [view.embedding(int(row_id)) for row_id in ranking.row_ids]
        actual = reference_scores(np.array(rows, np.float32), query[None], metric)[:, 0]
        nearest = np.sort(actual)[::-1]
        slack = _TOLERANCE * max(1.0, float(np.abs(scores).max()))
        if len(nearest) != len(scores) or (nearest < scores - slack).any():
            yield "an exact search has missed a chunk that is nearer"
