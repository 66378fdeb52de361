"""Writes of chunks ask whether the library may take them, before they embed or write anything."""

from collections.abc import Callable

import pytest

from core.domain.document import ChunkDraft, DocumentDraft
from core.domain.errors import Unavailable
from core.domain.library import LibraryDraft
from core.indexing.views.catalog import Catalog
from core.services.chunk_writes import ChunkWrites
from core.services.chunks import ChunkService
from core.services.documents import DocumentService
from core.services.embedding import TextEmbedding
from core.services.libraries import LibraryService
from tests.fakes import FakeEmbedder, FakeStore


@pytest.mark.parametrize("kind", ["document", "chunks", "chunk", "edit"])
def test_what_it_refuses_leaves_no_trace(
    kind: str,
    store: FakeStore,
    embedding: TextEmbedding,
    embedder: FakeEmbedder,
    libraries: LibraryService,
    documents: DocumentService,
    catalog: Catalog,
) -> None:
    library = libraries.create(LibraryDraft(name="l")).value
    documents.put("l", "d", DocumentDraft(chunks=[ChunkDraft(text="a", id="a")]))
    asked: list[tuple[str, int]] = []

    def refuse(library_id: str, rows: int) -> None:
        asked.append((library_id, rows))
        raise Unavailable("Too many.")

    writes = ChunkWrites(embedding, refuse)
    chunks, refusing = ChunkService(store, writes, catalog), DocumentService(store, writes)
    two = [ChunkDraft(text="b"), ChunkDraft(text="c")]
    calls: dict[str, Callable[[], object]] = {
        "document": lambda: refusing.put("l", "d", DocumentDraft(chunks=two)),
        "chunks": lambda: chunks.add("l", "d", two),
        "chunk": lambda: chunks.put("l", "b", "d", ChunkDraft(text="b")),
        "edit": lambda: chunks.update("l", "a", lambda _: ChunkDraft(text="b")),
    }
    embedded, position = len(embedder.embedded), catalog.position
    with pytest.raises(Unavailable, match="Too many"):
        calls[kind]()
    assert asked == [(library.id, 2 if kind in {"document", "chunks"} else 1)]
    assert (len(embedder.embedded), catalog.position) == (embedded, position)
