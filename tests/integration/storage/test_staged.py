"""The contract of staged embeddings and model changes, tested against every store."""

from dataclasses import replace

import numpy as np

from core.domain.changes import ChunksRef, EmbeddingsReplaced, LibraryRef
from core.domain.document import EmbeddedChunk
from core.domain.model_change import (
    ModelChange,
    ModelChangeState,
    ModelComparison,
    ModelScores,
    StagedEmbedding,
)
from core.ports.store import Store, UnitOfWork
from core.services.lookup import last_model_change
from tests.integration.storage.contract import HARD_TEXT, Recorder, fill, ids
from tests.samples import THEN, a_library, a_row

MODEL = "new"
CHANGE = ModelChange(
    library_id="lib",
    state=ModelChangeState.SWITCHED,
    workflow_id="reembed-1",
    old_model=HARD_TEXT,
    old_dimension=3,
    new_model=MODEL,
    new_dimension=2,
    staged=1,
    total=2,
    keeps_old=True,
    comparison=ModelComparison(5, 4, 0.25, ModelScores(0.5, 0.25), ModelScores(1.0, 0.75)),
    error=HARD_TEXT,
    started_at=THEN,
    switched_at=THEN,
    ended_at=None,
)


def staged(chunk_id: str, version: int, *numbers: float) -> StagedEmbedding:
    return StagedEmbedding(chunk_id, version, np.array(numbers, np.float32))


def stage(unit: UnitOfWork, *rows: StagedEmbedding) -> None:
    unit.staged.put("lib", MODEL, rows)


def chunks_to_stage(store: Store, after: str = "", limit: int = 9) -> list[str]:
    with store.read() as snapshot:
        return ids(snapshot.staged.chunks_to_stage("lib", MODEL, after=after, limit=limit))


def test_chunks_without_an_embedding_of_their_version_are_missing(store: Store) -> None:
    fill(store, "a", "b", "c", "d")
    with store.write() as unit:
        stage(unit, staged("a", 1, 1, 2), staged("b", 9, 1, 2), staged("gone", 1, 1, 2))
        unit.staged.put("lib", "another", [staged("c", 1, 1, 2)])
        unit.commit()
    assert chunks_to_stage(store) == ["b", "c", "d"]
    assert chunks_to_stage(store, after="b") == ["c", "d"]
    assert chunks_to_stage(store, limit=2) == ["b", "c"]
    with store.read() as snapshot:
        assert snapshot.staged.count("lib", MODEL) == 3
        assert sorted(snapshot.staged.models("lib")) == ["another", MODEL]
        found = snapshot.staged.get_many("lib", MODEL, ["a", "b", "c"])
    assert {id_: row.tolist() for id_, row in found.items()} == {"a": [1, 2], "b": [1, 2]}


def test_a_staged_embedding_is_replaced(store: Store) -> None:
    fill(store, "a")
    with store.write() as unit:
        stage(unit, staged("a", 7, 1, 2))
        stage(unit, staged("a", 1, 3, 4))
        assert unit.staged.chunks_to_stage("lib", MODEL, after="", limit=9) == []
        assert unit.staged.get_many("lib", MODEL, ["a"])["a"].tolist() == [3, 4]


def test_own_embeddings_are_copied_in_order(store: Store) -> None:
    fill(store, "a", "b", "c")
    with store.write() as unit:
        stage(unit, staged("b", 1, 8, 8, 8))
        assert unit.staged.copy("lib", MODEL, after="", limit=1) == "a"
        assert unit.staged.copy("lib", MODEL, after="a", limit=9) == "c"
        assert unit.staged.copy("lib", MODEL, after="c", limit=9) is None
        unit.commit()
    with store.read() as snapshot:
        found = snapshot.staged.get_many("lib", MODEL, ["a", "b", "c"])
        own = snapshot.chunks.embeddings("lib", ["a", "c"])
    assert found["b"].tolist() == [8, 8, 8]
    assert [found[id_].tolist() for id_ in "ac"] == [own[id_].tolist() for id_ in "ac"]


