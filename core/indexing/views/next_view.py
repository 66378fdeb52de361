"""The next view of a library: each function applies one change and leaves the old view as it is.

Only the newest view may be extended: added rows go behind its last row, into arrays that the old
and the new view share.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

import numpy as np
from immutables import Map
from numpy.typing import NDArray

from core.domain.document import Document, EmbeddedChunk
from core.domain.library import Library
from core.indexing.segment.delta_search import DeltaSearch
from core.indexing.segment.rows import Rows
from core.indexing.segment.segment import Segment
from core.indexing.views.view import LibraryView, next_revision


def with_library(view: LibraryView, library: Library) -> LibraryView:
    changed = replace(view, library=library)
    return changed if library.metric is view.library.metric else _insert_again(changed)


def with_documents(view: LibraryView, documents: Iterable[Document]) -> LibraryView:
    documents = list(documents)
    by_id = view.documents.update((document.id, document) for document in documents)
    changed = {document.id for document in documents if document.id in view.documents}
    segments = view.segments
    if changed:
        segments = tuple(segment.with_documents(changed, by_id) for segment in segments)
    return replace(view, documents=by_id, segments=segments)


def without_document(view: LibraryView, document_id: str) -> LibraryView:
    """Remove a document whose chunks are already removed."""
    return replace(view, documents=view.documents.delete(document_id))


def with_chunks(view: LibraryView, added: Sequence[EmbeddedChunk]) -> LibraryView:
    """Add new chunks, and replace the chunks that have the same ids. Amortised O(added).

    Raises:
        ValueError: an embedding's dimension differs from the library's.
    """
    if not added:
        return view
    row_ids = view.row_ids_of([item.chunk.id for item in added])
    dead = []
    for row_id, item in enumerate(added, view.next_row_id):
        if item.chunk.id in row_ids:
            dead.append(row_ids[item.chunk.id])
        row_ids[item.chunk.id] = row_id
    delta = view.delta or _new_delta(view, added)
    delta = _append_to_delta(delta, added, view.runtime.delta)
    others = view.segments if view.delta is None else view.segments[:-1]
    next_row_id = view.next_row_id + len(added)
    view = replace(
        view, segments=(*others, delta), next_row_id=next_row_id, revision=next_revision()
    )
    return _without_rows(view, dead)


def without_chunks(view: LibraryView, chunk_ids: Iterable[str]) -> LibraryView:
    """Delete the given chunks; ids that the library does not have are ignored."""
    dead = list(view.row_ids_of(list(chunk_ids)).values())
    return _without_rows(replace(view, revision=next_revision()), dead)


def with_embeddings(
    view: LibraryView, chunk_ids: Sequence[str], embeddings: NDArray[np.float32]
) -> LibraryView:
    """Replace the embeddings of all chunks; their rows and row ids stay.

    `embeddings`: `(n, d) float32`, one for each of the `chunk_ids`, of any dimension. Segments lose
    their vector indexes, so that they are scanned until the build thread has built others.

    Raises:
        ValueError: a chunk of the view has no embedding.
    """
    numbers = {chunk_id: number for number, chunk_id in enumerate(chunk_ids)}
    segments = tuple(
        _replace_embeddings(segment, numbers, embeddings, view.runtime.delta)
        for segment in view.segments
    )
    return replace(view, segments=segments)


def _replace_embeddings(
    segment: Segment,
    numbers: Mapping[str, int],
    embeddings: NDArray[np.float32],
    search: DeltaSearch,
) -> Segment:
    """Replace the embeddings of a segment; `numbers` has the place of each chunk's own.

    A dead row gets any embedding.
    """
    size = segment.size
    own = np.array([numbers.get(chunk.id, -1) for chunk in segment.rows.chunks[:size]], np.intp)
    if (own[segment.alive[:size]] < 0).any():
        raise ValueError("A chunk of the index has no new embedding.")
    rows = segment.rows.with_embeddings(embeddings, own)
    replaced = replace(segment, rows=rows, index=None, built_for=None)
    search.prepare(replaced.vectors, rows.codes, 0)
    return replaced


def freeze_delta(view: LibraryView) -> LibraryView:
    """Freeze the delta, so that a segment can be built from it; a later write starts a new one."""
    delta = view.delta
    if delta is None:
        return view
    size = delta.size
    segment = replace(delta, rows=delta.rows.first(size), alive=delta.alive[:size], frozen=True)
    return replace(view, segments=(*view.segments[:-1], segment))


def with_segment(view: LibraryView, was: Sequence[Segment], segment: Segment) -> LibraryView | None:
    """Replace frozen segments with the segment built from them; `None` if they are no longer there.

    Rows that were deleted during the build are dead in the new segment too.
    """
    start = next(
        (i for i, segment in enumerate(view.segments) if segment.rows is was[0].rows), None
    )
    if start is None:
        return None
    now = view.segments[start : start + len(was)]
    if [segment.rows for segment in now] != [segment.rows for segment in was]:
        return None
    dead = [
        before.row_ids_of(np.flatnonzero(before.alive & ~after.alive))
        for before, after in zip(was, now, strict=True)
        if before.alive is not after.alive
    ]
    if dead:
        segment = segment.without(segment.rows_of(np.concatenate(dead)))
    if segment.attributes is not None:
        changed = segment.attributes.changed_documents(view.documents)
        segment = segment.with_documents(changed, view.documents)
    return replace(
        view, segments=(*view.segments[:start], segment, *view.segments[start + len(was) :])
    )


def _new_delta(view: LibraryView, added: Sequence[EmbeddedChunk]) -> Segment:
    """Create an empty delta with the dimension of the view's rows, else of the added rows."""
    first = view.segments[0].rows.dimension if view.segments else len(added[0].embedding)
    rows = Rows.empty(view.library.metric, dimension=first, capacity=len(added))
    return Segment.empty(rows, view.next_row_id)


