"""Libraries: names, versions, and what vectors fix for good."""

from dataclasses import replace

import numpy as np
import pytest

from core.domain.document import ChunkDraft, DocumentDraft
from core.domain.errors import Conflict, Invalid, NotFound, PreconditionFailed
from core.domain.guards import Guard
from core.domain.library import Library, LibraryDraft, Metric
from core.domain.schema import FieldRule, FieldType, MetadataSchema
from core.services.documents import DocumentService
from core.services.libraries import LibraryService
from core.services.positioned import Positioned
from tests.fakes import FakeStore
from tests.unit.core.services.faults import invalid_at

YEARS = MetadataSchema({"year": FieldRule(FieldType.INTEGER, required=True)})


def draft_of(library: Library) -> LibraryDraft:
    return LibraryDraft(
        name=library.name,
        description=library.description,
        metadata=library.metadata,
        metadata_schema=library.metadata_schema,
        dimension=library.dimension,
        metric=library.metric,
        index=library.index,
        embedding_model=library.embedding_model,
    )


def add_chunk(documents: DocumentService, library_id: str, **changes: object) -> None:
    draft = ChunkDraft("text", embedding=np.ones(3, dtype=np.float32))
    chunks = [replace(draft, **changes)]  # type: ignore[arg-type]  # a test names what it changes
    documents.create(library_id, DocumentDraft(chunks=chunks))


def test_a_new_library_is_found_by_id_and_by_name(libraries: LibraryService) -> None:
    made = libraries.create(LibraryDraft("books", description="d", metadata={"a": 1}))
    assert made.position == made.value.version == 1
    assert made.value.created_at == made.value.updated_at
    assert libraries.get(made.value.id) == libraries.get("books") == made
    with pytest.raises(NotFound):
        libraries.get("films")


def test_a_name_is_one_library_s(libraries: LibraryService) -> None:
    first = libraries.create(LibraryDraft("books")).value
    with pytest.raises(Conflict):
        libraries.create(LibraryDraft("books"))
    with pytest.raises(Conflict):
        libraries.create(LibraryDraft(first.id))
    second = libraries.create(LibraryDraft("films")).value
    with pytest.raises(Conflict):
        libraries.update(second.id, lambda library: replace(draft_of(library), name="books"))
    with pytest.raises(Conflict):
        libraries.put("books", LibraryDraft("other"))


def test_a_library_may_be_named_as_its_own_id(libraries: LibraryService) -> None:
    libraries.put("books", LibraryDraft("books"))
    again = libraries.put("books", LibraryDraft("books"))
    assert (again.value.name, again.is_new) == ("books", False)


@pytest.mark.parametrize(
    "name", ["", "x" * 129, "a/b", "a\nb", "\x00", "\x7f", ".", "..", "\ud800"]
)
def test_a_name_stands_in_a_path(libraries: LibraryService, name: str) -> None:
    with invalid_at("/name"):
        libraries.create(LibraryDraft(name))


@pytest.mark.parametrize("name", ["x", "x" * 128, "büch er", "日本", "a.b"])
def test_a_name_may_be_in_any_script(libraries: LibraryService, name: str) -> None:
    assert libraries.create(LibraryDraft(name)).value.name == name


def test_put_creates_and_then_replaces_under_the_client_s_id(libraries: LibraryService) -> None:
    made = libraries.put("mine", LibraryDraft("a", description="first"))
    assert made.is_new
    replaced = libraries.put("mine", LibraryDraft("b"))
    assert not replaced.is_new
    assert replaced.value.description is None
    assert replaced.value.version == replaced.position == made.position + 1
    assert replaced.value.created_at == made.value.created_at
    assert replaced.value.updated_at >= made.value.updated_at


def test_put_refuses_an_id_that_a_url_would_not_carry(libraries: LibraryService) -> None:
    with invalid_at("/library_id"):
        libraries.put("a b", LibraryDraft("a"))


def test_guards_hold(libraries: LibraryService) -> None:
    library = libraries.create(LibraryDraft("a")).value
    stale, current = Guard(versions=frozenset({99})), Guard(versions=frozenset({library.version}))
    with pytest.raises(PreconditionFailed):
        libraries.update("a", draft_of, guard=stale)
    with pytest.raises(PreconditionFailed):
        libraries.delete("a", guard=stale)
    with pytest.raises(PreconditionFailed):
        libraries.put(library.id, LibraryDraft("a"), guard=Guard(absent=True))
    with pytest.raises(PreconditionFailed):
        libraries.put("new", LibraryDraft("b"), guard=Guard(exists=True))
    libraries.update("a", draft_of, guard=current)
    assert libraries.get("a").position == 2


