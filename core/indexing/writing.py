"""The next view of a library: what a write makes of the one before, which stays as it is.

Only the newest view may be built upon, as what is added goes behind its last row, into arrays
that both share.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from core.domain.document import Document, EmbeddedChunk
from core.domain.library import Library
from core.indexing.rows import Rows
from core.indexing.view import LibraryView


def with_library(view: LibraryView, library: Library) -> LibraryView:
    changed = replace(view, library=library)
    return changed if library.metric is view.rows.metric else _rebuilt(changed)


def with_documents(view: LibraryView, documents: Iterable[Document]) -> LibraryView:
    by_id = view.documents.update((document.id, document) for document in documents)
    return replace(view, documents=by_id)


def without_document(view: LibraryView, document_id: str) -> LibraryView:
    """Its chunks are gone already."""
    return replace(view, documents=view.documents.delete(document_id))


def with_chunks(view: LibraryView, added: Sequence[EmbeddedChunk]) -> LibraryView:
    """With new chunks, and new versions in place of those it has. Amortised O(added)."""
    if not added:
        return view
    if not view.vectors:
        view = _with_room_for(view, added)
    return _tidied(_appended(view, added))


def without_chunks(view: LibraryView, chunk_ids: Iterable[str]) -> LibraryView:
    """Without those of the chunks that are there."""
    dead = {view.rows_by_id[chunk_id] for chunk_id in chunk_ids if chunk_id in view.rows_by_id}
    with view.rows_by_id.mutate() as ids:
        for row in dead:
            del ids[view.chunk(row).id]
        rows_by_id = ids.finish()
    alive = _without(view.alive, list(dead))
    return _tidied(replace(view, rows_by_id=rows_by_id, alive=alive))


def _with_room_for(view: LibraryView, added: Sequence[EmbeddedChunk]) -> LibraryView:
    """Starts again, with the dimension of what comes."""
    dimension = len(added[0].embedding)
    rows = Rows.empty(view.library.metric, dimension=dimension, capacity=len(added))
    return replace(view, rows=rows, size=0, alive=np.ones(len(added), np.bool_))


def _appended(view: LibraryView, added: Sequence[EmbeddedChunk]) -> LibraryView:
    dead = []
    with view.rows_by_id.mutate() as ids:
        for row, item in enumerate(added, view.size):
            if item.chunk.id in ids:
                dead.append(ids[item.chunk.id])
            ids[item.chunk.id] = row
        rows_by_id = ids.finish()
    rows = view.rows.extended(view.size, added)
    alive = view.alive
    if rows.capacity > len(alive):
        alive = np.ones(rows.capacity, np.bool_)
        alive[: view.size] = view.alive[: view.size]
    return replace(
        view,
        rows=rows,
        alive=_without(alive, dead) if dead else alive,
        size=view.size + len(added),
        rows_by_id=rows_by_id,
    )


def _without(alive: NDArray[np.bool_], dead: Sequence[int]) -> NDArray[np.bool_]:
    remaining = alive.copy()
    remaining[dead] = False
    return remaining


def _tidied(view: LibraryView) -> LibraryView:
    """Gives space back once more than half of the rows are dead: O(1) a deletion, amortised."""
    return _rebuilt(view) if view.deleted > view.vectors else view


def _rebuilt(view: LibraryView) -> LibraryView:
    live = view.rows.embedded(view.live_rows().tolist())
    return with_chunks(replace(LibraryView.empty(view.library), documents=view.documents), live)
