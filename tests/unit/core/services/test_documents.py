"""Documents, and the chunks that they come with."""

from dataclasses import replace

import numpy as np
import pytest

from core.domain.document import ChunkDraft, Document, DocumentDraft
from core.domain.errors import Conflict, NotFound, PreconditionFailed
from core.domain.guards import Guard
from core.domain.library import LibraryDraft
from core.domain.schema import FieldRule, FieldType, MetadataSchema
from core.services.chunks import ChunkService
from core.services.documents import DocumentService
from core.services.libraries import LibraryService
from tests.fakes import FakeEmbedder
from tests.unit.core.services.faults import invalid_at

LONG = "\n\n".join(f"Paragraph {i}. " + "It goes on and on. " * 40 for i in range(5))


@pytest.fixture(autouse=True)
def library(libraries: LibraryService) -> str:
    return libraries.create(LibraryDraft("lib")).value.id


def one(id_: str | None = None, text: str = "text") -> ChunkDraft:
    return ChunkDraft(text, id=id_, embedding=np.ones(2, dtype=np.float32))


def titled(title: str) -> DocumentDraft:
    return DocumentDraft(title=title)


def texts_of(chunks: ChunkService, document_id: str) -> list[tuple[int, str, str]]:
    page = chunks.page_of_document("lib", document_id, after=None, limit=100).value
    return [(chunk.ordinal, chunk.id, chunk.text) for chunk in page]


def test_a_text_is_split_and_embedded_in_the_one_write(
    documents: DocumentService, chunks: ChunkService, embedder: FakeEmbedder, library: str
) -> None:
    made = documents.create("lib", DocumentDraft(title="t", source="s", text=LONG))
    assert (made.position, made.value.version, made.value.library_id) == (2, 2, library)
    page = chunks.page_of_document("lib", made.value.id, after=None, limit=100).value
    assert len(page) > 4
    assert [chunk.ordinal for chunk in page] == list(range(len(page)))
    assert {chunk.version for chunk in page} == {2}
    assert [f"t\n{chunk.text}" for chunk in page] == embedder.embedded
    assert "".join(LONG.split()) == "".join("".join(chunk.text.split()) for chunk in page)


def test_text_or_chunks_not_both(documents: DocumentService) -> None:
    with invalid_at("/chunks"):
        documents.create("lib", DocumentDraft(text="a", chunks=[one()]))


def test_an_empty_text_has_no_chunks(documents: DocumentService, chunks: ChunkService) -> None:
    made = documents.create("lib", DocumentDraft(text=" \n ")).value
    assert texts_of(chunks, made.id) == []


def test_what_is_wrong_with_a_text_s_chunks_is_wrong_with_the_text(
    libraries: LibraryService, documents: DocumentService
) -> None:
    schema = MetadataSchema({"year": FieldRule(FieldType.INTEGER, required=True)})
    libraries.create(LibraryDraft("strict", metadata_schema=schema))
    with invalid_at("/text"):
        documents.create("strict", DocumentDraft(text=LONG))


def test_ids_and_metadata_are_checked_each_where_it_is(
    libraries: LibraryService, documents: DocumentService
) -> None:
    schema = MetadataSchema({"year": FieldRule(FieldType.INTEGER)}, additional=False)
    libraries.create(LibraryDraft("strict", metadata_schema=schema))
    drafts = [
        replace(one("a"), metadata={"year": 1}),
        replace(one("b"), metadata={"year": "x"}),
        replace(one("a"), metadata={"a/b": 1}),
    ]
    with invalid_at("/chunks/2/id", "/chunks/1/metadata/year", "/chunks/2/metadata/a~1b"):
        documents.create("strict", DocumentDraft(chunks=drafts))
    with invalid_at("/chunks/0/id"):
        documents.create("strict", DocumentDraft(chunks=[one("a b")]))


def test_put_creates_and_then_replaces(documents: DocumentService) -> None:
    made = documents.put("lib", "doc", DocumentDraft(title="a", metadata={"x": 1}))
    assert made.is_new
    replaced = documents.put("lib", "doc", DocumentDraft(source="s"))
    assert not replaced.is_new
    assert (replaced.value.title, replaced.value.source, replaced.value.metadata) == (None, "s", {})
    assert replaced.value.created_at == made.value.created_at
    assert replaced.value.version == replaced.position == made.position + 1
    assert documents.get("lib", "doc") == replaced
    with invalid_at("/document_id"):
        documents.put("lib", "a b", DocumentDraft())


