"""Reads from the record what an index is built from."""

from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

from immutables import Map

from core.domain.batches import batches
from core.domain.document import Document
from core.domain.library import Library
from core.indexing.views import next_view
from core.indexing.views.view import LibraryView
from core.ports.store import Snapshot

AT_ONCE = 1_000

_Entity = TypeVar("_Entity", Library, Document)


def libraries_of(snapshot: Snapshot) -> Iterator[Library]:
    return _pages(lambda after: snapshot.libraries.page(after=after, limit=AT_ONCE))


def documents_of(snapshot: Snapshot, library_id: str) -> Map[str, Document]:
    """Return a library's documents by id."""
    pages = _pages(lambda after: snapshot.documents.page(library_id, after=after, limit=AT_ONCE))
    return Map((document.id, document) for document in pages)


def from_record(snapshot: Snapshot, library: Library, *, first_row_id: int = 0) -> LibraryView:
    """Build a library's view from the record: O(chunks), in memory."""
    documents = documents_of(snapshot, library.id)
    view = LibraryView(library, next_row_id=first_row_id, documents=documents)
    for rows in batches(snapshot.chunks.scan(library.id), AT_ONCE):
        view = next_view.with_chunks(view, rows)
    return view


def _pages(page: Callable[[str | None], Sequence[_Entity]]) -> Iterator[_Entity]:
    """Yield all items of a listing that is sorted by id."""
    after: str | None = None
    while items := page(after):
        yield from items
        after = items[-1].id
