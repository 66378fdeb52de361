"""The contract of every store, tested against each: writes, snapshots, listeners and the log."""

from datetime import timedelta

import pytest

from core.contracts.query import Feedback
from core.domain.changes import (
    ChunksDeleted,
    ChunksPut,
    ChunksRef,
    DocumentDeleted,
    DocumentPut,
    DocumentRef,
    FeedbackAdded,
    LibraryDeleted,
    LibraryPut,
    LibraryRef,
)
from core.domain.errors import NotFound
from core.ports.store import Store
from tests.integration.storage.contract import HARD_TEXT, Recorder, fill, ids
from tests.samples import a_document, a_library, a_row


def test_positions_are_gapless_and_a_rollback_gives_its_own_back(store: Store) -> None:
    taken = []
    for committed in (True, False, True):
        with store.write() as unit:
            taken.append(unit.position)
            if committed:
                unit.commit()
    assert taken == [1, 2, 2]
    with store.read() as snapshot:
        assert snapshot.position == 2


def test_nothing_is_left_of_a_write_that_raises(store: Store) -> None:
    heard = Recorder(store)

    def fail() -> None:
        with store.write() as unit:
            unit.libraries.put(a_library())
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    with store.read() as snapshot, pytest.raises(NotFound):
        snapshot.libraries.get("lib")
    assert heard.commits == []


def test_a_write_sees_its_own_changes_and_no_one_else_does_before_its_commit(store: Store) -> None:
    with store.write() as unit:
        unit.libraries.put(a_library())
        assert unit.libraries.get("lib") == a_library()
        with store.read() as snapshot:
            assert snapshot.position == 0
            assert snapshot.libraries.page(after=None, limit=10) == []
        unit.commit()
    with store.read() as snapshot:
        assert snapshot.position == 1
        assert snapshot.libraries.get("lib") == a_library()


def test_a_snapshot_stays_as_it_was(store: Store) -> None:
    fill(store, "a")
    with store.read() as snapshot:
        with store.write() as unit:
            unit.libraries.delete("lib")
            unit.commit()
        assert snapshot.position == 1
        assert snapshot.libraries.get("lib").id == "lib"
        assert ids(snapshot.chunks.page("lib", after=None, limit=10)) == ["a"]


def test_listeners_hear_each_commit_in_order_and_in_full(store: Store) -> None:
    heard = Recorder(store)
    fill(store, "a")
    with store.write() as unit:
        unit.commit()
    assert [position for position, _ in heard.commits] == [1, 2]
    library, document, chunks = heard.commits[0][1]
    assert library == LibraryPut(a_library())
    assert document == DocumentPut(a_document())
    assert isinstance(chunks, ChunksPut)
    assert [row.chunk for row in chunks.rows] == [a_row("a").chunk]


def test_a_listener_hears_before_commit_returns(store: Store) -> None:
    heard = Recorder(store)
    with store.write() as unit:
        unit.commit()
        assert heard.commits == [(1, [])]


def test_the_store_says_how_far_it_is(store: Store) -> None:
    assert store.position == 0
    fill(store)
    with store.write():
        assert store.position == 1
    assert store.position == 1


def test_the_log_tells_of_each_write_by_reference(store: Store) -> None:
    fill(store, "a", HARD_TEXT)
    with store.write() as unit:
        unit.documents.delete("lib", "doc")
        unit.libraries.delete("lib")
        unit.feedback.add("q", Feedback(rating=1))
        unit.commit()
    with store.read() as snapshot:
        first, second = snapshot.log.after(0)
        assert snapshot.log.oldest == 1
        assert list(snapshot.log.after(1)) == [second]
    assert (first.position, second.position) == (1, 2)
    assert first.at.utcoffset() == timedelta(0)
    assert list(first.changes) == [
        LibraryRef("lib"),
        DocumentRef("lib", "doc"),
        ChunksRef("lib", ("a", HARD_TEXT)),
    ]
    gone, *rest = second.changes
    assert isinstance(gone, ChunksDeleted)
    assert sorted(gone.chunk_ids) == sorted(["a", HARD_TEXT])
    assert rest == [DocumentDeleted("lib", "doc"), LibraryDeleted("lib"), FeedbackAdded("q")]


def test_the_log_of_a_snapshot_ends_at_its_position(store: Store) -> None:
    with store.read() as snapshot:
        assert snapshot.log.oldest is None
        fill(store)
        assert list(snapshot.log.after(0)) == []


def test_a_trimmed_log_keeps_the_rest_and_the_position(store: Store) -> None:
    for _ in range(1200):
        with store.write() as unit:
            unit.commit()
    heard = Recorder(store)
    with store.read() as before:
        assert store.trim_log(1101) == 1100
        assert before.log.oldest == 1
        assert len(list(before.log.after(0))) == 1200
    assert store.trim_log(1101) == 0
    with store.read() as snapshot:
        assert snapshot.log.oldest == 1101
        assert [entry.position for entry in snapshot.log.after(0)] == list(range(1101, 1201))
    assert store.trim_log(10**6) == 99
    with store.read() as snapshot:
        assert (snapshot.position, snapshot.log.oldest) == (1200, 1200)
    fill(store)
    assert [position for position, _ in heard.commits] == [1201]
