"""The contract of every store, tested against each: what is put and read."""

import numpy as np
import pytest

from core.contracts.query import Feedback
from core.domain.changes import (
    ChunksDeleted,
    DocumentDeleted,
    FeedbackAdded,
    LibraryDeleted,
)
from core.domain.errors import Conflict, NotFound
from core.domain.library import IndexKind, IndexSpec, Language, Metric
from core.domain.schema import FieldRule, FieldType, MetadataSchema
from core.ports.rows import AppendPoint
from core.ports.store import Replay, Store
from tests.integration.storage.contract import (
    HARD_METADATA,
    HARD_PLACE,
    HARD_TEXT,
    Recorder,
    fill,
    ids,
)
from tests.samples import a_document, a_library, a_row


def test_a_library_comes_back_as_it_went_in(store: Store) -> None:
    rules = {
        "year": FieldRule(FieldType.INTEGER, required=True, enum=(1, 2)),
        HARD_TEXT: FieldRule(FieldType.STRING_LIST),
    }
    library = a_library(
        description=HARD_TEXT,
        metadata=HARD_METADATA,
        metadata_schema=MetadataSchema(rules, additional=False),
        dimension=None,
        metric=Metric.L2,
        index=IndexSpec(IndexKind.HNSW, {"m": 16}),
        embedding_model="some-model",
        language=Language.FINNISH,
    )
    with store.write() as unit:
        unit.libraries.put(library)
        unit.commit()
    with store.read() as snapshot:
        assert snapshot.libraries.get("lib") == library
        assert snapshot.libraries.get(library.name) == library


def test_a_library_s_id_wins_over_another_s_name(store: Store) -> None:
    with store.write() as unit:
        unit.libraries.put(a_library("a", name="b"))
        unit.libraries.put(a_library("b", name="c"))
        assert unit.libraries.get("b").id == "b"


def test_two_libraries_of_one_name_conflict(store: Store) -> None:
    with store.write() as unit:
        unit.libraries.put(a_library("a", name="same"))
        with pytest.raises(Conflict):
            unit.libraries.put(a_library("b", name="same"))
        unit.libraries.put(a_library("a", name="same", version=7))
        assert unit.libraries.get("same").version == 7


def test_libraries_page_in_order_of_id_and_by_name(store: Store) -> None:
    with store.write() as unit:
        for id_ in "badc":
            unit.libraries.put(a_library(id_))
        page = unit.libraries.page(after=None, limit=3)
        assert [library.id for library in page] == ["a", "b", "c"]
        assert [x.id for x in unit.libraries.page(after="c", limit=3)] == ["d"]
        assert [x.id for x in unit.libraries.page(after=None, limit=3, name="name of c")] == ["c"]
        assert unit.libraries.page(after="c", limit=3, name="name of c") == []


def test_documents_come_back_and_page(store: Store) -> None:
    document = a_document("b", title=HARD_TEXT, source="s", metadata=HARD_METADATA)
    with store.write() as unit:
        unit.libraries.put(a_library())
        for x in (a_document("c"), document, a_document("a")):
            unit.documents.put(x)
        assert unit.documents.get("lib", "b") == document
        assert [x.id for x in unit.documents.page("lib", after="a", limit=9)] == ["b", "c"]
        assert [x.id for x in unit.documents.page("lib", after=None, limit=1)] == ["a"]
        assert unit.documents.get_many("lib", ["b", "b", "?"]) == {"b": document}
        assert unit.documents.get_many("other", ["b"]) == {}
        with pytest.raises(NotFound):
            unit.documents.get("other", "b")


def test_what_a_read_does_not_find_has_its_position(store: Store) -> None:
    with store.write() as unit:
        unit.libraries.put(a_library())
        unit.commit()
    with pytest.raises(NotFound) as raised, store.read() as snapshot:
        snapshot.libraries.get("none")
    assert raised.value.position == 1


