"""The first vector settles a library; the rest are held to it."""

from collections.abc import Sequence

import numpy as np
import pytest

from core.domain.document import ChunkDraft, DocumentDraft
from core.domain.errors import Conflict, NotFound, ProviderRejected, ProviderUnavailable
from core.domain.library import LibraryDraft, Metric
from core.providers.base import Purpose, Vectors
from core.services.chunk_writes import ATTEMPTS, ChunkWrites
from core.services.chunks import ChunkService
from core.services.documents import DocumentService
from core.services.embedding import BATCH_TEXTS, TextEmbedding
from core.services.libraries import LibraryService
from tests.fakes import FakeEmbedder, FakeStore
from tests.samples import stored_chunks
from tests.unit.core.services.faults import invalid_at


def given(*numbers: float, text: str = "text") -> ChunkDraft:
    return ChunkDraft(text, embedding=np.array(numbers, dtype=np.float32))


def add(documents: DocumentService, *drafts: ChunkDraft) -> None:
    documents.create("lib", DocumentDraft(chunks=drafts))


@pytest.fixture
def make(libraries: LibraryService) -> None:
    libraries.create(LibraryDraft("lib"))


@pytest.mark.usefixtures("make")
class TestTheFirstVector:
    def test_from_a_text_takes_the_default_model(
        self, libraries: LibraryService, documents: DocumentService
    ) -> None:
        add(documents, ChunkDraft("a text"))
        settled = libraries.get("lib")
        assert (settled.value.embedding_model, settled.value.dimension) == ("fake", 4)
        assert settled.value.version == settled.position == 2

    def test_of_the_client_s_own_leaves_no_model(
        self, libraries: LibraryService, documents: DocumentService
    ) -> None:
        add(documents, given(1, 2, 3))
        settled = libraries.get("lib").value
        assert (settled.embedding_model, settled.dimension) == (None, 3)
        with invalid_at("/chunks/0/embedding"):
            add(documents, ChunkDraft("a text"))
        assert libraries.get("lib").value.version == 2

    def test_is_the_first_of_the_request(
        self, libraries: LibraryService, documents: DocumentService
    ) -> None:
        with invalid_at("/chunks/1/embedding"):
            add(documents, given(1, 2, 3, 4), ChunkDraft("a text"))
        with invalid_at("/chunks/1/embedding"):
            add(documents, ChunkDraft("a text"), given(1, 2, 3))
        assert libraries.get("lib").value.dimension is None
        add(documents, ChunkDraft("a text"), given(1, 2, 3, 4))
        assert libraries.get("lib").value.embedding_model == "fake"


def test_a_dimension_that_is_given_is_kept(
    libraries: LibraryService, documents: DocumentService
) -> None:
    libraries.create(LibraryDraft("lib", dimension=3))
    with invalid_at("/chunks/0/embedding"):
        add(documents, ChunkDraft("the default model makes 4"))
    with invalid_at("/chunks/0/embedding"):
        add(documents, given(1, 2))
    add(documents, given(1, 2, 3))
    assert libraries.get("lib").value.version == 1


def test_a_model_that_is_given_settles_the_dimension(
    libraries: LibraryService, documents: DocumentService
) -> None:
    libraries.create(LibraryDraft("lib", embedding_model="wide"))
    with invalid_at("/chunks/0/embedding"):
        add(documents, given(1, 2, 3, 4))
    add(documents, given(*range(8)))
    assert libraries.get("lib").value.dimension == 8


def test_embeddings_are_checked_each_where_it_is(
    libraries: LibraryService, documents: DocumentService
) -> None:
    libraries.create(LibraryDraft("lib", dimension=2))
    drafts = [given(1, 2), given(0, 0), given(1, float("nan")), given(1, 2, 3)]
    with invalid_at("/chunks/1/embedding", "/chunks/2/embedding", "/chunks/3/embedding"):
        add(documents, *drafts)
    libraries.create(LibraryDraft("far", dimension=2, metric=Metric.L2))
    documents.create("far", DocumentDraft(chunks=[given(0, 0)]))


@pytest.mark.usefixtures("make")
def test_a_blank_text_is_nothing_to_embed(documents: DocumentService) -> None:
    with invalid_at("/chunks/0/text"):
        add(documents, ChunkDraft(" \n"))
    add(documents, given(1, 2, text=""))


