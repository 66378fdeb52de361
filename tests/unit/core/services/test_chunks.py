"""Chunks: all or nothing, their place, their vectors, and deleting many."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from core.domain.document import Chunk, ChunkDraft, DocumentDraft
from core.domain.errors import Conflict, NotFound, PreconditionFailed
from core.domain.guards import Guard
from core.domain.library import LibraryDraft
from core.domain.place import Place
from core.indexing.views.catalog import Catalog
from core.providers.base import Purpose, Vectors
from core.services.chunk_writes import ChunkWrites
from core.services.chunks import ChunkService
from core.services.documents import DocumentService
from core.services.embedding import TextEmbedding
from core.services.libraries import LibraryService
from tests.fakes import FakeEmbedder, FakeStore
from tests.samples import stored_chunks
from tests.unit.core.services.faults import invalid_at

STALE = Guard(versions=frozenset({99}))


@pytest.fixture(autouse=True)
def library(libraries: LibraryService, documents: DocumentService) -> str:
    made = libraries.create(LibraryDraft("lib"))
    documents.put("lib", "doc", DocumentDraft(title="first"))
    documents.put("lib", "other", DocumentDraft(title="second"))
    return made.value.id


def places(chunks: ChunkService, document_id: str) -> list[tuple[int, str]]:
    page = chunks.page_of_document("lib", document_id, after=None, limit=100).value
    return [(chunk.ordinal, chunk.id) for chunk in page]


def vector_of(chunks: ChunkService, chunk_id: str) -> list[float]:
    return [float(x) for x in chunks.embeddings("lib", [chunk_id])[chunk_id]]


def test_chunks_go_behind_the_last_in_one_write(chunks: ChunkService) -> None:
    chunks.add("lib", "doc", [ChunkDraft("a", id="b"), ChunkDraft("b", id="a")])
    added = chunks.add("lib", "doc", [ChunkDraft("c", id="c"), ChunkDraft("d")])
    assert added.position == 5
    assert {chunk.version for chunk in added.value} == {5}
    assert places(chunks, "doc")[:3] == [(0, "b"), (1, "a"), (2, "c")]
    assert chunks.get("lib", added.value[1].id).value == added.value[1]
    rest = chunks.page_of_document("lib", "doc", after=(1, "a"), limit=1)
    assert [chunk.id for chunk in rest.value] == ["c"]


def test_all_or_nothing(chunks: ChunkService) -> None:
    chunks.add("lib", "doc", [ChunkDraft("a", id="a")])
    with pytest.raises(Conflict, match="'a'"):
        chunks.add("lib", "doc", [ChunkDraft("b", id="b"), ChunkDraft("again", id="a")])
    with invalid_at("/chunks/1/id"):
        chunks.add("lib", "doc", [ChunkDraft("b", id="b"), ChunkDraft("again", id="b")])
    with invalid_at("/chunks/1/embedding"):
        wrong = np.ones(3, dtype=np.float32)
        chunks.add("lib", "doc", [ChunkDraft("b", id="b"), ChunkDraft("c", embedding=wrong)])
    assert places(chunks, "doc") == [(0, "a")]
    assert chunks.get("lib", "a").position == 4


def test_put_creates_and_then_replaces_in_its_place(
    chunks: ChunkService, embedder: FakeEmbedder
) -> None:
    chunks.add("lib", "doc", [ChunkDraft("a", id="a"), ChunkDraft("b", id="b")])
    made = chunks.put("lib", "c", "doc", ChunkDraft("c"))
    assert (made.is_new, made.value.ordinal) == (True, 2)
    before = chunks.get("lib", "a").value
    replaced = chunks.put("lib", "a", "doc", ChunkDraft("new", metadata={"x": 1}))
    assert not replaced.is_new
    assert (replaced.value.ordinal, replaced.value.created_at) == (0, before.created_at)
    assert replaced.value.version == replaced.position == 6
    assert vector_of(chunks, "a") == [float(x) for x in embedder.embed(["new"], "document")[0]]


def test_put_into_another_document_goes_behind_its_last(chunks: ChunkService) -> None:
    chunks.add("lib", "doc", [ChunkDraft("a", id="a"), ChunkDraft("b", id="b")])
    chunks.add("lib", "other", [ChunkDraft("c", id="c")])
    moved = chunks.put("lib", "a", "other", ChunkDraft("a"))
    assert moved.value.document_id == "other"
    assert places(chunks, "doc") == [(1, "b")]
    assert places(chunks, "other") == [(0, "c"), (1, "a")]


def test_put_names_a_document_that_is_there(chunks: ChunkService) -> None:
    with invalid_at("/document_id"):
        chunks.put("lib", "a", "?", ChunkDraft("a"))
    with invalid_at("/chunk_id"):
        chunks.put("lib", "a b", "doc", ChunkDraft("a"))


def test_new_text_is_embedded_and_the_same_text_is_not(
    chunks: ChunkService, embedder: FakeEmbedder
) -> None:
    chunks.add("lib", "doc", [ChunkDraft("a", id="a")])
    before = vector_of(chunks, "a")
    chunks.update("lib", "a", lambda chunk: ChunkDraft(text=chunk.text, metadata={"x": 1}))
    assert embedder.embedded == ["a"]
    assert vector_of(chunks, "a") == before
    assert chunks.get("lib", "a").value.metadata == {"x": 1}
    updated = chunks.update("lib", "a", lambda chunk: ChunkDraft(text="b"))
    assert embedder.embedded == ["a", "b"]
    assert vector_of(chunks, "a") != before
    assert updated.value.version == updated.position == 6
    own = np.array([1, 2, 3, 4], dtype=np.float32)
    chunks.update("lib", "a", lambda chunk: ChunkDraft(text="c", embedding=own))
    assert vector_of(chunks, "a") == [1, 2, 3, 4]
    assert embedder.embedded == ["a", "b"]


def test_the_context_is_embedded_with_the_text(
    chunks: ChunkService, embedder: FakeEmbedder
) -> None:
    place = Place("Harbours", ("Depth",), line=1)
    chunks.add("lib", "doc", [ChunkDraft("a", id="a", place=place)])
    assert chunks.get("lib", "a").value.place == place
    moved = replace(place, line=2)
    chunks.update("lib", "a", lambda chunk: ChunkDraft(chunk.text, place=moved))
    assert embedder.embedded == ["Harbours › Depth\na"]
    chunks.update("lib", "a", lambda chunk: ChunkDraft(chunk.text, place=replace(moved, title="H")))
    assert embedder.embedded[1:] == ["H › Depth\na"]
    chunks.put("lib", "a", "doc", ChunkDraft("a"))
    assert embedder.embedded[2:] == ["a"]
    assert chunks.get("lib", "a").value.place is None


def test_a_client_s_embedding_stays_when_the_place_changes(
    chunks: ChunkService, embedder: FakeEmbedder
) -> None:
    own = np.array([1, 2, 3, 4], dtype=np.float32)
    chunks.add("lib", "doc", [ChunkDraft("a", id="a", embedding=own)])  # settles: no model
    chunks.update("lib", "a", lambda chunk: ChunkDraft(chunk.text, place=Place("Harbours")))
    assert vector_of(chunks, "a") == [1, 2, 3, 4]
    assert chunks.get("lib", "a").value.place == Place("Harbours")
    with invalid_at("/embedding"):
        chunks.update("lib", "a", lambda chunk: ChunkDraft("b"))
    assert embedder.embedded == []


def test_faults_of_one_chunk_point_into_it(chunks: ChunkService) -> None:
    chunks.add("lib", "doc", [ChunkDraft("a", id="a")])
    wrong = np.ones(3, dtype=np.float32)
    with invalid_at("/embedding"):
        chunks.update("lib", "a", lambda chunk: ChunkDraft(text="c", embedding=wrong))
    with invalid_at("/text"):
        chunks.put("lib", "b", "doc", ChunkDraft(""))


def test_guards_hold(chunks: ChunkService) -> None:
    chunks.add("lib", "doc", [ChunkDraft("a", id="a")])
    with pytest.raises(PreconditionFailed):
        chunks.put("lib", "a", "doc", ChunkDraft("b"), guard=STALE)
    with pytest.raises(PreconditionFailed):
        chunks.put("lib", "a", "doc", ChunkDraft("b"), guard=Guard(absent=True))
    with pytest.raises(PreconditionFailed):
        chunks.update("lib", "a", lambda chunk: ChunkDraft(text="b"), guard=STALE)
    with pytest.raises(PreconditionFailed):
        chunks.delete("lib", "a", guard=STALE)
    version = chunks.get("lib", "a").value.version
    chunks.delete("lib", "a", guard=Guard(versions=frozenset({version})))


def test_what_is_not_there_is_not_found(chunks: ChunkService) -> None:
    with pytest.raises(NotFound, match="chunk"):
        chunks.get("lib", "?")
    with pytest.raises(NotFound, match="chunk"):
        chunks.delete("lib", "?")
    with pytest.raises(NotFound, match="chunk"):
        chunks.update("lib", "?", lambda chunk: ChunkDraft(text="b"), guard=STALE)
    with pytest.raises(NotFound, match="document"):
        chunks.add("lib", "?", [ChunkDraft("a")])
    with pytest.raises(NotFound, match="document"):
        chunks.page_of_document("lib", "?", after=None, limit=1)
    with pytest.raises(NotFound, match="library"):
        chunks.add("?", "doc", [ChunkDraft("a")])
    with pytest.raises(NotFound, match="library"):
        chunks.embeddings("?", [])


@pytest.fixture
def ten(chunks: ChunkService) -> None:
    for document_id, start in (("doc", 0), ("other", 5)):
        drafts = [
            ChunkDraft(f"text {i}", id=f"c{i}", metadata={"i": i}) for i in range(start, start + 5)
        ]
        chunks.add("lib", document_id, drafts)


@pytest.mark.usefixtures("ten")
class TestDeletingMany:
    def test_by_id_takes_those_that_are_there(self, store: FakeStore, chunks: ChunkService) -> None:
        deleted = chunks.delete_many("lib", ids=["c0", "c0", "?", "c9"])
        assert (deleted.value, deleted.position) == (2, 6)
        assert len(stored_chunks(store, "lib")) == 8

    @pytest.mark.parametrize("follows", [True, False])
    def test_by_filter_takes_those_that_match(
        self, store: FakeStore, writes: ChunkWrites, catalog: Catalog, follows: bool
    ) -> None:
        chunks = ChunkService(store, writes, catalog if follows else Catalog())
        even = {"field": "i", "op": "in", "value": [0, 2, 4, 6, 8]}
        second = {"field": "document.title", "op": "eq", "value": "second"}
        assert chunks.delete_many("lib", filter={"and": [even, second]}).value == 2
        left = [chunk.id for chunk in stored_chunks(store, "lib")]
        assert left == ["c0", "c1", "c2", "c3", "c4", "c5", "c7", "c9"]

    def test_takes_one_of_the_two(self, chunks: ChunkService) -> None:
        with invalid_at(""):
            chunks.delete_many("lib")
        with invalid_at(""):
            chunks.delete_many("lib", ids=[], filter={})

    def test_says_where_a_filter_is_wrong(self, chunks: ChunkService) -> None:
        with invalid_at("/filter/op"):
            chunks.delete_many("lib", filter={"field": "i", "op": "like", "value": 1})

    def test_answers_within_the_write(self, chunks: ChunkService) -> None:
        seen: list[int] = []
        chunks.delete_many("lib", ids=["c0"], before_commit=lambda _, at: seen.append(at.value))
        assert seen == [1]


class Meanwhile(FakeEmbedder):
    """While it embeds for the first time, something else is done to the chunk."""

    def __init__(self, chunks: ChunkService, text: str) -> None:
        super().__init__("fake", 4)
        self._chunks = chunks
        self._text = text

    def embed(self, texts: Sequence[str], purpose: Purpose) -> Vectors:
        if not self.embedded:
            self._chunks.put("lib", "a", "doc", ChunkDraft(self._text, metadata={"by": "other"}))
        return super().embed(texts, purpose)


def shouted(chunk: Chunk) -> ChunkDraft:
    return ChunkDraft(chunk.text.upper(), metadata=chunk.metadata)


def test_an_edit_is_made_again_on_what_changed_meanwhile(
    store: FakeStore, chunks: ChunkService
) -> None:
    chunks.add("lib", "doc", [ChunkDraft("a", id="a")])
    embedder = Meanwhile(chunks, "b")
    slow = ChunkService(store, ChunkWrites(TextEmbedding({"fake": embedder}, "fake")), Catalog())
    updated = slow.update("lib", "a", shouted).value
    assert (updated.text, updated.metadata) == ("B", {"by": "other"})


def test_a_guarded_edit_is_refused_instead(store: FakeStore, chunks: ChunkService) -> None:
    seen = chunks.add("lib", "doc", [ChunkDraft("a", id="a")]).value[0]
    embedder = Meanwhile(chunks, "b")
    slow = ChunkService(store, ChunkWrites(TextEmbedding({"fake": embedder}, "fake")), Catalog())
    with pytest.raises(PreconditionFailed):
        slow.update("lib", "a", shouted, guard=Guard(versions=frozenset({seen.version})))
    assert chunks.get("lib", "a").value.text == "b"