def test_what_is_not_there_is_neither_edited_nor_deleted(libraries: LibraryService) -> None:
    with pytest.raises(NotFound):
        libraries.update("?", draft_of)
    with pytest.raises(NotFound):
        libraries.delete("?")


def test_a_deleted_library_is_gone_with_all_below(
    libraries: LibraryService, documents: DocumentService, store: FakeStore
) -> None:
    library_id = libraries.create(LibraryDraft("a")).value.id
    add_chunk(documents, library_id)
    assert libraries.delete("a").position == 3
    with store.read() as snapshot:
        assert not snapshot.chunks.any(library_id)
    libraries.create(LibraryDraft("a"))


def test_a_page_has_its_position(libraries: LibraryService) -> None:
    for name in ("a", "b", "c"):
        libraries.create(LibraryDraft(name))
    page = libraries.page(after=None, limit=2)
    assert [library.name for library in page.value] == ["a", "b"]
    assert page.position == 3
    rest = libraries.page(after=page.value[-1].id, limit=2)
    assert [library.name for library in rest.value] == ["c"]
    assert [x.name for x in libraries.page(after=None, limit=9, name="b").value] == ["b"]


def test_an_answer_is_kept_in_the_write_itself(libraries: LibraryService) -> None:
    def fail(unit: object, library: Positioned[Library]) -> None:
        assert library.value.name == "a"
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        libraries.create(LibraryDraft("a"), before_commit=fail)
    with pytest.raises(NotFound):
        libraries.get("a")


def test_models_are_those_of_the_server(libraries: LibraryService) -> None:
    with pytest.raises(Invalid, match=r"/embedding_model: .*'other'; it has fake, wide"):
        libraries.create(LibraryDraft("a", embedding_model="other"))
    with invalid_at("/dimension"):
        libraries.create(LibraryDraft("a", embedding_model="wide", dimension=4))
    with invalid_at("/dimension"):
        libraries.create(LibraryDraft("a", dimension=0))
    made = libraries.create(LibraryDraft("a", embedding_model="wide", dimension=8)).value
    assert (made.embedding_model, made.dimension) == ("wide", 8)


def test_before_a_vector_everything_may_change(libraries: LibraryService) -> None:
    made = libraries.create(LibraryDraft("a", dimension=8, embedding_model="wide")).value
    changed = LibraryDraft("a", dimension=5, metric=Metric.L2)
    assert libraries.put(made.id, changed).value.dimension == 5
    assert libraries.update(made.id, lambda _: LibraryDraft("a")).value.dimension is None


def test_after_a_vector_dimension_metric_and_model_stay(
    libraries: LibraryService, documents: DocumentService
) -> None:
    made = libraries.create(LibraryDraft("a", metric=Metric.L2)).value
    add_chunk(documents, made.id)
    with invalid_at("/dimension", "/metric", "/embedding_model"):
        libraries.put(
            made.id, LibraryDraft("a", dimension=4, metric=Metric.DOT, embedding_model="fake")
        )
    renamed = libraries.put(made.id, LibraryDraft("b")).value
    assert (renamed.name, renamed.dimension, renamed.metric) == ("b", 3, Metric.L2)


def test_a_schema_is_checked_itself(libraries: LibraryService) -> None:
    bad = MetadataSchema({"year": FieldRule(FieldType.INTEGER, enum=("x",))})
    with invalid_at("/metadata_schema/fields/year/enum/0"):
        libraries.create(LibraryDraft("a", metadata_schema=bad))
    made = libraries.create(LibraryDraft("a")).value
    with invalid_at("/metadata_schema/fields/year/enum/0"):
        libraries.put(made.id, LibraryDraft("a", metadata_schema=bad))


def test_a_schema_holds_for_the_chunks_that_are_there(
    libraries: LibraryService, documents: DocumentService
) -> None:
    made = libraries.create(LibraryDraft("a")).value
    add_chunk(documents, made.id, id="good", metadata={"year": 1})
    libraries.update(made.id, lambda x: replace(draft_of(x), metadata_schema=YEARS))
    libraries.update(made.id, lambda x: replace(draft_of(x), metadata_schema=None))
    add_chunk(documents, made.id, id="bad1", metadata={"year": "x"})
    add_chunk(documents, made.id, id="bad2")
    with pytest.raises(Invalid, match=r"/metadata_schema: 2 of .* the first is bad1 \(/metadata/"):
        libraries.update(made.id, lambda x: replace(draft_of(x), metadata_schema=YEARS))