def _append_to_delta(
    delta: Segment, added: Sequence[EmbeddedChunk], search: DeltaSearch
) -> Segment:
    rows, alive = delta.rows.append(delta.size, added), delta.alive
    if rows.capacity > len(alive):
        alive = np.ones(rows.capacity, np.bool_)
        alive[: delta.size] = delta.alive[: delta.size]
    size, live = delta.size + len(added), delta.live + len(added)
    by_id = delta.rows_by_id.update((item.chunk.id, delta.size + i) for i, item in enumerate(added))
    segment = replace(delta, rows=rows, alive=alive, size=size, live=live, rows_by_id=by_id)
    search.prepare(segment.vectors, rows.codes, delta.size)
    return segment


def _without_rows(view: LibraryView, dead: Sequence[int]) -> LibraryView:
    """Mark the rows with these row ids as dead, and drop segments without live rows."""
    if not dead:
        return view
    row_ids = np.sort(np.array(dead, np.int64))
    ends = [
        *np.searchsorted(row_ids, [segment.first for segment in view.segments[1:]]),
        len(row_ids),
    ]
    segments, start = [], 0
    for segment, end in zip(view.segments, ends, strict=True):
        mine = row_ids[start:end]
        remaining = segment.without(segment.rows_of(mine)) if len(mine) else segment
        if remaining.live:
            segments.append(remaining)
        start = end
    return _compact_delta(replace(view, segments=tuple(segments)))


def _compact_delta(view: LibraryView) -> LibraryView:
    """Compact the delta once most of its rows are dead: O(1) a deletion, amortised.

    The remaining rows get new row ids, so that the row ids of a delta have no gaps.
    """
    delta = view.delta
    if delta is None or delta.deleted <= delta.live:
        return view
    rows = delta.rows.take(np.flatnonzero(delta.alive[: delta.size]))
    first, size = view.next_row_id, delta.live
    by_id = Map((chunk.id, row) for row, chunk in enumerate(rows.chunks))
    compacted = replace(Segment.empty(rows, first), size=size, live=size, rows_by_id=by_id)
    view.runtime.delta.prepare(compacted.vectors, rows.codes, 0)
    return replace(view, segments=(*view.segments[:-1], compacted), next_row_id=first + size)


def _insert_again(view: LibraryView) -> LibraryView:
    """Insert every live row again, as the library's new metric stores rows in another form."""
    live = [
        row
        for segment in view.segments
        for row in segment.rows.embedded(np.flatnonzero(segment.alive[: segment.size]).tolist())
    ]
    return with_chunks(replace(view, segments=()), live)