def test_what_a_write_does_not_find_has_the_position_before_it(store: Store) -> None:
    with store.write() as unit:
        unit.libraries.put(a_library())
        unit.commit()
    for _ in range(2):
        with pytest.raises(NotFound) as raised, store.write() as unit:
            unit.chunks.get("lib", "none")
        assert raised.value.position == 1


def test_chunks_come_back_with_their_embeddings(store: Store) -> None:
    row = a_row("a", text=HARD_TEXT, metadata=HARD_METADATA, ordinal=3, place=HARD_PLACE)
    fill(store)
    with store.write() as unit:
        unit.chunks.put("lib", [row, a_row("b")])
        unit.commit()
    with store.read() as snapshot:
        assert snapshot.chunks.get("lib", "a") == row.chunk
        assert snapshot.chunks.get_many("lib", ["a", "a", "?"]) == {"a": row.chunk}
        embeddings = snapshot.chunks.embeddings("lib", ["a", "?"])
        assert list(embeddings) == ["a"]
        assert embeddings["a"].dtype == np.float32
        np.testing.assert_array_equal(embeddings["a"], row.embedding)
        assert [x.chunk.id for x in snapshot.chunks.scan("lib")] == ["a", "b"]
        with pytest.raises(NotFound):
            snapshot.chunks.get("lib", "?")


def test_a_chunk_put_again_is_replaced(store: Store) -> None:
    fill(store, "a", "b")
    with store.write() as unit:
        unit.documents.put(a_document("other"))
        changed = a_row("a", document_id="other", text="new", ordinal=5, version=2)
        unit.chunks.put("lib", [changed])
        assert unit.chunks.get("lib", "a") == changed.chunk
        assert unit.chunks.next_ordinal("lib", "other") == 6
        assert ids(unit.chunks.page_of_document("lib", "doc", after=None, limit=9)) == ["b"]


def test_chunks_page_by_id_and_by_place(store: Store) -> None:
    fill(store, "d", "c", "b")
    with store.write() as unit:
        unit.chunks.put("lib", [a_row("a", ordinal=1)])
        assert ids(unit.chunks.page("lib", after="a", limit=2)) == ["b", "c"]
        first = unit.chunks.page_of_document("lib", "doc", after=None, limit=2)
        assert ids(first) == ["d", "a"]
        rest = unit.chunks.page_of_document("lib", "doc", after=(1, "a"), limit=9)
        assert ids(rest) == ["c", "b"]


def test_a_scan_passes_through_more_than_one_page_of_rows(store: Store) -> None:
    fill(store, *(f"{i:05}" for i in range(2500)))
    with store.read() as snapshot:
        assert [row.chunk.ordinal for row in snapshot.chunks.scan("lib")] == list(range(2500))


def test_whether_there_is_any_and_what_comes_next(store: Store) -> None:
    fill(store)
    with store.write() as unit:
        assert not unit.chunks.any("lib")
        assert unit.chunks.next_ordinal("lib", "doc") == 0
        unit.chunks.put("lib", [a_row("a", ordinal=4)])
        assert unit.chunks.any("lib")
        assert unit.chunks.next_ordinal("lib", "doc") == 5


def test_what_chunks_are_appended_to(store: Store) -> None:
    with store.write() as unit:
        assert unit.chunks.append_point("lib", "doc", []) == AppendPoint(None, False, 0, None)
    fill(store, "b", "a")
    with store.write() as unit:
        version = unit.libraries.get("lib").version
        point = unit.chunks.append_point("lib", "doc", ["c"])
        assert point == AppendPoint(version, True, 2, None)
        unit.chunks.put("lib", [a_row("c", ordinal=7)])
        point = unit.chunks.append_point("lib", "doc", ["c", "?", "b"])
        assert point == AppendPoint(version, True, 8, "b")
        point = unit.chunks.append_point("lib", "other", ["?"])
        assert point == AppendPoint(version, False, 0, None)


