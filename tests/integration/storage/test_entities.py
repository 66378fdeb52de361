"""The contract of entities, tested against every store, and the rows of earlier formats."""

import pytest

from core.domain.errors import NotFound, StorageError
from core.ports.store import Store
from tests.entities import LongerNote, Note, Pin
from tests.integration.storage.contract import HARD_METADATA, HARD_PLACE, HARD_TEXT, Recorder, fill
from tests.samples import THEN, a_library

HARD_NOTE = Note("a", "lib", HARD_TEXT, 2, (HARD_PLACE,), HARD_METADATA, THEN)


def put(store: Store, *entities: Note | Pin | LongerNote) -> None:
    with store.write() as unit:
        for entity in entities:
            unit.entities(type(entity)).put(entity)
        unit.commit()


def test_an_entity_comes_back_as_it_was_put(store: Store) -> None:
    fill(store)
    recorder = Recorder(store)
    put(store, HARD_NOTE)
    with store.read() as snapshot:
        assert snapshot.entities(Note).get("lib", "a") == HARD_NOTE
    assert recorder.commits == [(2, [])]


def test_an_entity_is_replaced_and_deleted(store: Store) -> None:
    fill(store)
    put(store, Note("a", "lib", "first"))
    with store.write() as unit:
        notes = unit.entities(Note)
        notes.put(Note("a", "lib", "second"))
        assert notes.get("lib", "a").text == "second"
        notes.delete("lib", "a")
        notes.delete("lib", "a")
        with pytest.raises(NotFound, match="There is no sticky note 'a'"):
            notes.get("lib", "a")
    with store.read() as snapshot:
        assert snapshot.entities(Note).get("lib", "a").text == "first"


def test_entities_page_by_kind_and_library(store: Store) -> None:
    fill(store)
    notes = [Note(id_, "lib") for id_ in "abc"]
    with store.write() as unit:
        unit.libraries.put(a_library("other"))
        unit.commit()
    put(store, Note("b", "other"), Pin("d", "lib"), Pin("a", "lib"), *reversed(notes))
    with store.read() as snapshot:
        found = snapshot.entities(Note)
        assert found.page("lib", after=None, limit=2) == notes[:2]
        assert found.page("lib", after="b", limit=9) == notes[2:]
        assert found.get_many("lib", ["c", "?", "a", "c"]) == {"a": notes[0], "c": notes[2]}
        assert snapshot.entities(Pin).page("lib", after=None, limit=9) == [
            Pin("a", "lib"),
            Pin("d", "lib"),
        ]


def test_a_deleted_library_takes_its_entities(store: Store) -> None:
    fill(store)
    with store.write() as unit:
        unit.libraries.put(a_library("other"))
        unit.commit()
    put(store, Note("a", "lib"), Pin("a", "lib"), Note("a", "other"))
    with store.write() as unit:
        unit.libraries.delete("lib")
        assert unit.entities(Note).get_many("lib", ["a"]) == {}
        assert unit.entities(Pin).get_many("lib", ["a"]) == {}
        assert unit.entities(Note).get("other", "a") == Note("a", "other")


def test_a_later_attribute_has_its_default_in_older_rows(engine: Store) -> None:
    fill(engine)
    put(engine, HARD_NOTE)
    with engine.read() as snapshot:
        assert snapshot.entities(LongerNote).get("lib", "a").colour == "yellow"


def test_an_entity_of_another_shape_is_refused(engine: Store) -> None:
    fill(engine)
    put(engine, LongerNote("a", "lib", "", 2, (), None, None))
    shape = (
        "The sticky note 'a' of the library 'lib' is on record in a shape that this program does"
        " not know: Unexpected keyword argument at /colour"
    )
    with engine.read() as snapshot, pytest.raises(StorageError, match=shape):
        snapshot.entities(Note).get("lib", "a")


def test_an_entity_without_its_library_is_refused(engine: Store) -> None:
    with pytest.raises(StorageError, match=r"(?i)foreign key"):
        put(engine, Note("a", "lib"))