def test_put_without_text_and_chunks_leaves_the_chunks(
    documents: DocumentService, chunks: ChunkService
) -> None:
    documents.put("lib", "doc", DocumentDraft(chunks=[one("a"), one("b")]))
    documents.put("lib", "doc", DocumentDraft(title="new"))
    assert [id_ for _, id_, _ in texts_of(chunks, "doc")] == ["a", "b"]
    documents.put("lib", "doc", DocumentDraft(chunks=[]))
    assert texts_of(chunks, "doc") == []


def test_put_with_chunks_replaces_them_and_may_repeat_ids(
    documents: DocumentService, chunks: ChunkService
) -> None:
    documents.put("lib", "doc", DocumentDraft(chunks=[one("a"), one("b")]))
    before = chunks.get("lib", "b").value
    documents.put("lib", "doc", DocumentDraft(chunks=[one("b", "new"), one("c")]))
    assert texts_of(chunks, "doc") == [(0, "b", "new"), (1, "c", "text")]
    after = chunks.get("lib", "b").value
    assert after.created_at == before.created_at
    assert after.version > before.version


def test_a_chunk_s_id_that_is_elsewhere_is_a_conflict(
    documents: DocumentService, chunks: ChunkService
) -> None:
    documents.put("lib", "doc", DocumentDraft(chunks=[one("a")]))
    with pytest.raises(Conflict, match="'a'"):
        documents.create("lib", DocumentDraft(chunks=[one("b"), one("a")]))
    with pytest.raises(Conflict):
        documents.put("lib", "other", DocumentDraft(chunks=[one("a")]))
    assert texts_of(chunks, "doc") == [(0, "a", "text")]
    with pytest.raises(NotFound):
        documents.get("lib", "other")


def test_update_edits_what_is_there(documents: DocumentService, chunks: ChunkService) -> None:
    documents.put("lib", "doc", DocumentDraft(title="a", source="s", chunks=[one("a")]))

    def edit(document: Document) -> DocumentDraft:
        return DocumentDraft(title="b", source=document.source)

    assert documents.update("lib", "doc", edit).value.source == "s"
    assert documents.get("lib", "doc").value.title == "b"
    assert texts_of(chunks, "doc") == [(0, "a", "text")]
    documents.update("lib", "doc", lambda _: DocumentDraft(chunks=[one("z")]))
    assert texts_of(chunks, "doc") == [(0, "z", "text")]


def test_guards_hold(documents: DocumentService) -> None:
    documents.put("lib", "doc", titled("a"))
    stale = Guard(versions=frozenset({99}))
    with pytest.raises(PreconditionFailed):
        documents.put("lib", "doc", titled("b"), guard=stale)
    with pytest.raises(PreconditionFailed):
        documents.put("lib", "doc", titled("b"), guard=Guard(absent=True))
    with pytest.raises(PreconditionFailed):
        documents.put("lib", "other", titled("b"), guard=stale)
    with pytest.raises(PreconditionFailed):
        documents.update("lib", "doc", lambda _: titled("b"), guard=stale)
    with pytest.raises(PreconditionFailed):
        documents.delete("lib", "doc", guard=stale)
    version = documents.get("lib", "doc").value.version
    documents.put("lib", "doc", titled("b"), guard=Guard(versions=frozenset({version})))


def test_a_deleted_document_is_gone_with_its_chunks(
    documents: DocumentService, chunks: ChunkService
) -> None:
    documents.put("lib", "doc", DocumentDraft(chunks=[one("a")]))
    assert documents.delete("lib", "doc").position == 3
    with pytest.raises(NotFound):
        chunks.get("lib", "a")
    with pytest.raises(NotFound):
        chunks.page_of_document("lib", "doc", after=None, limit=1)


def test_what_is_not_there_is_not_found(documents: DocumentService) -> None:
    with pytest.raises(NotFound, match="library"):
        documents.create("?", titled("a"))
    with pytest.raises(NotFound, match="library"):
        documents.page("?", after=None, limit=1)
    with pytest.raises(NotFound, match="document"):
        documents.get("lib", "?")
    with pytest.raises(NotFound, match="document"):
        documents.delete("lib", "?")
    with pytest.raises(NotFound, match="document"):
        documents.update("lib", "?", lambda _: titled("a"), guard=Guard(versions=frozenset({1})))


def test_documents_page_in_order_of_id(documents: DocumentService) -> None:
    for id_ in "bca":
        documents.put("lib", id_, DocumentDraft())
    page = documents.page("lib", after=None, limit=2)
    assert ([document.id for document in page.value], page.position) == (["a", "b"], 4)
    assert [x.id for x in documents.page("lib", after="b", limit=2).value] == ["c"]


def test_an_answer_is_kept_in_the_write_itself(documents: DocumentService) -> None:
    seen = []
    made = documents.create(
        "lib",
        titled("a"),
        before_commit=lambda _, document: seen.append(document),
    )
    assert seen == [made]