def test_chunks_are_deleted_as_many_as_there_are(store: Store) -> None:
    fill(store, "a", "b", "c")
    heard = Recorder(store)
    with store.write() as unit:
        assert unit.chunks.delete("lib", ["a", "?", "c"]) == 2
        assert unit.chunks.delete("lib", ["a"]) == 0
        unit.commit()
    (change,) = heard.last
    assert isinstance(change, ChunksDeleted)
    assert sorted(change.chunk_ids) == ["a", "c"]


def test_deleting_a_document_takes_its_chunks_and_tells_of_them_first(store: Store) -> None:
    fill(store, "a", "b")
    heard = Recorder(store)
    with store.write() as unit:
        unit.documents.put(a_document("other"))
        unit.chunks.put("lib", [a_row("c", document_id="other")])
        unit.documents.delete("lib", "doc")
        unit.documents.delete("lib", "?")
        unit.commit()
    chunks, document = heard.last[-2:]
    assert isinstance(chunks, ChunksDeleted)
    assert sorted(chunks.chunk_ids) == ["a", "b"]
    assert document == DocumentDeleted("lib", "doc")
    with store.read() as snapshot:
        assert ids(snapshot.chunks.page("lib", after=None, limit=9)) == ["c"]


def test_deleting_a_library_takes_all_below_it_and_nothing_else(store: Store) -> None:
    fill(store, "a")
    heard = Recorder(store)
    with store.write() as unit:
        unit.libraries.put(a_library("kept"))
        unit.documents.put(a_document(library_id="kept"))
        unit.chunks.put("kept", [a_row("a", library_id="kept")])
        unit.libraries.delete("lib")
        unit.libraries.delete("?")
        unit.commit()
    assert heard.last[-1] == LibraryDeleted("lib")
    with store.read() as snapshot:
        assert not snapshot.chunks.any("lib")
        assert snapshot.documents.page("lib", after=None, limit=9) == []
        assert snapshot.chunks.any("kept")


def test_feedback_comes_back_by_question_in_its_order(store: Store) -> None:
    heard = Recorder(store)
    first, second = Feedback(rating=-1, comment=HARD_TEXT), Feedback(rating=1)
    with store.write() as unit:
        unit.feedback.add("lost", first)
    with store.write() as unit:
        unit.feedback.add("q", first)
        unit.feedback.add("other", second)
        unit.commit()
    with store.write() as unit:
        unit.feedback.add("q", second)
        assert unit.feedback.of("q") == [first, second]
        unit.commit()
    assert heard.commits[0][1] == [FeedbackAdded("q"), FeedbackAdded("other")]
    with store.read() as snapshot:
        assert snapshot.feedback.of("q") == [first, second]
        assert snapshot.feedback.of("other") == [second]
        assert snapshot.feedback.of("lost") == []


def test_replays_are_kept_with_the_write_that_they_answer(store: Store) -> None:
    replay = Replay("fingerprint", 201, {"Location": "/x"}, b'{"a": 1}\x00')
    with store.write() as unit:
        unit.replays.put("lost", replay)
    with store.write() as unit:
        unit.replays.put("key", replay)
        with pytest.raises(Conflict):
            unit.replays.put("key", replay)
        unit.commit()
    with store.read() as snapshot:
        assert snapshot.replays.get("key") == replay
        assert snapshot.replays.get("lost") is None


def test_chunks_come_whole_by_their_ids(store: Store) -> None:
    fill(store, "a", "b", "c")
    with store.read() as snapshot:
        rows = {
            row.chunk.id: row
            for row in snapshot.chunks.get_many_embedded("lib", ["c", "a", "c", "?"])
        }
        assert sorted(rows) == ["a", "c"]
        assert rows["a"].chunk == a_row("a").chunk
        np.testing.assert_array_equal(rows["a"].embedding, a_row("a").embedding)
        assert snapshot.chunks.get_many_embedded("?", ["a"]) == []


def test_the_cursor_key_is_long_enough_to_sign_with(store: Store) -> None:
    assert len(store.cursor_key) == 32
