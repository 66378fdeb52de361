"""What the index is made of, read from the record."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from typing import TypeVar

from immutables import Map

from core.domain.document import Document
from core.domain.library import Library
from core.indexing.views import next_view
from core.indexing.views.view import LibraryView
from core.ports.store import Snapshot

AT_ONCE = 1_000

T = TypeVar("T")
_Entity = TypeVar("_Entity", Library, Document)


def libraries_of(snapshot: Snapshot) -> Iterator[Library]:
    return _pages(lambda after: snapshot.libraries.page(after=after, limit=AT_ONCE))


def documents_of(snapshot: Snapshot, library_id: str) -> Map[str, Document]:
    """By id."""
    pages = _pages(lambda after: snapshot.documents.page(library_id, after=after, limit=AT_ONCE))
    return Map((document.id, document) for document in pages)


def from_record(snapshot: Snapshot, library: Library) -> LibraryView:
    """All of a library: O(chunks), in memory."""
    view = LibraryView(library, documents=documents_of(snapshot, library.id))
    for rows in batches(snapshot.chunks.scan(library.id)):
        view = next_view.with_chunks(view, rows)
    return view


def batches(items: Iterable[T]) -> Iterator[list[T]]:
    """Of as many as are read at once."""
    rest = iter(items)
    while batch := list(islice(rest, AT_ONCE)):
        yield batch


def _pages(page: Callable[[str | None], Sequence[_Entity]]) -> Iterator[_Entity]:
    """All items of a listing that is in order of id."""
    after: str | None = None
    while items := page(after):
        yield from items
        after = items[-1].id