def test_of_some_chunks_the_missing_ones_are_found_and_copied(store: Store) -> None:
    fill(store, "a", "b", "c")
    with store.write() as unit:
        stage(unit, staged("b", 1, 8, 8, 8), staged("c", 9, 9, 9, 9))
        unit.commit()
    with store.write() as unit:
        missing = unit.staged.chunks_to_stage_among("lib", MODEL, ["b", "c", "gone"])
        assert ids(missing) == ["c"]
        unit.staged.copy_among("lib", MODEL, ["b", "c", "gone"])
        unit.commit()
    assert chunks_to_stage(store) == ["a"]
    with store.read() as snapshot:
        own = snapshot.chunks.embeddings("lib", ["c"])["c"].tolist()
        found, rows = snapshot.staged.all("lib", MODEL)
        assert (found, rows.tolist()) == (["b", "c"], [[8, 8, 8], own])
        assert snapshot.staged.all("lib", "another")[0] == []


def replacement(*rows: StagedEmbedding) -> EmbeddingsReplaced:
    matrix = np.stack([row.embedding for row in rows]) if rows else np.empty((0, 0), np.float32)
    return EmbeddingsReplaced("lib", [row.chunk_id for row in rows], matrix)


def test_a_switch_replaces_embeddings_and_keeps_versions(store: Store) -> None:
    fill(store, "a", "b")
    recorder = Recorder(store)
    with store.write() as unit:
        stage(unit, staged("a", 1, 1, 2), staged("b", 1, 3, 4))
        unit.libraries.put(a_library(dimension=2, version=unit.position))
        replaced = replacement(staged("a", 1, 1, 2), staged("b", 1, 3, 4))
        unit.staged.switch(MODEL, replaced)
        unit.commit()
    with store.read() as snapshot:
        rows = list(snapshot.chunks.scan("lib"))
        assert [row.embedding.tolist() for row in rows] == [[1, 2], [3, 4]]
        assert [row.chunk for row in rows] == [
            a_row("a", ordinal=0).chunk,
            a_row("b", ordinal=1).chunk,
        ]
        (entry,) = snapshot.log.after(snapshot.position - 1)
    assert recorder.last[-1] is replaced
    assert list(entry.changes) == [LibraryRef("lib"), ChunksRef("lib", ("a", "b"))]
    assert chunks_to_stage(store) == []


def test_a_chunk_written_after_a_switch_has_its_own_version(store: Store) -> None:
    fill(store, "a")
    with store.write() as unit:
        stage(unit, staged("a", 1, 1, 2, 3))
        unit.staged.switch(MODEL, replacement(staged("a", 1, 1, 2, 3)))
        unit.commit()
    row = a_row("a", version=5, text="another")
    with store.write() as unit:
        unit.chunks.put("lib", [EmbeddedChunk(row.chunk, row.embedding)])
        unit.commit()
    assert chunks_to_stage(store) == ["a"]
    with store.read() as snapshot:
        assert snapshot.chunks.get("lib", "a") == row.chunk


def test_a_switch_of_an_empty_library_replaces_nothing(store: Store) -> None:
    fill(store)
    recorder = Recorder(store)
    with store.write() as unit:
        unit.staged.switch(MODEL, replacement())
        unit.commit()
    replaced = recorder.last[-1]
    assert isinstance(replaced, EmbeddingsReplaced)
    assert list(replaced.chunk_ids) == []


def test_staged_embeddings_are_deleted_some_at_a_time(store: Store) -> None:
    fill(store, "a")
    with store.write() as unit:
        stage(unit, staged("a", 1, 1), staged("b", 1, 1), staged("c", 1, 1))
        assert unit.staged.delete("lib", MODEL, limit=2) == 2
        assert unit.staged.delete("lib", MODEL, limit=2) == 1
        assert unit.staged.delete("lib", MODEL, limit=2) == 0


def test_a_model_change_comes_back_as_it_went_in(store: Store) -> None:
    fill(store)
    bare = replace(CHANGE, comparison=None, error=None, switched_at=None, keeps_old=False)
    for change in (bare, CHANGE):
        with store.write() as unit:
            unit.entities(ModelChange).put(change)
            unit.commit()
        with store.read() as snapshot:
            assert last_model_change(snapshot, "lib") == change


def test_a_deleted_library_takes_all_of_it(store: Store) -> None:
    fill(store, "a")
    with store.write() as unit:
        stage(unit, staged("a", 1, 1, 2))
        unit.libraries.delete("lib")
        assert unit.staged.count("lib", MODEL) == 0
