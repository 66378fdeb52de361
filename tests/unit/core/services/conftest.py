"""The services over the in-memory store."""

import pytest

from core.indexing.views.catalog import Catalog
from core.services.chunk_writes import ChunkWrites
from core.services.chunks import ChunkService
from core.services.documents import DocumentService
from core.services.embedding import TextEmbedding
from core.services.libraries import LibraryService
from tests.fakes import FakeEmbedder, FakeStore


@pytest.fixture
def store() -> FakeStore:
    return FakeStore()


@pytest.fixture
def embedder() -> FakeEmbedder:
    """The default model, of 4 numbers."""
    return FakeEmbedder("fake", 4)


@pytest.fixture
def embedding(embedder: FakeEmbedder) -> TextEmbedding:
    return TextEmbedding({"fake": embedder, "wide": FakeEmbedder("wide", 8)}, "fake")


@pytest.fixture
def writes(embedding: TextEmbedding) -> ChunkWrites:
    return ChunkWrites(embedding)


@pytest.fixture
def libraries(store: FakeStore, embedding: TextEmbedding) -> LibraryService:
    return LibraryService(store, embedding)


@pytest.fixture
def documents(store: FakeStore, writes: ChunkWrites) -> DocumentService:
    return DocumentService(store, writes)


@pytest.fixture
def catalog(store: FakeStore) -> Catalog:
    with store.read() as snapshot:
        catalog = Catalog.load(snapshot)
    store.subscribe(catalog.apply)
    return catalog


@pytest.fixture
def chunks(store: FakeStore, writes: ChunkWrites, catalog: Catalog) -> ChunkService:
    return ChunkService(store, writes, catalog)