@pytest.mark.usefixtures("make")
def test_only_texts_without_a_vector_are_embedded_in_batches(
    store: FakeStore, documents: DocumentService, chunks: ChunkService, embedder: FakeEmbedder
) -> None:
    drafts = [ChunkDraft(f"text {i}") for i in range(BATCH_TEXTS + 1)]
    add(documents, drafts[0], given(1, 2, 3, 4), *drafts[1:])
    assert embedder.batches == [BATCH_TEXTS, 1]
    assert embedder.embedded == [draft.text for draft in drafts]
    stored = stored_chunks(store, "lib")
    vectors = chunks.embeddings("lib", [chunk.id for chunk in stored])
    (own,) = (chunk.id for chunk in stored if chunk.text == "text")
    np.testing.assert_array_equal(vectors[own], [1, 2, 3, 4])
    (last,) = (chunk.id for chunk in stored if chunk.text == drafts[-1].text)
    np.testing.assert_array_equal(vectors[last], embedder.embed([drafts[-1].text], "document")[0])


class Failing(FakeEmbedder):
    def embed(self, texts: Sequence[str], purpose: Purpose) -> Vectors:
        raise ProviderUnavailable("Not now.")


class Useless(FakeEmbedder):
    def __init__(self, rows: list[list[float]]) -> None:
        super().__init__("fake", 2)
        self._rows = rows

    def embed(self, texts: Sequence[str], purpose: Purpose) -> Vectors:
        return np.array(self._rows, dtype=np.float32)


def services_with(store: FakeStore, embedder: FakeEmbedder) -> DocumentService:
    embedding = TextEmbedding({"fake": embedder}, "fake")
    LibraryService(store, embedding).create(LibraryDraft("lib"))
    return DocumentService(store, ChunkWrites(embedding))


def test_a_provider_s_failure_leaves_nothing_behind(store: FakeStore) -> None:
    documents = services_with(store, Failing())
    with pytest.raises(ProviderUnavailable):
        documents.create("lib", DocumentDraft(text="a text"))
    assert documents.page("lib", after=None, limit=1).value == []
    assert documents.page("lib", after=None, limit=1).position == 1


@pytest.mark.parametrize("rows", [[[1.0]], [[1.0, float("nan")]], [[1.0, 1.0]] * 2, [[0.0, 0.0]]])
def test_what_a_provider_makes_is_checked_too(store: FakeStore, rows: list[list[float]]) -> None:
    documents = services_with(store, Useless(rows))
    with pytest.raises(ProviderRejected):
        documents.create("lib", DocumentDraft(text="a text"))


def test_a_model_that_the_server_lost_is_the_server_s_fault(
    store: FakeStore, documents: DocumentService, libraries: LibraryService
) -> None:
    libraries.create(LibraryDraft("lib", embedding_model="wide", dimension=8))
    elsewhere = TextEmbedding({"fake": FakeEmbedder()}, "fake")
    documents = DocumentService(store, ChunkWrites(elsewhere))
    add(documents, given(*range(8)))
    with pytest.raises(ProviderRejected, match="'wide'"):
        add(documents, ChunkDraft("a text"))


class Interfering(FakeEmbedder):
    """While it embeds, someone else writes, `times` times."""

    def __init__(self, store: FakeStore, library_id: str, times: int) -> None:
        super().__init__("fake", 4)
        embedding = TextEmbedding({"fake": FakeEmbedder()}, "fake")
        self._libraries = LibraryService(store, embedding)
        self._library_id = library_id
        self.left = times

    def embed(self, texts: Sequence[str], purpose: Purpose) -> Vectors:
        if self.left:
            self.left -= 1
            self._libraries.put(self._library_id, LibraryDraft(f"name {self.left}"))
        return super().embed(texts, purpose)


@pytest.mark.parametrize(("times", "succeeds"), [(ATTEMPTS - 1, True), (ATTEMPTS, False)])
def test_a_write_that_came_out_stale_is_tried_again_so_often(
    store: FakeStore, libraries: LibraryService, times: int, succeeds: bool
) -> None:
    library_id = libraries.create(LibraryDraft("lib")).value.id
    embedder = Interfering(store, library_id, times)
    documents = DocumentService(store, ChunkWrites(TextEmbedding({"fake": embedder}, "fake")))
    draft = DocumentDraft(text="a text")
    if succeeds:
        assert documents.create(library_id, draft).position == times + 2
    else:
        with pytest.raises(Conflict):
            documents.create(library_id, draft)


class Deleting(FakeEmbedder):
    """While it embeds, the library goes."""

    def __init__(self, store: FakeStore) -> None:
        super().__init__("fake", 4)
        self._libraries = LibraryService(store, TextEmbedding({}, "fake"))

    def embed(self, texts: Sequence[str], purpose: Purpose) -> Vectors:
        self._libraries.delete("lib")
        return super().embed(texts, purpose)


def test_a_library_that_goes_meanwhile_is_not_found(store: FakeStore) -> None:
    documents = services_with(store, Deleting(store))
    with pytest.raises(NotFound):
        documents.create("lib", DocumentDraft(text="a text"))
