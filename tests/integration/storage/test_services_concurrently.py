"""The services on several threads at once, over the real store."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from core.domain.document import Chunk, ChunkDraft, DocumentDraft
from core.domain.errors import Conflict
from core.domain.library import LibraryDraft
from core.indexing.views.catalog import Catalog
from core.ports.store import Store
from core.services.chunk_writes import ChunkWrites
from core.services.chunks import ChunkService
from core.services.documents import DocumentService
from core.services.embedding import TextEmbedding
from core.services.libraries import LibraryService
from tests.fakes import FakeEmbedder
from tests.samples import stored_chunks
from tests.unit.core.indexing.segments import row_ids

THREADS = 8


@pytest.fixture
def embedding() -> TextEmbedding:
    return TextEmbedding({"fake": FakeEmbedder()}, "fake")


def test_one_of_many_gets_a_name(engine: Store, embedding: TextEmbedding) -> None:
    libraries = LibraryService(engine, embedding)

    def create(_: int) -> bool:
        try:
            libraries.create(LibraryDraft("wanted"))
        except Conflict:
            return False
        return True

    with ThreadPoolExecutor(THREADS) as pool:
        assert sum(pool.map(create, range(2 * THREADS))) == 1
    assert libraries.get("wanted").position == 1


def test_every_first_chunk_arrives_and_edits_are_not_lost(
    engine: Store, embedding: TextEmbedding
) -> None:
    writes = ChunkWrites(embedding)
    LibraryService(engine, embedding).create(LibraryDraft("lib"))
    DocumentService(engine, writes).put("lib", "doc", DocumentDraft())
    chunks = ChunkService(engine, writes, Catalog())

    def add(number: int) -> None:
        chunks.add("lib", "doc", [ChunkDraft(f"text {number}-{i}") for i in range(3)])

    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(add, range(THREADS)))
    page = chunks.page_of_document("lib", "doc", after=None, limit=100).value
    assert [chunk.ordinal for chunk in page] == list(range(3 * THREADS))
    assert len({chunk.text for chunk in page}) == 3 * THREADS

    def longer(chunk: Chunk) -> ChunkDraft:
        return ChunkDraft(chunk.text + "!")

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: chunks.update("lib", page[0].id, longer), range(4)))
    assert chunks.get("lib", page[0].id).value.text == page[0].text + "!!!!"


def test_what_matches_is_deleted_as_of_the_write(engine: Store, embedding: TextEmbedding) -> None:
    catalog = Catalog()
    engine.subscribe(catalog.apply)
    writes = ChunkWrites(embedding)
    LibraryService(engine, embedding).create(LibraryDraft("lib"))
    DocumentService(engine, writes).put("lib", "doc", DocumentDraft())
    chunks = ChunkService(engine, writes, catalog)

    def write(number: int) -> int:
        drafts = [ChunkDraft(f"{number}-{i}", metadata={"n": i}) for i in range(4)]
        own = chunks.add("lib", "doc", drafts).value
        chunks.update("lib", own[0].id, lambda chunk: ChunkDraft(chunk.text, metadata={"n": 9}))
        return chunks.delete_many("lib", filter={"field": "n", "op": "gte", "value": 2}).value

    with ThreadPoolExecutor(THREADS) as pool:
        deleted = sum(pool.map(write, range(THREADS)))
    left = stored_chunks(engine, "lib")
    assert [chunk.metadata["n"] for chunk in left] == [1] * THREADS
    assert deleted == 3 * THREADS
    assert sorted(row_ids(catalog.library("lib"))) == [chunk.id for chunk in left]
