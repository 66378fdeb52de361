import threading
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from core.domain import filters
from core.domain.changes import (
    Change,
    ChunksDeleted,
    ChunksPut,
    DocumentDeleted,
    DocumentPut,
    LibraryDeleted,
    LibraryPut,
)
from core.domain.errors import Behind, NotFound
from core.indexing.views.catalog import Catalog, CatalogState
from core.indexing.views.view import LibraryView
from tests.fakes import FakeStore
from tests.unit.core.builders import chunk, document, embedded, library
from tests.unit.core.indexing.segments import row_ids


def catalog_of(*changes: Change) -> Catalog:
    catalog = Catalog()
    catalog.apply(1, changes)
    return catalog


def test_a_library_is_found_by_id_and_else_by_name() -> None:
    first, second = library("a", name="b"), library("b", name="c")
    catalog = catalog_of(LibraryPut(first), LibraryPut(second))
    assert catalog.library("a").library is first
    assert catalog.library("b").library is second
    assert catalog.library("c").library is second
    with pytest.raises(NotFound):
        catalog.library("d")


def test_names_move_between_libraries_in_one_write() -> None:
    first, second = library("a", name="x"), library("b", name="y")
    catalog = catalog_of(LibraryPut(first), LibraryPut(second))
    second, first = replace(second, name="z"), replace(first, name="y")
    catalog.apply(2, [LibraryPut(second), LibraryPut(first)])
    assert catalog.library("y").library is first
    assert catalog.library("z").library is second
    with pytest.raises(NotFound):
        catalog.library("x")
    catalog.apply(3, [LibraryDeleted("a"), LibraryPut(replace(second, name="y"))])
    assert catalog.library("y").library.id == "b"
    with pytest.raises(NotFound):
        catalog.library("a")


def test_all_views_share_the_runtime_of_their_catalog() -> None:
    catalog = catalog_of(LibraryPut(library("a", name="a")))
    moved = Catalog(CatalogState.of(1, catalog.state.views.values(), [library("b", name="b")]))
    moved.complete(1, LibraryView.empty(library("b", name="b")))
    moved.apply(2, [LibraryPut(library("c", name="c")), LibraryPut(library("a", name="z"))])
    runtime = moved.state.runtime
    assert runtime is not catalog.state.runtime
    for ref in ("z", "b", "c"):
        assert moved.library(ref).runtime is runtime


def test_every_kind_of_change_is_taken_in() -> None:
    catalog = catalog_of(
        LibraryPut(library()),
        DocumentPut(document()),
        ChunksPut("L", [embedded(chunk("a")), embedded(chunk("b"))]),
    )
    before = catalog.state
    titled = filters.parse({"field": "document.title", "op": "eq", "value": "new"})
    assert not catalog.library("L").matching(titled).count
    catalog.apply(2, [DocumentPut(document(title="new")), ChunksDeleted("L", ["a"])])
    [titled_chunk] = catalog.library("L").chunks(catalog.library("L").matching(titled))
    assert titled_chunk.id == "b"
    catalog.apply(3, [ChunksDeleted("L", ["b"]), DocumentDeleted("L", "d")])
    assert not catalog.library("L").documents
    catalog.apply(4, [LibraryDeleted("L")])
    assert not catalog.state.views
    assert before.position == 1
    assert before.library("L").vectors == 2


def test_a_commit_is_taken_once_and_none_is_passed_over() -> None:
    catalog = catalog_of(LibraryPut(library()))
    catalog.apply(1, [LibraryDeleted("L")])
    assert catalog.library("L").library.id == "L"
    with pytest.raises(ValueError, match="not the next"):
        catalog.apply(3, [])
    catalog.apply(2, [])
    assert catalog.position == 2


def test_a_failed_apply_changes_nothing() -> None:
    catalog = catalog_of(LibraryPut(library()), DocumentPut(document()))
    wrong = [ChunksPut("L", [embedded(chunk("a"))]), ChunksPut("L", [embedded(chunk("b"), (1,))])]
    with pytest.raises(ValueError, match="1 dimensions, not 2"):
        catalog.apply(2, wrong)
    assert catalog.position == 1
    assert not catalog.library("L").vectors
    catalog.apply(2, wrong[:1])
    assert list(row_ids(catalog.library("L"))) == ["a"]


def test_it_is_built_from_a_snapshot_and_kept_up_by_the_store(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("core.indexing.views.record.AT_ONCE", 3)
    store = FakeStore()
    names = [f"L{i}" for i in range(4)]
    for name in names:
        with store.write() as unit:
            unit.libraries.put(library(name))
            for i in range(7):
                unit.documents.put(document(f"d{i}", library_id=name))
            rows = [embedded(chunk(f"c{i}", document_id=f"d{i % 7}"), (i, 1)) for i in range(10)]
            unit.chunks.put(name, rows)
            unit.commit()
    with store.read() as snapshot:
        catalog = Catalog.load(snapshot)
    store.subscribe(catalog.apply)
    with store.write() as unit:
        unit.chunks.delete("L0", ["c3"])
        unit.libraries.delete("L1")
        unit.commit()
    assert catalog.position == 5
    assert set(catalog.state.views) == {"L0", "L2", "L3"}
    assert set(row_ids(catalog.library("L0"))) == {f"c{i}" for i in range(10) if i != 3}
    view = catalog.library("L2")
    assert len(view.documents) == 7
    assert view.embedding(row_ids(view)["c9"]).tolist() == [9, 1]


def test_waiting_for_a_position() -> None:
    catalog = catalog_of()
    catalog.wait_for(1, 0)
    with pytest.raises(Behind, match="3"):
        catalog.wait_for(3, 0.01)
    reached = threading.Event()

    def wait() -> None:
        catalog.wait_for(3, 10)
        reached.set()

    waiter = threading.Thread(target=wait)
    waiter.start()
    catalog.apply(2, [])
    assert not reached.is_set()
    catalog.apply(3, [])
    waiter.join(10)
    assert reached.is_set()


def test_readers_never_see_half_a_write() -> None:
    """Set all chunks to the write's own position with each write, in text and in vector."""
    catalog = catalog_of(LibraryPut(library()), DocumentPut(document()))
    failures: list[object] = []
    done = threading.Event()

    def read() -> None:
        query = np.array([[1, 0]], np.float32)
        while not done.is_set():
            state = catalog.state
            view = state.library("L")
            [ranking] = view.search(query, 50)
            texts = {view.chunk(row).text for row in ranking.row_ids.tolist()}
            vectors = {view.embedding(row)[0] for row in ranking.row_ids.tolist()}
            expected = {state.position} if state.position > 1 else set()
            if {int(text) for text in texts} != expected or vectors != expected:
                failures.append((state.position, texts, vectors))

    readers = [threading.Thread(target=read) for _ in range(3)]
    for reader in readers:
        reader.start()
    for position in range(2, 200):
        rows = [
            embedded(chunk(f"c{i}", text=str(position)), (position, 0))
            for i in range(1 + position % 20)
        ]
        changes: Sequence[Change] = [
            ChunksDeleted("L", [f"c{i}" for i in range(20)]),
            ChunksPut("L", rows),
        ]
        catalog.apply(position, changes)
    done.set()
    for reader in readers:
        reader.join(10)
    assert not failures
